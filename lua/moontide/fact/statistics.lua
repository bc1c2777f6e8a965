--- Extended statistics of tables.

local statistics = require "moontide.object.statistics"

local kind = { queries = {} }

local found = [[
SELECT w.name, w.schema, x.* FROM (SELECT s.oid, s.stxname AS name, n.nspname AS schema
  FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
  WHERE {schemas} AND {free pg_statistic_ext s.oid}) w
  CROSS JOIN LATERAL (%s) x ORDER BY w.schema, w.name]]

--- The statement of a version of the server.
---@param version integer
---@return string
function kind.queries.statistics(version)
  return (found:gsub("%%s", function() return statistics.describe(version) end))
end

local words = { r = "table", p = "table", m = "materialized view", f = "foreign table" }

-- All kinds are what there is without a word.
local function options_of(row)
  return { schema = row.schema, table_schema = row.table_schema ~= row.schema and row.table_schema or nil,
    kinds = #row.kinds > 0 and #row.kinds < 3 and row.kinds or nil, target = math.tointeger(tonumber(row.target)) }
end

local function add(set, row)
  local parent = ("%s %s.%s"):format(words[row.kind], row.table_schema, row.table)
  local fact = set:add { key = ("statistics %s.%s"):format(row.schema, row.name), kind = "statistics", parent = parent,
    oid = "pg_statistic_ext:" .. row.oid, table = row.table,
    call = { "create_statistics", row.name, row.table, statistics.columns(row), options_of(row) },
    drop = { "drop_statistics", row.name, { schema = row.schema } } }
  set:depend(fact.key, parent)
  set:comment(fact, row.comment, "statistics", row.name, { schema = row.schema })
end

--- Add what the rows say; those of what is not modelled are not, either.
---@param set moontide.FactSet
---@param rows table<string, table[]>
function kind.add(set, rows)
  for _, row in ipairs(rows.statistics) do
    if row.kind ~= "f" then add(set, row) else
      table.insert(set.unmodelled, { kind = "statistics", name = row.schema .. "." .. row.name })
    end
  end
end

return kind
