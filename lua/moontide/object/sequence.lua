--- Sequences: creating, altering, dropping, renaming and moving them.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lifecycle = require "moontide.object.lifecycle"
local operation = require "moontide.operation"
local owned = require "moontide.object.owned"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"
local value = require "moontide.value"

local column_shape = { table = check.name, column = check.name, schema = check.name }

-- The column that a sequence is dropped with.
local function read_owner_column(given, what)
  local owner = check.shape(check.table(given, what, '{ table = "t", column = "id" }'), what, column_shape)
  check.name(owner.table, what .. " table")
  check.name(owner.column, what .. " column")
  return owner
end

local function read_type(given, what)
  return check.choice("smallint", "integer", "bigint")(given == "int" and "integer" or given, what)
end

local function read_increment(given, what)
  if check.integer(given, what) == 0 then check.refuse(what .. " must not be 0") end
  return given
end

local function sequence_name(o) return quote.qualified(o.schema, o.name) end

local function column_name(owner)
  return quote.qualified(owner.schema, owner.table) .. "." .. quote.ident(owner.column)
end

local options_in_order = { { "increment", "INCREMENT BY %d" }, { "minimum", "MINVALUE %d" },
  { "maximum", "MAXVALUE %d" }, { "start", "START WITH %d" }, { "cache", "CACHE %d" } }

local function option_words(o)
  local parts = { o.type and "AS " .. o.type }
  for _, option in ipairs(options_in_order) do
    local given = o[option[1]]
    if math.type(given) == "integer" then parts[#parts + 1] = option[2]:format(given)
    elseif given ~= nil then parts[#parts + 1] = "NO " .. option[2]:match("%u+") end
  end
  if o.cycle ~= nil then parts[#parts + 1] = o.cycle and "CYCLE" or "NO CYCLE" end
  if o.owned_by ~= nil then
    parts[#parts + 1] = "OWNED BY " .. (value.kind(o.owned_by) == "null" and "NONE" or column_name(o.owned_by))
  end
  return #parts > 0 and table.concat(parts, " ") or nil
end

local function create(o)
  return clause.words("CREATE", o.temporary and "TEMPORARY", o.unlogged and "UNLOGGED", "SEQUENCE",
    o.if_not_exists and "IF NOT EXISTS", sequence_name(o), option_words(o))
end

local definition = [[
SELECT format_type(s.seqtypid, NULL) AS type, s.seqstart AS start, s.seqincrement AS increment, s.seqmin AS minimum,
       s.seqmax AS maximum, s.seqcache AS cache, s.seqcycle AS cycle, c.relpersistence = 'u' AS unlogged,
       q.last_value, q.is_called, t.relname AS table_name, n.nspname AS table_schema, a.attname AS column_name
FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid CROSS JOIN %s q
     LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a'
     LEFT JOIN pg_class t ON t.oid = d.refobjid LEFT JOIN pg_namespace n ON n.oid = t.relnamespace
     LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE c.oid = %d]]

-- Where a sequence goes on. One that has come to its end goes on with its last value: another next one
-- fails in the column's key instead of in the sequence.
local function next_value(row)
  if not row.is_called then return row.last_value end
  local room = row.increment > 0 and row.last_value <= row.maximum - row.increment
    or row.increment < 0 and row.last_value >= row.minimum - row.increment
  if room then return row.last_value + row.increment end
  if not row.cycle then return row.last_value end
  return row.increment > 0 and row.minimum or row.maximum
end

local function condition(o)
  return ("oid = to_regclass(%s) AND relkind = 'S'"):format(quote.reference(o.schema, o.name))
end

local numbers = { "type", "start", "increment", "minimum", "maximum", "cache" }

local function copy_definition(row, existing)
  for _, option in ipairs(numbers) do existing[option] = row[option] end
  existing.cycle, existing.unlogged = row.cycle or nil, row.unlogged or nil
  existing.restart = next_value(row)
  if row.table_name then
    existing.owned_by = { table = row.table_name, schema = row.table_schema, column = row.column_name }
  end
  return existing
end

local function look(o, query)
  local existing, oid = owned.capture(query, { catalog = "pg_class", prefix = "rel", letter = "s",
    condition = condition(o) })
  if not existing then return nil end
  return copy_definition(query(definition:format(sequence_name(o), oid))[1], existing)
end

-- A restart is only needed where the new sequence would not begin there by itself.
local function resume(o, existing)
  if not existing.restart or existing.restart == existing.start then return {} end
  return { operation.build("alter_sequence", o.name, { schema = o.schema, restart = existing.restart }) }
end

lifecycle.register {
  thing = "sequence",
  summaries = { "Create a sequence", "Drop a sequence", "Rename a sequence", "Move a sequence into another schema" },
  identity = { { "name", check.name, "the sequence name" } },
  shape = {
    type = read_type, start = check.integer, increment = read_increment, minimum = check.integer,
    maximum = check.integer, cache = check.integer, cycle = check.flag, owned_by = read_owner_column,
    unlogged = check.flag,
  },
  keeping = { restart = check.integer },
  making = { if_not_exists = check.flag, temporary = check.flag },
  example = "start = 100, restart = 4711",
  owned = { words = "SEQUENCE", privileges = { "select", "update", "usage" } },
  loses = "always",
  settle = function(o)
    if o.temporary and o.unlogged then check.refuse("temporary and unlogged cannot be given together") end
  end,
  create = create,
  resume = resume,
  look = look,
  drop_lock = lifecycle.lock_on "ACCESS EXCLUSIVE",
  rename_lock = lifecycle.lock_on "ACCESS EXCLUSIVE",
  schema_of = function(o)
    return ("SELECT n.nspname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
      .. "WHERE c.oid = to_regclass(%s)"):format(quote.reference(o.schema, o.name))
  end,
}

local function or_null(read)
  return function(given, what)
    return value.kind(given) == "null" and value.null or read(given, what)
  end
end

-- true: the value it started with
local function read_restart(given, what)
  return given == true or check.integer(given, what)
end

local state_shape = {
  type = read_type, start = check.integer, increment = read_increment, minimum = or_null(check.integer),
  maximum = or_null(check.integer), cache = check.integer, cycle = check.boolean,
  owned_by = or_null(read_owner_column), restart = read_restart, unlogged = check.boolean,
}

local function read_state(given, what)
  return check.shape(check.table(given, what), what, state_shape)
end

local alter_shape = check.join(state_shape, { schema = check.name, existing = read_state })

local function restart_words(restart)
  if restart == nil then return nil end
  return restart == true and "RESTART" or ("RESTART WITH %d"):format(restart)
end

local function alter_statements(o)
  local head, list = "ALTER SEQUENCE " .. sequence_name(o), {}
  local words = clause.words(option_words(o), restart_words(o.restart))
  if words ~= "" then list[1] = head .. " " .. words end
  if o.unlogged ~= nil then list[#list + 1] = head .. (o.unlogged and " SET UNLOGGED" or " SET LOGGED") end
  return list
end

-- What the catalog does not have at all, and the server would take.
local absent = { owned_by = value.null, cycle = false, unlogged = false }

local function state_before(o)
  local before, existing = {}, o.existing or {}
  for option in pairs(state_shape) do
    if o[option] ~= nil then
      before[option] = existing[option]
      if before[option] == nil and existing.captured then before[option] = absent[option] end
      if before[option] == nil then
        return nil, ('%s of the sequence "%s" is not known: give existing, as in existing = { %s = ... }')
          :format(option, o.name, option)
      end
    end
  end
  return before
end

operation.register {
  name = "alter_sequence",
  summary = "Change a sequence, or let it begin anew",
  build = function(name, options)
    local o = check.options(options, alter_shape)
    o.name = check.name(name, "the sequence name")
    if next(clause.pick(o, state_shape)) == nil then
      check.refuse("nothing to change", "Give restart, increment, maximum, owned_by or another option.")
    end
    return o
  end,
  sql = alter_statements,
  inverse = function(o)
    local options, reason = state_before(o)
    if not options then return nil, reason end
    options.schema = o.schema
    return { operation.build("alter_sequence", o.name, options) }
  end,
  capture = function(o, query)
    local row = query("SELECT oid::bigint AS oid FROM pg_class WHERE " .. condition(o))[1]
    if not row then return nil end
    local existing = copy_definition(query(definition:format(sequence_name(o), row.oid))[1], { captured = true })
    return { existing = existing }
  end,
  lock = function(o)
    local mode = o.unlogged ~= nil and "ACCESS EXCLUSIVE" or "SHARE ROW EXCLUSIVE"
    return { { relation = sequence_name(o), mode = mode } }
  end,
  source = function(o)
    local options = clause.pick(o, alter_shape)
    if o.existing and o.existing.captured then options.existing = nil end
    return source.call("alter_sequence", o.name, options)
  end,
}
