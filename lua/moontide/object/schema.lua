--- Schemas: creating, dropping and renaming them.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local entity = require "moontide.object.entity"
local operation = require "moontide.operation"
local owned = require "moontide.object.owned"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

local ownership = { words = "SCHEMA", privileges = { "create", "usage" } }
local shape = owned.shape(ownership)
local create_shape = check.join(shape, { if_not_exists = check.flag })

-- The owner is given at once: who creates the schema need not be allowed to give it away later.
local function create_statements(o)
  local name = quote.ident(o.name)
  local statements = { clause.words("CREATE SCHEMA", o.if_not_exists and "IF NOT EXISTS", name,
    o.owner and "AUTHORIZATION " .. quote.ident(o.owner)) }
  for _, sql in ipairs(owned.statements(ownership, name, o)) do
    if not sql:find("^ALTER SCHEMA") then statements[#statements + 1] = sql end
  end
  return statements
end

local function read_existing(given, what)
  return check.shape(check.table(given, what), what, shape)
end

local function write_existing(existing)
  return owned.write(clause.pick(existing, shape))
end

local function condition(o)
  return "nspname = " .. quote.literal(o.name)
end

local kind = {
  kind = "schema", thing = "schema", words = "SCHEMA", everywhere = true, read = read_existing,
  write = write_existing,
  capture = function(o, query)
    return (owned.capture(query, { catalog = "pg_namespace", prefix = "nsp", letter = "n",
      condition = condition(o) }))
  end,
  create = function(o, existing) return { operation.build("create_schema", o.name, write_existing(existing)) } end,
  example = '{ owner = "app" }',
}

operation.register {
  name = "create_schema",
  summary = "Create a schema",
  build = function(name, options)
    local o = check.options(options, create_shape)
    o.name = check.name(name, "the schema name")
    return o
  end,
  sql = create_statements,
  inverse = function(o) return entity.uncreate(kind, o, write_existing(o)) end,
  capture = entity.capture_presence(function(o) return "SELECT FROM pg_namespace WHERE " .. condition(o) end),
  lock = function() return {} end,
  source = function(o) return source.call("create_schema", o.name, owned.write(clause.pick(o, create_shape))) end,
}

entity.register_drop(kind, "Drop a schema")
entity.register_rename(kind, "Rename a schema")

return kind
