-- A backfill waits while the server has enough to do, says why, and goes on by itself.

local cjson = require "cjson"
local cli = require "spec.support.cli"
local server = require "spec.support.server"

local tables = [[
CREATE TABLE t (id bigint PRIMARY KEY, v integer NOT NULL DEFAULT 0);
INSERT INTO t SELECT g FROM generate_series(1, 6000) g;
CREATE TABLE brake (on_ integer NOT NULL); INSERT INTO brake VALUES (1);
ANALYZE t]]

local function project(options, env)
  return cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil,
    { upgrade = ('  op.backfill { "plus", table = "t", set = { v = sql "v + 1" }, max_rows = 100, %s }')
      :format(options) }), ["migrations/env.lua"] = env }
end

describe("a backfill that is throttled", function()
  local url, folder
  before_each(function() url = server.database() server.sql(url, tables) end)
  after_each(function() server.drop(url) end)

  local function sql(text) return server.sql(url, text) end
  local function options() return { cwd = folder, env = { DATABASE_URL = url } } end
  local function run(words) return cli.run(words, options()) end
  local function job() return cjson.decode((cli.ok("backfill status plus --json", options()))).backfill end

  local function row() return sql "SELECT state || '|' || coalesce(reason, '') FROM moontide.backfill" end
  local function eventually(what, pattern)
    cli.eventually(what, function()
      return sql "SELECT to_regclass('moontide.backfill') IS NOT NULL" == "t" and row():find(pattern) ~= nil
    end)
  end
  local function changed() return sql "SELECT count(*) FROM t WHERE v = 1" end
  local function check_done(program)
    local ran = program:wait()
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("1|6000", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.equal("done|", row())
  end

  it("by a query of its own: not a row is changed before it allows that, and the reason is everywhere", function()
    folder = project 'throttle_sql = "SELECT on_ FROM brake"'
    local upgrade = cli.start("upgrade --json", options())
    eventually("it is paused", "^paused|throttle_sql answers 1$")
    assert.equal("0", changed())
    assert.same({ "paused", "throttle_sql answers 1" }, { job().state, job().reason })
    assert.matches("paused .*throttle_sql answers 1", (cli.ok("backfill list", options())))
    sql "UPDATE brake SET on_ = 0"
    local ran = upgrade:wait()
    local events = {}
    for line in ran.stdout:gmatch "[^\n]+" do
      local document = cjson.decode(line)
      if document.event == "backfill" then events[#events + 1] = document.state .. ":" .. (document.reason or "") end
    end
    assert.same({ "paused:throttle_sql answers 1", "running:", "done:" }, events)
    assert.matches("backfill plus: paused: throttle_sql answers 1\n.*backfill plus: goes on\n", ran.stderr)
    assert.equal("1|6000", sql "SELECT v, count(*) FROM t GROUP BY v")
  end)

  it("by a function, in the middle, and by a setting that switches it off", function()
    folder = project [[rows_per_s = 2000, throttle = function(query)
      local row = query("SELECT (SELECT count(*) FROM t WHERE v = 1) > 500 AS much, (SELECT on_ FROM brake) AS on_")[1]
      return row.much and row.on_ == 1 and "much is done"
    end]]
    local upgrade = cli.start("upgrade", options())
    eventually("it is paused", "^paused|much is done$")
    assert.truthy(tonumber(changed()) > 500)
    assert.truthy(tonumber(changed()) < 6000)
    cli.ok("backfill set plus throttle=off", options())
    check_done(upgrade)
  end)

  it("goes on where there is no connection left to look by", function()
    sql [[CREATE ROLE few LOGIN CONNECTION LIMIT 2; GRANT CREATE ON SCHEMA public TO few;
      ALTER TABLE t OWNER TO few; GRANT SELECT ON brake TO few]]
    sql(("GRANT CREATE ON DATABASE %s TO few"):format(url:match "/([^/?]+)%?"))
    folder = project 'lanes = 1, throttle_sql = "SELECT on_ FROM brake"'
    local program = cli.start("upgrade", { cwd = folder, env = { DATABASE_URL = (url:gsub("postgres@", "few@")) } })
    eventually("it is paused", "^paused|throttle_sql answers 1$")
    cli.eventually("its lane is there", function()
      return sql "SELECT count(*) FROM pg_stat_activity WHERE usename = 'few'" == "2"
    end)
    sql "UPDATE brake SET on_ = 0"
    check_done(program)
    sql "DROP OWNED BY few CASCADE; DROP ROLE few"
  end)

  it("with as many lanes as there are connections for", function()
    sql [[CREATE ROLE few LOGIN CONNECTION LIMIT 2; GRANT CREATE ON SCHEMA public TO few;
      ALTER TABLE t OWNER TO few; GRANT SELECT ON brake TO few]]
    sql(("GRANT CREATE ON DATABASE %s TO few"):format(url:match "/([^/?]+)%?"))
    folder = project 'lanes = 4'
    local ran = cli.run("upgrade", { cwd = folder, env = { DATABASE_URL = (url:gsub("postgres@", "few@")) } })
    assert.equal(0, ran.status, ran.stderr)
    assert.matches("warning: backfill plus: no connection for another lane", ran.stderr, 1, true)
    assert.matches('too many connections for role "few"', ran.stderr, 1, true)
    sql "DROP OWNED BY few CASCADE; DROP ROLE few"
  end)

  -- What each chunk has seen of the clock and of the WAL. A slow server makes the rests longer, not shorter.
  local function paced(given, statement)
    sql [[CREATE TABLE chunks (no integer GENERATED ALWAYS AS IDENTITY, began timestamptz, ended timestamptz,
        wal pg_lsn);
      CREATE FUNCTION chunk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_sleep(0.03);
        INSERT INTO chunks (began, ended, wal) VALUES (statement_timestamp(), clock_timestamp(),
          pg_current_wal_insert_lsn());
        RETURN NULL; END $$;
      CREATE TRIGGER chunk AFTER UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION chunk()]]
    folder = project(given)
    check_done(cli.start("upgrade", options()))
    return tonumber(sql("SELECT " .. statement))
  end
  local shortest = "min(rest / took) FROM (SELECT extract(epoch FROM ended - began) AS took, "
    .. "extract(epoch FROM lead(began) OVER (ORDER BY no) - ended) + 0.002 AS rest FROM chunks) c WHERE rest > 0"

  for profile, least in pairs { gentle = 1, normal = 0.1 } do
    it("by a profile, which rests after each chunk: " .. profile, function()
      local part = paced(('lanes = 1, profile = "%s"'):format(profile), shortest)
      assert.truthy(part >= least, part)
    end)
  end

  it("to so many rows a second", function()
    local rate = paced("rows_per_s = 3000",
      "100 * (count(*) - 3) / extract(epoch FROM max(began) - min(ended)) FROM chunks")
    assert.truthy(rate <= 3000, rate)
  end)

  it("to so much WAL a second", function()
    sql [[ALTER TABLE t ADD COLUMN wide text; ALTER TABLE t ALTER COLUMN wide SET STORAGE PLAIN;
      UPDATE t SET wide = repeat('x', 1500); CHECKPOINT; ANALYZE t]]
    local rate = paced("wal_mb_s = 4", "pg_wal_lsn_diff(max(wal), min(wal)) / 1048576 "
      .. "/ extract(epoch FROM max(ended) - min(began)) FROM chunks")
    assert.truthy(rate <= 6, rate)   -- nothing is known of the rows before the second look
  end)

  it("outside of its hours", function()
    local now = tonumber(sql "SELECT extract(hour FROM now() AT TIME ZONE 'Asia/Tokyo')::integer")
    folder = project(('window = "%02d:00-%02d:00 Asia/Tokyo"'):format((now + 4) % 24, (now + 6) % 24))
    local upgrade = cli.start("upgrade", options())
    eventually("it is paused", "^paused|it is %d%d:%d%d, outside of %d%d:00%-%d%d:00 Asia/Tokyo$")
    assert.equal("0", changed())
    cli.ok("backfill set plus window=00:00-24:00", options())
    check_done(upgrade)
  end)

  it("by VACUUM on its table", function()
    sql "UPDATE t SET v = 0; ALTER TABLE t SET (autovacuum_enabled = off)"
    folder = project "rows_per_s = 1000"
    local vacuum = cli.start({ "-d", url, "-c", "SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1", "-c",
      "VACUUM t" }, { program = { server.program "psql" } })
    cli.eventually("VACUUM is at work", function() return sql "SELECT count(*) FROM pg_stat_progress_vacuum" ~= "0" end)
    local upgrade = cli.start("upgrade", options())
    eventually("it is paused", "^paused|VACUUM is at work on t %(")
    sql "SELECT pg_cancel_backend(pid) FROM pg_stat_progress_vacuum"
    check_done(upgrade)
    vacuum:wait()
  end)

  it("is ended by Ctrl-C while it waits, and goes on with the same command", function()
    folder = project 'throttle_sql = "SELECT on_ FROM brake"'
    local upgrade = cli.start("upgrade", options())
    eventually("it is paused", "^paused|throttle_sql")
    upgrade:signal "INT"
    assert.equal(130, upgrade:wait().status)
    eventually("it is left", "^paused|interrupted$")
    sql "UPDATE brake SET on_ = 0"
    check_done(cli.start("upgrade", options()))
  end)

  it("is cancelled while it waits", function()
    folder = project 'throttle_sql = "SELECT on_ FROM brake"'
    local upgrade = cli.start("upgrade", options())
    eventually("it is paused", "^paused|throttle_sql")
    cli.ok("backfill cancel plus", options())
    local ran = upgrade:wait()
    assert.equal(1, ran.status)
    assert.matches('backfill "plus" was cancelled', ran.stderr)
    assert.equal("0", changed())
  end)

  for given, message in pairs {
    ['throttle_sql = "SELECT nothing"'] = 'backfill "plus": signal throttle_sql: column "nothing" does not exist',
    ['throttle_sql = "SELECT \'many\'"'] = 'throttle_sql answers "many", which is no number',
    ['throttle_sql = "SELECT 0, 1"'] = "throttle_sql answers 2 columns, not one",
    ["throttle = function() return {} end"] = "its throttle function answers a table, not true, false or a reason",
    ["throttle = function() error('no idea') end"] = "signal throttle: no idea",
    ['window = "22:00-06:00 Mars/Base"'] = 'time zone "Mars/Base" not recognized',
    ["signals = { lags = 3 }"] = 'unknown signal "lags"',
    ["signals = { window = 3 }"] = '"window" is an option of its own',
    ["lag = true"] = '"lag" must be a number from 0, or false', ['window = "night"'] = "must be hours of the day",
  } do
    it("refuses " .. given, function()
      folder = project(given)
      local ran = run "upgrade"
      local err = ran.stderr
      assert.equal(1, ran.status)
      assert.truthy(err:find(message, 1, true), err)
      assert.matches("a%.lua:%d+: ", err)
      assert.falsy(err:find("traceback", 1, true))
      assert.equal("0", changed())
    end)
  end

  it("is left as paused when the disk is full, and goes on with the same command", function()
    sql [[CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN IF new.id = 3000 THEN RAISE disk_full USING MESSAGE = ''no space left''; END IF; RETURN new; END';
      CREATE TRIGGER fill BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION fill()]]
    folder = project "lanes = 1"
    local ran = run "upgrade"
    assert.equal(1, ran.status)
    assert.matches("no space left %(SQLSTATE 53100%)", ran.stderr)
    assert.equal("paused|no space left", row())
    assert.truthy(tonumber(changed()) > 0)
    sql "DROP TRIGGER fill ON t"
    check_done(cli.start("upgrade", options()))
  end)

  it("by a signal of a plugin, and changes rows by a transform of one, which is a part of what it does", function()
    local plugin = [[return function(moontide)
  moontide.name { name = "house", version = "1.0" }
  moontide.backfill_signal { name = "brake", summary = "the brake is on", limit = 0, unit = "brakes",
    sample = function(query) return query("SELECT on_ FROM brake")[1].on_, "brakes on" end }
  moontide.backfill_transform { name = "plus_one", summary = "adds one",
    each = function(row) return { v = row.v + 1 } end }
end]]
    local function write(version)
      return cli.project {
        ["migrations/env.lua"] = 'return { plugins = { "house" } }',
        ["migrations/plugins/house.lua"] = (plugin:gsub("1%.0", version)),
        ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = '  op.backfill { "plus", table = "t", '
          .. 'read = { "v" }, write = { "v" }, each = "plus_one", signals = { brake = 0.5 } }' }),
      }
    end
    folder = write "1.0"
    local upgrade = cli.start("upgrade", options())
    eventually("it is paused", "^paused|brakes on 1 brakes > 0.5 brakes$")
    upgrade:signal "INT"
    upgrade:wait()
    sql "UPDATE brake SET on_ = 0; UPDATE moontide.backfill_range SET chunks = 1 WHERE no = 1"   -- a part is done
    folder = write "2.0"
    assert.matches("was edited after a part of it had been done", run("upgrade").stderr)
    folder = write "1.0"
    check_done(cli.start("upgrade", options()))
  end)

  it("says what stands after a failure in the middle", function()
    sql "ALTER TABLE t ADD CHECK (id <> 5000 OR v = 0)"
    folder = project "lanes = 1"
    local ran, rows = run "upgrade", changed()
    local err = ran.stderr
    assert.equal(1, ran.status)
    assert.truthy(tonumber(rows) > 0)
    assert.truthy(err:find(('backfill "plus" has changed %s rows, which stay changed'):format(rows), 1, true), err)
    assert.falsy(err:find("Nothing of revision", 1, true), err)
    sql "ALTER TABLE t DROP CONSTRAINT t_check"
    check_done(cli.start("upgrade", options()))
  end)
end)
