local operations = require "spec.support.operations"
local value = require "moontide.value"

local sql, null = value.sql, value.null

describe("settings of tables", function()
  operations.cases {
    { "storage parameters", function(op)
      op.set_storage_parameters("t",
        { fillfactor = 70, ["toast.autovacuum_enabled"] = false, autovacuum_enabled = null },
        { schema = "s",
          existing = { fillfactor = null, ["toast.autovacuum_enabled"] = null, autovacuum_enabled = true } })
    end, sql = "ALTER TABLE s.t SET (fillfactor = 70, toast.autovacuum_enabled = false), RESET (autovacuum_enabled)",
      locks = { "s.t: SHARE UPDATE EXCLUSIVE" },
      undo = 'op.set_storage_parameters("t", { autovacuum_enabled = true, fillfactor = null, '
        .. '["toast.autovacuum_enabled"] = null }, { schema = "s", existing = { autovacuum_enabled = null, '
        .. 'fillfactor = 70, ["toast.autovacuum_enabled"] = false } })' },
    { "a parameter that everybody feels", function(op)
      op.set_storage_parameters("t", { user_catalog_table = null })
    end, sql = "ALTER TABLE t RESET (user_catalog_table)", locks = { "t: ACCESS EXCLUSIVE" },
      refusal = "give existing, as in existing = { fillfactor = 100 }" },
    { "the tablespace", function(op) op.set_tablespace("t", "fa st", { existing = "pg_default" }) end,
      sql = 'ALTER TABLE t SET TABLESPACE "fa st"', locks = { "t: ACCESS EXCLUSIVE" },
      undo = 'op.set_tablespace("t", "pg_default", { existing = "fa st" })' },
    { "the access method", function(op) op.set_access_method("t", "columnar", { existing = "heap" }) end,
      sql = "ALTER TABLE t SET ACCESS METHOD columnar",
      undo = 'op.set_access_method("t", "heap", { existing = "columnar" })' },
    { "replica identity", function(op) op.set_replica_identity("t", "FULL", { existing = { index = "i" } }) end,
      sql = "ALTER TABLE t REPLICA IDENTITY FULL",
      undo = 'op.set_replica_identity("t", { index = "i" }, { existing = "full" })' },
    { "replica identity by an index", function(op) op.set_replica_identity("t", { index = "i" }) end,
      sql = "ALTER TABLE t REPLICA IDENTITY USING INDEX i", refusal = "give existing" },
    { "the index to cluster by", function(op) op.set_cluster("t", "i", { existing = false }) end,
      sql = "ALTER TABLE t CLUSTER ON i", locks = { "t: SHARE UPDATE EXCLUSIVE" },
      undo = 'op.set_cluster("t", false, { existing = "i" })' },
    { "logged", function(op) op.set_logged("t", { schema = "s" }) end, sql = "ALTER TABLE s.t SET LOGGED",
      undo = 'op.set_unlogged("t", { schema = "s" })' },
    { "unlogged", function(op) op.set_unlogged("t") end, sql = "ALTER TABLE t SET UNLOGGED",
      undo = 'op.set_logged("t")' },
    { "a parent", function(op) op.inherit("t", "p", { schema = "s", parent_schema = "q" }) end,
      sql = "ALTER TABLE s.t INHERIT q.p", locks = { "s.t: ACCESS EXCLUSIVE", "q.p: SHARE UPDATE EXCLUSIVE" },
      undo = 'op.no_inherit("t", "p", { schema = "s", parent_schema = "q" })' },
    { "no parent", function(op) op.no_inherit("t", "p") end, sql = "ALTER TABLE t NO INHERIT p",
      locks = { "t: ACCESS EXCLUSIVE" }, undo = 'op.inherit("t", "p")' },
    { "several together", function(op)
      op.alter_table("t", { { "set_unlogged" }, { "set_cluster", false, { existing = "i" } },
        { "set_storage_parameters", { fillfactor = 50 }, { existing = { fillfactor = null } } } })
    end, sql = "ALTER TABLE t SET UNLOGGED, SET WITHOUT CLUSTER, SET (fillfactor = 50)" },
  }

  operations.refusals {
    { "no parameters", function(op) op.set_storage_parameters("t", {}) end,
      "set_storage_parameters: the storage parameters must not be empty" },
    { "an unknown identity", function(op) op.set_replica_identity("t", "some") end,
      'set_replica_identity: the replica identity cannot be "some"', "default, full, nothing" },
    { "nothing to cluster by", function(op) op.set_cluster("t") end,
      "set_cluster: the index to cluster by is missing" },
  }
end)

describe("set_schema", function()
  operations.cases {
    { "of a table", function(op) op.set_schema("table", "t", "New", { schema = "old" }) end,
      sql = 'ALTER TABLE old.t SET SCHEMA "New"', locks = { "old.t: ACCESS EXCLUSIVE" },
      undo = 'op.set_schema("table", "t", "old", { schema = "New" })' },
    { "of a function", function(op)
      op.set_schema("function", "f", "n", { arguments = { "int", "text[]" } })
    end, sql = "ALTER FUNCTION f(integer, text[]) SET SCHEMA n", locks = {}, refusal = 'as in schema = "public"' },
  }

  operations.refusals {
    { "an index", function(op) op.set_schema("index", "i", "s") end,
      "set_schema: an index is always in the schema of its table" },
    { "what has no schema", function(op) op.set_schema("role", "i", "s") end,
      'set_schema: the kind of object cannot be "role"' },
  }
end)

describe("extended statistics", function()
  operations.cases {
    { "are created", function(op)
      op.create_statistics("s", "t", { "a", sql "b + c" }, { schema = "x", kinds = { "mcv", "ndistinct" }, target = 500,
        comment = "it's", owner = "me", table_schema = "y" })
    end, sql = { "CREATE STATISTICS x.s (mcv, ndistinct) ON a, (b + c) FROM y.t",
      "ALTER STATISTICS x.s SET STATISTICS 500", "COMMENT ON STATISTICS x.s IS 'it''s'",
      "ALTER STATISTICS x.s OWNER TO me" }, locks = { "y.t: SHARE UPDATE EXCLUSIVE" } },
    { "are dropped", function(op)
      op.drop_statistics("s", { if_exists = true, existing = { table = "t", columns = { "a", "b" } } })
    end, sql = "DROP STATISTICS IF EXISTS s", undo = 'op.create_statistics("s", "t", { "a", "b" })' },
    { "are renamed", function(op) op.rename_statistics("s", "r") end, sql = "ALTER STATISTICS s RENAME TO r",
      undo = 'op.rename_statistics("r", "s")' },
    { "are more detailed", function(op) op.set_statistics_target("s", 1000, { existing = -1 }) end,
      sql = "ALTER STATISTICS s SET STATISTICS 1000", undo = 'op.set_statistics_target("s", -1, { existing = 1000 })' },
  }

  operations.refusals {
    { "a single column", function(op) op.create_statistics("s", "t", { "a" }) end,
      "create_statistics: the list of columns needs at least two columns, or an expression" },
  }
end)
