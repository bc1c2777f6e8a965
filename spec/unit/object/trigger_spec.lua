local operations = require "spec.support.operations"

describe("create_trigger", function()
  operations.cases {
    { "every option", function(op)
      op.create_trigger("a", "t", { schema = "s", timing = "before", events = { "insert", "update" },
        update_of = { "x", "Y" }, for_each = "row", when = "new.x > 0", execute = { schema = "s", name = "f" },
        args = { "it's", "b" }, enabled = "always", comment = "c" })
    end, sql = { 'CREATE TRIGGER a BEFORE INSERT OR UPDATE OF x, "Y" ON s.t FOR EACH ROW WHEN (new.x > 0) '
      .. "EXECUTE FUNCTION s.f('it''s', 'b')", "ALTER TABLE s.t ENABLE ALWAYS TRIGGER a",
      "COMMENT ON TRIGGER a ON s.t IS 'c'" }, locks = { "s.t: SHARE ROW EXCLUSIVE" } },
    { "a constraint", function(op)
      op.create_trigger("a", "t", { events = "delete", for_each = "row", execute = "f", constraint = true, from = "o",
        initially = "deferred" })
    end, sql = "CREATE CONSTRAINT TRIGGER a AFTER DELETE ON t FROM o DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
      .. "EXECUTE FUNCTION f()" },
    { "tables of changed rows", function(op)
      op.create_trigger("a", "t", { events = { "update" }, execute = "f", referencing = { old = "o", new = "n" } })
    end, sql = "CREATE TRIGGER a AFTER UPDATE ON t REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT "
      .. "EXECUTE FUNCTION f()",
      undo = 'op.drop_trigger("a", "t", { existing = { events = { "update" }, execute = "f", for_each = "statement", '
        .. 'referencing = { new = "n", old = "o" }, timing = "after" } })' },
  }
  operations.refusals {
    { "no events", function(op) op.create_trigger("a", "t", { execute = "f" }) end,
      'create_trigger: option "events" is missing', "insert" },
    { "no function", function(op) op.create_trigger("a", "t", { events = "insert" }) end,
      'create_trigger: option "execute" is missing' },
    { "an event twice", function(op)
      op.create_trigger("a", "t", { events = { "insert", "INSERT" }, execute = "f" })
    end,
      'create_trigger: option "events" names "insert" twice' },
    { "columns without update", function(op)
      op.create_trigger("a", "t", { events = "insert", execute = "f", update_of = "x" }) end,
      'create_trigger: update_of needs the event "update"' },
    { "a deferrable trigger that is no constraint", function(op)
      op.create_trigger("a", "t", { events = "insert", execute = "f", deferrable = true }) end,
      "create_trigger: deferrable needs constraint = true" },
    { "a constraint before", function(op)
      op.create_trigger("a", "t", { events = "insert", execute = "f", constraint = true, timing = "before" }) end,
      'create_trigger: constraint = true needs timing = "after" and for_each = "row"' },
  }
end)

describe("switches of triggers", function()
  operations.cases {
    { "off", function(op) op.disable_trigger("a", "t", { schema = "s", existing = "replica" }) end,
      sql = "ALTER TABLE s.t DISABLE TRIGGER a",
      undo = 'op.enable_trigger("a", "t", { schema = "s", mode = "replica", existing = "disabled" })',
      locks = { "s.t: SHARE ROW EXCLUSIVE" } },
    { "on, as it was", function(op) op.enable_trigger("a", "t", { mode = "always", existing = "origin" }) end,
      sql = "ALTER TABLE t ENABLE ALWAYS TRIGGER a", undo = 'op.enable_trigger("a", "t", { existing = "always" })' },
    { "all off", function(op) op.disable_triggers("t", { existing = { a = "always", b = "disabled" } }) end,
      sql = "ALTER TABLE t DISABLE TRIGGER USER",
      undo = { 'op.enable_trigger("a", "t", { mode = "always" })', 'op.disable_trigger("b", "t")' } },
    { "all on", function(op) op.enable_triggers("t", { internal = true }) end, sql = "ALTER TABLE t ENABLE TRIGGER ALL",
      undo = 'op.disable_triggers("t", { internal = true })' },
    { "with others in one ALTER TABLE", function(op)
      op.alter_table("t", { { "disable_trigger", "a" }, { "force_row_security" } })
    end, sql = "ALTER TABLE t DISABLE TRIGGER a, FORCE ROW LEVEL SECURITY", locks = { "t: ACCESS EXCLUSIVE" } },
    { "renamed", function(op) op.rename_trigger("a", "t", "b", { schema = "s" }) end,
      sql = "ALTER TRIGGER a ON s.t RENAME TO b", undo = 'op.rename_trigger("b", "t", "a", { schema = "s" })' },
  }
end)

describe("event triggers and rules", function()
  operations.cases {
    { "an event trigger", function(op)
      op.create_event_trigger("e", "sql_drop", { tags = { "drop table" }, execute = "f", enabled = "replica" })
    end, sql = { "CREATE EVENT TRIGGER e ON sql_drop WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION f()",
      "ALTER EVENT TRIGGER e ENABLE REPLICA" } },
    { "a rule", function(op)
      op.create_rule("r", "t", { event = "insert", condition = "new.a > 0", instead = true,
        commands = { "select 1; select ';'" } })
    end, sql = "CREATE RULE r AS ON INSERT TO t WHERE (new.a > 0) DO INSTEAD (select 1; select ';')",
      undo = 'op.drop_rule("r", "t", { existing = { commands = { "select 1", "select \';\'" }, '
        .. 'condition = "new.a > 0", event = "insert", instead = true } })', locks = { "t: ACCESS EXCLUSIVE" } },
    { "a rule that does nothing", function(op) op.create_rule("r", "t", { event = "delete", existing = nil }) end,
      sql = "CREATE RULE r AS ON DELETE TO t DO ALSO NOTHING" },
  }
end)
