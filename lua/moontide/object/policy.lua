--- Policies of row security, and the switches of row security itself.

local alter = require "moontide.object.alter"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lifecycle = require "moontide.object.lifecycle"
local lookup = require "moontide.object.lookup"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

local changing = { roles = check.names, using = check.expression, with_check = check.expression }
local shape = check.join(changing, {
  command = check.choice("all", "select", "insert", "update", "delete"), permissive = check.boolean,
})

local special = { public = "PUBLIC", current_user = "CURRENT_USER", session_user = "SESSION_USER" }

local function roles_sql(roles)
  local parts = {}
  for i, role in ipairs(roles) do parts[i] = special[role] or quote.ident(role) end
  return "TO " .. table.concat(parts, ", ")
end

local function name_of(o)
  return ("%s ON %s"):format(quote.ident(o.name), quote.qualified(o.schema, o.table))
end

local function conditions(o)
  return clause.words(o.roles and roles_sql(o.roles), o.using and "USING (" .. o.using .. ")",
    o.with_check and "WITH CHECK (" .. o.with_check .. ")")
end

local function settle(o)
  if o.command == "insert" and o.using then check.refuse('command = "insert" takes with_check, not using') end
  if (o.command == "select" or o.command == "delete") and o.with_check then
    check.refuse(('command = "%s" takes using, not with_check'):format(o.command))
  end
  if o.permissive then o.permissive = nil end
  if o.command == "all" then o.command = nil end
end

local function create(o)
  local text = conditions(o)
  return clause.words("CREATE POLICY", name_of(o), o.permissive == false and "AS RESTRICTIVE",
    o.command and "FOR " .. o.command:upper(), text ~= "" and text)
end

local describe = [[
SELECT CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' END
    AS command, p.polpermissive AS permissive,
  array(SELECT CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r) END FROM unnest(p.polroles) r) AS roles,
  pg_get_expr(p.polqual, p.polrelid) AS "using", pg_get_expr(p.polwithcheck, p.polrelid) AS with_check,
  obj_description(p.oid, 'pg_policy') AS comment
FROM pg_policy p WHERE p.oid = w.oid]]

local function look(o, query)
  local found = lookup.row(query, ("SELECT oid FROM pg_policy WHERE polrelid = to_regclass(%s) AND polname = %s")
    :format(quote.reference(o.schema, o.table), quote.literal(o.name)), describe)
  if not found then return nil end
  if found.permissive then found.permissive = nil end
  return found
end

local lock = lifecycle.lock_on("ACCESS EXCLUSIVE", "table")

lifecycle.register {
  thing = "policy",
  summaries = { "Create a policy of row security", "Drop a policy of row security", "Rename a policy" },
  identity = { { "name", check.name, "the policy name" }, { "table", check.name, "the table name" } },
  shape = shape,
  example = 'command = "select", using = "owner = current_user"',
  settle = settle,
  create = create,
  name = name_of,
  look = look,
  create_lock = lock,
  drop_lock = lock,
  rename_lock = lock,
  rename = function(o) return "ALTER POLICY " .. name_of(o) .. " RENAME" end,
}

local alter_shape = check.join(changing, { schema = check.name,
  existing = function(given, what) return check.shape(check.table(given, what), what, changing) end })

-- A condition can be changed, but not taken away.
local function undo_alter(o)
  local options, existing = { schema = o.schema }, {}
  for key in pairs(changing) do
    if o[key] then
      if not (o.existing and o.existing[key]) then
        return nil, ('what %s was is not known: give existing, as in existing = { %s = "..." }'):format(key, key)
      end
      options[key], existing[key] = o.existing[key], o[key]
    end
  end
  options.existing = existing
  return { operation.build("alter_policy", o.name, o.table, options) }
end

local function look_changing(o, query)
  local found = look(o, query)
  return found and { existing = clause.pick(found, changing) }
end

operation.register {
  name = "alter_policy",
  summary = "Change roles or conditions of a policy",
  build = function(name, relation, options)
    local o = check.options(options, alter_shape)
    o.name, o.table = check.name(name, "the policy name"), check.name(relation, "the table name")
    if not (o.roles or o.using or o.with_check) then
      check.refuse("nothing to change", "Give roles, using or with_check.")
    end
    return o
  end,
  sql = function(o) return { clause.words("ALTER POLICY", name_of(o), conditions(o)) } end,
  inverse = undo_alter,
  lock = lock,
  capture = look_changing,
  source = function(o) return source.call("alter_policy", o.name, o.table, clause.pick(o, alter_shape)) end,
}

local place = { schema = check.name }

local function register_switch(name, summary, words, opposite)
  alter.register {
    name = name,
    summary = summary,
    position = 1,
    build = function(relation, options)
      local o = check.options(options, place)
      o.table = check.name(relation, "the table name")
      return o
    end,
    clauses = function() return { words .. " ROW LEVEL SECURITY" } end,
    inverse = function(o) return { operation.build(opposite, o.table, clause.pick(o, place)) } end,
    arguments = function(o) return o.table, clause.pick(o, place) end,
  }
end

register_switch("enable_row_security", "Apply the policies of a table", "ENABLE", "disable_row_security")
register_switch("disable_row_security", "Apply no policies of a table", "DISABLE", "enable_row_security")
register_switch("force_row_security", "Apply the policies to the owner, too", "FORCE", "no_force_row_security")
register_switch("no_force_row_security", "Do not apply the policies to the owner", "NO FORCE", "force_row_security")
