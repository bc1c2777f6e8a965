--- Columns of values as PostgreSQL arrays in their binary form: one parameter for a
--- whole chunk. Types not known here travel as arrays of text, which the statement
--- casts.

local value = require "moontide.value"

local encode = {}

local pack = string.pack

-- What a function answered, in a message.
local function shown(given)
  local kind = type(given)
  return (kind == "table" or kind == "function") and "a " .. kind or tostring(given)
end

local function integer(format, size)
  return function(given)
    if math.type(given) == "integer" then return pack(format, size, given) end
    local number = math.tointeger(given) or type(given) == "string" and math.tointeger(tonumber(given))
    if not number then error(("an integer is expected, not %s"):format(shown(given)), 0) end
    return pack(format, size, number)
  end
end

local function real(format, size)
  return function(given)
    local number = tonumber(given)
    if not number then error(("a number is expected, not %s"):format(shown(given)), 0) end
    return pack(format, size, number)
  end
end

local function boolean(given)
  if type(given) ~= "boolean" then error(("true or false is expected, not %s"):format(shown(given)), 0) end
  return pack(">i4B", 1, given and 1 or 0)
end

local function text(given)
  if type(given) == "string" and not given:find("\0", 1, true) then return pack(">s4", given) end
  if value.is_expression(given) then error("an SQL expression cannot be a value of a row", 0) end
  local written = type(given) == "string" and given or value.text(given)
  if written:find("\0", 1, true) then error("a text contains a NUL byte", 0) end
  return pack(">s4", written)
end

local function bytes(given)
  if type(given) == "string" then return pack(">s4", given) end
  if value.kind(given) == "bytea" then return pack(">s4", given.bytes) end
  error("bytes are expected", 0)
end

-- By the oid of the type: its array's oid, the oid of an element, and how a value is written.
local codecs = {
  [16] = { 1000, 16, boolean }, [17] = { 1001, 17, bytes }, [21] = { 1005, 21, integer(">i4i2", 2) },
  [23] = { 1007, 23, integer(">i4i4", 4) }, [20] = { 1016, 20, integer(">i4i8", 8) },
  [700] = { 1021, 700, real(">i4f", 4) }, [701] = { 1022, 701, real(">i4d", 8) },
}

local as_text = { 1009, 25, text }

---@class moontide.Codec
---@field array integer
---@field element integer
---@field write fun(given: any): string
---@field native boolean  the server needs no cast

--- How values of a type are sent.
---@param oid integer
---@return moontide.Codec
function encode.codec(oid)
  local found = codecs[oid] or as_text
  return { array = found[1], element = found[2], write = found[3], native = found ~= as_text or oid == 25 }
end

local null = pack(">i4", -1)

--- A value of a column as it stands in an array.
---@param codec moontide.Codec
---@param given any
---@return string
function encode.value(codec, given)
  if given == nil or type(given) ~= "number" and type(given) ~= "string" and value.kind(given) == "null" then
    return null
  end
  return codec.write(given)
end

--- Put a value of a column into its array; what is not of the plain form is encoded here.
---@param array moontide.pg.Array
---@param codec moontide.Codec
---@param given any
function encode.put(array, codec, given)
  if not array:add(given) then array:raw(encode.value(codec, given)) end
end

return encode
