-- A backfill waits for a standby that does not replay, for an archiver that fails, and for an autovacuum worker on its
-- table. Servers of their own.

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local rows = 6000

local function project(options)
  return cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil,
    { upgrade = ('  op.backfill { "plus", table = "t", set = { v = sql "v + 1" }, max_rows = 100, %s }')
      :format(options) }) }
end

describe("a backfill on a server", function()
  local cluster, standby, url
  after_each(function()
    if standby then standby:remove() end
    cluster:remove()
    standby = nil
  end)

  local function sql(text) return server.sql(url, text) end
  local function begin(settings)
    cluster = server.cluster { settings = settings }
    url = cluster:database()
    sql(("CREATE TABLE t (id bigint PRIMARY KEY, v integer NOT NULL DEFAULT 0); "
      .. "INSERT INTO t SELECT g FROM generate_series(1, %d) g; ANALYZE t"):format(rows))
  end
  local function start(options)
    return cli.start("upgrade", { cwd = project(options), env = { DATABASE_URL = url } })
  end
  local function eventually(pattern)
    cli.eventually(pattern, function()
      return sql "SELECT to_regclass('moontide.backfill') IS NOT NULL" == "t"
        and sql("SELECT state || '|' || coalesce(reason, '') FROM moontide.backfill"):find(pattern)
    end)
  end
  local function changed() return sql "SELECT count(*) FROM t WHERE v = 1" end
  local function check_done(program)
    local ran = program:wait()
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("1|" .. rows, sql "SELECT v, count(*) FROM t GROUP BY v")
  end

  it("whose standby does not replay waits until it does", function()
    begin {}
    standby = cluster:standby()
    standby:sql "SELECT pg_wal_replay_pause()"
    cli.eventually("the standby stands still", function()
      return standby:sql "SELECT pg_is_wal_replay_paused()" == "t"
    end)
    local upgrade = start "rows_per_s = 1000, lag = 0.1, signals = { lag_s = false }"
    eventually "^paused|replica lag of walreceiver [%d.]+ MB > 0.1 MB"
    local done = tonumber(changed())
    assert.truthy(done < rows)
    standby:sql "SELECT pg_wal_replay_resume()"
    check_done(upgrade)
  end)

  it("whose standby does not replay makes a script wait", function()
    begin {}
    standby = cluster:standby()
    standby:sql "SELECT pg_wal_replay_pause()"
    cli.eventually("the standby stands still", function()
      return standby:sql "SELECT pg_is_wal_replay_paused()" == "t"
    end)
    local path = tmp.name "script"
    shell.write(path, (cli.ok("upgrade --sql", { cwd = project "lag = 0.1" })))
    local psql = cli.start({ "-X", "-q", "-d", url, "-f", path }, { program = { server.program "psql" } })
    eventually "^paused|replica lag of walreceiver 0.[1-4] MB > 0.1 MB"
    assert.truthy(tonumber(changed()) < rows)
    standby:sql "SELECT pg_wal_replay_resume()"
    check_done(psql)
  end)

  -- A row makes more WAL than it is taken for before anybody has measured it.
  it("whose standby does not replay is not left behind by much more than the limit", function()
    begin {}
    sql [[ALTER TABLE t ADD COLUMN wide text; ALTER TABLE t ALTER COLUMN wide SET STORAGE PLAIN;
      UPDATE t SET wide = repeat('x', 4000); CHECKPOINT; ANALYZE t]]
    standby = cluster:standby()
    local lag = [[SELECT max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), replay_lsn)) / 1048576
      FROM pg_stat_replication]]
    standby:sql "SELECT pg_wal_replay_pause()"
    cli.eventually("the standby stands still", function()
      return standby:sql "SELECT pg_is_wal_replay_paused()" == "t"
    end)
    local upgrade = start "lag = 4, signals = { lag_s = false, slots = false }"
    eventually "^paused|replica lag of walreceiver [%d.]+ MB > 4 MB"
    local done, behind = changed(), tonumber(sql(lag))
    assert.truthy(behind > 4 and behind < 6, behind)
    eventually "^paused|replica lag"
    assert.equal(done, changed())
    standby:sql "SELECT pg_wal_replay_resume()"
    check_done(upgrade)
  end)

  it("on the table of which an autovacuum worker is waits until it is gone", function()
    begin { autovacuum_naptime = "1s" }
    sql [[ALTER TABLE t SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10,
      autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1); UPDATE t SET v = 0]]
    cli.eventually("autovacuum is at work", function()
      return sql [[SELECT a.backend_type FROM pg_stat_progress_vacuum p JOIN pg_stat_activity a USING (pid)
        WHERE p.relid = 't'::regclass]] == "autovacuum worker"
    end)
    local upgrade = start ""
    eventually "^paused|VACUUM is at work on t %("
    assert.equal("0", changed())
    sql "ALTER TABLE t SET (autovacuum_enabled = off)"   -- which makes the worker give way
    check_done(upgrade)
  end)

  it("whose archiver fails waits until it works", function()
    local works = tmp.name("works")
    begin { archive_mode = "on", archive_command = "test -e " .. works }
    sql "SELECT pg_switch_wal()"
    cli.eventually("archiving fails", function() return sql "SELECT failed_count > 0 FROM pg_stat_archiver" == "t" end)
    local upgrade = start ""
    eventually "^paused|archiving of %x+ fails, WAL files waiting"
    assert.equal("0", changed())
    shell.write(works, "")
    check_done(upgrade)
  end)
end)
