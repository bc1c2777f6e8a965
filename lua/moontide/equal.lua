--- Whether two values are the same all through: their tables hold the same, and mark the same kind of value.

local equal

local function holds(a, b, except)
  for key, field in pairs(b) do
    if key ~= except and (a[key] == nil or not equal(a[key], field)) then return false end
  end
  return true
end

local function same_tables(a, b, except)
  if getmetatable(a) ~= getmetatable(b) or not holds(a, b, except) then return false end
  for key in pairs(a) do
    if key ~= except and b[key] == nil then return false end
  end
  return true
end

--- Numbers are the same when they are written the same: 1 is not 1.0.
---@param a any
---@param b any
---@param except? string  a field of both that does not count
---@return boolean
function equal(a, b, except)
  if type(a) == "table" and type(b) == "table" then return rawequal(a, b) or same_tables(a, b, except) end
  return a == b and math.type(a) == math.type(b)
end

return equal
