--- Sequences that stand for themselves, and the columns that own them.

local column = require "moontide.catalog.column"
local value = require "moontide.value"

local kind = { queries = {} }

kind.queries.sequences = [[
SELECT c.oid::bigint::text AS oid, c.relname AS name, n.nspname AS schema, c.relpersistence = 'u' AS unlogged,
  format_type(s.seqtypid, NULL) AS type, s.seqstart::text AS start, s.seqincrement::text AS increment,
  s.seqmin::text AS minimum, s.seqmax::text AS maximum, s.seqcache::text AS cache, s.seqcycle AS cycle,
  obj_description(c.oid, 'pg_class') AS comment, t.relname AS table_name, tn.nspname AS table_schema,
  a.attname AS column_name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
    AND d.refclassid = 'pg_class'::regclass
  LEFT JOIN pg_class t ON t.oid = d.refobjid LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.deptype IS DISTINCT FROM 'i' AND {schemas} AND {free pg_class c.oid}
ORDER BY n.nspname, c.relname]]

local function add_owner(set, fact, row)
  local owner = { table = row.table_name, schema = row.table_schema, column = row.column_name }
  local key = "owner of " .. fact.key
  set:add { key = key, kind = "sequence owner", parent = fact.key, column = owner,
    call = { "alter_sequence", row.name, { schema = row.schema, owned_by = owner } },
    drop = { "alter_sequence", row.name, { schema = row.schema, owned_by = value.null } } }
  set:depend(key, fact.key)
  set:depend(key, ("table %s.%s"):format(row.table_schema, row.table_name))
end

--- Add what the rows say.
---@param set moontide.FactSet
---@param rows table<string, table[]>
function kind.add(set, rows)
  for _, row in ipairs(rows.sequences) do
    local options = column.sequence_options(row)
    options.schema, options.unlogged = row.schema, row.unlogged or nil
    options.type = row.type ~= "bigint" and row.type or nil
    local fact = set:add { key = ("sequence %s.%s"):format(row.schema, row.name), kind = "sequence",
      oid = "pg_class:" .. row.oid, call = { "create_sequence", row.name, options },
      drop = { "drop_sequence", row.name, { schema = row.schema } } }
    set:comment(fact, row.comment, "sequence", row.name, { schema = row.schema })
    if row.table_name then add_owner(set, fact, row) end
  end
end

return kind
