--- Plain values as pure ASCII text and back, with types kept (an integer stays an
--- integer, bytes stay bytes). The journal keeps the answers of reads in this form.

local serialize = {}

local function escaped(text)
  return '"' .. text:gsub('[%c"\\\128-\255]', function(byte) return ("\\%03d"):format(byte:byte()) end) .. '"'
end

local encode

local function key(name)
  return math.type(name) == "integer" and ("[%d]"):format(name) or "[" .. escaped(name) .. "]"
end

-- In the order of the keys, so that equal values have equal texts: digests are made of them.
local function encode_table(value)
  local parts = {}
  for name, item in pairs(value) do parts[#parts + 1] = key(name) .. "=" .. encode(item) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode(value)
  if type(value) == "string" then return escaped(value) end
  if type(value) == "table" then return encode_table(value) end
  return ("%q"):format(value)
end

--- A value made of nil, booleans, numbers, strings and tables of them, as text.
---@param value any
---@return string
function serialize.encode(value) return encode(value) end

-- What `encode` writes holds no code: without its strings and numbers only brackets,
-- signs and three words are left. Anything else was put there by somebody else.
local function is_plain(text)
  local rest = text:gsub('"[^"]*"', ""):gsub("0x%x*%.?%x*p?[+-]?%d*", ""):gsub("%d+e?%d*", "")
  rest = rest:gsub("%a+", { ["true"] = "", ["false"] = "", ["nil"] = "" })
  return not rest:find("[^{}%[%]=,%-()/]")
end

--- The value of such a text; raises a string error for any other text.
---@param text string
---@return any
function serialize.decode(text)
  if not is_plain(text) then error("not a serialized value", 2) end
  return assert(load("return " .. text, "=serialized", "t", {}))()
end

return serialize
