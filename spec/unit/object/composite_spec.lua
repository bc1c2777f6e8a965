local operations = require "spec.support.operations"

describe("composite types", function()
  operations.cases {
    { "are created", function(op)
      op.create_type("t", {
        { "a", "int", comment = "it's" }, { "B", "text[]", collation = { name = "x", schema = "s" } },
      }, { schema = "S", comment = "c" })
    end, sql = { [[CREATE TYPE "S".t AS (a integer, "B" text[] COLLATE s.x)]],
      [[COMMENT ON COLUMN "S".t.a IS 'it''s']], [[COMMENT ON TYPE "S".t IS 'c']] }, locks = {},
      undo = [[op.drop_type("t", { schema = "S", existing = { { "a", "integer", comment = "it's" }, ]]
        .. [[{ "B", "text[]", collation = { name = "x", schema = "s" } }, comment = "c" } })]] },
    { "are created empty", function(op) op.create_type("t", {}) end, sql = "CREATE TYPE t AS ()" },
    { "are dropped", function(op) op.drop_type("t", { existing = { { "a", "int" } } }) end, sql = "DROP TYPE t",
      undo = 'op.create_type("t", { { "a", "integer" } })' },
    { "are dropped, whatever they were", function(op) op.drop_type("t") end, sql = "DROP TYPE t",
      refusal = 'existing = { { "street", "text" }, { "city", "text" } }' },
    { "are renamed", function(op) op.rename_type("t", "u") end, sql = "ALTER TYPE t RENAME TO u",
      undo = 'op.rename_type("u", "t")' },
    { "are moved", function(op) op.set_type_schema("t", "u", { schema = "s" }) end, sql = "ALTER TYPE s.t SET SCHEMA u",
      undo = 'op.set_type_schema("t", "s", { schema = "u" })' },
  }
  operations.refusals {
    { "an attribute twice", function(op) op.create_type("t", { { "a", "int" }, { "a", "text" } }) end,
      'create_type: the list of attributes has the attribute "a" twice' },
    { "an attribute without a type", function(op) op.create_type("t", { { "a" } }) end,
      "create_type: the list of attributes 1: the type is missing" },
    { "a default, which attributes have not", function(op) op.create_type("t", { { "a", "int", default = 1 } }) end,
      'create_type: the list of attributes 1: unknown option "default"' },
  }
end)

describe("attributes", function()
  operations.cases {
    { "are added", function(op)
      op.add_attribute("t", { "a", "int", comment = "x" }, { schema = "s", cascade = true })
    end, sql = { "ALTER TYPE s.t ADD ATTRIBUTE a integer CASCADE", "COMMENT ON COLUMN s.t.a IS 'x'" },
      undo = 'op.drop_attribute("t", "a", { schema = "s", cascade = true, existing = { "integer", comment = "x" } })' },
    { "are dropped", function(op) op.drop_attribute("t", "a", { existing = { "text", collation = "C" } }) end,
      sql = "ALTER TYPE t DROP ATTRIBUTE a", undo = 'op.add_attribute("t", { "a", "text", collation = "C" })' },
    { "are dropped, whatever they were", function(op) op.drop_attribute("t", "a", { if_exists = true }) end,
      sql = "ALTER TYPE t DROP ATTRIBUTE IF EXISTS a", refusal = 'existing = { "text" }' },
    { "get another type", function(op) op.alter_attribute("t", "a", "bigint", { existing = { "int" } }) end,
      sql = "ALTER TYPE t ALTER ATTRIBUTE a TYPE bigint",
      undo = 'op.alter_attribute("t", "a", "integer", { existing = { "bigint" } })' },
    { "get another type than an unknown one", function(op)
      op.alter_attribute("t", "a", "text", { collation = "C", cascade = true })
    end, sql = 'ALTER TYPE t ALTER ATTRIBUTE a TYPE text COLLATE "C" CASCADE', refusal = 'the attribute "a"' },
    { "are renamed", function(op) op.rename_attribute("t", "a", "b", { cascade = true }) end,
      sql = "ALTER TYPE t RENAME ATTRIBUTE a TO b CASCADE",
      undo = 'op.rename_attribute("t", "b", "a", { cascade = true })' },
  }
end)

describe("range types", function()
  operations.cases {
    { "are created", function(op) op.create_range_type("r", "float8") end,
      sql = "CREATE TYPE r AS RANGE (subtype = double precision)",
      undo = 'op.drop_range_type("r", { existing = { "double precision" } })' },
    { "are created with everything", function(op)
      op.create_range_type("r", "text", { schema = "s", opclass = "text_pattern_ops", collation = "C",
        canonical = "f", difference = { name = "g", schema = "S" }, multirange = "rs", comment = "x" })
    end, sql = { 'CREATE TYPE s.r AS RANGE (subtype = text, subtype_opclass = text_pattern_ops, collation = "C", '
      .. 'canonical = f, subtype_diff = "S".g, multirange_type_name = s.rs)', "COMMENT ON TYPE s.r IS 'x'" } },
    { "are dropped", function(op) op.drop_range_type("r", { existing = { "int" } }) end, sql = "DROP TYPE r",
      undo = 'op.create_range_type("r", "integer")' },
    { "are renamed", function(op) op.rename_range_type("r", "q") end, sql = "ALTER TYPE r RENAME TO q",
      undo = 'op.rename_range_type("q", "r")' },
  }
end)
