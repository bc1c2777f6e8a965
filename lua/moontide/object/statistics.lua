--- Extended statistics: what the planner knows of columns together.

local catalog = require "moontide.catalog.names"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local element = require "moontide.object.element"
local lifecycle = require "moontide.object.lifecycle"
local lookup = require "moontide.object.lookup"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"
local value = require "moontide.value"

local kind = check.choice("ndistinct", "dependencies", "mcv")

-- Two columns or more, or one expression; the value has them as they are written.
local function read_columns(given, what)
  local list = element.read_list(given, what)
  for _, e in ipairs(list) do
    if e.order or e.nulls or e.opclass or e.collation then check.refuse(what .. " takes names and expressions only") end
  end
  if #list == 1 and list[1].name then check.refuse(what .. " needs at least two columns, or an expression") end
  return element.write_list(list)
end

local function columns_sql(columns)
  local parts = {}
  for i, e in ipairs(element.read_list(columns, "columns")) do parts[i] = element.sql(e) end
  return table.concat(parts, ", ")
end

local function name_of(o) return quote.qualified(o.schema, o.name) end

local function create(o)
  return clause.words("CREATE STATISTICS", o.if_not_exists and "IF NOT EXISTS", name_of(o),
    o.kinds and "(" .. table.concat(o.kinds, ", ") .. ")", "ON", columns_sql(o.columns), "FROM",
    quote.qualified(o.table_schema or o.schema, o.table))
end

local function target_sql(o, target)
  return ("ALTER STATISTICS %s SET STATISTICS %d"):format(name_of(o), target)
end

local function after(o)
  return { o.target and target_sql(o, o.target) }
end

local describe = [[
SELECT s.oid::bigint::text AS oid, c.relname AS table, n.nspname AS table_schema, c.relkind AS kind,
  to_json(array(SELECT CASE k WHEN 'd' THEN 'ndistinct' WHEN 'f' THEN 'dependencies' WHEN 'm' THEN 'mcv' END
    FROM unnest(s.stxkind) k WHERE k <> 'e' ORDER BY 1)) AS kinds,
  ]] .. catalog.columns("s.stxrelid", "s.stxkeys::int2[]") .. [[ AS names,
  CASE WHEN to_jsonb(s) ->> 'stxexprs' IS NOT NULL THEN to_json(%s) END AS expressions,
  nullif(nullif(s.stxstattarget, -1)::text, '') AS target, obj_description(s.oid, 'pg_statistic_ext') AS comment
FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE s.oid = w.oid]]

local function oid_of(o)
  local name, in_schema = quote.literal(o.name), o.schema and "n.nspname = " .. quote.literal(o.schema)
  return ([[(SELECT s.oid FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE s.stxname = %s
    AND %s ORDER BY array_position(current_schemas(true), n.nspname) LIMIT 1)]]):format(name,
    in_schema or "pg_statistics_obj_is_visible(s.oid)")
end

-- Expressions have a function of their own since PostgreSQL 14, which has them first.
local function describe_on(version)
  return describe:format(version >= 140000 and "pg_get_statisticsobjdef_expressions(s.oid)" or "NULL::text[]")
end

-- Names, and behind them expressions.
local function columns_of(found)
  local columns = {}
  for _, name in ipairs(found.names or {}) do columns[#columns + 1] = name end
  for _, text in ipairs(found.expressions or {}) do columns[#columns + 1] = value.sql(text) end
  return columns
end

local function look(o, query)
  local version = math.tointeger(tonumber(query("SHOW server_version_num")[1].server_version_num))
  local found = lookup.row(query, oid_of(o), describe_on(version))
  if not found then return nil end
  local owner = query("SELECT pg_get_userbyid(stxowner) AS name FROM pg_statistic_ext WHERE oid = " .. found.oid)[1]
  return {
    columns = columns_of(found), table = found.table, table_schema = found.table_schema, comment = found.comment,
    owner = owner.name, kinds = #found.kinds > 0 and found.kinds or nil,
    target = math.tointeger(tonumber(found.target)),
  }
end

local function table_lock(o)
  if not o.table then return {} end
  return { { relation = quote.qualified(o.table_schema or o.schema, o.table), mode = "SHARE UPDATE EXCLUSIVE" } }
end

lifecycle.register {
  thing = "statistics",
  summaries = { "Create extended statistics", "Drop extended statistics", "Rename extended statistics" },
  identity = { { "name", check.name, "the statistics name" } },
  content = { { "table", check.name, "the table name" }, { "columns", read_columns, "the list of columns" } },
  shape = { kinds = check.list_of(kind), target = check.integer, table_schema = check.name },
  owned = { words = "STATISTICS" },
  keeping = lifecycle.also,
  making = { if_not_exists = check.flag },
  example = 'table = "orders", columns = { "city", "zip" }',
  create = create,
  after = after,
  look = look,
  create_lock = table_lock,
}

local target_shape = { schema = check.name, existing = check.integer }

operation.register {
  name = "set_statistics_target",
  summary = "Set how detailed extended statistics are",
  build = function(name, target, options)
    local o = check.options(options, target_shape)
    o.name, o.target = check.name(name, "the statistics name"), check.integer(target, "the target")
    return o
  end,
  sql = function(o) return { target_sql(o, o.target) } end,
  inverse = function(o)
    if not o.existing then return nil, "what the target was is not known: give existing, as in existing = -1" end
    return { operation.build("set_statistics_target", o.name, o.existing,
      { schema = o.schema, existing = o.target }) }
  end,
  capture = function(o, query)
    local found = look(o, query)
    return found and { existing = found.target or -1 } or nil
  end,
  lock = function() return {} end,
  source = function(o)
    return source.call("set_statistics_target", o.name, o.target, clause.pick(o, target_shape))
  end,
}

return { describe = describe_on, columns = columns_of }
