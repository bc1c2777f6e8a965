--- Views and materialized views, and the comments of their columns.

local query_text = require "moontide.object.query"
local value = require "moontide.value"

local kind = { queries = {} }

kind.queries.views = [[
SELECT c.oid::bigint::text AS oid, c.relname AS name, n.nspname AS schema, c.relkind AS kind,
  rtrim(pg_get_viewdef(c.oid), ';') AS query, obj_description(c.oid, 'pg_class') AS comment,
  (SELECT json_object_agg(o.option_name, o.option_value) FROM pg_options_to_table(c.reloptions) o) AS options,
  (SELECT json_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0) AS columns, s.spcname AS tablespace, m.amname AS method,
  (SELECT json_object_agg(a.attname, col_description(c.oid, a.attnum)) FROM pg_attribute a
    WHERE a.attrelid = c.oid AND col_description(c.oid, a.attnum) IS NOT NULL) AS comments
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
  LEFT JOIN pg_am m ON m.oid = c.relam
WHERE c.relkind IN ('v', 'm') AND {relations} AND {free pg_class c.oid}
ORDER BY n.nspname, c.relname]]

local truth = { ["true"] = true, on = true, yes = true, ["1"] = true }

local function view_call(row)
  local options = row.options or {}
  return { "create_view", row.name, query_text.trim(row.query), { schema = row.schema,
    check_option = options.check_option, security_barrier = truth[options.security_barrier],
    security_invoker = truth[options.security_invoker] } }
end

local function materialized_call(row)
  return { "create_materialized_view", row.name, query_text.trim(row.query), { schema = row.schema,
    with = row.options, tablespace = row.tablespace, using = row.method ~= "heap" and row.method or nil } }
end

local kinds = {
  v = { "view", view_call, "drop_view" }, m = { "materialized view", materialized_call, "drop_materialized_view" },
}

local function add_comments(set, fact, row)
  set:comment(fact, row.comment, fact.kind, row.name, { schema = row.schema })
  for name, text in pairs(row.comments or {}) do
    local key = ("comment column %s.%s.%s"):format(row.schema, row.name, name)
    local place = { table = row.name, schema = row.schema }
    set:add { key = key, kind = "comment", parent = fact.key, call = { "comment", "column", name, text, place },
      drop = { "comment", "column", name, value.null, place } }
    set:depend(key, fact.key)
  end
end

--- Add what the rows say.
---@param set moontide.FactSet
---@param rows table<string, table[]>
function kind.add(set, rows)
  for _, row in ipairs(rows.views) do
    local name, call, drop = table.unpack(kinds[row.kind])
    local fact = set:add { key = ("%s %s.%s"):format(name, row.schema, row.name), kind = name, call = call(row),
      oid = "pg_class:" .. row.oid, columns = row.columns, drop = { drop, row.name, { schema = row.schema } } }
    add_comments(set, fact, row)
  end
end

return kind
