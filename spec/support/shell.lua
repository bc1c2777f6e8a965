--- Commands for the helpers. They go through sh and not through moontide's own
--- process module, so that the specs do not trust what they test.

local shell = {}

--- A string as one word of a shell command.
---@param text string
---@return string
function shell.quote(text)
  return "'" .. tostring(text):gsub("'", [['\'']]) .. "'"
end

--- A list of words as a shell command.
---@param words string[]
---@return string
function shell.join(words)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = shell.quote(word) end
  return table.concat(quoted, " ")
end

--- What a command prints, without the last line feed; raises when the command fails.
---@param command string
---@return string
function shell.capture(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read("a")
  local ok, _, code = pipe:close()
  if not ok then
    error(("command failed (%s): %s\n%s"):format(code, command, text), 2)
  end
  return (text:gsub("\n$", ""))
end

--- The whole text of a file, or nil when there is none.
---@param path string
---@return string?
function shell.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

--- Write a file, making the folders above it.
---@param path string
---@param text string
function shell.write(path, text)
  local folder = path:match("^(.*)/[^/]+$")
  local file = io.open(path, "wb")
  if not file and folder then
    shell.capture("mkdir -p " .. shell.quote(folder))
    file = io.open(path, "wb")
  end
  assert(file, "cannot write " .. path):write(text)
  file:close()
end

return shell
