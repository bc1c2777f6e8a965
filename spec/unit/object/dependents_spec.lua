local operation = require "moontide.operation"
local operations = require "spec.support.operations"

describe("dependents", function()
  operations.refusals {
    { "another word", function(op) op.drop_column("t", "a", { dependents = "cascade" }) end,
      'drop_column: option "dependents" cannot be "cascade"', 'Write "recreate".' },
    { "an empty list", function(op) op.drop_column("t", "a", { dependents = {} }) end,
      'drop_column: option "dependents" must not be empty' },
    { "a view without a query", function(op) op.drop_column("t", "a", { dependents = { { "v" } } }) end,
      'drop_column: option "dependents" 1 query is missing' },
    { "statements", function(op) op.drop_column("t", "a", { dependents = { { "v", "drop table t" } } }) end,
      'drop_column: option "dependents" 1 query must be a query' },
    { "new queries for a column that stays", function(op)
      op.alter_column("t", "a", { type = "int", dependents = { { "v", "select 1" } } })
    end, 'alter_column: option "dependents" must be "recreate"' },
    { "a new name", function(op) op.alter_column("t", "a", { name = "b", dependents = "recreate" }) end,
      "alter_column: dependents and name cannot be given together", "op.rename_column" },
    { "being online", function(op)
      op.alter_column("t", "a", { nullable = false, online = true, dependents = "recreate" })
    end, "alter_column: dependents and online cannot be given together" },
    { "a part of alter_table", function(op)
      op.alter_table("t", { { "drop_column", "a", { dependents = "recreate" } } })
    end, "alter_table: action 1: dependents is an option of the operation by itself" },
  }

  local function build(fn) return operations.collect(fn)[1] end

  it("survive being written as Lua, and are asked for by the inverse", function()
    local o = build(function(op)
      op.alter_column("t", "a", { type = "text", dependents = "recreate", existing = { type = "int" } })
    end)
    assert.same(operations.bare(o), operations.bare(operations.load(operation.source(o))))
    assert.equal("recreate", operation.inverse(o)[1].dependents)
    local drop = build(function(op)
      op.drop_column("t", "a", { dependents = { { "v", "select 1", schema = "s" } } })
    end)
    assert.same(operations.bare(drop), operations.bare(operations.load(operation.source(drop))))
  end)

  it("are around the change, as they were read", function()
    local o = build(function(op) op.drop_column("t", "a", { dependents = "recreate" }) end)
    o.recreation = { before = { "DROP VIEW v" }, after = { "CREATE VIEW v AS SELECT 1" } }
    assert.same({ "DROP VIEW v", "ALTER TABLE t DROP COLUMN a", "CREATE VIEW v AS SELECT 1" }, operations.sql { o })
  end)

  it("cannot be printed where they cannot be read", function()
    local o = build(function(op) op.drop_column("t", "a", { dependents = "recreate" }) end)
    local ok, problem = pcall(operation.statements, o, { offline = true })
    assert.is_false(ok)
    assert.equal("drop_column: what depends on the column is known only where the database can be read",
      problem.message)
    assert.equal(o.where, problem.where)
  end)

  it("cannot be reversed when the queries from before are not known", function()
    local o = build(function(op)
      op.drop_column("t", "a", { dependents = { { "v", "select 1" } }, existing = { "a", "int" } })
    end)
    local list, reason = operation.inverse(o)
    assert.is_nil(list)
    assert.truthy(reason:find("the queries that the views had", 1, true))
  end)
end)
