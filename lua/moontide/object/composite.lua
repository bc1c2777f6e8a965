--- Composite types: creating, dropping, renaming and moving them. Changing the attributes is in attribute.lua.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local entity = require "moontide.object.entity"
local lookup = require "moontide.object.lookup"
local operation = require "moontide.operation"
local owned = require "moontide.object.owned"
local quote = require "moontide.sql.quote"

---@class moontide.Attribute
---@field name string
---@field type string
---@field collation? string|table
---@field comment? string

local composite = {}

local ownership = { words = "TYPE", privileges = { "usage" } }
local shape = owned.shape(ownership)
local create_shape = check.join(shape, { schema = check.name })
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

local function write_attributes(attributes)
  local list = {}
  for i, a in ipairs(attributes) do list[i] = composite.write_attribute(a) end
  return list
end

local function create_statements(o)
  local name, parts = quote.qualified(o.schema, o.name), {}
  for i, a in ipairs(o.attributes) do parts[i] = composite.attribute_sql(a) end
  local list = #parts == 0 and "()" or "(\n  " .. table.concat(parts, ",\n  ") .. "\n)"
  local statements = { ("CREATE TYPE %s AS %s"):format(name, list) }
  for _, a in ipairs(o.attributes) do
    if a.comment then statements[#statements + 1] = composite.comment_sql(name, a) end
  end
  return owned.append(statements, ownership, name, o)
end

local function read_existing(given, what)
  check.table(given, what, "a list of attributes")
  local existing = check.shape(given, what, shape, #given)
  existing.attributes = read_attributes(table.move(given, 1, #given, 1, {}), what)
  return existing
end

local function write_existing(existing)
  local list = write_attributes(existing.attributes)
  return table.move(list, 1, #list, 1, owned.write(clause.pick(existing, shape)))
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
  local relation = ("SELECT typrelid FROM pg_type WHERE oid = to_regtype(%s)"):format(entity.literal(o))
  local found = lookup.row(query, relation, attributes_query)
  return found and found.attributes or {}
end

local function capture(o, query)
  local existing = owned.capture(query, { catalog = "pg_type", prefix = "typ", letter = "T",
    condition = ("oid = to_regtype(%s) AND typtype = 'c'"):format(entity.literal(o)) })
  if existing then existing.attributes = composite.attributes_of(o, query) end
  return existing
end

local kind = {
  kind = "type", thing = "type", words = "TYPE", read = read_existing, write = write_existing, capture = capture,
  create = function(o, existing)
    local options = owned.write(clause.pick(existing, shape))
    options.schema = o.schema
    return { operation.build("create_type", o.name, write_attributes(existing.attributes), options) }
  end,
  schema_of = entity.schema_of_type,
  example = '{ { "street", "text" }, { "city", "text" } }',
}

operation.register {
  name = "create_type",
  summary = "Create a composite type",
  build = function(name, attributes, options)
    local o = check.options(options, create_shape)
    o.name, o.attributes = check.name(name, "the type name"), read_attributes(attributes, "the list of attributes")
    return o
  end,
  sql = create_statements,
  inverse = function(o) return entity.uncreate(kind, o, write_existing(o)) end,
  lock = function() return {} end,
  source = function(o)
    return entity.call("create_type", o.name, write_attributes(o.attributes),
      owned.write(clause.pick(o, create_shape)))
  end,
}

entity.register_drop(kind, "Drop a composite type")
entity.register_rename(kind, "Rename a composite type")
entity.register_move(kind, "Move a composite type into another schema")

return composite
