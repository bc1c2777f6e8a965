--- Primary keys and unique constraints.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local constraint = require "moontide.object.constraint"
local default_name = require "moontide.object.name"
local index = require "moontide.object.index"
local online = require "moontide.online.key"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"

local key = {}

local item_shape = check.join(constraint.deferrable, {
  name = check.name, include = check.names, with = check.parameters, tablespace = check.name,
})
local unique_shape = check.join(item_shape, { nulls_not_distinct = check.flag })

local function operation_shape(shape)
  local extended = check.join(shape, { schema = check.name, using_index = check.name, online = check.boolean })
  extended.name = nil
  return extended
end

-- An item { "a", "b", name = ..., include = ... }, or a single name.
local function reader(shape)
  return function(given, what)
    if type(given) == "string" then given = { given } end
    check.table(given, what, "a list of column names")
    local c = check.shape(given, what, shape, #given)
    constraint.check_deferrable(given)
    c.columns = check.names(table.move(given, 1, #given, 1, {}), what .. " columns")
    return c
  end
end

local function writer(shape)
  return function(c)
    return table.move(c.columns, 1, #c.columns, 1, clause.pick(c, shape))
  end
end

--- The `unique` of a column: true, or a table of the constraint's options.
---@param given any
---@param what string
---@return table?
function key.read_column(given, what)
  if type(given) == "boolean" then return given and {} or nil end
  check.table(given, what, "true or a table of options")
  constraint.check_deferrable(given)
  return check.shape(given, what, unique_shape)
end

local function by_columns(word, c)
  return clause.words(word, c.nulls_not_distinct and "NULLS NOT DISTINCT", clause.columns(c.columns),
    c.include and "INCLUDE " .. clause.columns(c.include), c.with and "WITH " .. clause.parameters(c.with),
    c.tablespace and "USING INDEX TABLESPACE " .. quote.ident(c.tablespace), constraint.timing(c))
end

local function text(word, c)
  if c.using_index then
    return clause.words(word, "USING INDEX", quote.ident(c.using_index), constraint.timing(c))
  end
  return by_columns(word, c)
end

local function all_columns(c)
  local columns = table.move(c.columns, 1, #c.columns, 1, {})
  return table.move(c.include or {}, 1, #(c.include or {}), #columns + 1, columns)
end

constraint.kinds.primary_key = {
  operation = "create_primary_key",
  read = reader(item_shape),
  write = writer(item_shape),
  text = function(c) return text("PRIMARY KEY", c) end,
  name = function(relation, c) return c.using_index or default_name.primary_key(relation) end,
}

constraint.kinds.unique = {
  operation = "create_unique_constraint",
  read = reader(unique_shape),
  write = writer(unique_shape),
  text = function(c) return text("UNIQUE", c) end,
  name = function(relation, c) return c.using_index or default_name.unique(relation, all_columns(c)) end,
}

local words = { primary_key = "PRIMARY KEY", unique = "UNIQUE" }

local function refuse_index_options(o)
  for _, option in ipairs { "nulls_not_distinct", "with", "tablespace" } do
    if o[option] then check.refuse(("%s and using_index cannot be given together"):format(option)) end
  end
end

local function build(shape)
  return function(name, relation, columns, options)
    local o = check.options(options, shape)
    constraint.check_deferrable(options or {})
    o.name = name ~= nil and check.name(name, "the constraint name") or nil
    o.table = check.name(relation, "the table name")
    if columns ~= nil or not o.using_index then o.columns = check.names(columns, "the list of columns") end
    if o.using_index then refuse_index_options(o) end
    if o.online and o.using_index then
      check.refuse("online and using_index cannot be given together", "With using_index it takes a moment anyway.")
    end
    return o
  end
end

-- The constraint took over an index, which goes with it when it is dropped and has to be built again.
local function inverse(kind)
  return function(o)
    if not o.using_index then return constraint.drop(kind, o) end
    if not o.columns then
      return nil, "the columns of the index are not known: give them as the third argument, besides using_index"
    end
    local name = o.name or o.using_index
    return {
      operation.build("drop_constraint", name, o.table, { schema = o.schema }),
      operation.build("create_index", o.using_index, o.table, o.columns,
        { schema = o.schema, unique = true, include = o.include }),
    }
  end
end

-- The name is the server's own choice where none is given.
local function expand(kind, word)
  return function(o, ctx, ask)
    if not o.online then return nil end
    return online.steps(o, {
      word = word, name = o.name or constraint.kinds[kind].name(o.table, o), plain = by_columns(word, o),
      timing = constraint.timing(o), write = index.sql,
    }, ctx, ask)
  end
end

local function register(kind, name, summary, shape)
  constraint.register(kind, {
    name = name,
    summary = summary,
    build = build(shape),
    inverse = inverse(kind),
    expand = expand(kind, words[kind]),
    online = function(o) return not o.using_index end,
    lock = constraint.online_lock,
    arguments = function(o) return o.name, o.table, o.columns, clause.pick(o, shape) end,
  })
end

register("primary_key", "create_primary_key", "Add a primary key", operation_shape(item_shape))
register("unique", "create_unique_constraint", "Add a unique constraint", operation_shape(unique_shape))

return key
