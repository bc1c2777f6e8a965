--- A table itself: what it is, where it is stored, what it is a part of.

local names = require "moontide.catalog.names"

local relation = {}

--- One row a table.
relation.query = [[
SELECT c.oid::bigint::text AS relation, c.relname AS name, n.nspname AS schema, c.relkind AS kind,
  c.relpersistence AS persistence, pg_get_userbyid(c.relowner) AS owner, m.amname AS method, s.spcname AS tablespace,
  CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partition_key,
  CASE WHEN c.relkind = 'p' THEN (SELECT json_object_agg(a.attname, true) FROM pg_depend e JOIN pg_attribute a
    ON a.attrelid = c.oid AND a.attnum = e.objsubid WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
    AND e.objsubid > 0 AND e.refclassid = 'pg_class'::regclass AND e.refobjid = c.oid AND e.refobjsubid = 0
    AND e.deptype = 'i') END AS key_columns,
  pg_get_expr(c.relpartbound, c.oid) AS bound, k.description AS comment,
  (SELECT json_agg(json_build_object('table', p.relname, 'schema', pn.nspname) ORDER BY h.inhseqno)
    FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
    WHERE h.inhrelid = c.oid) AS parents,
  CASE WHEN c.relkind = 'p' THEN (SELECT json_agg(h.inhrelid::bigint::text ORDER BY p.relname) FROM pg_inherits h
    JOIN pg_class p ON p.oid = h.inhrelid WHERE h.inhparent = c.oid) END AS partitions,
  ]] .. names.options "c.reloptions" .. [[ AS options,
  ]] .. names.options "t.reloptions" .. [[ AS toast_options
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_am m ON m.oid = c.relam
  LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
  LEFT JOIN pg_description k ON k.classoid = 'pg_class'::regclass AND k.objoid = c.oid AND k.objsubid = 0
WHERE c.relkind IN ('r', 'p') AND c.oid %s]]

local function with_of(row)
  if not row.options and not row.toast_options then return nil end
  local with = row.options or {}
  for key, text in pairs(row.toast_options or {}) do with["toast." .. key] = text end
  return with
end

--- Give the body of a table what the row says. The place in its parent is not a part of it.
---@param row table
---@param body table
---@return table body
function relation.complete(row, body)
  body.partition_by, body.comment, body.with = row.partition_key, row.comment, with_of(row)
  body.tablespace, body.using = row.tablespace, row.method ~= "heap" and row.method or nil
  body.unlogged, body.temporary = row.persistence == "u" or nil, row.persistence == "t" or nil
  if row.parents and not row.bound then body.inherits = row.parents end
  return body
end

return relation
