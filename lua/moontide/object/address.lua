--- How objects of every kind are named in statements such as COMMENT ON.

local check = require "moontide.check"
local quote = require "moontide.sql.quote"

---@class moontide.Address
---@field object string        the kind, in lower case: "materialized view"
---@field name string
---@field schema? string
---@field table? string        whose column, constraint, policy, rule or trigger it is
---@field domain? string       whose constraint it is
---@field arguments? string[]  types of a routine's arguments

local address = {}

-- Kinds whose names stand by themselves, are in a schema, have arguments, or are within a table (or domain).
local by_form = {
  plain = { "access method", "database", "event trigger", "extension", "foreign data wrapper", "language",
    "publication", "role", "schema", "server", "subscription", "tablespace" },
  schema = { "collation", "conversion", "domain", "foreign table", "index", "materialized view", "sequence",
    "statistics", "table", "text search configuration", "text search dictionary", "text search parser",
    "text search template", "type", "view" },
  arguments = { "aggregate", "function", "procedure", "routine" },
  part = { "column", "constraint", "policy", "rule", "trigger" },
}

local form_of = {}
for form, list in pairs(by_form) do
  for _, kind in ipairs(list) do form_of[kind] = form end
end

--- A check: one of the kinds of the given forms, all of them by default.
---@param ... string
---@return moontide.Check
function address.kind(...)
  local wanted, kinds = {}, {}
  for _, form in ipairs { ... } do wanted[form] = true end
  for kind, form in pairs(form_of) do
    if not next(wanted) or wanted[form] then kinds[#kinds + 1] = kind end
  end
  table.sort(kinds)
  return check.choice(table.unpack(kinds))
end

--- The options that say where an object is.
address.shape = {
  schema = check.name, table = check.name, domain = check.name, arguments = check.list_of(check.type),
}

local allowed = {
  plain = {}, schema = { schema = true }, arguments = { schema = true, arguments = true },
  part = { schema = true, table = true },
}

--- Refuse options that the kind has no use for, and a missing table.
---@param o moontide.Address
function address.check(o)
  local options = allowed[form_of[o.object]]
  for option in pairs(address.shape) do
    local of_domain = option == "domain" and o.object == "constraint"
    if o[option] and not options[option] and not of_domain then
      check.refuse(('option "%s" has no meaning for a %s'):format(option, o.object))
    end
  end
  if o.table and o.domain then check.refuse("table and domain cannot be given together") end
  if options.table and not o.table and not o.domain then
    check.expected('option "table"', "the table that the " .. o.object .. " is a part of", nil)
  end
end

local function routine(o)
  local name, arguments = quote.qualified(o.schema, o.name), table.concat(o.arguments or {}, ", ")
  if o.object == "aggregate" and arguments == "" then arguments = "*" end
  return (o.arguments or o.object == "aggregate") and name .. "(" .. arguments .. ")" or name
end

local function part(o)
  if o.object == "column" then return quote.qualified(o.schema, o.table) .. "." .. quote.ident(o.name) end
  return ("%s ON %s%s"):format(quote.ident(o.name), o.domain and "DOMAIN " or "",
    quote.qualified(o.schema, o.domain or o.table))
end

local naming = {
  plain = function(o) return quote.ident(o.name) end,
  schema = function(o) return quote.qualified(o.schema, o.name) end,
  arguments = routine, part = part,
}

--- The kind and the name: `TABLE a.b`, `FUNCTION f(integer)`, `TRIGGER x ON t`.
---@param o moontide.Address
---@return string
function address.sql(o)
  return o.object:upper() .. " " .. naming[form_of[o.object]](o)
end

local relations = { table = true, view = true, ["materialized view"] = true, ["foreign table"] = true, index = true,
  sequence = true }

--- The relation that it is, or whose column it is.
---@param o moontide.Address
---@return string?
function address.relation(o)
  local name = relations[o.object] and o.name or o.object == "column" and o.table
  return name and quote.qualified(o.schema, name) or nil
end

return address
