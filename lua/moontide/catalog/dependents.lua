--- What depends on a column: views (and what depends on them), generated columns,
--- policies, triggers and rules, in the order in which they can be created.

local lookup = require "moontide.object.lookup"
local quote = require "moontide.sql.quote"

---@class moontide.Dependent
---@field kind "view"|"materialized view"|"column"|"policy"|"trigger"|"rule"
---@field name string
---@field schema string
---@field table? string      whose column, policy, trigger or rule it is
---@field relation string    oid of the view, or of that table
---@field on string[]        keys of those it depends on
---@field key string

local dependents = {}

-- An edge leads from something to the relation (and column, or 0) that it refers to. Views and generated
-- columns are relations and columns themselves; a generated column is told by its default, or before
-- PostgreSQL 15 by itself.
local describe = [[
WITH RECURSIVE edge AS (
  SELECT n.class, n.obj, n.sub, d.refobjid AS ref_obj, d.refobjsubid AS ref_sub
  FROM pg_depend d
    LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
    LEFT JOIN pg_attribute g ON g.attgenerated <> '' AND g.attrelid = coalesce(f.adrelid, d.objid)
      AND g.attnum = coalesce(f.adnum, d.objsubid) AND (f.oid IS NOT NULL OR d.classid = 'pg_class'::regclass)
    LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
    CROSS JOIN LATERAL (SELECT
      CASE WHEN r.rulename = '_RETURN' OR g.attnum IS NOT NULL THEN 'pg_class'::regclass ELSE d.classid END,
      CASE WHEN r.rulename = '_RETURN' THEN r.ev_class ELSE coalesce(g.attrelid, d.objid) END,
      coalesce(g.attnum, 0)) n(class, obj, sub)
  WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid <> 0
    AND (r.oid IS NOT NULL OR g.attnum IS NOT NULL OR d.classid = 'pg_policy'::regclass OR NOT t.tgisinternal)
    AND (n.class = 'pg_class'::regclass AND n.obj = d.refobjid AND n.sub = d.refobjsubid) IS NOT TRUE
    AND (r.rulename = '_RETURN' AND r.ev_class = d.refobjid) IS NOT TRUE
), found AS (
  SELECT e.* FROM edge e WHERE e.ref_obj = w.oid AND e.ref_sub =
    (SELECT attnum FROM pg_attribute WHERE attrelid = w.oid AND attname = %s AND NOT attisdropped)
  UNION
  SELECT e.* FROM found f JOIN edge e ON f.class = 'pg_class'::regclass AND e.ref_obj = f.obj
    AND (f.sub = 0 OR e.ref_sub = f.sub)
), node AS (
  SELECT class, obj, sub, array_agg(DISTINCT ref_obj || ':' || ref_sub) AS refs FROM found GROUP BY class, obj, sub
)
SELECT json_agg(json_build_object('key', n.obj || ':' || n.sub, 'on', to_json(n.refs), 'relation', c.oid::bigint::text,
  'kind', CASE n.class WHEN 'pg_policy'::regclass THEN 'policy' WHEN 'pg_trigger'::regclass THEN 'trigger'
    WHEN 'pg_rewrite'::regclass THEN 'rule' ELSE CASE WHEN n.sub <> 0 THEN 'column' WHEN c.relkind = 'm'
    THEN 'materialized view' ELSE 'view' END END,
  'schema', s.nspname, 'table', CASE WHEN n.sub <> 0 OR n.class <> 'pg_class'::regclass THEN c.relname END,
  'name', coalesce(a.attname, p.polname, t.tgname, r.rulename, c.relname)) ORDER BY n.obj, n.sub) AS list
FROM node n LEFT JOIN pg_policy p ON n.class = 'pg_policy'::regclass AND p.oid = n.obj
  LEFT JOIN pg_trigger t ON n.class = 'pg_trigger'::regclass AND t.oid = n.obj
  LEFT JOIN pg_rewrite r ON n.class = 'pg_rewrite'::regclass AND r.oid = n.obj
  JOIN pg_class c ON c.oid = coalesce(p.polrelid, t.tgrelid, r.ev_class, n.obj)
  JOIN pg_namespace s ON s.oid = c.relnamespace
  LEFT JOIN pg_attribute a ON n.sub <> 0 AND a.attrelid = n.obj AND a.attnum = n.sub]]

-- What is on a view goes and comes with it.
local function without_parts(list)
  local views, kept = {}, {}
  for _, item in ipairs(list) do
    if not item.table then views[item.relation] = true end
  end
  for _, item in ipairs(list) do
    if not item.table or not views[item.relation] then kept[#kept + 1] = item end
  end
  return kept
end

-- A reference to a column of a view is one to the view.
local function add_needed(needed, place, by_key, by_relation)
  local item = by_key[place] or by_relation[place:match "^%d+"]
  if item then needed[#needed + 1] = item end
end

local function visit(item, maps, sorted, done)
  if done[item] then return end
  done[item] = true
  local needed = {}
  for _, place in ipairs(item.on) do add_needed(needed, place, maps.key, maps.view) end
  for _, other in ipairs(needed) do visit(other, maps, sorted, done) end
  sorted[#sorted + 1] = item
end

local function sort(list)
  local maps, sorted, done = { key = {}, view = {} }, {}, {}
  for _, item in ipairs(list) do
    if item.kind == "column" then maps.key[item.key] = item end
    if not item.table then maps.view[item.relation] = item end
  end
  for _, item in ipairs(list) do visit(item, maps, sorted, done) end
  return sorted
end

--- Everything that depends on a column, each after what it depends on itself.
---@param query fun(sql: string): table
---@param oid string     SQL of the table's oid
---@param column string
---@return moontide.Dependent[]
function dependents.of(query, oid, column)
  local found = lookup.row(query, oid, describe:format(quote.literal(column)))
  return sort(without_parts(found and found.list or {}))
end

return dependents
