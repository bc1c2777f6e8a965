local operations = require "spec.support.operations"
local value = require "moontide.value"

local null = value.null

describe("comment", function()
  operations.cases {
    { "on a view", function(op) op.comment("materialized_view", "v", "it's", { schema = "S", existing = "old" }) end,
      sql = "COMMENT ON MATERIALIZED VIEW \"S\".v IS 'it''s'", locks = { '"S".v: SHARE UPDATE EXCLUSIVE' },
      undo = [[op.comment("materialized view", "v", "old", { schema = "S", existing = "it's" })]] },
    { "on a column", function(op) op.comment("column", "c", "x", { table = "t", schema = "s" }) end,
      sql = "COMMENT ON COLUMN s.t.c IS 'x'", locks = { "s.t: SHARE UPDATE EXCLUSIVE" },
      undo = 'op.comment("column", "c", null, { table = "t", schema = "s", existing = "x" })' },
    { "on a function", function(op) op.comment("function", "f", "x", { arguments = { "int", "text" } }) end,
      sql = "COMMENT ON FUNCTION f(integer, text) IS 'x'", locks = {} },
    { "on the only function of its name", function(op) op.comment("function", "f", "x") end,
      sql = "COMMENT ON FUNCTION f IS 'x'" },
    { "on an aggregate of anything", function(op) op.comment("aggregate", "a", "x", { arguments = {} }) end,
      sql = "COMMENT ON AGGREGATE a(*) IS 'x'" },
    { "on a constraint", function(op) op.comment("constraint", "c", "x", { table = "t" }) end,
      sql = "COMMENT ON CONSTRAINT c ON t IS 'x'", locks = {} },
    { "on a constraint of a domain", function(op)
      op.comment("constraint", "c", "x", { domain = "d", schema = "s" })
    end, sql = "COMMENT ON CONSTRAINT c ON DOMAIN s.d IS 'x'" },
    { "on a trigger", function(op) op.comment("trigger", "r", "x", { table = "t" }) end,
      sql = "COMMENT ON TRIGGER r ON t IS 'x'" },
    { "on a role", function(op) op.comment("role", "me", null, { existing = "old" }) end,
      sql = "COMMENT ON ROLE me IS NULL", undo = 'op.comment("role", "me", "old")' },
    { "that is not known", function(op) op.comment("schema", "s", null) end, sql = "COMMENT ON SCHEMA s IS NULL",
      refusal = "give existing" },
  }

  operations.refusals {
    { "an unknown kind", function(op) op.comment("tabel", "t", "x") end,
      'comment: the kind of object cannot be "tabel"', "materialized view" },
    { "a part without its table", function(op) op.comment("policy", "p", "x") end,
      'comment: option "table" is missing', "Give the table that the policy is a part of." },
    { "a schema of what has none", function(op) op.comment("role", "p", "x", { schema = "s" }) end,
      'comment: option "schema" has no meaning for a role' },
    { "no text", function(op) op.comment("table", "t") end, "comment: the comment is missing" },
  }
end)
