--- Indexes as the catalog has them: those of constraints, too, which say so.

local names = require "moontide.catalog.names"
local value = require "moontide.value"

local index = {}

-- The elements of the key, in its order: a column as it is by its name, anything else as an object. The collation
-- of an expression is not known, so any but the usual one is told.
local elements = [[
  SELECT i.indexrelid, json_agg(CASE WHEN u.num <> 0 AND i.indoption[u.n - 1] = 0 AND o.opcdefault
        AND x.attoptions IS NULL AND i.indcollation[u.n - 1] IN (0, a.attcollation) THEN to_json(a.attname)
      ELSE json_build_object('name', a.attname,
        'expression', CASE WHEN u.num = 0 THEN pg_get_indexdef(i.indexrelid, u.n::int, false) END,
        'opclass', CASE WHEN NOT o.opcdefault OR x.attoptions IS NOT NULL THEN o.opcname END,
        'opclass_schema', s.nspname, 'options', ]] .. names.options "x.attoptions" .. [[,
        'collation', CASE WHEN l.oid <> coalesce(a.attcollation, 'pg_catalog."default"'::regcollation)
          THEN l.collname END,
        'collation_schema', ls.nspname, 'descending', i.indoption[u.n - 1] & 1 = 1,
        'nulls_first', i.indoption[u.n - 1] & 2 = 2) END ORDER BY u.n) AS list
  FROM i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY u(num, n)
    JOIN pg_attribute x ON x.attrelid = i.indexrelid AND x.attnum = u.n
    JOIN pg_opclass o ON o.oid = i.indclass[u.n - 1] JOIN pg_namespace s ON s.oid = o.opcnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.num AND u.num <> 0
    LEFT JOIN pg_collation l ON l.oid = i.indcollation[u.n - 1] LEFT JOIN pg_namespace ls ON ls.oid = l.collnamespace
  WHERE u.n <= i.indnkeyatts GROUP BY i.indexrelid]]

--- One row an index.
index.query = [[
WITH i AS MATERIALIZED (SELECT y.* FROM ]] .. names.newer("pg_index", "y", "indnullsnotdistinct") .. [[

  WHERE y.indrelid %s), element AS (
]] .. elements .. [[)
SELECT i.indrelid::bigint::text AS relation, i.indexrelid::bigint::text AS oid, c.relname AS name, n.nspname AS schema,
  t.relname AS "table", m.amname AS method, i.indisunique AS is_unique,
  nullif(i.newer_indnullsnotdistinct::bool, false) AS nulls_not_distinct,
  pg_get_expr(i.indpred, i.indrelid) AS predicate, s.spcname AS tablespace, d.description AS comment,
  nullif(k.conindid IS NOT NULL, false) AS of_constraint, nullif(h.inhrelid IS NOT NULL, false) AS is_inherited,
  ]] .. names.options "c.reloptions" .. [[ AS options, CASE WHEN i.indnkeyatts < i.indnatts THEN
  ]] .. names.columns("i.indrelid", "(i.indkey::int2[])[i.indnkeyatts:]") .. [[ END AS include, e.list AS elements
FROM i JOIN element e ON e.indexrelid = i.indexrelid JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class t ON t.oid = i.indrelid JOIN pg_am m ON m.oid = c.relam
  LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
  LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.contype IN ('p', 'u', 'x')
  LEFT JOIN pg_inherits h ON h.inhrelid = c.oid
  LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
ORDER BY i.indrelid, c.relname]]

--- The same with the columns that an index needs in any way, those in expressions too.
index.query_with_uses = [[
SELECT r.*, (SELECT json_agg(DISTINCT a.attname) FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid
    AND a.attnum = d.refobjsubid WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid::oid
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = r.relation::oid AND d.refobjsubid > 0) AS uses
FROM (]] .. index.query .. [[) r]]

local function object(name, schema)
  if not name then return nil end
  return schema == "pg_catalog" and name or { name = name, schema = schema }
end

local function nulls_of(e)
  if e.nulls_first == e.descending then return nil end
  return e.nulls_first and "first" or "last"
end

--- An element of the key as users write it; `operator` is of an exclusion constraint.
---@param e table
---@param operator? string
---@return any
function index.element(e, operator)
  if type(e) == "string" then return operator and { e, operator } or e end
  local item = {
    e.name or value.sql(e.expression), operator, opclass = object(e.opclass, e.opclass_schema),
    opclass_options = e.options, collation = object(e.collation, e.collation_schema),
    order = e.descending and "desc" or nil, nulls = nulls_of(e),
  }
  if next(item, 1) == nil then return item[1] end
  return item
end

--- What an index and the constraint on one have in common.
---@param row table
---@param item table
---@return table item
function index.storage(row, item)
  item.include, item.with, item.tablespace = row.include, row.options, row.tablespace
  return item
end

--- A row as users write an index of a table.
---@param row table
---@return table
function index.item(row)
  local item = {
    name = row.name, unique = row.is_unique or nil, using = row.method ~= "btree" and row.method or nil,
    where = row.predicate, nulls_not_distinct = row.nulls_not_distinct or nil,
  }
  for i, e in ipairs(row.elements) do item[i] = index.element(e) end
  return index.storage(row, item)
end

return index
