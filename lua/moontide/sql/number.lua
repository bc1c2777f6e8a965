--- Floats as text that reads back to the same float.

local number = {}

--- Whether a float is neither infinite nor NaN.
---@param float number
---@return boolean
function number.is_finite(float)
  return float == float and float ~= math.huge and float ~= -math.huge
end

local function shortest(float)
  for digits = 15, 17 do
    local text = ("%." .. digits .. "g"):format(float)
    if tonumber(text) == float then return text end
  end
end

--- The shortest text that reads back to the same float; always with a point,
--- an exponent or a name ('NaN', 'Infinity'), so that it is never taken for an integer.
---@param float number
---@return string
function number.float(float)
  if float ~= float then return "NaN" end
  if not number.is_finite(float) then return float > 0 and "Infinity" or "-Infinity" end
  local text = shortest(float)
  return text:find("[.e]") and text or text .. ".0"
end

return number
