-- Online operations without a server: their steps, what undoes them, and what is refused.

local operation = require "moontide.operation"
local operations = require "spec.support.operations"

local function steps_of(fn, ctx)
  local o = operations.collect(fn)[1]
  return operation.get(o.kind).expand(o, ctx or {}), o
end

local function lines_of(steps)
  local lines = {}
  for i, step in ipairs(steps) do lines[i] = (step.alone and "alone: " or "") .. table.concat(step.statements, "; ") end
  return lines
end

describe("an online operation", function()
  operations.cases {
    { "create_index", function(op) op.create_index("i", "t", { "a" }, { online = true }) end,
      sql = "CREATE INDEX CONCURRENTLY i ON t (a)", locks = { "t: SHARE UPDATE EXCLUSIVE" },
      undo = 'op.drop_index("i", { table = "t", online = true, existing = { "a" } })' },
    { "drop_index", function(op) op.drop_index("i", { online = true, table = "t", existing = { "a" } }) end,
      sql = "DROP INDEX CONCURRENTLY i", undo = 'op.create_index("i", "t", { "a" }, { online = true })' },
    { "create_unique_constraint", function(op)
        op.create_unique_constraint("u", "t", { "a", "b" }, { online = true, deferrable = true, include = "c" })
      end,
      sql = { "CREATE UNIQUE INDEX CONCURRENTLY u ON t (a, b) INCLUDE (c)",
        "ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX u DEFERRABLE" },
      locks = { "t: SHARE UPDATE EXCLUSIVE", "t: ACCESS EXCLUSIVE" },
      undo = 'op.drop_constraint("u", "t", { online = true, existing = { unique = { "a", "b", include = { "c" }, '
        .. 'deferrable = true } } })' },
    { "create_primary_key", function(op) op.create_primary_key(nil, "t", "id", { online = true, schema = "s" }) end,
      sql = { "ALTER TABLE s.t ADD CONSTRAINT t_id_online_check CHECK (id IS NOT NULL) NOT VALID",
        "ALTER TABLE s.t VALIDATE CONSTRAINT t_id_online_check", "ALTER TABLE s.t ALTER COLUMN id SET NOT NULL",
        "ALTER TABLE s.t DROP CONSTRAINT IF EXISTS t_id_online_check",
        "CREATE UNIQUE INDEX CONCURRENTLY t_pkey ON s.t (id)",
        "ALTER TABLE s.t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX t_pkey" } },
    { "create_foreign_key", function(op)
        op.create_foreign_key("f", "t", "p", "p_id", "id", { online = true, on_delete = "cascade" })
      end,
      sql = { "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE CASCADE NOT VALID",
        "ALTER TABLE t VALIDATE CONSTRAINT f" },
      locks = { "t: SHARE UPDATE EXCLUSIVE", "t: SHARE ROW EXCLUSIVE", "p: SHARE ROW EXCLUSIVE" } },
    { "create_check_constraint", function(op) op.create_check_constraint("c", "t", "a > 0", { online = true }) end,
      sql = { "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID", "ALTER TABLE t VALIDATE CONSTRAINT c" },
      undo = 'op.drop_constraint("c", "t", { online = true, existing = { check = "a > 0" } })' },
    { "drop_constraint, which is added again online",
      function(op) op.drop_constraint("c", "t", { online = true, existing = { check = "a > 0" } }) end,
      sql = "ALTER TABLE t DROP CONSTRAINT c",
      undo = 'op.create_check_constraint("c", "t", "a > 0", { online = true })' },
    { "alter_column", function(op)
        op.alter_column("t", "a", { online = true, nullable = false, default = 1, name = "b" })
      end,
      sql = { "ALTER TABLE t ALTER COLUMN a SET DEFAULT 1",
        "ALTER TABLE t ADD CONSTRAINT t_a_online_check CHECK (a IS NOT NULL) NOT VALID",
        "ALTER TABLE t VALIDATE CONSTRAINT t_a_online_check", "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
        "ALTER TABLE t DROP CONSTRAINT IF EXISTS t_a_online_check", "ALTER TABLE t RENAME COLUMN a TO b" },
      refusal = "default" },
    { "alter_column to be nullable again",
      function(op) op.alter_column("t", "a", { online = true, nullable = true }) end,
      sql = "ALTER TABLE t ALTER COLUMN a DROP NOT NULL",
      undo = 'op.alter_column("t", "a", { nullable = false, online = true, existing = { nullable = true } })' },
  }

  it("is told apart from one that is explicitly not", function()
    local o = operations.collect(function(op) op.create_index("i", "t", "a", { online = false }) end)[1]
    assert.is_false(o.online)
    assert.equal('op.create_index("i", "t", { "a" }, { online = false })', operation.source(o))
    assert.is_nil(operation.get("create_index").expand(o, {}))
  end)

  it("has one step for each commit", function()
    assert.same({
      "ALTER TABLE t ADD CONSTRAINT t_a_online_check CHECK (a IS NOT NULL) NOT VALID",
      "ALTER TABLE t VALIDATE CONSTRAINT t_a_online_check",
      "ALTER TABLE t ALTER COLUMN a SET NOT NULL; ALTER TABLE t DROP CONSTRAINT IF EXISTS t_a_online_check",
    }, lines_of(steps_of(function(op) op.alter_column("t", "a", { online = true, nullable = false }) end)))
  end)

  it("makes use of what PostgreSQL 18 can do", function()
    local function not_null(op) op.alter_column("t", "a", { online = true, nullable = false }) end
    assert.same({
      "ALTER TABLE t ADD CONSTRAINT t_a_not_null NOT NULL a NOT VALID",
      "ALTER TABLE t VALIDATE CONSTRAINT t_a_not_null",
    }, lines_of(steps_of(not_null, { server_version = 180000 })))
  end)

  operations.refusals {
    { "an index without a name", function(op) op.create_index(nil, "t", "a", { online = true }) end,
      "create_index: online needs a name for the index" },
    { "only", function(op) op.create_index("i", "t", "a", { online = true, only = true }) end,
      "create_index: online and only cannot be given together" },
    { "cascade", function(op) op.drop_index("i", { online = true, cascade = true }) end,
      "drop_index: online and cascade cannot be given together" },
    { "using_index", function(op) op.create_unique_constraint("u", "t", nil, { online = true, using_index = "i" }) end,
      "create_unique_constraint: online and using_index cannot be given together", "takes a moment anyway" },
    { "not_valid of a foreign key",
      function(op) op.create_foreign_key("f", "t", "p", "a", "b", { online = true, not_valid = true }) end,
      "create_foreign_key: online and not_valid cannot be given together" },
    { "a check without a name", function(op) op.create_check_constraint(nil, "t", "a > 0", { online = true }) end,
      "create_check_constraint: online needs a name for the constraint" },
    { "a change of type together with the identity",
      function(op) op.alter_column("t", "a", { type = "bigint", identity = true, online = true }) end,
      "alter_column: type cannot be changed online together with identity or generated", "two operations" },
    { "a column with an identity",
      function(op) op.add_column("t", { "n", "bigint", identity = true }, { online = true }) end,
      "add_column: an identity or serial column rewrites the table", "fill the rows in batches" },
    { "a unique column", function(op) op.add_column("t", { "n", "bigint", unique = true }, { online = true }) end,
      "add_column: unique reads the table under a lock", "create_unique_constraint with online = true" },
    { "an action among others", function(op)
        op.alter_table("t", { { "create_unique_constraint", "u", "a", { online = true } } })
      end,
      "alter_table: action 1: online is not possible together with other actions", "operation of its own" },
  }
end)
