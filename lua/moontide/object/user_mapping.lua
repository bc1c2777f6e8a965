--- User mappings of foreign servers. A password is neither taken nor read, see
--- foreign.lua: a mapping that has one is not brought back when it was dropped.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local foreign = require "moontide.object.foreign"
local lifecycle = require "moontide.object.lifecycle"
local lookup = require "moontide.object.lookup"
local quote = require "moontide.sql.quote"

local function name_of(o)
  return ("FOR %s SERVER %s"):format(o.user == "public" and "PUBLIC" or quote.ident(o.user), quote.ident(o.server))
end

local function oid_of(o)
  return ("SELECT umid FROM pg_user_mappings WHERE srvname = %s AND usename = %s"):format(quote.literal(o.server),
    quote.literal(o.user))
end

-- Who may not read options sees none.
local describe = "SELECT " .. foreign.known "u.umoptions" .. " AS options, " .. foreign.has_secret "u.umoptions"
  .. " OR u.umoptions IS NULL AND current_setting('is_superuser') = 'off' AS unknown"
  .. " FROM pg_user_mappings u WHERE u.umid = w.oid"

local function look(o, query)
  local found = lookup.row(query, oid_of(o), describe)
  if found and found.unknown then return nil, true end
  return found and { options = found.options }
end

lifecycle.register {
  thing = "user_mapping",
  summaries = { "Create a user mapping of a foreign server", "Drop a user mapping of a foreign server" },
  identity = { { "user", check.name, "the user" }, { "server", check.name, "the server name" } },
  place = {},
  bare = true,
  shape = { options = foreign.read },
  making = { if_not_exists = check.flag },
  example = 'options = { user = "app" }',
  create = function(o)
    return clause.words("CREATE USER MAPPING", o.if_not_exists and "IF NOT EXISTS", name_of(o), foreign.sql(o.options))
  end,
  name = name_of,
  look = look,
}
