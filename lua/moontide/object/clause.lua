--- Pieces of SQL text that several objects share.

local check = require "moontide.check"
local quote = require "moontide.sql.quote"
local value = require "moontide.value"

local clause = {}

local object_shape = { name = check.name, schema = check.name }

--- A check: the name of an object that may live in a schema (a collation, an
--- operator class), as a name or { name =, schema = }.
function clause.object(given, what)
  if type(given) == "string" then return check.name(given, what) end
  local object = check.shape(given, what, object_shape)
  check.name(object.name, what .. " name")
  return object.schema and object or object.name
end

--- The SQL of what `clause.object` answered.
---@param object string|table
---@return string
function clause.object_name(object)
  if type(object) == "string" then return quote.ident(object) end
  return quote.qualified(object.schema, object.name)
end

--- A check of an operator, which is never quoted: it is made of these characters only, as anything else
--- would be pasted into the statement.
---@param given any
---@param what string
---@param hint? string
---@return string
function clause.operator(given, what, hint)
  if type(given) ~= "string" then check.expected(what, 'an operator such as "&&"', given) end
  if not given:find("^[-+*/<>=~!@#%%^&|`?]+$") then
    check.refuse(('%s: "%s" is no operator'):format(what, given), hint)
  end
  return given
end

--- Names in parentheses.
---@param names string[]
---@return string
function clause.columns(names)
  return "(" .. quote.idents(names) .. ")"
end

local function setting(given)
  return type(given) == "string" and quote.literal(given) or value.literal(given)
end

-- "toast.autovacuum_enabled" is two words to the server.
local function parameter_name(key)
  return (key:gsub("[^.]+", quote.ident))
end

--- Storage parameters in parentheses, in the order of their names.
---@param parameters table<string, any>
---@return string
function clause.parameters(parameters)
  local parts = {}
  for key, given in pairs(parameters) do parts[#parts + 1] = parameter_name(key) .. " = " .. setting(given) end
  table.sort(parts)
  return "(" .. table.concat(parts, ", ") .. ")"
end

--- An expression where the grammar takes only a restricted one (DEFAULT):
--- in parentheses unless it is a word, a number or a function call.
---@param text string
---@return string
function clause.restricted(text)
  local is_call = text:find("^[%a_][%w_.]*%b()$") and not text:lower():find("^not%(")
  if is_call or text:find("^[%w_.]+$") then return text end
  return "(" .. text .. ")"
end

--- A value or an expression after DEFAULT.
---@param given any
---@return string
function clause.default(given)
  local text = value.literal(given)
  return value.is_expression(given) and clause.restricted(check.expression(text, "the default")) or text
end

--- Words and parts joined by single spaces; nil and false are left out.
---@return string
function clause.words(...)
  local parts, present = table.pack(...), {}
  for i = 1, parts.n do
    if parts[i] then present[#present + 1] = parts[i] end
  end
  return table.concat(present, " ")
end

--- The fields of a value that are options of a shape: what its source text gives as options.
---@param o table      its own fields count, none of a metatable
---@param shape table  with their names as keys
---@return table
function clause.pick(o, shape)
  local options = {}
  for key, field in pairs(o) do
    if shape[key] then options[key] = field end
  end
  return options
end

return clause
