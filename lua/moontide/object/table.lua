--- Tables: creating, dropping and renaming them.

local alter = require "moontide.object.alter"
local body = require "moontide.object.body"
local calls = require "moontide.object.calls"
local catalog = require "moontide.catalog.table"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local column = require "moontide.object.column"
local constraint = require "moontide.object.constraint"
local index = require "moontide.object.index"
local operation = require "moontide.operation"
local positional = require "moontide.object.positional"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

-- Columns that are marked as the key; several of them make one key.
local function marked_key(o)
  local names = {}
  for _, c in ipairs(o.columns) do
    if c.primary_key then names[#names + 1] = c.name end
  end
  return names
end

local function like_sql(like)
  local parts = { "LIKE " .. quote.qualified(like.schema, like.table) }
  for _, part in ipairs(like.including or {}) do parts[#parts + 1] = "INCLUDING " .. part:upper() end
  for _, part in ipairs(like.excluding or {}) do parts[#parts + 1] = "EXCLUDING " .. part:upper() end
  return table.concat(parts, " ")
end

local function column_items(o, items)
  local key = marked_key(o)
  for _, c in ipairs(o.columns) do items[#items + 1] = column.definition(c, #key > 1) end
  if #key > 1 then items[#items + 1] = constraint.sql("primary_key", { columns = key }) end
  for _, c in ipairs(o.columns) do alter.append(items, column.constraints(c)) end
  return items
end

local constraint_lists = { { "unique", "unique" }, { "checks", "check" }, { "foreign_keys", "foreign_key" },
  { "excludes", "exclude" } }

local function items_of(o)
  local items = column_items(o, {})
  if o.like then table.insert(items, 1, like_sql(o.like)) end
  if o.primary_key then items[#items + 1] = constraint.sql("primary_key", o.primary_key) end
  for _, list in ipairs(constraint_lists) do
    for _, c in ipairs(o[list[1]] or {}) do items[#items + 1] = constraint.sql(list[2], c) end
  end
  return items
end

local function inherits_sql(parents)
  local names = {}
  for i, parent in ipairs(parents) do names[i] = quote.qualified(parent.schema, parent.table) end
  return "INHERITS (" .. table.concat(names, ", ") .. ")"
end

local function create_sql(o)
  local items = table.concat(items_of(o), ",\n  ")
  return clause.words("CREATE", o.unlogged and "UNLOGGED", o.temporary and "TEMPORARY", "TABLE",
    o.if_not_exists and "IF NOT EXISTS", quote.qualified(o.schema, o.name),
    items == "" and "()" or "(\n  " .. items .. "\n)", o.inherits and inherits_sql(o.inherits),
    o.partition_by and "PARTITION BY " .. o.partition_by, o.using and "USING " .. quote.ident(o.using),
    o.with and "WITH " .. clause.parameters(o.with), o.on_commit and "ON COMMIT " .. o.on_commit:upper(),
    o.tablespace and "TABLESPACE " .. quote.ident(o.tablespace))
end

local function comment_sql(o)
  return ("COMMENT ON TABLE %s IS %s"):format(quote.qualified(o.schema, o.name), quote.literal(o.comment))
end

local function create_statements(o)
  local statements, settings = { create_sql(o) }, {}
  for _, c in ipairs(o.columns) do alter.append(settings, column.settings(c)) end
  alter.append(statements, alter.statements(o.schema, o.name, settings))
  for _, item in ipairs(o.indexes or {}) do statements[#statements + 1] = index.sql(item, o.schema, o.name) end
  if o.comment then statements[#statements + 1] = comment_sql(o) end
  for _, c in ipairs(o.columns) do alter.append(statements, column.rest(c, o.schema, o.name)) end
  return statements
end

-- One lock for each table that is referred to, the table itself left out.
local function referenced_locks(b, own)
  local locks, seen = {}, { [own] = true }
  local function add(lock)
    if not seen[lock.relation] then locks[#locks + 1], seen[lock.relation] = lock, true end
  end
  for _, c in ipairs(b.columns) do
    for _, lock in ipairs(column.locks(c)) do add(lock) end
  end
  for _, c in ipairs(b.foreign_keys or {}) do
    for _, lock in ipairs(constraint.locks("foreign_key", c)) do add(lock) end
  end
  return locks
end

local function create_lock(o)
  local locks = referenced_locks(o, quote.qualified(o.schema, o.name))
  for _, parent in ipairs(o.inherits or {}) do
    locks[#locks + 1] = { relation = quote.qualified(parent.schema, parent.table), mode = "SHARE UPDATE EXCLUSIVE" }
  end
  return locks
end

operation.register {
  name = "create_table",
  summary = "Create a table with its constraints, indexes and comments",
  build = function(name, given)
    local o = body.read(given)
    o.name = check.name(name, "the table name")
    return o
  end,
  sql = create_statements,
  inverse = function(o)
    if o.if_not_exists then
      return nil, "with if_not_exists it is not known whether the table was there before: leave if_not_exists out"
    end
    local existing = body.write(o)
    existing.schema = nil
    return { operation.build("drop_table", o.name, { schema = o.schema, existing = existing }) }
  end,
  lock = create_lock,
  source = function(o) return source.block("create_table", o.name, body.write(o)) end,
}

local function read_existing(given, what)
  local existing = body.read(given, what)
  if existing.schema or existing.if_not_exists then
    check.refuse(what .. " describes the table only", "Give the schema as an option of drop_table.")
  end
  return existing
end

local drop_shape = {
  schema = check.name, if_exists = check.flag, cascade = check.flag, existing = read_existing,
}

local function drop_lock(o)
  local own = quote.qualified(o.schema, o.name)
  local locks = { { relation = own, mode = "ACCESS EXCLUSIVE" } }
  for _, lock in ipairs(o.existing and referenced_locks(o.existing, own) or {}) do
    locks[#locks + 1] = { relation = lock.relation, mode = "ACCESS EXCLUSIVE" }
  end
  return locks
end

-- With cascade the inverse is refused, whatever is known.
local function capture(o, query)
  if o.cascade then return nil end
  local found = catalog.read(query, catalog.oid(o.schema, o.name))
  if not found then return { absent = true } end
  local whole = catalog.whole(query, found)
  return { existing = body.read(whole.body), before = whole.before, after = whole.after,
    schema = not whole.body.temporary and found.row.schema or nil }
end

operation.register {
  name = "drop_table",
  summary = "Drop a table",
  destructive = function(o) return ("drops the table %s"):format(quote.qualified(o.schema, o.name)) end,
  build = function(name, options)
    local o = check.options(options, drop_shape)
    o.name = check.name(name, "the table name")
    return o
  end,
  sql = function(o)
    return { clause.words("DROP TABLE", o.if_exists and "IF EXISTS", quote.qualified(o.schema, o.name),
      o.cascade and "CASCADE") }
  end,
  inverse = function(o)
    if o.absent then return {} end
    if not o.existing then
      return nil, ('what the table "%s" was is not known: give existing, the columns and options as in create_table')
        :format(o.name)
    end
    if o.cascade then return nil, "cascade also drops what depends on the table: drop that first, on its own" end
    local given = body.write(o.existing)
    given.schema = o.schema
    local list = calls.operations(o.before)
    list[#list + 1] = operation.build("create_table", o.name, given)
    return calls.operations(o.after, list)
  end,
  lock = drop_lock,
  capture = capture,
  source = function(o)
    local options = clause.pick(o, drop_shape)
    options.existing = o.existing and body.write(o.existing)
    return source.call("drop_table", o.name, options)
  end,
}

positional.register_rename {
  name = "rename_table",
  summary = "Rename a table",
  arguments = { { "name", check.name, "the table name" } },
  shape = { schema = check.name, if_exists = check.flag },
  sql = function(o)
    return clause.words("ALTER TABLE", o.if_exists and "IF EXISTS", quote.qualified(o.schema, o.name), "RENAME")
  end,
  lock = function(o)
    return { { relation = quote.qualified(o.schema, o.name), mode = "ACCESS EXCLUSIVE" } }
  end,
}
