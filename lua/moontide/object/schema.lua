--- Schemas: creating, dropping and renaming them.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lifecycle = require "moontide.object.lifecycle"
local owned = require "moontide.object.owned"
local quote = require "moontide.sql.quote"

-- The owner is given at once: who creates the schema need not be allowed to give it away later.
local ownership = { words = "SCHEMA", privileges = { "create", "usage" }, from_the_start = true }

local function create(o)
  return clause.words("CREATE SCHEMA", o.if_not_exists and "IF NOT EXISTS", quote.ident(o.name),
    o.owner and "AUTHORIZATION " .. quote.ident(o.owner))
end

local function look(o, query)
  return (owned.capture(query, { catalog = "pg_namespace", prefix = "nsp", letter = "n",
    condition = "nspname = " .. quote.literal(o.name) }))
end

lifecycle.register {
  thing = "schema",
  summaries = { "Create a schema", "Drop a schema", "Rename a schema" },
  identity = { { "name", check.name, "the schema name" } },
  place = {},
  shape = {},
  making = { if_not_exists = check.flag },
  example = 'owner = "app"',
  owned = ownership,
  loses = "cascade",
  create = create,
  look = look,
}
