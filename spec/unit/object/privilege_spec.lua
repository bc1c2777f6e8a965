local operations = require "spec.support.operations"

describe("create_policy", function()
  operations.cases {
    { "every option", function(op)
      op.create_policy("p", "t", { schema = "s", command = "update", roles = { "public", "app" }, using = "a > 0",
        with_check = "a < 9", permissive = false, comment = "c" })
    end, sql = { "CREATE POLICY p ON s.t AS RESTRICTIVE FOR UPDATE TO PUBLIC, app USING (a > 0) WITH CHECK (a < 9)",
      "COMMENT ON POLICY p ON s.t IS 'c'" }, locks = { "s.t: ACCESS EXCLUSIVE" } },
    { "no option", function(op) op.create_policy("p", "t") end, sql = "CREATE POLICY p ON t",
      undo = 'op.drop_policy("p", "t", { existing = {} })' },
    { "altered", function(op) op.alter_policy("p", "t", { using = "b", existing = { using = "a" } }) end,
      sql = "ALTER POLICY p ON t USING (b)",
      undo = 'op.alter_policy("p", "t", { using = "a", existing = { using = "b" } })' },
    { "altered from what is not known", function(op) op.alter_policy("p", "t", { roles = "x" }) end,
      sql = "ALTER POLICY p ON t TO x", refusal = "what roles was is not known" },
    { "row security", function(op) op.enable_row_security("t", { schema = "s" }) end,
      sql = "ALTER TABLE s.t ENABLE ROW LEVEL SECURITY", undo = 'op.disable_row_security("t", { schema = "s" })' },
    { "row security for its owner", function(op) op.no_force_row_security("t") end,
      sql = "ALTER TABLE t NO FORCE ROW LEVEL SECURITY", undo = 'op.force_row_security("t")' },
  }
  operations.refusals {
    { "using for insert", function(op) op.create_policy("p", "t", { command = "insert", using = "a" }) end,
      'create_policy: command = "insert" takes with_check, not using' },
    { "with_check for select", function(op) op.create_policy("p", "t", { command = "select", with_check = "a" }) end,
      'create_policy: command = "select" takes using, not with_check' },
    { "nothing to alter", function(op) op.alter_policy("p", "t") end, "alter_policy: nothing to change" },
  }
end)

describe("alter_owner", function()
  operations.cases {
    { "of a function", function(op)
      op.alter_owner("function", "f", "app", { schema = "s", args = "a int", existing = "old" })
    end, sql = "ALTER FUNCTION s.f(integer) OWNER TO app",
      undo = 'op.alter_owner("function", "f", "old", { schema = "s", args = { { "a", "integer" } }, '
        .. 'existing = "app" })' },
    { "of a view", function(op) op.alter_owner("materialized_view", "m", "app") end,
      sql = "ALTER MATERIALIZED VIEW m OWNER TO app", refusal = "give existing", locks = { "m: ACCESS EXCLUSIVE" } },
  }
  operations.refusals {
    { "an unknown kind", function(op) op.alter_owner("thing", "t", "app") end,
      'alter_owner: the kind of object cannot be "thing"', "materialized view" },
    { "a schema in a schema", function(op) op.alter_owner("schema", "t", "app", { schema = "s" }) end,
      "alter_owner: a schema is in no schema" },
    { "arguments of a table", function(op) op.alter_owner("table", "t", "app", { args = "int" }) end,
      "alter_owner: a table has no args" },
  }
end)

describe("grant and revoke", function()
  operations.cases {
    { "on a table", function(op) op.grant("select", { on = "t", to = "r" }) end, sql = "GRANT SELECT ON TABLE t TO r",
      undo = 'op.revoke("select", { from = "r", on = "t" })', locks = {} },
    { "on columns", function(op)
      op.grant({ "select", "update" }, { on = { "table", { "t", "u" }, schema = "s" }, columns = { "a", "B" },
        to = { "r", "public" }, grantable = true })
    end, sql = 'GRANT SELECT (a, "B"), UPDATE (a, "B") ON TABLE s.t, s.u TO r, PUBLIC WITH GRANT OPTION' },
    { "on a function", function(op) op.grant("execute", { on = { "function", "f", args = "a int" }, to = "r" }) end,
      sql = "GRANT EXECUTE ON FUNCTION f(integer) TO r" },
    { "on everything in schemas", function(op) op.grant("all", { on = { "all_tables", { "s", "T" } }, to = "r" }) end,
      sql = 'GRANT ALL ON ALL TABLES IN SCHEMA s, "T" TO r' },
    { "what was there in part", function(op)
      op.grant({ "select", "insert" }, { on = "t", to = "r", existing = { { "select", on = "t", to = "r" } } })
    end, sql = "GRANT SELECT, INSERT ON TABLE t TO r",
      undo = { 'op.revoke({ "select", "insert" }, { from = "r", on = "t" })',
        'op.grant("select", { on = "t", to = "r" })' } },
    { "revoked", function(op) op.revoke("usage", { on = { "schema", "s" }, from = "public" }) end,
      sql = "REVOKE USAGE ON SCHEMA s FROM PUBLIC",
      undo = 'op.grant("usage", { on = { "schema", "s" }, to = "public" })' },
    { "revoked though it was not there", function(op) op.revoke("select", { on = "t", from = "r", existing = {} }) end,
      sql = "REVOKE SELECT ON TABLE t FROM r", undo = {} },
    { "revoked with what follows", function(op) op.revoke("select", { on = "t", from = "r", cascade = true }) end,
      sql = "REVOKE SELECT ON TABLE t FROM r CASCADE", refusal = "cascade" },
    { "only that they may pass it on", function(op) op.revoke("select", { on = "t", from = "r", grantable = true }) end,
      sql = "REVOKE GRANT OPTION FOR SELECT ON TABLE t FROM r",
      undo = 'op.grant("select", { grantable = true, on = "t", to = "r" })' },
    { "roles", function(op) op.grant({ "a", "B" }, { to = "r", admin = true }) end,
      sql = 'GRANT a, "B" TO r WITH ADMIN OPTION', undo = 'op.revoke({ "a", "B" }, { from = "r" })' },
    { "by default", function(op)
      op.alter_default_privileges("grant", { "select", "insert" }, { on = "tables", to = "r", role = "o",
        schema = "s" })
    end, sql = "ALTER DEFAULT PRIVILEGES FOR ROLE o IN SCHEMA s GRANT SELECT, INSERT ON TABLES TO r" },
    { "not by default", function(op)
      op.alter_default_privileges("revoke", "execute", { on = "functions", from = "public" })
    end, sql = "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
      undo = 'op.alter_default_privileges("grant", "execute", { on = "functions", to = "public" })' },
  }
  operations.refusals {
    { "nobody", function(op) op.grant("select", { on = "t" }) end, 'grant: option "to" is missing' },
    { "a privilege of another kind", function(op) op.grant("execute", { on = "t", to = "r" }) end,
      'grant: the list of privileges 1 cannot be "execute"', "select" },
    { "all and more", function(op) op.grant({ "all", "select" }, { on = "t", to = "r" }) end,
      "grant: the list of privileges: all stands alone" },
    { "an unknown kind", function(op) op.grant("select", { on = { "thing", "t" }, to = "r" }) end,
      'grant: option "on" kind cannot be "thing"' },
    { "columns of a schema", function(op) op.grant("usage", { on = { "schema", "s" }, columns = "a", to = "r" }) end,
      "grant: a schema has no columns" },
    { "columns of roles", function(op) op.grant("a", { to = "r", columns = "x" }) end,
      "grant: columns and grantable need on" },
    { "to in a default revoke", function(op)
      op.alter_default_privileges("revoke", "select", { on = "tables", to = "r" }) end,
      "alter_default_privileges: revoke takes from, not to" },
  }
end)
