--- Composite types: creating, dropping, renaming and moving them. Changing the attributes is in attribute.lua.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local datatype = require "moontide.object.datatype"
local lookup = require "moontide.object.lookup"
local quote = require "moontide.sql.quote"

---@class moontide.Attribute
---@field name string
---@field type string
---@field collation? string|table
---@field comment? string

local composite = {}

local attribute_shape = { collation = clause.object, comment = check.text }

--- An attribute as users write it: { name, type, collation =, comment = }.
---@param given any
---@param what string
---@return moontide.Attribute
function composite.read_attribute(given, what)
  check.table(given, what, "{ name, type, ... }")
  local a = check.shape(given, what, attribute_shape, 2)
  a.name, a.type = check.name(given[1], what .. ": the name"), check.type(given[2], what .. ": the type")
  return a
end

--- The reverse of `read_attribute`.
---@param a moontide.Attribute
---@return table
function composite.write_attribute(a)
  local item = clause.pick(a, attribute_shape)
  item[1], item[2] = a.name, a.type
  return item
end

--- name type COLLATE ...
---@param a moontide.Attribute
---@return string
function composite.attribute_sql(a)
  return clause.words(quote.ident(a.name), a.type, a.collation and "COLLATE " .. clause.object_name(a.collation))
end

--- COMMENT ON COLUMN type.attribute
---@param name string  the type as SQL
---@param a moontide.Attribute
---@return string
function composite.comment_sql(name, a)
  return ("COMMENT ON COLUMN %s.%s IS %s"):format(name, quote.ident(a.name),
    a.comment and quote.literal(a.comment) or "NULL")
end

local read_list = check.list_of(composite.read_attribute)

local function read_attributes(given, what)
  local attributes, seen = read_list(given, what), {}
  for _, a in ipairs(attributes) do
    if seen[a.name] then check.refuse(('%s has the attribute "%s" twice'):format(what, a.name)) end
    seen[a.name] = true
  end
  return attributes
end

local function write(options)
  local list = {}
  for i, a in ipairs(options.attributes or {}) do list[i] = composite.write_attribute(a) end
  options.attributes = options.attributes and list
  return options
end

local function create(o)
  local parts = {}
  for i, a in ipairs(o.attributes) do parts[i] = composite.attribute_sql(a) end
  local list = #parts == 0 and "()" or "(\n  " .. table.concat(parts, ",\n  ") .. "\n)"
  return ("CREATE TYPE %s AS %s"):format(quote.qualified(o.schema, o.name), list)
end

local function comments(o)
  local list = {}
  for _, a in ipairs(o.attributes) do
    if a.comment then list[#list + 1] = composite.comment_sql(quote.qualified(o.schema, o.name), a) end
  end
  return list
end

local attributes_query = [[
SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
         'comment', col_description(a.attrelid, a.attnum), 'collation',
         (SELECT json_build_object('name', l.collname, 'schema', n.nspname) FROM pg_collation l
          JOIN pg_namespace n ON n.oid = l.collnamespace
          WHERE l.oid = a.attcollation AND l.oid <> t.typcollation)) ORDER BY a.attnum) AS attributes
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped]]

--- The attributes of a composite type in the catalog, in order.
---@param o table
---@param query fun(sql: string): table
---@return moontide.Attribute[]
function composite.attributes_of(o, query)
  local relation = ("SELECT typrelid FROM pg_type WHERE oid = to_regtype(%s)"):format(quote.reference(o.schema, o.name))
  local found = lookup.row(query, relation, attributes_query)
  return found and found.attributes or {}
end

datatype.register {
  thing = "type",
  typtype = "c",
  summaries = { "Create a composite type", "Drop a composite type", "Rename a composite type",
    "Move a composite type into another schema" },
  content = { { "attributes", read_attributes, "the list of attributes" } },
  inline = "list",
  shape = {},
  example = '{ "street", "text" }, { "city", "text" }',
  write = write,
  create = create,
  after = comments,
  describe = function(o, query, found)
    found.attributes = composite.attributes_of(o, query)
    return found
  end,
}

return composite
