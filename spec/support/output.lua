--- busted output: a dot for each passed test, each failure in full when it
--- happens, and the totals alone on the last line.

return function()
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()
  local column = 0
  local passed, failed, skipped = 0, 0, 0

  local function mark(character)
    io.write(character)
    column = column + 1
    if column == 100 then
      io.write("\n")
      column = 0
    end
    io.flush()
  end

  local function line(text)
    if column > 0 then io.write("\n") end
    column = 0
    io.write(text, "\n")
    io.flush()
  end

  local function message_of(message)
    if type(message) == "string" then return message end
    if type(message) == "table" and message.message then
      local where = message.where and message.where .. ": " or ""
      return ("%s%s (kind %s)%s%s"):format(where, tostring(message.message), tostring(message.kind),
        message.detail and "\n" .. tostring(message.detail) or "",
        message.statement and "\nstatement: " .. tostring(message.statement) or "")
    end
    return message == nil and "error without a message" or require("pl.pretty").write(message)
  end

  local function show(word, element, message, trace)
    local place = element.trace or trace or {}
    line(("\n%s: %s\n  at %s:%s\n%s"):format(word, handler.getFullName(element), place.short_src or "?",
      place.currentline or "?", message_of(message)))
    if trace and trace.traceback then line(trace.traceback) end
  end

  busted.subscribe({ "test", "end" }, function(_, _, status)
    if status == "success" then
      passed = passed + 1
      mark(".")
    elseif status == "pending" then
      skipped = skipped + 1
      mark("s")
    else
      failed = failed + 1
    end
    return nil, true
  end)

  -- A failure outside of any test (a file that does not load, a setup that raises) counts as a failed test.
  local function failure(word)
    return function(element, _, message, trace)
      show(word, element, message, trace)
      if element.descriptor ~= "it" then failed = failed + 1 end
      return nil, true
    end
  end

  busted.subscribe({ "failure" }, failure("FAILED"))
  busted.subscribe({ "error" }, failure("ERROR"))

  busted.subscribe({ "pending" }, function(element, _, message)
    line(("skipped: %s%s"):format(handler.getFullName(element), message and ": " .. tostring(message) or ""))
    return nil, true
  end)

  busted.subscribe({ "suite", "end" }, function()
    if passed + failed == 0 then
      line("no test was run")
      failed = 1
    end
    if skipped > 0 then line(skipped .. " skipped") end
    line(("%d passed, %d failed"):format(passed, failed))
    return nil, true
  end)

  busted.subscribe({ "exit" }, function()
    if passed == 0 and failed == 1 then os.exit(1, true) end
    return nil, true
  end)

  return handler
end
