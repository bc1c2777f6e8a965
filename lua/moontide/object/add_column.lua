--- Adding, dropping and renaming a column.

local alter = require "moontide.object.alter"
local calls = require "moontide.object.calls"
local catalog = require "moontide.catalog.table"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local column = require "moontide.object.column"
local dependents = require "moontide.object.dependents"
local operation = require "moontide.operation"
local positional = require "moontide.object.positional"
local quote = require "moontide.sql.quote"
local online = require "moontide.online.column"

local add_shape = { schema = check.name, if_not_exists = check.flag, online = check.boolean }

local function add_clauses(o)
  local clauses = { clause.words("ADD COLUMN", o.if_not_exists and "IF NOT EXISTS", column.definition(o.column)) }
  for _, constraint in ipairs(column.constraints(o.column)) do clauses[#clauses + 1] = "ADD " .. constraint end
  return alter.append(clauses, column.settings(o.column))
end

-- The table's own lock, and the locks of a column on other tables in the given mode.
local function locks(o, c, mode)
  local list = alter.lock(o)
  for _, lock in ipairs(c and column.locks(c) or {}) do
    if lock.relation ~= list[1].relation then
      list[#list + 1] = { relation = lock.relation, mode = mode or lock.mode }
    end
  end
  return list
end

alter.register {
  name = "add_column",
  summary = "Add a column to a table",
  position = 1,
  build = function(relation, definition, options)
    local name, c = check.name(relation, "the table name"), column.read(definition)
    local o = check.options(options, add_shape)
    o.table, o.column = name, c
    if o.online then check.allow(online.problem(c)) end
    return o
  end,
  expand = function(o, _, ask) if o.online then online.check(o, ask) end end,
  online = function() return true end,
  clauses = add_clauses,
  rest = function(o) return column.rest(o.column, o.schema, o.table) end,
  inverse = function(o)
    if o.if_not_exists then
      return nil, "with if_not_exists it is not known whether the column was there before: leave if_not_exists out"
    end
    return { operation.build("drop_column", o.table, o.column.name,
      { schema = o.schema, existing = column.write(o.column) }) }
  end,
  lock = function(o) return locks(o, o.column) end,
  arguments = function(o) return o.table, column.write(o.column), clause.pick(o, add_shape) end,
}

local drop_shape = {
  schema = check.name, if_exists = check.flag, cascade = check.flag, existing = column.read,
  dependents = dependents.read,
}

local function build_drop(relation, name, options)
  local o = check.options(options, drop_shape)
  o.table, o.name = check.name(relation, "the table name"), check.name(name, "the column name")
  if o.existing and o.existing.name ~= o.name then
    check.refuse(('existing describes the column "%s", not "%s"'):format(o.existing.name, o.name))
  end
  return o
end

-- With cascade the inverse is refused, whatever is known.
local function capture(o, query)
  if o.cascade then return nil end
  local found = catalog.read(query, catalog.oid(o.schema, o.table))
  local whole = found and catalog.column_whole(found, o.name)
  if not whole then return { absent = true } end
  local prepared = dependents.prepare(o, query)
  return { existing = column.read(whole.item), before = whole.before, after = whole.after,
    recreation = prepared and prepared.recreation }
end

-- Views that were given new queries are as before only when the column is there again.
local function undo_drop(o)
  local recreation = type(o.dependents) == "table" and o.recreation or { before = {}, back = {} }
  local list = calls.operations(o.before, dependents.operations(recreation.before, {}))
  list[#list + 1] = operation.build("add_column", o.table, column.write(o.existing), { schema = o.schema })
  return dependents.operations(recreation.back, calls.operations(o.after, list))
end

alter.register {
  name = "drop_column",
  summary = "Drop a column of a table",
  destructive = function(o)
    return ("drops the column %s.%s"):format(quote.qualified(o.schema, o.table), quote.ident(o.name))
  end,
  position = 1,
  build = build_drop,
  clauses = function(o)
    return { clause.words("DROP COLUMN", o.if_exists and "IF EXISTS", quote.ident(o.name), o.cascade and "CASCADE") }
  end,
  inverse = function(o)
    if o.absent then return {} end
    if not o.existing then
      return nil, ('what the column "%s" was is not known: give existing, as in existing = { "%s", "text" }')
        :format(o.name, o.name)
    end
    if o.cascade then return nil, "cascade also drops what depends on the column: drop that first, on its own" end
    if type(o.dependents) == "table" and not o.recreation then
      return nil, "the queries that the views had are not known: reverse it by operations of your own"
    end
    return undo_drop(o)
  end,
  lock = function(o) return locks(o, o.existing, "ACCESS EXCLUSIVE") end,
  capture = capture,
  prepare = dependents.prepare,
  arguments = function(o)
    local options = clause.pick(o, drop_shape)
    options.existing = o.existing and column.write(o.existing)
    return o.table, o.name, options
  end,
}

positional.register_rename {
  name = "rename_column",
  summary = "Rename a column of a table",
  arguments = { { "table", check.name, "the table name" }, { "name", check.name, "the column name" } },
  shape = { schema = check.name },
  sql = function(o)
    return ("ALTER TABLE %s RENAME COLUMN %s"):format(quote.qualified(o.schema, o.table), quote.ident(o.name))
  end,
  lock = alter.lock,
}
