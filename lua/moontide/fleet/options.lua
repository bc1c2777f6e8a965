--- The options of commands that run over several targets.

--- Add the options to a command.
---@param command table      argparse's command
---@param changes? boolean   it changes the databases: one failure stops the rest
return function(command, changes)
  command:option("--jobs", "how many targets at a time"):argname("N"):convert(function(text)
    local number = math.tointeger(tonumber(text))
    if number and number > 0 then return number end
    return nil, "--jobs takes a positive whole number"
  end)
  if changes then command:flag("--keep-going", "go on with further targets after one has failed") end
end
