-- While an online operation reads a table, others write to it: nothing that stands in their way is held.

local cli = require "spec.support.cli"
local server = require "spec.support.server"

-- Each row takes a millisecond to check or to index, so there is time to look.
local tables = [[
CREATE FUNCTION slow(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN IF current_setting('application_name') = 'moontide' THEN PERFORM pg_sleep(0.001); END IF; RETURN $1; END $$;
CREATE TABLE t (id integer, a integer);
INSERT INTO t SELECT i, i FROM generate_series(1, 500) i;
CREATE TABLE stop ();
]]

local writer = [[DO $$ BEGIN
  WHILE to_regclass('stop') IS NOT NULL LOOP
    INSERT INTO t VALUES (nextval('written'), 1);
    COMMIT;
    PERFORM pg_sleep(0.002);
  END LOOP;
END $$]]

local cases = {
  { "a check", [[op.create_check_constraint("c", "t", "slow(a) > 0", { online = true })]], "VALIDATE CONSTRAINT" },
  { "an index", [[op.create_index("i", "t", { sql "slow(a)" }, { online = true })]], "INDEX CONCURRENTLY" },
  { "the index of a column with a new type", [[op.alter_column("t", "a", { type = "bigint", online = true })]],
    "INDEX CONCURRENTLY", [[ALTER TABLE t ADD PRIMARY KEY (id); CREATE INDEX ON t (slow(a));
      CREATE FUNCTION slow(bigint) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT public.slow($1::integer)']] },
}

-- Locks that the operation holds on the table while its long statement runs, and whether the writer waits for one.
local sample = [[
SELECT l.mode || ' ' || (SELECT count(*) FROM pg_stat_activity w WHERE w.application_name = 'writer'
                         AND w.wait_event_type = 'Lock')
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE a.application_name = 'moontide' AND a.query LIKE '%%%s%%' AND a.state = 'active' AND l.granted
AND l.relation = 't'::regclass]]

describe("while rows are read for", function()
  local url
  before_each(function()
    url = server.database()
    server.sql(url, tables .. "CREATE SEQUENCE written START 1000")
  end)
  after_each(function() server.drop(url) end)

  local function sql(text) return server.sql(url, text) end

  for _, case in ipairs(cases) do
    it(case[1] .. ", nobody is blocked", function()
      local revision = cli.revision("a1", nil, { upgrade = "  " .. case[2] })
      sql(case[4] or "SELECT 1")
      local folder = cli.project { ["migrations/versions/a.lua"] = revision }
      local loop = cli.start({ "-X", "-d", url .. "&application_name=writer", "-c", writer },
        { program = { server.program "psql" } })
      cli.eventually("the writer writes", function() return tonumber(sql "SELECT last_value FROM written") > 1010 end)
      local process, seen, written = cli.start({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } }), {}, {}
      cli.eventually("the operation is done", function()
        local found = sql(sample:format(case[3]))
        for line in found:gmatch("[^\n]+") do seen[line] = true end
        if found ~= "" then written[#written + 1] = tonumber(sql "SELECT last_value FROM written") end
        return sql "SELECT to_regclass('moontide.version')" ~= "" and sql "SELECT count(*) FROM moontide.version" == "1"
      end)
      sql "DROP TABLE stop"
      assert.equal(0, loop:wait().status)
      assert.equal(0, process:wait().status)
      assert.same({ ["ShareUpdateExclusiveLock 0"] = true }, seen)
      assert.truthy(written[#written] > written[1])
    end)
  end
end)
