--- JSON documents that go into the database: exact where cjson alone is not
--- (64-bit integers, floats), strict where output for reports need not be (a
--- table is a list or an object, NaN is refused), keys sorted, so that the same
--- value is always the same text.

local caller = require "moontide.caller"
local cjson = require "cjson"
local fault = require "moontide.fault"
local number = require "moontide.sql.number"

local json = {}

--- A metatable with this field says how its tables look in JSON:
--- a function (table) -> what to encode, and for an array its length; or a
--- string, why it cannot be in JSON.
json.hook = "__json"

--- What decoders give for JSON null.
json.null = cjson.null

local deepest = 1000

local function refuse(message)
  fault.raise("operation", message, { where = caller.where() })
end

local encode

local function encode_float(float)
  if not number.is_finite(float) then refuse(("JSON has no number %s"):format(number.float(float))) end
  return number.float(float)
end

local function encode_list(list, n, depth)
  local parts = {}
  for i = 1, n do parts[i] = encode(list[i], depth) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_object(object, depth)
  local keys, parts = {}, {}
  for key in pairs(object) do
    if type(key) ~= "string" then refuse("a JSON object cannot have the key " .. tostring(key)) end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do parts[i] = cjson.encode(key) .. ":" .. encode(object[key], depth) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function encode_hooked(hook, value, depth)
  if type(hook) == "string" then refuse(hook) end
  local inner, n = hook(value)
  if n then return encode_list(inner, n, depth) end
  return encode(inner, depth)
end

local function is_list(value)
  if #value == 0 then return false end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  if count ~= #value then refuse("a JSON value cannot be both a list and an object") end
  return true
end

local function encode_table(value, depth)
  if depth > deepest then refuse("JSON value is nested too deeply (or contains itself)") end
  local hook = (getmetatable(value) or {})[json.hook]
  if hook then return encode_hooked(hook, value, depth + 1) end
  if is_list(value) then return encode_list(value, #value, depth + 1) end
  return encode_object(value, depth + 1)
end

local encoders = {
  ["nil"] = function() return "null" end,
  string = function(value) return cjson.encode(value) end,
  boolean = tostring,
  number = function(value)
    return math.type(value) == "integer" and ("%d"):format(value) or encode_float(value)
  end,
  table = encode_table,
}

function encode(value, depth)
  if value == cjson.null then return "null" end
  local encoder = encoders[type(value)]
  if not encoder then refuse(("a %s cannot be written as JSON"):format(type(value))) end
  return encoder(value, depth)
end

--- Encode a value. Tables with positive integer keys are arrays; an empty table
--- is an object (`array{}` is the empty array); `null` and cjson.null are null.
---@param value any
---@return string
function json.encode(value)
  return encode(value, 0)
end

local function without_nulls(given)
  for key, field in pairs(given) do
    if field == cjson.null then given[key] = nil elseif type(field) == "table" then without_nulls(field) end
  end
  return given
end

--- An object or a list that the server wrote, in which a null is an absent value.
---@param text string
---@return table
function json.document(text) return without_nulls(cjson.decode(text)) end

return json
