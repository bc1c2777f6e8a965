local operation = require "moontide.operation"
local operations = require "spec.support.operations"
local value = require "moontide.value"

local sql = value.sql

describe("create_index", function()
  operations.cases {
    { "without a name", function(op) op.create_index(nil, "t", { "a", "b" }, { schema = "s" }) end,
      sql = "CREATE INDEX ON s.t (a, b)", locks = { "s.t: SHARE" },
      undo = 'op.drop_index("t_a_b_idx", { table = "t", schema = "s", existing = { "a", "b" } })' },
    { "every option", function(op)
      op.create_index("i", "t", {
        { "a", order = "desc", nulls = "first", opclass = "text_pattern_ops", collation = "C" },
        sql "lower(b)", { sql "a || b", order = "asc" },
      }, { schema = "s", unique = true, using = "btree", where = "a > ''", include = { "c" },
        with = { fillfactor = 50 }, tablespace = "fast", if_not_exists = true, nulls_not_distinct = true, only = true })
    end, sql = "CREATE UNIQUE INDEX IF NOT EXISTS i ON ONLY s.t USING btree "
      .. '(a COLLATE "C" text_pattern_ops DESC NULLS FIRST, (lower(b)), (a || b) ASC) INCLUDE (c) '
      .. "NULLS NOT DISTINCT WITH (fillfactor = 50) TABLESPACE fast WHERE a > ''",
      refusal = "leave if_not_exists out" },
    { "an operator class with options", function(op)
      op.create_index("i", "t", { { "a", opclass = { schema = "x", name = "gist_trgm_ops" },
        opclass_options = { siglen = 32 } } }, { using = "gist" })
    end, sql = "CREATE INDEX i ON t USING gist (a x.gist_trgm_ops (siglen = 32))",
      undo = 'op.drop_index("i", { table = "t", existing = { { "a", '
        .. 'opclass = { name = "gist_trgm_ops", schema = "x" }, opclass_options = { siglen = 32 } }, '
        .. 'using = "gist" } })' },
    { "concurrently", function(op) op.create_index("i", "t", "a", { concurrently = true, where = "a > 0" }) end,
      sql = "CREATE INDEX CONCURRENTLY i ON t (a) WHERE a > 0", locks = { "t: SHARE UPDATE EXCLUSIVE" },
      undo = 'op.drop_index("i", { table = "t", concurrently = true, existing = { "a", where = "a > 0" } })' },
    { "an expression without a name", function(op) op.create_index(nil, "t", sql "lower(a)") end,
      sql = "CREATE INDEX ON t ((lower(a)))", refusal = "give it a name" },
  }
  operations.refusals {
    { "no columns", function(op)
      op.create_index("i", "t", {}) end, "create_index: the list of columns must not be empty" },
    { "a column twice", function(op) op.create_index("i", "t", { "a", "a" }) end,
      'create_index: the list of columns names "a" twice' },
    { "columns in a table of their own", function(op) op.create_index("i", "t", { { "a", "b" } }) end,
      'create_index: the list of columns 1 is one column with its options, but names "a" and "b"',
      'Write the columns without braces of their own: "a", "b".' },
    { "an unknown option of a column", function(op) op.create_index("i", "t", { { "a", sort = "desc" } }) end,
      'create_index: the list of columns 1: unknown option "sort"', "order" },
    { "if_not_exists without a name", function(op) op.create_index(nil, "t", "a", { if_not_exists = true }) end,
      "create_index: if_not_exists needs a name for the index" },
    { "nulls_not_distinct without unique", function(op)
      op.create_index("i", "t", "a", { nulls_not_distinct = true }) end,
      "create_index: nulls_not_distinct needs unique = true" },
    { "options of an operator class that is not given", function(op)
      op.create_index("i", "t", { { "a", opclass_options = { siglen = 1 } } }) end,
      "create_index: the list of columns 1: opclass_options needs opclass" },
  }

  it("is outside of transactions when concurrent", function()
    assert.is_true(operation.transactional(operation.build("create_index", "i", "t", "a")))
    assert.is_false(operation.transactional(operation.build("create_index", "i", "t", "a", { concurrently = true })))
    assert.is_false(operation.transactional(operation.build("drop_index", "i", { concurrently = true })))
  end)
end)

describe("drop_index", function()
  operations.cases {
    { "every option", function(op) op.drop_index("i", { schema = "s", if_exists = true, cascade = true }) end,
      sql = "DROP INDEX IF EXISTS s.i CASCADE", refusal = "give table and existing",
      locks = { "s.i: ACCESS EXCLUSIVE" } },
    { "concurrently", function(op)
      op.drop_index("i", { table = "t", concurrently = true, existing = { { "a", order = "desc" }, unique = true } })
    end, sql = "DROP INDEX CONCURRENTLY i", locks = { "t: SHARE UPDATE EXCLUSIVE" },
      undo = 'op.create_index("i", "t", { { "a", order = "desc" } }, { unique = true, concurrently = true })' },
  }
  operations.refusals {
    { "concurrently with cascade", function(op) op.drop_index("i", { concurrently = true, cascade = true }) end,
      "drop_index: concurrently and cascade cannot be given together" },
    { "existing without its table", function(op) op.drop_index("i", { existing = { "a" } }) end,
      "drop_index: existing needs the table of the index too", "table =" },
  }
end)

describe("rename_index", function()
  operations.cases {
    { "every option", function(op) op.rename_index("a", "b.c", { schema = "s", if_exists = true }) end,
      sql = 'ALTER INDEX IF EXISTS s.a RENAME TO "b.c"', locks = { "s.a: SHARE UPDATE EXCLUSIVE" },
      undo = 'op.rename_index("b.c", "a", { schema = "s", if_exists = true })' },
  }
end)
