--- Comments on tables and columns. `existing` is the comment there was before.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local column = require "moontide.object.column"
local catalog = require "moontide.catalog.address"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

local shape = { schema = check.name, existing = check.text }

local function lock(o)
  return { { relation = quote.qualified(o.schema, o.table), mode = "SHARE UPDATE EXCLUSIVE" } }
end

local function table_sql(o)
  return { ("COMMENT ON TABLE %s IS %s"):format(quote.qualified(o.schema, o.table),
    o.comment and quote.literal(o.comment) or "NULL") }
end

local function column_sql(o)
  return { column.comment_sql(o.schema, o.table, o.column, o.comment) }
end

-- The arguments of an operation on the same thing with another comment: `column` is nil for a table.
local function again(name, o, comment, existing)
  local options = { schema = o.schema, existing = existing }
  local arguments = table.pack(o.table)
  if o.column then table.insert(arguments, o.column) end
  if comment then table.insert(arguments, comment) end
  table.insert(arguments, options)
  return { operation.build(name, table.unpack(arguments)) }
end

local function inverse_create(thing)
  return function(o)
    if o.existing then return again("create_" .. thing, o, o.existing, o.comment) end
    return again("drop_" .. thing, o, nil, o.comment)
  end
end

local function inverse_drop(thing)
  return function(o)
    if o.absent then return {} end
    if o.existing then return again("create_" .. thing, o, o.existing) end
    return nil, "the comment is not known: give existing = \"the comment there was\""
  end
end

local function capture(o, query)
  local target = { kind = o.column and "column" or "table", name = o.column or o.table, table = o.column and o.table,
    schema = o.schema }
  return catalog.comment(query, target)
end

local function register(registration)
  registration.lock, registration.capture = lock, capture
  operation.register(registration)
end

register {
  name = "create_table_comment",
  summary = "Set the comment of a table",
  build = function(relation, comment, options)
    local o = check.options(options, shape)
    o.table, o.comment = check.name(relation, "the table name"), check.text(comment, "the comment")
    return o
  end,
  sql = table_sql,
  inverse = inverse_create("table_comment"),
  source = function(o) return source.call("create_table_comment", o.table, o.comment, clause.pick(o, shape)) end,
}

register {
  name = "drop_table_comment",
  summary = "Remove the comment of a table",
  build = function(relation, options)
    local o = check.options(options, shape)
    o.table = check.name(relation, "the table name")
    return o
  end,
  sql = table_sql,
  inverse = inverse_drop("table_comment"),
  source = function(o) return source.call("drop_table_comment", o.table, clause.pick(o, shape)) end,
}

register {
  name = "create_column_comment",
  summary = "Set the comment of a column",
  build = function(relation, name, comment, options)
    local o = check.options(options, shape)
    o.table, o.column = check.name(relation, "the table name"), check.name(name, "the column name")
    o.comment = check.text(comment, "the comment")
    return o
  end,
  sql = column_sql,
  inverse = inverse_create("column_comment"),
  source = function(o)
    return source.call("create_column_comment", o.table, o.column, o.comment, clause.pick(o, shape))
  end,
}

register {
  name = "drop_column_comment",
  summary = "Remove the comment of a column",
  build = function(relation, name, options)
    local o = check.options(options, shape)
    o.table, o.column = check.name(relation, "the table name"), check.name(name, "the column name")
    return o
  end,
  sql = column_sql,
  inverse = inverse_drop("column_comment"),
  source = function(o) return source.call("drop_column_comment", o.table, o.column, clause.pick(o, shape)) end,
}
