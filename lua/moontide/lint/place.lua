--- Where findings are, apart into file and line.

local place = {}

--- The file and the line of "path:line".
---@param where? string
---@return string? path
---@return integer? line
function place.of(where)
  local path, line = (where or ""):match("^(.*):(%d+)$")
  if not path then return nil end
  return path, math.tointeger(tonumber(line))
end

return place
