--- What is attached to tables and views: triggers, rules, policies, row security,
--- replica identity and the index to cluster by.

local rule = require "moontide.object.rule"
local trigger = require "moontide.object.trigger"

local kind = { queries = {} }

local owner = [[
  JOIN pg_class c ON c.oid = %s JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE %s AND {relations} AND {free pg_class c.oid}]]

-- A description of one object, asked for each of those found.
local function each(columns, found, describe)
  return ([[
SELECT w.oid::bigint::text AS oid, w.name, w."table", w.schema, w.kind, x.*
FROM (SELECT %s, c.relname AS "table", n.nspname AS schema, c.relkind AS kind FROM %s) w
  CROSS JOIN LATERAL (%s) x ORDER BY w.schema, w."table", w.name]]):format(columns, found, describe)
end

kind.queries.triggers = each("t.oid, t.tgname AS name", "pg_trigger t" .. owner:format("t.tgrelid",
  "NOT t.tgisinternal AND coalesce(to_jsonb(t) ->> 'tgparentid', '0') = '0'"), trigger.describe)

kind.queries.rules = each("t.oid, t.rulename AS name", "pg_rewrite t" .. owner:format("t.ev_class",
  "t.rulename <> '_RETURN'"), rule.describe)

kind.queries.policies = [[
SELECT p.oid::bigint::text AS oid, p.polname AS name, c.relname AS "table", n.nspname AS schema, c.relkind AS kind,
  CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' END
    AS command, p.polpermissive AS permissive,
  (SELECT json_agg(CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r) END ORDER BY 1) FROM unnest(p.polroles) r)
    AS roles,
  pg_get_expr(p.polqual, p.polrelid) AS "using", pg_get_expr(p.polwithcheck, p.polrelid) AS with_check,
  obj_description(p.oid, 'pg_policy') AS comment
FROM pg_policy p]] .. owner:format("p.polrelid", "true") .. [[
 ORDER BY n.nspname, c.relname, p.polname]]

kind.queries.settings = [[
SELECT c.relname AS "table", n.nspname AS schema, c.relkind AS kind, c.relrowsecurity AS security,
  c.relforcerowsecurity AS force, c.relreplident AS identity, ri.relname AS identity_index, cl.relname AS cluster
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_index x ON c.relreplident = 'i' AND x.indrelid = c.oid AND x.indisreplident
  LEFT JOIN pg_class ri ON ri.oid = x.indexrelid
  LEFT JOIN pg_index y ON y.indrelid = c.oid AND y.indisclustered LEFT JOIN pg_class cl ON cl.oid = y.indexrelid
WHERE c.relkind IN ('r', 'p') AND {relations} AND {free pg_class c.oid}
  AND (c.relrowsecurity OR c.relforcerowsecurity OR c.relreplident <> 'd' OR y.indexrelid IS NOT NULL)
ORDER BY n.nspname, c.relname]]

local words = { r = "table", p = "table", v = "view", m = "materialized view", f = "foreign table" }

local function parent_of(row) return ("%s %s.%s"):format(words[row.kind], row.schema, row.table) end

local function add_part(set, word, row, catalog, definition)
  local comment = row.comment
  definition.schema, definition.comment = row.schema, nil
  local fact = set:add { key = ("%s %s.%s.%s"):format(word, row.schema, row.table, row.name), kind = word,
    oid = catalog .. ":" .. row.oid, parent = parent_of(row),
    call = { "create_" .. word, row.name, row.table, definition },
    drop = { "drop_" .. word, row.name, row.table, { schema = row.schema } } }
  set:depend(fact.key, fact.parent)
  set:comment(fact, comment, word, row.name, { table = row.table, schema = row.schema })
end

local function policy_definition(row)
  local restrictive = not row.permissive and { permissive = false } or {}
  return { command = row.command, permissive = restrictive.permissive, roles = row.roles,
    using = row.using, with_check = row.with_check }
end

local function add_setting(set, row, name, call, drop, needs)
  local key = ("%s %s.%s"):format(name, row.schema, row.table)
  set:add { key = key, kind = "setting", parent = parent_of(row), call = call, drop = drop }
  set:depend(key, parent_of(row))
  if not needs then return end
  set:depend(key, ("index %s.%s"):format(row.schema, needs))
  set:depend(key, ("constraint %s.%s.%s"):format(row.schema, row.table, needs))
end

local identities = { f = "full", n = "nothing" }

local function add_settings(set, row)
  local place = { schema = row.schema }
  if row.security then
    add_setting(set, row, "row security", { "enable_row_security", row.table, place },
      { "disable_row_security", row.table, place })
  end
  if row.force then
    add_setting(set, row, "forced row security", { "force_row_security", row.table, place },
      { "no_force_row_security", row.table, place })
  end
  if row.identity ~= "d" then
    local identity = identities[row.identity] or { index = row.identity_index }
    add_setting(set, row, "replica identity", { "set_replica_identity", row.table, identity, place },
      { "set_replica_identity", row.table, "default", place }, row.identity_index)
  end
  if row.cluster then
    add_setting(set, row, "cluster", { "set_cluster", row.table, row.cluster, place },
      { "set_cluster", row.table, false, place }, row.cluster)
  end
end

--- Add what the rows say.
---@param set moontide.FactSet
---@param rows table<string, table[]>
function kind.add(set, rows)
  for _, row in ipairs(rows.triggers) do add_part(set, "trigger", row, "pg_trigger", trigger.definition(row)) end
  for _, row in ipairs(rows.rules) do add_part(set, "rule", row, "pg_rewrite", rule.definition(row)) end
  for _, row in ipairs(rows.policies) do add_part(set, "policy", row, "pg_policy", policy_definition(row)) end
  for _, row in ipairs(rows.settings) do add_settings(set, row) end
end

return kind
