--- Plain values as pure ASCII text and back, with types kept (an integer stays an
--- integer, bytes stay bytes). The journal keeps the answers of reads in this form.

local value = require "moontide.value"

local serialize = {}

local function escaped(text)
  return '"' .. text:gsub('[%c"\\\128-\255]', function(byte) return ("\\%03d"):format(byte:byte()) end) .. '"'
end

local encode

local function key(name)
  return math.type(name) == "integer" and ("[%d]"):format(name) or "[" .. escaped(name) .. "]"
end

-- In the order of the keys, so that equal values have equal texts: digests are made of them.
local function encode_table(given)
  local parts = {}
  for name, item in pairs(given) do parts[#parts + 1] = key(name) .. "=" .. encode(item) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode(given)
  local kind = value.kind(given)
  if kind == "string" then return escaped(given) end
  if kind == "sql" then return "sql" .. escaped(given.text) end
  if given ~= nil and kind == "null" then return "null" end
  if type(given) == "table" then return encode_table(given) end
  return ("%q"):format(given)
end

--- A value made of nil, booleans, numbers, strings, `sql "..."`, `null` and tables of them, as text.
---@param given any
---@return string
function serialize.encode(given) return encode(given) end

-- What `encode` writes holds no code: without its strings and numbers only brackets,
-- signs and five words are left. Anything else was put there by somebody else.
local function is_plain(text)
  local rest = text:gsub('"[^"]*"', ""):gsub("0x%x*%.?%x*p?[+-]?%d*", ""):gsub("%d+e?%d*", "")
  rest = rest:gsub("%a+", { ["true"] = "", ["false"] = "", ["nil"] = "", null = "", sql = "" })
  return not rest:find("[^{}%[%]=,%-()/]")
end

--- The value of such a text; raises a string error for any other text.
---@param text string
---@return any
function serialize.decode(text)
  if not is_plain(text) then error("not a serialized value", 2) end
  return assert(load("return " .. text, "=serialized", "t", { sql = value.sql, null = value.null }))()
end

return serialize
