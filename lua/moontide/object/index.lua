--- Indexes: of `create_index`, of `indexes` in a table and of `index` in a column.

local calls = require "moontide.object.calls"
local catalog = require "moontide.catalog.table"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local concurrent = require "moontide.object.concurrent"
local default_name = require "moontide.object.name"
local element = require "moontide.object.element"
local online = require "moontide.online.index"
local operation = require "moontide.operation"
local positional = require "moontide.object.positional"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

---@class moontide.Index
---@field name? string
---@field table string
---@field schema? string
---@field columns moontide.Element[]
---@field predicate? string  the option `where`

local index = {}

local item_shape = {
  name = check.name, unique = check.flag, using = check.name, where = check.expression, include = check.names,
  with = check.parameters, tablespace = check.name, nulls_not_distinct = check.flag,
}
local column_shape = check.join(item_shape, element.shape)
local operation_shape = check.join(item_shape, {
  schema = check.name, concurrently = check.flag, if_not_exists = check.flag, only = check.flag,
  online = check.boolean,
})
operation_shape.name = nil

-- `where` of an operation's value is its place in the file; the predicate has its own field.
local function settle(o)
  o.predicate, o.where = o.where, nil
  if o.nulls_not_distinct and not o.unique then check.refuse("nulls_not_distinct needs unique = true") end
  return o
end

local function options_of(o, shape)
  local options = clause.pick(o, shape)
  options.where = o.predicate
  return options
end

--- An item of a table's `indexes`: { "a", { "b", order = "desc" }, name = ..., unique = true }.
---@param given any
---@param what string
---@return table
function index.read(given, what)
  check.table(given, what, "a list of columns")
  local item = settle(check.shape(given, what, item_shape, #given))
  item.columns = element.read_list(table.move(given, 1, #given, 1, {}), what .. " columns")
  return item
end

--- The reverse of `index.read`.
---@param item table
---@return table
function index.write(item)
  local list = element.write_list(item.columns)
  return table.move(list, 1, #list, 1, options_of(item, item_shape))
end

--- The `index` of a column: true, or a table of options.
---@param given any
---@param what string
---@return table?
function index.read_column(given, what)
  if type(given) == "boolean" then return given and {} or nil end
  return settle(check.shape(check.table(given, what, "true or a table"), what, column_shape))
end

--- The reverse of `index.read_column`.
---@param options table
---@return table|true
function index.write_column(options)
  local written = options_of(options, column_shape)
  return next(written) ~= nil and written or true
end

--- The index of a column as an index of its table.
---@param options table
---@param column string
---@return table
function index.of_column(options, column)
  local item = clause.pick(options, item_shape)
  item.predicate = options.predicate
  item.columns = { clause.pick(options, element.shape) }
  item.columns[1].name = column
  return item
end

local function elements_sql(elements)
  local parts = {}
  for i, e in ipairs(elements) do parts[i] = element.sql(e) end
  return "(" .. table.concat(parts, ", ") .. ")"
end

--- CREATE INDEX of an index on a table.
---@param o table
---@param schema string?
---@param relation string
---@return string
function index.sql(o, schema, relation)
  return clause.words("CREATE", o.unique and "UNIQUE", "INDEX", o.concurrently and "CONCURRENTLY",
    o.if_not_exists and "IF NOT EXISTS", o.name and quote.ident(o.name), "ON", o.only and "ONLY",
    quote.qualified(schema, relation), o.using and "USING " .. quote.ident(o.using), elements_sql(o.columns),
    o.include and "INCLUDE " .. clause.columns(o.include), o.nulls_not_distinct and "NULLS NOT DISTINCT",
    o.with and "WITH " .. clause.parameters(o.with), o.tablespace and "TABLESPACE " .. quote.ident(o.tablespace),
    o.predicate and "WHERE " .. o.predicate)
end

local function name_of(o)
  if o.name then return o.name end
  local names = element.names(o.columns, o.include)
  if names then return default_name.index(o.table, names) end
  return nil, "PostgreSQL names an index of an expression itself: give it a name as the first argument"
end

local function check_online(o)
  if not o.name then check.refuse("online needs a name for the index") end
  if o.only then check.refuse("online and only cannot be given together") end
end

local function table_lock(o, mode)
  return { { relation = quote.qualified(o.schema, o.table), mode = mode } }
end

local function is_concurrent(o) return o.concurrently or o.online or false end

local function build_create(name, relation, columns, options)
  local o = settle(check.options(options, operation_shape))
  o.name = name ~= nil and check.name(name, "the index name") or nil
  o.table, o.columns = check.name(relation, "the table name"), element.read_list(columns, "the list of columns")
  if o.if_not_exists and not o.name then check.refuse("if_not_exists needs a name for the index") end
  -- A build that was killed is recognized by the name of what it left.
  if o.concurrently and not o.name then check.refuse("concurrently needs a name for the index") end
  if o.online then check_online(o) end
  return o
end

operation.register {
  name = "create_index",
  summary = "Create an index",
  build = build_create,
  sql = function(o) return { index.sql(o, o.schema, o.table) } end,
  inverse = function(o)
    if o.if_not_exists then
      return nil, "with if_not_exists it is not known whether the index was there before: leave if_not_exists out"
    end
    local name, reason = name_of(o)
    if not name then return nil, reason end
    return { operation.build("drop_index", name, { schema = o.schema, concurrently = o.concurrently, online = o.online,
      table = o.table, existing = index.write(o) }) }
  end,
  lock = function(o) return table_lock(o, is_concurrent(o) and "SHARE UPDATE EXCLUSIVE" or "SHARE") end,
  transactional = function(o) return not is_concurrent(o) end,
  expand = function(o, _, ask) return is_concurrent(o) and online.create(o, ask, index.sql) or nil end,
  online = function(o) return not o.only and o.name ~= nil end,
  inside = concurrent.inside,
  source = function(o)
    return source.call("create_index", o.name, o.table, element.write_list(o.columns), options_of(o, operation_shape))
  end,
}

local drop_shape = {
  schema = check.name, if_exists = check.flag, concurrently = check.flag, cascade = check.flag, table = check.name,
  online = check.boolean,
  existing = index.read,
}

local function build_drop(name, options)
  local o = check.options(options, drop_shape)
  o.name = check.name(name, "the index name")
  if o.concurrently and o.cascade then check.refuse("concurrently and cascade cannot be given together") end
  if o.online and o.cascade then check.refuse("online and cascade cannot be given together") end
  if o.existing and not o.table then
    check.refuse("existing needs the table of the index too", 'Add table = "..." to the options.')
  end
  if o.existing then o.existing.name = nil end
  return o
end

local function capture(o, query)
  if o.cascade then return nil end
  local found = catalog.read_index(query, o.schema, o.name)
  return found and { restored_by = found } or { absent = true }
end

-- As it was, and concurrently where it was dropped so.
local function build_again(o)
  local list = calls.operations(o.restored_by)
  list[1].concurrently, list[1].online = o.concurrently, o.online
  return list
end

local function create_again(o)
  if o.restored_by then return build_again(o) end
  local options = index.write(o.existing)
  local columns = table.move(options, 1, #options, 1, {})
  for i = 1, #columns do options[i] = nil end
  options.name, options.schema, options.concurrently, options.online = nil, o.schema, o.concurrently, o.online
  return { operation.build("create_index", o.name, o.table, columns, options) }
end

operation.register {
  name = "drop_index",
  summary = "Drop an index",
  build = build_drop,
  sql = function(o)
    return { clause.words("DROP INDEX", o.concurrently and "CONCURRENTLY", o.if_exists and "IF EXISTS",
      quote.qualified(o.schema, o.name), o.cascade and "CASCADE") }
  end,
  inverse = function(o)
    if o.absent then return {} end
    if not o.existing and not o.restored_by then
      return nil, ('what the index "%s" was is not known: give table and existing, as in '
        .. 'table = "users", existing = { "email", unique = true }'):format(o.name)
    end
    if o.cascade then return nil, "cascade also drops what depends on the index: drop that first, on its own" end
    return create_again(o)
  end,
  lock = function(o)
    local mode = is_concurrent(o) and "SHARE UPDATE EXCLUSIVE" or "ACCESS EXCLUSIVE"
    return { { relation = quote.qualified(o.schema, o.table or o.name), mode = mode } }
  end,
  transactional = function(o) return not is_concurrent(o) end,
  expand = function(o, _, ask) return is_concurrent(o) and online.drop(o, ask) or nil end,
  online = function(o) return not o.cascade end,
  capture = capture,
  inside = concurrent.inside,
  source = function(o)
    local options = clause.pick(o, drop_shape)
    options.existing = o.existing and index.write(o.existing)
    return source.call("drop_index", o.name, options)
  end,
}

positional.register_rename {
  name = "rename_index",
  summary = "Rename an index",
  arguments = { { "name", check.name, "the index name" } },
  shape = { schema = check.name, if_exists = check.flag },
  sql = function(o)
    return clause.words("ALTER INDEX", o.if_exists and "IF EXISTS", quote.qualified(o.schema, o.name), "RENAME")
  end,
  lock = function(o)
    return { { relation = quote.qualified(o.schema, o.name), mode = "SHARE UPDATE EXCLUSIVE" } }
  end,
}

return index
