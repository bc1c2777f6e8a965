local setting = require "moontide.sql.setting"

describe("what a statement sets for the session", function()
  local cases = {
    { "SET search_path = app, public", "search_path" }, { "set search_path to app", "search_path" },
    { "SET SESSION statement_timeout = 0;", "statement_timeout" }, { "SET app.user TO 'x'", "app.user" },
    { "-- of pg_dump\nSET row_security = off;", "row_security" }, { "SET ROLE owner", "ROLE" },
    { "SET SESSION AUTHORIZATION 'x'", "SESSION AUTHORIZATION" }, { "SET TIME ZONE 'UTC'", "TIME ZONE" },
    { "SET NAMES 'UTF8'", "client_encoding" }, { "SET SCHEMA 'app'", "search_path" },
    { "SELECT pg_catalog.set_config('search_path', '', false);", "search_path" },
    { "SELECT set_config('search_path', '', true)" }, { "SET LOCAL search_path = app" },
    { "SET TRANSACTION READ ONLY" }, { "SET CONSTRAINTS ALL DEFERRED" },
    { "/* why */ SET ROLE owner", "ROLE" }, { "SELECT set_config('role', 'x', false)", "role" },
    { "UPDATE t SET a = 1" },
    { "SELECT 1" }, { "SET" }, { "" }, { "RESET ROLE" },
  }
  for _, case in ipairs(cases) do
    it(("%q"):format(case[1]), function() assert.equal(case[2], (setting.names(case[1]) or {})[1]) end)
  end

  it("SET SESSION CHARACTERISTICS sets three", function()
    assert.same({ "default_transaction_deferrable", "default_transaction_isolation", "default_transaction_read_only" },
      setting.names "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
  end)

  it("knows who decides in whose name statements are run", function()
    for _, sql in ipairs {
      "SET ROLE x", "SET SESSION AUTHORIZATION x", "set role = x", "set session_authorization to x",
    } do
      assert.is_true(setting.is_role(setting.names(sql)), sql)
    end
    assert.is_false(setting.is_role(setting.names "SET search_path = x"))
  end)

  it("knows statements that may set what they do not show", function()
    for _, sql in ipairs {
      "SELECT f()", "DO $$ $$", "CALL p()", "-- x\nWITH a AS (TABLE b) TABLE a", "SET LOCAL ROLE x",
    } do
      assert.is_true(setting.is_opaque(sql), sql)
    end
    for _, sql in ipairs { "UPDATE t SET a = 1", "CREATE TABLE t ()", "SET ROLE x", "SET NAMES x" } do
      assert.is_false(setting.is_opaque(sql), sql)
    end
  end)
end)
