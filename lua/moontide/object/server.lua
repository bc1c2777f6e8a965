--- Foreign servers.

local changing = require "moontide.object.changing"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local foreign = require "moontide.object.foreign"
local lifecycle = require "moontide.object.lifecycle"
local lookup = require "moontide.object.lookup"
local owned = require "moontide.object.owned"
local quote = require "moontide.sql.quote"

local describe = [[
SELECT f.fdwname AS wrapper, s.srvtype AS type, s.srvversion AS version,
]] .. foreign.known "s.srvoptions" .. [[ AS options
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper f ON f.oid = s.srvfdw WHERE s.oid = w.oid]]

local function look(o, query)
  local definition, oid = owned.capture(query, { catalog = "pg_foreign_server", prefix = "srv", letter = "S",
    condition = "srvname = " .. quote.literal(o.name) })
  if not definition then return nil end
  local found = lookup.row(query, tostring(oid), describe)
  definition.wrapper, definition.type, definition.version = found.wrapper, found.type, found.version
  definition.options = found.options
  return definition
end

local identity = { { "name", check.name, "the server name" } }

lifecycle.register {
  thing = "server",
  summaries = { "Create a foreign server", "Drop a foreign server", "Rename a foreign server" },
  identity = identity,
  content = { { "wrapper", check.name, "the foreign data wrapper" } },
  place = {},
  shape = { type = check.text, version = check.text, options = foreign.read },
  making = { if_not_exists = check.flag },
  example = 'wrapper = "postgres_fdw", options = { host = "db" }',
  owned = { words = "SERVER", grant_words = "FOREIGN SERVER", privileges = { "usage" } },
  create = function(o)
    return clause.words("CREATE SERVER", o.if_not_exists and "IF NOT EXISTS", quote.ident(o.name),
      o.type and "TYPE " .. quote.literal(o.type), o.version and "VERSION " .. quote.literal(o.version),
      "FOREIGN DATA WRAPPER", quote.ident(o.wrapper), foreign.sql(o.options))
  end,
  look = look,
}

changing.register {
  thing = "server",
  summary = "Change the version or the options of a foreign server",
  identity = identity,
  place = {},
  shape = { version = check.text, options = foreign.read },
  absent = { options = {} },
  prepares = true,
  sql = function(o)
    local words = clause.words(o.version and "VERSION " .. quote.literal(o.version), foreign.altered(o))
    return words ~= "" and { ("ALTER SERVER %s %s"):format(quote.ident(o.name), words) } or {}
  end,
  look = look,
}
