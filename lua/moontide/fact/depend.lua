--- What needs what: pg_depend, in which rules stand for their views, defaults for
--- their tables, row and array types for what they are made of, and members for their extensions.
--- The triggers of foreign keys are left out.

local depend = { queries = {} }

depend.queries.edges = [[
WITH same(class, id, of_class, of_id) AS (
  SELECT 'pg_rewrite'::regclass::oid, r.oid, 'pg_class'::regclass::oid, r.ev_class FROM pg_rewrite r
    WHERE r.rulename = '_RETURN' AND r.oid >= 16384
  UNION ALL SELECT 'pg_attrdef'::regclass, a.oid, 'pg_class'::regclass, a.adrelid FROM pg_attrdef a
  UNION ALL SELECT 'pg_type'::regclass, t.oid, 'pg_class'::regclass, t.typrelid FROM pg_type t
    JOIN pg_class c ON c.oid = t.typrelid WHERE c.relkind <> 'c' AND t.oid >= 16384
  UNION ALL SELECT 'pg_type'::regclass, t.oid, CASE WHEN coalesce(c.relkind, 'c') = 'c' THEN 'pg_type'::regclass
      ELSE 'pg_class'::regclass END, CASE WHEN coalesce(c.relkind, 'c') = 'c' THEN e.oid ELSE c.oid END
    FROM pg_type t JOIN pg_type e ON e.typarray = t.oid LEFT JOIN pg_class c ON c.oid = e.typrelid WHERE t.oid >= 16384
  UNION ALL SELECT 'pg_class'::regclass, c.oid, 'pg_type'::regclass, c.reltype FROM pg_class c WHERE c.relkind = 'c'
    AND c.oid >= 16384
  UNION ALL SELECT 'pg_type'::regclass, (to_jsonb(r) ->> 'rngmultitypid')::oid, 'pg_type'::regclass, r.rngtypid
    FROM pg_range r WHERE r.rngtypid >= 16384 AND to_jsonb(r) ->> 'rngmultitypid' IS NOT NULL
  UNION ALL SELECT 'pg_constraint'::regclass, k.oid, 'pg_type'::regclass, k.contypid FROM pg_constraint k
    WHERE k.contypid <> 0 AND k.oid >= 16384
  UNION ALL SELECT 'pg_publication_rel'::regclass, r.oid, 'pg_publication'::regclass, r.prpubid
    FROM pg_publication_rel r
  UNION ALL SELECT m.classid, m.objid, m.refclassid, m.refobjid FROM pg_depend m WHERE m.deptype = 'e'
)
SELECT f.relname || ':' || e.from_id AS from_oid, t.relname || ':' || e.to_id AS to_oid, a.attname AS "column"
FROM (SELECT DISTINCT coalesce(f.of_class, d.classid) AS from_class, coalesce(f.of_id, d.objid) AS from_id,
    coalesce(t.of_class, d.refclassid) AS to_class, coalesce(t.of_id, d.refobjid) AS to_id,
    CASE WHEN d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 THEN d.refobjid END AS relation,
    CASE WHEN d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 THEN d.refobjsubid END AS number
  FROM pg_depend d LEFT JOIN same f ON f.class = d.classid AND f.id = d.objid
    LEFT JOIN same t ON t.class = d.refclassid AND t.id = d.refobjid
  WHERE d.deptype IN ('n', 'a', 'i', 'P', 'S') AND d.objid >= 16384 AND d.refobjid >= 16384
    AND NOT (d.deptype = 'i' AND d.classid = 'pg_trigger'::regclass AND d.refclassid = 'pg_constraint'::regclass)) e
  JOIN pg_class f ON f.oid = e.from_class JOIN pg_class t ON t.oid = e.to_class
  LEFT JOIN pg_attribute a ON a.attrelid = e.relation AND a.attnum = e.number
WHERE (e.from_class, e.from_id) IS DISTINCT FROM (e.to_class, e.to_id)]]
depend.documents = { edges = {} }

-- A sequence comes before the column that owns it, which calls it.
local function is_ownership(from, to)
  return from.kind == "sequence" and to.kind == "table"
end

--- Add what the rows say of the facts there are.
---@param set moontide.FactSet
---@param rows table<string, table[]>
function depend.add(set, rows)
  for _, row in ipairs(rows.edges) do
    local from, to = set.by_oid[row.from_oid], set.by_oid[row.to_oid]
    if from and to and from ~= to and not is_ownership(from, to) then set:depend(from.key, to.key, row.column) end
  end
end

return depend
