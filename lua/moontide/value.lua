--- The values a user can hand to the database, beyond plain strings, numbers and
--- booleans: `sql "now()"` (an expression), `null`, `array{...}`, `json(...)` and
--- `bytea(...)`, and the forms all of them take: a literal in SQL text, a
--- parameter, the text the type's input function reads.
---
--- A literal and a parameter of the same value mean the same: untyped text that
--- the server resolves from its place, save numbers and bytea, which carry
--- their type. Floats are `numeric` in both (exact, and the server casts it to
--- float8 wherever one is wanted).

local caller = require "moontide.caller"
local fault = require "moontide.fault"
local json = require "moontide.sql.json"
local number = require "moontide.sql.number"
local quote = require "moontide.sql.quote"

local value = {}

---@class moontide.Sql: { text: string }            an SQL expression
---@class moontide.Null                              SQL NULL
---@class moontide.Array: { items: table, n: integer, type: string? }
---@class moontide.Json: { value: any, text: string }
---@class moontide.Bytea: { bytes: string }

local Sql = { name = "sql", [json.hook] = "an SQL expression cannot be part of a JSON document" }
local Null = { name = "null", __tostring = function() return "null" end, [json.hook] = function() return nil end }
local Array = { name = "array", [json.hook] = function(array) return array.items, array.n end }
local Json = { name = "json", [json.hook] = function(document) return document.value end }
local Bytea = { name = "bytea", [json.hook] = "bytea cannot be part of a JSON document" }

local function refuse(message, hint)
  fault.raise("operation", message, { where = caller.where(), hint = hint })
end

local function need(type_name, constructor, given)
  if type(given) == type_name then return end
  refuse(("%s takes a %s, not a %s"):format(constructor, type_name, type(given)))
end

--- SQL NULL, where a plain nil would be an absent value.
value.null = setmetatable({}, Null)

--- An SQL expression, which goes into a statement as it is.
---@param text string
---@return moontide.Sql
function value.sql(text)
  need("string", "sql", text)
  if not text:find("%S") then refuse("an SQL expression must not be empty") end
  if text:find("\0", 1, true) then refuse("an SQL expression cannot contain a NUL byte") end
  return setmetatable({ text = text }, Sql)
end

local function length(list)
  local n = list.n or #list
  for key in pairs(list) do
    if key ~= "n" and (math.type(key) ~= "integer" or key < 1 or key > n) then
      refuse("an array takes a list of elements; it has the key " .. tostring(key), "Write null for a NULL element.")
    end
  end
  return n
end

local function nest(element)
  if type(element) == "table" and not getmetatable(element) then return value.array(element) end
  return element
end

--- An array; lists in it are its further dimensions, `null` is a NULL element.
---@param list table
---@param element_type? string  PostgreSQL type of the elements, to say it where the server cannot infer it
---@return moontide.Array
function value.array(list, element_type)
  need("table", "array", list)
  local items, n = {}, length(list)
  for i = 1, n do items[i] = nest(list[i]) end
  local spelling = element_type and require("moontide.sql.type").check(element_type).text
  return setmetatable({ items = items, n = n, type = spelling }, Array)
end

--- A JSON document: for json and jsonb columns and parameters.
---@param document any  a table, string, number, boolean or null
---@return moontide.Json
function value.json(document)
  return setmetatable({ value = document, text = json.encode(document) }, Json)
end

--- Binary data.
---@param bytes string
---@return moontide.Bytea
function value.bytea(bytes)
  need("string", "bytea", bytes)
  return setmetatable({ bytes = bytes }, Bytea)
end

--- What a value is: "sql", "null" (also for nil and cjson.null), "array", "json",
--- "bytea", "integer", "float", "string", "boolean"; for anything that is no
--- value, its Lua type.
---@param given any
---@return string
function value.kind(given)
  local type_name = type(given)
  if type_name == "string" or type_name == "boolean" then return type_name end
  if type_name == "number" then return math.type(given) end
  if given == nil or given == json.null then return "null" end
  if type_name ~= "table" then return type_name end
  local class = getmetatable(given)
  return class and class.name or "table"
end

--- Whether a value is, or contains, an SQL expression, and so can only be written into a statement.
---@param given any
---@return boolean
function value.is_expression(given)
  local kind = value.kind(given)
  if kind == "sql" then return true end
  if kind ~= "array" then return false end
  for i = 1, given.n do
    if value.is_expression(given.items[i]) then return true end
  end
  return false
end

local function refuse_kind(kind)
  refuse(("a %s is not a value"):format(kind == "table" and "plain Lua table" or kind), kind == "table"
    and "Write array{...} for an array, json{...} for a JSON document, sql \"...\" for an expression." or nil)
end

-- One row a kind: text (what the type's input function reads), literal, param.
local forms

local function form(given, name)
  local kind = value.kind(given)
  local row = forms[kind] or refuse_kind(kind)
  return row[name](given)
end

local function element_text(element)
  local kind = value.kind(element)
  if kind == "array" or kind == "integer" or kind == "boolean" then return form(element, "text") end
  if kind == "null" then return "NULL" end
  return '"' .. form(element, "text"):gsub('["\\]', "\\%0") .. '"'
end

local function array_text(array)
  local parts = {}
  for i = 1, array.n do parts[i] = element_text(array.items[i]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function array_constructor(array)
  local parts = {}
  for i = 1, array.n do
    local item = array.items[i]
    parts[i] = value.kind(item) == "array" and array_constructor(item) or form(item, "literal")
  end
  return "ARRAY[" .. table.concat(parts, ", ") .. "]"
end

local function array_literal(array)
  local text = value.is_expression(array) and array_constructor(array) or quote.literal(array_text(array))
  return array.type and text .. "::" .. array.type .. "[]" or text
end

local function integer_text(integer) return ("%d"):format(integer) end

-- The one integer whose digits without the sign are no bigint.
local function integer_literal(integer)
  return integer == math.mininteger and "'-9223372036854775808'::bigint" or integer_text(integer)
end

-- Numeric has no negative zero, and before 14 no infinities.
local function is_numeric(float)
  return number.is_finite(float) and not (float == 0 and 1 / float < 0)
end

local function float_literal(float)
  return is_numeric(float) and number.float(float) or "'" .. number.float(float) .. "'::float8"
end

local numeric_oid, float8_oid = 1700, 701

local function float_param(float)
  return { oid = is_numeric(float) and numeric_oid or float8_oid, value = number.float(float) }
end

local function bytea_text(bytea)
  return "\\x" .. bytea.bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
end

local function bytea_literal(bytea)
  return "'" .. bytea_text(bytea) .. "'::bytea"
end

local function refuse_expression()
  refuse("an SQL expression cannot be sent as data", "Write the expression into the statement itself.")
end

local function same(given) return given end
local function nothing() return nil end

forms = {
  string = { text = same, literal = quote.literal, param = same },
  boolean = { text = tostring, literal = tostring, param = same },
  integer = { text = integer_text, literal = integer_literal, param = same },
  float = { text = number.float, literal = float_literal, param = float_param },
  null = { text = nothing, literal = function() return "NULL" end, param = nothing },
  array = { text = array_text, literal = array_literal, param = array_text },
  json = {
    text = function(document) return document.text end,
    literal = function(document) return quote.literal(document.text) end,
    param = function(document) return document.text end,
  },
  bytea = {
    text = bytea_text, literal = bytea_literal,
    param = function(bytea) return { type = "bytea", value = bytea.bytes } end,
  },
  sql = { text = refuse_expression, literal = function(marker) return marker.text end, param = refuse_expression },
}

--- A value as SQL text: a literal, or the expression itself.
---@param given any
---@return string
function value.literal(given)
  return form(given, "literal")
end

--- A value as the C binding takes a parameter; nil for NULL.
---@param given any
---@return nil|boolean|integer|string|table
function value.param(given)
  return form(given, "param")
end

--- A value as the text its type's input function reads (COPY, array elements); nil for NULL.
---@param given any
---@return string?
function value.text(given)
  return form(given, "text")
end

return value
