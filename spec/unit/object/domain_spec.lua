local operations = require "spec.support.operations"
local value = require "moontide.value"

local sql, null = value.sql, value.null

describe("create_domain", function()
  operations.cases {
    { "a type", function(op) op.create_domain("d", "int") end, sql = "CREATE DOMAIN d AS integer", locks = {},
      undo = 'op.drop_domain("d", { existing = { "integer" } })' },
    { "everything", function(op)
      op.create_domain("d", "varchar(10)", { schema = "S", default = "it's", nullable = false, collation = "C",
        checks = { "value <> ''", { "value > 'a' -- b", name = "c", comment = "why" },
          { "true", name = "later", not_valid = true } }, owner = "boss", comment = "x" })
    end, sql = { [[CREATE DOMAIN "S".d AS character varying(10) COLLATE "C" DEFAULT 'it''s' NOT NULL ]]
      .. [[CHECK (value <> '') CONSTRAINT c CHECK (value > 'a' -- b)]],
      [[COMMENT ON CONSTRAINT c ON DOMAIN "S".d IS 'why']],
      [[ALTER DOMAIN "S".d ADD CONSTRAINT later CHECK (true) NOT VALID]], [[COMMENT ON DOMAIN "S".d IS 'x']],
      [[ALTER DOMAIN "S".d OWNER TO boss]] } },
    { "an expression as default", function(op) op.create_domain("d", "int", { default = sql "1 + 1" }) end,
      sql = "CREATE DOMAIN d AS integer DEFAULT (1 + 1)",
      undo = 'op.drop_domain("d", { existing = { "integer", default = sql "1 + 1" } })' },
  }
  operations.refusals {
    { "no type", function(op) op.create_domain "d" end, "create_domain: the type is missing" },
    { "an invalid type", function(op) op.create_domain("d", "int(") end,
      'create_domain: the type: invalid type "int(": syntax error at or near "("' },
    { "an unnamed check that is not valid", function(op)
      op.create_domain("d", "int", { checks = { { "true", not_valid = true } } })
    end, 'create_domain: option "checks" 1: not_valid needs a name' },
    { "an empty check", function(op) op.create_domain("d", "int", { checks = { "" } }) end,
      'create_domain: option "checks" 1 must not be empty' },
  }
end)

describe("drop_domain, rename_domain and set_domain_schema", function()
  operations.cases {
    { "drop", function(op)
      op.drop_domain("d", { schema = "s",
        existing = { "int", default = 1, nullable = false, checks = { "value > 0" } } })
    end, sql = "DROP DOMAIN s.d",
      undo = 'op.create_domain("d", "integer", '
        .. '{ schema = "s", nullable = false, default = 1, checks = { "value > 0" } })' },
    { "drop something unknown", function(op) op.drop_domain("d", { if_exists = true }) end,
      sql = "DROP DOMAIN IF EXISTS d", refusal = 'what the domain "d" was is not known: give existing' },
    { "rename", function(op) op.rename_domain("d", "e") end, sql = "ALTER DOMAIN d RENAME TO e",
      undo = 'op.rename_domain("e", "d")' },
    { "move", function(op) op.set_domain_schema("d", "t", { schema = "s" }) end, sql = "ALTER DOMAIN s.d SET SCHEMA t",
      undo = 'op.set_domain_schema("d", "s", { schema = "t" })' },
  }
end)

describe("alter_domain", function()
  operations.cases {
    { "default and nullability", function(op)
      op.alter_domain("d", { schema = "s", default = 2, nullable = false, existing = { default = 1 } })
    end, sql = { "ALTER DOMAIN s.d SET DEFAULT 2", "ALTER DOMAIN s.d SET NOT NULL" },
      undo = 'op.alter_domain("d", { schema = "s", nullable = true, default = 1, '
        .. 'existing = { nullable = false, default = 2 } })' },
    { "no default", function(op) op.alter_domain("d", { default = null, existing = { default = sql "now()" } }) end,
      sql = "ALTER DOMAIN d DROP DEFAULT",
      undo = 'op.alter_domain("d", { default = sql "now()", existing = { default = null } })' },
    { "an unknown default", function(op) op.alter_domain("d", { default = 1 }) end,
      sql = "ALTER DOMAIN d SET DEFAULT 1", refusal = 'the default of the domain "d" is not known' },
  }
  operations.refusals {
    { "nothing", function(op) op.alter_domain("d", { schema = "s" }) end, "alter_domain: nothing to change",
      "default" },
  }
end)

describe("constraints of domains", function()
  operations.cases {
    { "are added", function(op)
      op.create_domain_constraint("c", "d", "value > 0", { schema = "s", not_valid = true, comment = "x" })
    end, sql = { "ALTER DOMAIN s.d ADD CONSTRAINT c CHECK (value > 0) NOT VALID",
      "COMMENT ON CONSTRAINT c ON DOMAIN s.d IS 'x'" },
      undo = 'op.drop_domain_constraint("c", "d", { schema = "s", '
        .. 'existing = { "value > 0", name = "c", not_valid = true, comment = "x" } })' },
    { "are dropped", function(op) op.drop_domain_constraint("c", "d", { existing = "value > 0" }) end,
      sql = "ALTER DOMAIN d DROP CONSTRAINT c", undo = 'op.create_domain_constraint("c", "d", "value > 0")' },
    { "are dropped, whatever they were", function(op)
      op.drop_domain_constraint("c", "d", { if_exists = true, cascade = true })
    end, sql = "ALTER DOMAIN d DROP CONSTRAINT IF EXISTS c CASCADE", refusal = "give existing" },
    { "are renamed", function(op) op.rename_domain_constraint("d", "c", "C", { schema = "s" }) end,
      sql = 'ALTER DOMAIN s.d RENAME CONSTRAINT c TO "C"',
      undo = 'op.rename_domain_constraint("d", "C", "c", { schema = "s" })' },
    { "are validated", function(op) op.validate_domain_constraint("c", "d") end,
      sql = "ALTER DOMAIN d VALIDATE CONSTRAINT c", undo = {} },
  }
end)
