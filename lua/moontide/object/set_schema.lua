--- Moving an object of any kind into another schema.

local address = require "moontide.object.address"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local catalog = require "moontide.catalog.address"
local operation = require "moontide.operation"
local source = require "moontide.source"

local shape = { schema = check.name, arguments = address.shape.arguments }
local read_kind = address.kind("schema", "arguments")

local function build(object, name, new_schema, options)
  local o = check.options(options, shape)
  o.object, o.name = read_kind(object, "the kind of object"), check.name(name, ("the %s name"):format(object))
  o.new_schema = check.name(new_schema, "the new schema")
  if o.object == "index" then
    check.refuse("an index is always in the schema of its table", "Move the table; its indexes go with it.")
  end
  address.check(o)
  return o
end

operation.register {
  name = "set_schema",
  summary = "Move an object into another schema",
  build = build,
  sql = function(o) return { ("ALTER %s SET SCHEMA %s"):format(address.sql(o), clause.object_name(o.new_schema)) } end,
  inverse = function(o)
    local before = o.schema or o.old_schema
    if not before then
      return nil, ('the schema that the %s "%s" was in is not known: give it, as in schema = "public"')
        :format(o.object, o.name)
    end
    return { operation.build("set_schema", o.object, o.name, before,
      { schema = o.new_schema, arguments = o.arguments }) }
  end,
  capture = function(o, query)
    if o.schema then return nil end
    local target = clause.pick(o, address.shape)
    target.kind, target.name = o.object, o.name
    local schema = catalog.schema(query, target)
    return schema and { old_schema = schema } or nil
  end,
  lock = function(o)
    local relation = address.relation(o)
    return relation and { { relation = relation, mode = "ACCESS EXCLUSIVE" } } or {}
  end,
  source = function(o) return source.call("set_schema", o.object, o.name, o.new_schema, clause.pick(o, shape)) end,
}
