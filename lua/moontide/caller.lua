--- Where in the user's own files a library function was called.

local caller = {}

local function is_library(source)
  return source:sub(1, 1) ~= "@" or source:find("^@lua/moontide/") ~= nil
end

--- The place of the nearest stack frame that is not this library's own.
--- Library chunks are named after their path in the source tree, so no call
--- needs to count levels.
---@param routine? thread  of this coroutine, which is suspended
---@return string? where  "path:line", nil outside of any user file
function caller.where(routine)
  local level, of = routine and 0 or 2, routine or coroutine.running()
  local info = debug.getinfo(of, level, "Sl")
  while info do
    if info.currentline > 0 and not is_library(info.source) then
      return info.source:sub(2) .. ":" .. info.currentline
    end
    level = level + 1
    info = debug.getinfo(of, level, "Sl")
  end
  return nil
end

return caller
