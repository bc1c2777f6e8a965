local operation = require "moontide.operation"
local operations = require "spec.support.operations"
local value = require "moontide.value"

local sql, null = value.sql, value.null

describe("create_view", function()
  operations.cases {
    { "every option", function(op)
      op.create_view("v", sql "select 1 as a;", { schema = "s", columns = { "x", "Y" }, check_option = "local",
        security_barrier = true, security_invoker = true, comment = "it's", owner = "app",
        grants = { { "select", to = "public" } } })
    end, sql = { 'CREATE VIEW s.v (x, "Y") WITH (security_barrier = true, security_invoker = true) AS select 1 as a '
      .. "WITH LOCAL CHECK OPTION", "COMMENT ON VIEW s.v IS 'it''s'", "ALTER VIEW s.v OWNER TO app",
      "REVOKE ALL ON TABLE s.v FROM PUBLIC", "GRANT SELECT ON TABLE s.v TO PUBLIC" }, locks = {},
      undo = 'op.drop_view("v", { schema = "s", existing = { columns = { "x", "Y" }, comment = "it\'s", '
        .. 'check_option = "local", grants = { { "select", to = "public" } }, owner = "app", '
        .. 'query = "select 1 as a", security_barrier = true, security_invoker = true } })' },
    { "temporary and recursive", function(op)
      op.create_view("v", "select 1", { temporary = true, recursive = true, columns = "n" })
    end, sql = "CREATE TEMPORARY RECURSIVE VIEW v (n) AS select 1" },
    { "a replacement", function(op)
      op.create_view("v", "select 2", { replace = true, comment = "new", existing = { query = "select 1" } })
    end, sql = { "CREATE OR REPLACE VIEW v AS select 2", "COMMENT ON VIEW v IS 'new'" },
      undo = 'op.create_view("v", "select 1", { comment = null, replace = true })', locks = { "v: ACCESS EXCLUSIVE" } },
    { "a replacement of nothing", function(op)
      op.create_view("v", "select 2", { replace = true, existing = false })
    end,
      sql = "CREATE OR REPLACE VIEW v AS select 2", undo = 'op.drop_view("v", { existing = { query = "select 2" } })' },
    { "a replacement of what is not known", function(op) op.create_view("v", "select 2", { replace = true }) end,
      sql = "CREATE OR REPLACE VIEW v AS select 2", refusal = "give existing" },
    { "a comment taken away", function(op)
      op.create_view("v", "select 2", { replace = true, comment = null,
        existing = { query = "select 1", comment = "x" } })
    end, sql = { "CREATE OR REPLACE VIEW v AS select 2", "COMMENT ON VIEW v IS NULL" },
      undo = 'op.create_view("v", "select 1", { comment = "x", replace = true })' },
  }
  operations.refusals {
    { "no query", function(op) op.create_view("v") end, "create_view: the query is missing" },
    { "two statements", function(op) op.create_view("v", "select 1; select 2") end,
      "create_view: the query must be one statement, not 2" },
    { "what is no query", function(op)
      op.create_view("v", "delete from t")
    end, "create_view: the query must be a query" },
    { "recursive without columns", function(op) op.create_view("v", "select 1", { recursive = true }) end,
      "create_view: recursive needs columns" },
    { "existing without replace", function(op) op.create_view("v", "select 1", { existing = false }) end,
      "create_view: existing needs replace = true" },
    { "grants with replace", function(op) op.create_view("v", "select 1", { replace = true, grants = {} }) end,
      "create_view: grants and replace cannot be given together", "op.grant" },
    { "existing without a query", function(op) op.drop_view("v", { existing = { owner = "x" } }) end,
      'drop_view: option "existing" query is missing' },
    { "an unknown privilege", function(op) op.create_view("v", "select 1", { grants = { { "fly", to = "x" } } }) end,
      'create_view: option "grants" 1 cannot be "fly"' },
    { "an argument too many", function(op) op.rename_view("v", "w", {}, 1) end,
      "rename_view: takes at most 3 arguments, got 4" },
  }

  it("is dropped and created again where its replacement has more columns", function()
    local o = operation.build("create_view", "v", "select 1 as a, 2 as b", { replace = true })
    o.existing, o.outgrown = { query = "select 1 as a", owner = "app", also = { "COMMENT ON COLUMN v.a IS 'x'" } }, true
    assert.same({ "DROP VIEW v", "CREATE VIEW v AS select 1 as a", "ALTER VIEW v OWNER TO app",
      "COMMENT ON COLUMN v.a IS 'x'" }, operations.sql(operation.inverse(o)))
  end)
end)

describe("drop_view", function()
  operations.cases {
    { "every option", function(op) op.drop_view("v", { schema = "s", if_exists = true, cascade = true,
      existing = { query = "select 1" } }) end, sql = "DROP VIEW IF EXISTS s.v CASCADE", refusal = "cascade also drops",
      locks = { "s.v: ACCESS EXCLUSIVE" } },
    { "what was not there", function(op) op.drop_view("v", { if_exists = true, existing = false }) end,
      sql = "DROP VIEW IF EXISTS v", undo = {} },
    { "what hung on it", function(op)
      op.drop_view("v", { existing = { query = "select 1", also = { "CREATE RULE r AS ON DELETE TO v DO NOTHING" } } })
    end, sql = "DROP VIEW v",
      undo = { 'op.create_view("v", "select 1")', 'op.execute("CREATE RULE r AS ON DELETE TO v DO NOTHING")' } },
  }
end)

describe("materialized views", function()
  operations.cases {
    { "every option", function(op)
      op.create_materialized_view("m", "select 1", { columns = "a", using = "heap", with = { fillfactor = 70 },
        tablespace = "fast", with_data = false })
    end, sql = "CREATE MATERIALIZED VIEW m (a) USING heap WITH (fillfactor = 70) TABLESPACE fast AS select 1 "
      .. "WITH NO DATA" },
    { "only where there is none", function(op)
      op.create_materialized_view("m", "select 1", { if_not_exists = true })
    end,
      sql = "CREATE MATERIALIZED VIEW IF NOT EXISTS m AS select 1", refusal = "leave if_not_exists out" },
    { "refreshed", function(op) op.refresh_materialized_view("m", { schema = "s" }) end,
      sql = "REFRESH MATERIALIZED VIEW s.m", undo = {}, locks = { "s.m: ACCESS EXCLUSIVE" } },
    { "refreshed for readers", function(op) op.refresh_materialized_view("m", { concurrently = true }) end,
      sql = "REFRESH MATERIALIZED VIEW CONCURRENTLY m", undo = {}, locks = { "m: EXCLUSIVE" } },
    { "emptied", function(op) op.refresh_materialized_view("m", { with_data = false }) end,
      sql = "REFRESH MATERIALIZED VIEW m WITH NO DATA", undo = 'op.refresh_materialized_view("m")' },
    { "altered", function(op)
      op.alter_materialized_view("m", { with = { fillfactor = null, autovacuum_enabled = false }, tablespace = "slow",
        existing = { with = { fillfactor = 70, autovacuum_enabled = null }, tablespace = "fast" } })
    end, sql = "ALTER MATERIALIZED VIEW m SET (autovacuum_enabled = false), RESET (fillfactor), SET TABLESPACE slow",
      undo = 'op.alter_materialized_view("m", { with = { autovacuum_enabled = null, fillfactor = 70 }, '
        .. 'tablespace = "fast", existing = { with = { autovacuum_enabled = false, fillfactor = null }, '
        .. 'tablespace = "slow" } })' },
  }
  operations.refusals {
    { "nothing to alter", function(op) op.alter_materialized_view("m") end,
      "alter_materialized_view: nothing to change" },
    { "concurrently without data", function(op)
      op.refresh_materialized_view("m", { concurrently = true, with_data = false }) end,
      "refresh_materialized_view: concurrently and with_data = false cannot be given together" },
  }
end)
