--- Constraints of tables as the catalog has them.

local index = require "moontide.catalog.index"
local names = require "moontide.catalog.names"

local constraint = {}

--- One row a constraint, NOT NULL among them since PostgreSQL 18.
constraint.query = [[
SELECT k.conrelid::bigint::text AS relation, k.oid::bigint::text AS oid, k.conname AS name, k.contype AS type,
  k.condeferrable AS deferrable, k.condeferred AS deferred, k.convalidated AS validated,
  k.connoinherit AS no_inherit, k.conislocal AS is_local,
  k.conparentid <> 0 AS is_inherited, k.coninhcount > 0 AS has_parent,
  CASE WHEN k.conparentid <> 0 THEN (SELECT above.conrelid <> k.conrelid FROM pg_constraint above
    WHERE above.oid = k.conparentid) END AS of_parent, k.conindid::bigint::text AS index,
  pg_get_expr(k.conbin, k.conrelid) AS expression, d.description AS comment,
  CASE WHEN k.contype = 'n' OR k.newer_conenforced = 'false' OR k.newer_conperiod = 'true'
    THEN pg_get_constraintdef(k.oid) END AS definition,
  k.newer_conenforced::bool AS enforced, k.newer_conperiod::bool AS period,
  f.relname AS referent, fn.nspname AS referent_schema, k.confdeltype AS on_delete, k.confupdtype AS on_update,
  k.confmatchtype AS match,
  ]] .. names.columns("k.conrelid", "k.conkey") .. [[ AS columns,
  CASE WHEN k.contype = 'f' THEN ]] .. names.columns("k.confrelid", "k.confkey") .. [[ END AS referenced,
  CASE WHEN k.newer_confdelsetcols IS NOT NULL THEN
  ]] .. names.columns("k.conrelid", "k.newer_confdelsetcols::int2[]") .. [[ END AS on_delete_columns,
  CASE WHEN k.contype = 'x' THEN (SELECT json_agg(o.oprname ORDER BY u.n)
    FROM unnest(k.conexclop) WITH ORDINALITY u(op, n) JOIN pg_operator o ON o.oid = u.op) END AS operators
FROM ]] .. names.newer("pg_constraint", "k", "conenforced", "conperiod", "confdelsetcols") .. [[

  LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
  LEFT JOIN pg_description d ON d.classoid = 'pg_constraint'::regclass AND d.objoid = k.oid
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x', 'n') AND k.conrelid %s
ORDER BY k.conrelid, k.conname]]

local function timing(row, item)
  item.deferrable = row.deferrable or nil
  item.initially = row.deferred and "deferred" or nil
  return item
end

local function key_item(row, indexes)
  local item, of = table.move(row.columns, 1, #row.columns, 1, {}), indexes[row.index]
  item.name, item.nulls_not_distinct = row.name, of.nulls_not_distinct or nil
  return timing(row, index.storage(of, item))
end

local actions = { a = nil, r = "restrict", c = "cascade", n = "set null", d = "set default" }

local function foreign_key_item(row)
  return timing(row, {
    row.columns, row.referent, row.referenced, name = row.name, referent_schema = row.referent_schema,
    on_delete = actions[row.on_delete], on_update = actions[row.on_update], match = row.match == "f" and "full" or nil,
    on_delete_columns = row.on_delete_columns,
  })
end

local function exclude_item(row, indexes)
  local of = indexes[row.index]
  local item = { name = row.name, using = of.method, where = of.predicate }
  for i, e in ipairs(of.elements) do item[i] = index.element(e, row.operators[i]) end
  return timing(row, index.storage(of, item))
end

local function check_item(row)
  return { row.expression, name = row.name, no_inherit = row.no_inherit or nil }
end

local kinds = {
  p = { "primary_key", key_item }, u = { "unique", key_item }, f = { "foreign_key", foreign_key_item },
  c = { "check", check_item }, x = { "exclude", exclude_item },
}

--- A row as users write a constraint of a table.
---@param row table
---@param indexes table<string, table>  rows of the indexes by oid
---@return string kind  "primary_key", "unique", ...
---@return table item
function constraint.item(row, indexes)
  local kind = kinds[row.type]
  return kind[1], kind[2](row, indexes)
end

--- Whether the operations have words for a constraint.
---@param row table
---@return boolean
function constraint.is_plain(row)
  return row.type ~= "n" and row.enforced ~= false and not row.period
end

return constraint
