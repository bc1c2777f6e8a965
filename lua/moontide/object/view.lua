--- Views. What is dropped or replaced comes back with owner, privileges, comments and
--- everything that hung on it; a replacement that has more columns than the view before
--- is undone by dropping the view and creating it again.

local changing = require "moontide.object.changing"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lifecycle = require "moontide.object.lifecycle"
local lookup = require "moontide.object.lookup"
local owned = require "moontide.object.owned"
local query_text = require "moontide.object.query"
local quote = require "moontide.sql.quote"
local value = require "moontide.value"

local view = {}

--- Views and materialized views, as GRANT, COMMENT ON and ALTER ... OWNER TO have them.
---@param words string
---@return moontide.OwnedKind
function view.owned(words)
  return { words = words, grant_words = "TABLE",
    privileges = { "select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain" } }
end

--- Statements for what hangs on a view and goes with it: privileges and comments of
--- columns, defaults, triggers, rules, indexes, statistics, and the comments of those.
view.also = [[
  array(
    SELECT t FROM (
    SELECT 1 AS rank, a.attnum::text AS place, format('COMMENT ON COLUMN %s.%I IS %L', c.oid::regclass, a.attname,
        col_description(c.oid, a.attnum)) AS t
      FROM pg_attribute a WHERE a.attrelid = c.oid AND col_description(c.oid, a.attnum) IS NOT NULL
    UNION ALL
    SELECT 2, a.attnum::text, format('GRANT %s (%I) ON %s TO %s%s', x.privilege_type, a.attname, c.oid::regclass,
        CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END,
        CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
      FROM pg_attribute a, aclexplode(a.attacl) x WHERE a.attrelid = c.oid
    UNION ALL
    SELECT 3, d.adnum::text, format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', c.oid::regclass, a.attname,
        pg_get_expr(d.adbin, d.adrelid))
      FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = c.oid
    UNION ALL
    SELECT 4, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
      FROM pg_index i WHERE i.indrelid = c.oid
    UNION ALL
    SELECT 5, i.indexrelid::regclass::text, format('COMMENT ON INDEX %s IS %L', i.indexrelid::regclass,
        obj_description(i.indexrelid, 'pg_class'))
      FROM pg_index i WHERE i.indrelid = c.oid AND obj_description(i.indexrelid, 'pg_class') IS NOT NULL
    UNION ALL
    SELECT 6, i.indexrelid::regclass::text, format('ALTER MATERIALIZED VIEW %s CLUSTER ON %I', c.oid::regclass,
        n.relname)
      FROM pg_index i JOIN pg_class n ON n.oid = i.indexrelid WHERE i.indrelid = c.oid AND i.indisclustered
    UNION ALL
    SELECT 7, s.oid::text, pg_get_statisticsobjdef(s.oid) FROM pg_statistic_ext s WHERE s.stxrelid = c.oid
    UNION ALL
    SELECT 8, r.rulename, rtrim(pg_get_ruledef(r.oid), ';')
      FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN'
    UNION ALL
    SELECT 9, r.rulename, format('COMMENT ON RULE %I ON %s IS %L', r.rulename, c.oid::regclass,
        obj_description(r.oid, 'pg_rewrite'))
      FROM pg_rewrite r WHERE r.ev_class = c.oid AND obj_description(r.oid, 'pg_rewrite') IS NOT NULL
    UNION ALL
    SELECT 10, g.tgname, pg_get_triggerdef(g.oid) FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT 11, g.tgname, format('COMMENT ON TRIGGER %I ON %s IS %L', g.tgname, c.oid::regclass,
        obj_description(g.oid, 'pg_trigger'))
      FROM pg_trigger g WHERE g.tgrelid = c.oid AND obj_description(g.oid, 'pg_trigger') IS NOT NULL
    ) statements ORDER BY rank, place)]]

local describe = [[
SELECT c.oid::bigint::text AS oid, rtrim(pg_get_viewdef(c.oid), ';') AS query, c.relpersistence AS persistence,
  array(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum) AS columns,
  (SELECT json_object_agg(o.option_name, o.option_value) FROM pg_options_to_table(c.reloptions) o) AS options,
]] .. view.also .. [[ AS also
FROM pg_class c WHERE c.oid = w.oid AND c.relkind = 'v']]

--- SQL that answers the oid of a relation.
---@param o table
---@return string
function view.oid(o)
  return ("to_regclass(%s)"):format(quote.reference(o.schema, o.name))
end

--- Owner, comment and privileges of a relation that was found.
---@param query fun(sql: string): table
---@param found table  with its oid
---@return table definition
function view.belongings(query, found)
  return owned.capture(query, { catalog = "pg_class", prefix = "rel", letter = "r", condition = "oid = " .. found.oid })
end

--- A list, or nil where it is empty.
---@param list table?
---@return table?
function view.some(list)
  return list and #list > 0 and list or nil
end

local truth = { ["true"] = true, on = true, yes = true, ["1"] = true }

local function look(o, query)
  local found = lookup.row(query, view.oid(o), describe)
  if not found then return nil end
  local definition, options = view.belongings(query, found), found.options or {}
  definition.query, definition.also = query_text.trim(found.query), view.some(found.also)
  definition.temporary = found.persistence == "t" or nil
  definition.check_option = options.check_option
  definition.security_barrier = truth[options.security_barrier]
  definition.security_invoker = truth[options.security_invoker]
  return definition
end

-- A view can be replaced by one that has more columns at its end, but not the other way round.
local function outgrows(o, query)
  local count = "SELECT count(*)::int AS n FROM pg_attribute WHERE attrelid = %s AND attnum > 0"
  local before = query(count:format(view.oid(o)))[1].n
  return #query("SELECT * FROM (" .. o.query .. "\n) AS replacement LIMIT 0").columns > before
end

local settings = {
  check_option = check.choice("local", "cascaded"), security_barrier = check.flag, security_invoker = check.flag,
}
local setting_names = { "check_option", "security_barrier", "security_invoker" }

local function settings_sql(o)
  local parts = {}
  for _, name in ipairs(setting_names) do
    if name ~= "check_option" and o[name] then parts[#parts + 1] = name .. " = true" end
  end
  return #parts > 0 and "WITH (" .. table.concat(parts, ", ") .. ")"
end

local function create(o)
  return clause.words("CREATE", o.replace and "OR REPLACE", o.temporary and "TEMPORARY", o.recursive and "RECURSIVE",
    "VIEW", quote.qualified(o.schema, o.name), o.columns and clause.columns(o.columns), settings_sql(o), "AS",
    o.query, o.check_option and ("WITH %s CHECK OPTION"):format(o.check_option:upper()))
end

local function settle(o)
  if o.recursive and not o.columns then
    check.refuse("recursive needs columns", "Name the columns that the view has.")
  end
  if o.recursive and o.check_option then check.refuse("recursive and check_option cannot be given together") end
  if o.temporary and o.schema then check.refuse("temporary and schema cannot be given together") end
end

lifecycle.register {
  thing = "view",
  summaries = { "Create a view, or replace one", "Drop a view", "Rename a view" },
  identity = { { "name", check.name, "the view name" } },
  content = { { "query", query_text.read, "the query" } },
  shape = check.join(settings, { columns = check.names, temporary = check.flag, recursive = check.flag }),
  making = { replace = check.flag },
  keeping = lifecycle.also,
  example = 'query = "select 1"',
  owned = view.owned "VIEW",
  settle = settle,
  create = create,
  look = look,
  outgrows = outgrows,
  create_lock = function(o) return o.replace and lifecycle.lock_on "ACCESS EXCLUSIVE"(o) or {} end,
  drop_lock = lifecycle.lock_on "ACCESS EXCLUSIVE",
  rename_lock = lifecycle.lock_on "ACCESS EXCLUSIVE",
  rename_if_exists = true,
}

local function alter_sql(o)
  local set, reset, statements = {}, {}, {}
  for _, name in ipairs(setting_names) do
    local setting = o[name]
    if setting == false or value.kind(setting) == "null" then reset[#reset + 1] = name
    elseif setting then set[#set + 1] = ("%s = %s"):format(name, tostring(setting)) end
  end
  local head = "ALTER VIEW " .. quote.qualified(o.schema, o.name)
  if #set > 0 then statements[1] = ("%s SET (%s)"):format(head, table.concat(set, ", ")) end
  if #reset > 0 then statements[#statements + 1] = ("%s RESET (%s)"):format(head, table.concat(reset, ", ")) end
  return statements
end

changing.register {
  thing = "view",
  summary = "Change the options of a view",
  identity = { { "name", check.name, "the view name" } },
  shape = {
    check_option = changing.or_null(settings.check_option), security_barrier = check.boolean,
    security_invoker = check.boolean,
  },
  absent = { check_option = value.null, security_barrier = false, security_invoker = false },
  sql = alter_sql,
  look = look,
  lock = lifecycle.lock_on "ACCESS EXCLUSIVE",
}

return view
