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
    { "SET TRANSACTION READ ONLY" }, { "SET CONSTRAINTS ALL DEFERRED" }, { "UPDATE t SET a = 1" },
    { "SELECT 1" }, { "SET" }, { "" }, { "RESET ROLE" },
  }
  for _, case in ipairs(cases) do
    it(("%q"):format(case[1]), function() assert.equal(case[2], setting.name(case[1])) end)
  end
end)
