local operations = require "spec.support.operations"
local value = require "moontide.value"

local sql, null = value.sql, value.null

describe("create_partition", function()
  operations.cases {
    { "by range", function(op)
      op.create_partition("t_1", "t", { from = "2026-01-01", to = { sql "maxvalue" }, schema = "s" })
    end, sql = "CREATE TABLE s.t_1 PARTITION OF s.t FOR VALUES FROM ('2026-01-01') TO (maxvalue)",
      locks = { "s.t: ACCESS EXCLUSIVE" },
      undo = 'op.drop_partition("t_1", "t", { schema = "s", '
        .. 'existing = { from = { "2026-01-01" }, to = { sql "maxvalue" } } })' },
    { "by list, everything", function(op)
      op.create_partition("t_2", "t", { values = { "a", 1, null }, parent_schema = "p", partition_by = "hash (id)",
        with = { fillfactor = 70 }, tablespace = "fast", using = "heap", comment = "it's", unlogged = true })
    end, sql = { "CREATE UNLOGGED TABLE t_2 PARTITION OF p.t FOR VALUES IN ('a', 1, NULL) PARTITION BY hash (id) "
      .. "USING heap WITH (fillfactor = 70) TABLESPACE fast", "COMMENT ON TABLE t_2 IS 'it''s'" } },
    { "by hash", function(op) op.create_partition("t_3", "t", { modulus = 4, remainder = 3 }) end,
      sql = "CREATE TABLE t_3 PARTITION OF t FOR VALUES WITH (MODULUS 4, REMAINDER 3)" },
    { "for the rest", function(op) op.create_partition("t_4", "t", { default = true, if_not_exists = true }) end,
      sql = "CREATE TABLE IF NOT EXISTS t_4 PARTITION OF t DEFAULT", refusal = "leave if_not_exists out" },
    { "as the catalog has it", function(op)
      op.create_partition("t_5", "t", { bound = "FOR VALUES IN ('x')" })
    end, sql = "CREATE TABLE t_5 PARTITION OF t FOR VALUES IN ('x')" },
  }

  operations.refusals {
    { "no bound", function(op) op.create_partition("a", "t", {}) end,
      "create_partition: which rows the partition takes is missing", "Give from and to" },
    { "two bounds", function(op) op.create_partition("a", "t", { default = true, values = 1 }) end,
      "create_partition: the partition has several bounds" },
    { "half a range", function(op) op.create_partition("a", "t", { from = 1 }) end,
      'create_partition: option "to" is missing', "Give it together with the other one." },
    { "unequal ends", function(op) op.create_partition("a", "t", { from = { 1, 2 }, to = 3 }) end,
      "create_partition: from has 2 values and to has 1" },
    { "an impossible remainder", function(op) op.create_partition("a", "t", { modulus = 4, remainder = 4 }) end,
      "create_partition: the remainder must be less than the modulus, and neither of them negative" },
    { "other SQL", function(op) op.create_partition("a", "t", { bound = "x); drop table t" }) end,
      'create_partition: option "bound" must begin with FOR VALUES, or be DEFAULT' },
    { "a table as value", function(op) op.create_partition("a", "t", { values = { {} } }) end,
      'create_partition: option "values" 1 must be a value, not a table' },
  }
end)

describe("drop_partition", function()
  operations.cases {
    { "and describe it", function(op)
      op.drop_partition("a", "t", { if_exists = true, existing = { from = 1, to = 2, comment = "x" } })
    end, sql = "DROP TABLE IF EXISTS a", locks = { "t: ACCESS EXCLUSIVE", "a: ACCESS EXCLUSIVE" },
      undo = 'op.create_partition("a", "t", { comment = "x", from = { 1 }, to = { 2 } })' },
    { "without knowing it", function(op) op.drop_partition("a", "t") end, sql = "DROP TABLE a",
      refusal = "give existing" },
    { "and what depends on it", function(op) op.drop_partition("a", "t", { cascade = true }) end,
      sql = "DROP TABLE a CASCADE", refusal = "cascade also drops" },
  }
end)

describe("attach_partition", function()
  operations.cases {
    { "by range", function(op)
      op.attach_partition("a", "t", { schema = "s", parent_schema = "p", from = { 1, "b" }, to = { 2, "c" } })
    end, sql = "ALTER TABLE p.t ATTACH PARTITION s.a FOR VALUES FROM (1, 'b') TO (2, 'c')",
      locks = { "p.t: SHARE UPDATE EXCLUSIVE", "s.a: ACCESS EXCLUSIVE" },
      undo = 'op.detach_partition("a", "t", { schema = "s", parent_schema = "p", '
        .. 'existing = { from = { 1, "b" }, to = { 2, "c" } } })' },
  }
end)

describe("detach_partition", function()
  operations.cases {
    { "at once", function(op) op.detach_partition("a", "t", { existing = { default = true } }) end,
      sql = "ALTER TABLE t DETACH PARTITION a", locks = { "t: ACCESS EXCLUSIVE", "a: ACCESS EXCLUSIVE" },
      undo = 'op.attach_partition("a", "t", { default = true })' },
    { "concurrently", function(op) op.detach_partition("a", "t", { concurrently = true }) end,
      sql = "ALTER TABLE t DETACH PARTITION a CONCURRENTLY", refusal = "give existing",
      locks = { "t: SHARE UPDATE EXCLUSIVE", "a: ACCESS EXCLUSIVE" } },
    { "to the end", function(op) op.detach_partition("a", "t", { finalize = true }) end,
      sql = "ALTER TABLE t DETACH PARTITION a FINALIZE", refusal = "give existing" },
  }

  operations.refusals {
    { "both", function(op) op.detach_partition("a", "t", { concurrently = true, finalize = true }) end,
      "detach_partition: concurrently and finalize cannot be given together" },
  }
end)
