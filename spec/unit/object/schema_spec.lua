local operation = require "moontide.operation"
local operations = require "spec.support.operations"
local value = require "moontide.value"

local null = value.null

describe("schemas", function()
  operations.cases {
    { "are created", function(op)
      op.create_schema("S", { owner = "boss", comment = "x", grants = { { "create", "usage", to = "reader" } } })
    end, sql = { 'CREATE SCHEMA "S" AUTHORIZATION boss', [[COMMENT ON SCHEMA "S" IS 'x']],
      'REVOKE ALL ON SCHEMA "S" FROM PUBLIC', 'GRANT CREATE, USAGE ON SCHEMA "S" TO reader' }, locks = {},
      undo = 'op.drop_schema("S", { existing = { comment = "x", grants = { { "create", "usage", to = "reader" } }, '
        .. 'owner = "boss" } })' },
    { "are created if not there", function(op) op.create_schema("s", { if_not_exists = true }) end,
      sql = "CREATE SCHEMA IF NOT EXISTS s", refusal = "whether the schema was there before" },
    { "are dropped", function(op) op.drop_schema("s", { if_exists = true, existing = {} }) end,
      sql = "DROP SCHEMA IF EXISTS s", undo = 'op.create_schema("s")' },
    { "are dropped with all they hold", function(op) op.drop_schema("s", { cascade = true, existing = {} }) end,
      sql = "DROP SCHEMA s CASCADE", refusal = "cascade" },
    { "are renamed", function(op) op.rename_schema("s", "t") end, sql = "ALTER SCHEMA s RENAME TO t",
      undo = 'op.rename_schema("t", "s")' },
  }

  it("that were there are left alone by the undoing of if_not_exists", function()
    local o = operation.build("create_schema", "s", { if_not_exists = true })
    local capture = operation.get("create_schema").capture
    local function found(text) return text:find("obj_description", 1, true) and { { owner = "me", oid = 1 } } or {} end
    assert.same({ present = true }, capture(o, found))
    assert.same({ absent = true }, capture(o, function() return {} end))
    assert.is_nil(capture(operation.build("create_schema", "s"), error))
    o.present = true
    assert.same({}, operation.inverse(o))
    o.present, o.absent = nil, true
    assert.equal('op.drop_schema("s", { existing = {} })', operation.source(operation.inverse(o)[1]))
  end)
end)

describe("extensions", function()
  operations.cases {
    { "are installed", function(op)
      op.create_extension("uuid-ossp", { schema = "s", version = "1.1", cascade = true, comment = "x" })
    end, sql = { 'CREATE EXTENSION "uuid-ossp" SCHEMA s VERSION "1.1" CASCADE',
      [[COMMENT ON EXTENSION "uuid-ossp" IS 'x']] }, locks = {},
      undo = 'op.drop_extension("uuid-ossp", { existing = { schema = "s", comment = "x", version = "1.1" } })' },
    { "are installed if not there", function(op) op.create_extension("x", { if_not_exists = true }) end,
      sql = "CREATE EXTENSION IF NOT EXISTS x", refusal = "leave if_not_exists out" },
    { "are dropped", function(op) op.drop_extension("x", { existing = { version = "1.0" } }) end,
      sql = "DROP EXTENSION x", undo = 'op.create_extension("x", { version = "1.0" })' },
    { "are updated and moved", function(op)
      op.alter_extension("x", { version = "1.1", schema = "t", existing = { version = "1.0", schema = "s" } })
    end, sql = { 'ALTER EXTENSION x UPDATE TO "1.1"', "ALTER EXTENSION x SET SCHEMA t" },
      undo = 'op.alter_extension("x", '
        .. '{ schema = "s", version = "1.0", existing = { schema = "t", version = "1.1" } })' },
    { "are updated to what the server has", function(op) op.alter_extension("x", { version = true }) end,
      sql = "ALTER EXTENSION x UPDATE", refusal = 'the version of the extension "x" is not known' },
  }
  operations.refusals {
    { "no change", function(op) op.alter_extension("x", {}) end, "alter_extension: nothing to change", "version" },
  }
end)

describe("sequences", function()
  operations.cases {
    { "are created", function(op) op.create_sequence("s") end, sql = "CREATE SEQUENCE s", locks = {},
      undo = 'op.drop_sequence("s", { existing = {} })' },
    { "are created with everything", function(op)
      op.create_sequence("s", { schema = "S", type = "int", start = math.mininteger, increment = -2, minimum = -9,
        maximum = 9, cache = 5, cycle = true, owned_by = { table = "T", column = "c", schema = "x" }, temporary = true,
        if_not_exists = true, owner = "boss" })
    end, sql = { 'CREATE TEMPORARY SEQUENCE IF NOT EXISTS "S".s AS integer INCREMENT BY -2 MINVALUE -9 MAXVALUE 9 '
      .. 'START WITH -9223372036854775808 CACHE 5 CYCLE OWNED BY x."T".c', 'ALTER SEQUENCE "S".s OWNER TO boss' },
      refusal = "if_not_exists" },
    { "are dropped", function(op) op.drop_sequence("s", { existing = { start = 5, restart = 7 } }) end,
      sql = "DROP SEQUENCE s", locks = { "s: ACCESS EXCLUSIVE" },
      undo = { 'op.create_sequence("s", { start = 5 })', 'op.alter_sequence("s", { restart = 7 })' } },
    { "are renamed", function(op) op.rename_sequence("s", "t") end, sql = "ALTER SEQUENCE s RENAME TO t",
      undo = 'op.rename_sequence("t", "s")', locks = { "s: ACCESS EXCLUSIVE" } },
    { "are moved", function(op) op.set_sequence_schema("s", "t") end, sql = "ALTER SEQUENCE s SET SCHEMA t",
      refusal = 'the schema that the sequence "s" was in is not known' },
    { "change", function(op)
      op.alter_sequence("s", { maximum = null, cycle = false, owned_by = null, restart = true, existing = {
        maximum = 5, cycle = true, owned_by = { table = "t", column = "c" }, restart = 3 } })
    end, sql = "ALTER SEQUENCE s NO MAXVALUE NO CYCLE OWNED BY NONE RESTART", locks = { "s: SHARE ROW EXCLUSIVE" },
      undo = 'op.alter_sequence("s", { cycle = true, maximum = 5, owned_by = { table = "t", column = "c" }, '
        .. 'restart = 3 })' },
    { "become logged", function(op) op.alter_sequence("s", { cache = 2, unlogged = false,
      existing = { cache = 1, unlogged = true } }) end,
      sql = { "ALTER SEQUENCE s CACHE 2", "ALTER SEQUENCE s SET LOGGED" }, locks = { "s: ACCESS EXCLUSIVE" },
      undo = 'op.alter_sequence("s", { cache = 1, unlogged = true })' },
    { "change without anybody knowing", function(op) op.alter_sequence("s", { restart = 1 }) end,
      sql = "ALTER SEQUENCE s RESTART WITH 1", refusal = 'restart of the sequence "s" is not known' },
  }
  operations.refusals {
    { "no change", function(op) op.alter_sequence("s", {}) end, "alter_sequence: nothing to change", "restart" },
    { "no step", function(op) op.create_sequence("s", { increment = 0 }) end,
      'create_sequence: option "increment" must not be 0' },
    { "a type that sequences have not", function(op) op.create_sequence("s", { type = "text" }) end,
      'create_sequence: option "type" cannot be "text"', "smallint, integer, bigint" },
    { "half a column", function(op) op.create_sequence("s", { owned_by = { table = "t" } }) end,
      'create_sequence: option "owned_by" column is missing' },
    { "two kinds of persistence", function(op) op.create_sequence("s", { temporary = true, unlogged = true }) end,
      "create_sequence: temporary and unlogged cannot be given together" },
  }
end)
