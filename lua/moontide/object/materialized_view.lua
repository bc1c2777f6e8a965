--- Materialized views: their rows are computed when they are created and refreshed.

local alter = require "moontide.object.alter"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lifecycle = require "moontide.object.lifecycle"
local lookup = require "moontide.object.lookup"
local operation = require "moontide.operation"
local query_text = require "moontide.object.query"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"
local parameter = require "moontide.object.parameter"
local view = require "moontide.object.view"

local function name_of(o) return quote.qualified(o.schema, o.name) end

local describe = [[
SELECT c.oid::bigint::text AS oid, rtrim(pg_get_viewdef(c.oid), ';') AS query, c.relispopulated AS with_data,
  (SELECT t.spcname FROM pg_tablespace t WHERE t.oid = c.reltablespace) AS tablespace,
  (SELECT m.amname FROM pg_am m WHERE m.oid = c.relam AND m.amname <> 'heap') AS "using",
  (SELECT json_object_agg(o.option_name, o.option_value) FROM pg_options_to_table(c.reloptions) o) AS "with",
]] .. view.also .. [[ AS also
FROM pg_class c WHERE c.oid = w.oid AND c.relkind = 'm']]

local function look(o, query)
  local found = lookup.row(query, view.oid(o), describe)
  if not found then return nil end
  local definition = view.belongings(query, found)
  definition.query, definition.also = query_text.trim(found.query), view.some(found.also)
  definition.tablespace, definition.using, definition.with = found.tablespace, found.using, found.with
  if not found.with_data then definition.with_data = false end
  return definition
end

local function create(o)
  return clause.words("CREATE MATERIALIZED VIEW", o.if_not_exists and "IF NOT EXISTS", name_of(o),
    o.columns and clause.columns(o.columns), o.using and "USING " .. quote.ident(o.using),
    o.with and "WITH " .. clause.parameters(o.with), o.tablespace and "TABLESPACE " .. quote.ident(o.tablespace),
    "AS", o.query, o.with_data == false and "WITH NO DATA")
end

lifecycle.register {
  thing = "materialized_view",
  summaries = { "Create a materialized view", "Drop a materialized view", "Rename a materialized view" },
  identity = { { "name", check.name, "the view name" } },
  content = { { "query", query_text.read, "the query" } },
  shape = { columns = check.names, using = check.name, with = check.parameters, tablespace = check.name,
    with_data = check.boolean },
  making = { if_not_exists = check.flag },
  keeping = lifecycle.also,
  example = 'query = "select 1"',
  owned = view.owned "MATERIALIZED VIEW",
  create = create,
  look = look,
  drop_lock = lifecycle.lock_on "ACCESS EXCLUSIVE",
  rename_lock = lifecycle.lock_on "ACCESS EXCLUSIVE",
  rename_if_exists = true,
}

local refresh_shape = { schema = check.name, concurrently = check.flag, with_data = check.boolean }

operation.register {
  name = "refresh_materialized_view",
  summary = "Compute the rows of a materialized view again",
  build = function(name, options)
    local o = check.options(options, refresh_shape)
    o.name = check.name(name, "the view name")
    if o.concurrently and o.with_data == false then
      check.refuse("concurrently and with_data = false cannot be given together")
    end
    return o
  end,
  sql = function(o)
    return { clause.words("REFRESH MATERIALIZED VIEW", o.concurrently and "CONCURRENTLY", name_of(o),
      o.with_data == false and "WITH NO DATA") }
  end,
  -- The rows are those of the query before and after; only an emptied view has to be filled again.
  inverse = function(o)
    if o.with_data ~= false then return {} end
    return { operation.build("refresh_materialized_view", o.name, { schema = o.schema }) }
  end,
  lock = function(o)
    return { { relation = name_of(o), mode = o.concurrently and "EXCLUSIVE" or "ACCESS EXCLUSIVE" } }
  end,
  source = function(o)
    return source.call("refresh_materialized_view", o.name, clause.pick(o, refresh_shape))
  end,
}

local state_shape = { with = parameter.read_changes, tablespace = check.name }
local alter_shape = check.join(state_shape, { schema = check.name,
  existing = function(given, what) return check.shape(check.table(given, what), what, state_shape) end })

local function alter_clauses(o)
  local clauses = parameter.clauses(o.with)
  if o.tablespace then clauses[#clauses + 1] = "SET TABLESPACE " .. quote.ident(o.tablespace) end
  return clauses
end

local function look_state(o, query)
  local found = lookup.row(query, view.oid(o), describe)
  if not found then return nil end
  return { existing = {
    with = o.with and parameter.before(o.with, found.with or {}),
    tablespace = o.tablespace and (found.tablespace or "pg_default"),
  } }
end

operation.register {
  name = "alter_materialized_view",
  summary = "Change storage parameters or the tablespace of a materialized view",
  build = function(name, options)
    local o = check.options(options, alter_shape)
    o.name = check.name(name, "the view name")
    if not o.with and not o.tablespace then check.refuse("nothing to change", "Give with or tablespace.") end
    return o
  end,
  sql = function(o)
    local list = alter.statements(o.schema, o.name, alter_clauses(o))
    for i, sql in ipairs(list) do list[i] = sql:gsub("^ALTER TABLE", "ALTER MATERIALIZED VIEW") end
    return list
  end,
  inverse = function(o)
    if not o.existing then
      return nil, "what the settings were is not known: give existing, as in existing = { with = { fillfactor = 70 } }"
    end
    local options = clause.pick(o.existing, state_shape)
    options.with = options.with and parameter.write(options.with)
    options.schema = o.schema
    options.existing = { with = o.with and parameter.write(o.with), tablespace = o.tablespace }
    return { operation.build("alter_materialized_view", o.name, options) }
  end,
  lock = function(o)
    return lifecycle.lock_on(o.tablespace and "ACCESS EXCLUSIVE" or "SHARE UPDATE EXCLUSIVE")(o)
  end,
  capture = look_state,
  source = function(o)
    local options = clause.pick(o, alter_shape)
    options.with = options.with and parameter.write(options.with)
    if options.existing then
      options.existing = clause.pick(options.existing, state_shape)
      options.existing.with = options.existing.with and parameter.write(options.existing.with)
    end
    return source.call("alter_materialized_view", o.name, options)
  end,
}
