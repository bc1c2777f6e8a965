--- The attributes of composite types: adding, dropping, altering and renaming them.
--- With `cascade` the tables of the type (CREATE TABLE ... OF) follow. A type that is the
--- type of a column somewhere lets the server change names only.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local composite = require "moontide.object.composite"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

local function no_lock() return {} end

local function head(o)
  return "ALTER TYPE " .. quote.qualified(o.schema, o.type_name)
end

local function cascade(o) return o.cascade and "CASCADE" end

local place_shape = { schema = check.name, cascade = check.flag }

operation.register {
  name = "add_attribute",
  summary = "Add an attribute to a composite type",
  build = function(type_name, attribute, options)
    local o = check.options(options, place_shape)
    o.type_name = check.name(type_name, "the type name")
    o.attribute = composite.read_attribute(attribute, "the attribute")
    return o
  end,
  sql = function(o)
    local statements = { clause.words(head(o), "ADD ATTRIBUTE", composite.attribute_sql(o.attribute), cascade(o)) }
    if o.attribute.comment then
      statements[2] = composite.comment_sql(quote.qualified(o.schema, o.type_name), o.attribute)
    end
    return statements
  end,
  inverse = function(o)
    local existing = composite.write_attribute(o.attribute)
    table.remove(existing, 1)
    return { operation.build("drop_attribute", o.type_name, o.attribute.name,
      { schema = o.schema, cascade = o.cascade, existing = existing }) }
  end,
  lock = no_lock,
  source = function(o)
    return source.call("add_attribute", o.type_name, composite.write_attribute(o.attribute),
      clause.pick(o, place_shape))
  end,
}

-- { type, collation =, comment = }: an attribute whose name is known.
local function read_nameless(given, what)
  check.table(given, what, '{ "text" }')
  local named = { "x", given[1] }
  for key, field in pairs(given) do
    if key ~= 1 then named[key] = field end
  end
  local attribute = composite.read_attribute(named, what)
  attribute.name = nil
  return attribute
end

local function write_nameless(attribute)
  local item = composite.write_attribute { name = "x", type = attribute.type, collation = attribute.collation,
    comment = attribute.comment }
  table.remove(item, 1)
  return item
end

local function existing_of(o, query)
  for _, a in ipairs(composite.attributes_of({ schema = o.schema, name = o.type_name }, query)) do
    if a.name == o.name then
      a.name = nil
      return a
    end
  end
end

local drop_shape = check.join(place_shape, { if_exists = check.flag, existing = read_nameless })

local function undo_drop(o)
  if o.absent then return {} end
  if not o.existing then
    return nil, ('what the attribute "%s" was is not known: give existing, as in existing = { "text" }'):format(o.name)
  end
  local attribute = write_nameless(o.existing)
  table.insert(attribute, 1, o.name)
  return { operation.build("add_attribute", o.type_name, attribute, clause.pick(o, place_shape)) }
end

operation.register {
  name = "drop_attribute",
  summary = "Drop an attribute of a composite type",
  build = function(type_name, name, options)
    local o = check.options(options, drop_shape)
    o.type_name, o.name = check.name(type_name, "the type name"), check.name(name, "the attribute name")
    return o
  end,
  sql = function(o)
    return { clause.words(head(o), "DROP ATTRIBUTE", o.if_exists and "IF EXISTS", quote.ident(o.name), cascade(o)) }
  end,
  inverse = undo_drop,
  destructive = function(o)
    return ("drops the attribute %s of the type %s"):format(quote.ident(o.name), quote.qualified(o.schema, o.type_name))
  end,
  capture = function(o, query)
    local existing = existing_of(o, query)
    return existing and { existing = existing } or { absent = true }
  end,
  lock = no_lock,
  source = function(o)
    local options = clause.pick(o, drop_shape)
    options.existing = o.existing and write_nameless(o.existing)
    return source.call("drop_attribute", o.type_name, o.name, options)
  end,
}

local alter_shape = check.join(place_shape, { collation = clause.object, existing = read_nameless })

operation.register {
  name = "alter_attribute",
  summary = "Change the type of an attribute of a composite type",
  build = function(type_name, name, new_type, options)
    local o = check.options(options, alter_shape)
    o.type_name, o.name = check.name(type_name, "the type name"), check.name(name, "the attribute name")
    o.type = check.type(new_type, "the type")
    return o
  end,
  sql = function(o)
    return { clause.words(head(o), "ALTER ATTRIBUTE", quote.ident(o.name), "TYPE", o.type,
      o.collation and "COLLATE " .. clause.object_name(o.collation), cascade(o)) }
  end,
  inverse = function(o)
    if not o.existing then
      return nil, ('what the attribute "%s" was is not known: give existing, as in existing = { "text" }')
        :format(o.name)
    end
    return { operation.build("alter_attribute", o.type_name, o.name, o.existing.type, {
      schema = o.schema, cascade = o.cascade, collation = o.existing.collation,
      existing = { o.type, collation = o.collation },
    }) }
  end,
  capture = function(o, query) return { existing = existing_of(o, query) } end,
  lock = no_lock,
  source = function(o)
    local options = clause.pick(o, alter_shape)
    options.existing = o.existing and write_nameless(o.existing)
    return source.call("alter_attribute", o.type_name, o.name, o.type, options)
  end,
}

operation.register {
  name = "rename_attribute",
  summary = "Rename an attribute of a composite type",
  build = function(type_name, name, new_name, options)
    local o = check.options(options, place_shape)
    o.type_name, o.name = check.name(type_name, "the type name"), check.name(name, "the attribute name")
    o.new_name = check.name(new_name, "the new name")
    return o
  end,
  sql = function(o)
    return { clause.words(head(o), "RENAME ATTRIBUTE", quote.ident(o.name), "TO", quote.ident(o.new_name),
      cascade(o)) }
  end,
  inverse = function(o)
    return { operation.build("rename_attribute", o.type_name, o.new_name, o.name, clause.pick(o, place_shape)) }
  end,
  lock = no_lock,
  source = function(o)
    return source.call("rename_attribute", o.type_name, o.name, o.new_name, clause.pick(o, place_shape))
  end,
}
