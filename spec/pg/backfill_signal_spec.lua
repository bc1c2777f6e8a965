-- The signals of a backfill that need somebody else at the server, what a role without privileges is told, and the size
-- of chunks where rows become slow. A server of its own, since some signals look at all of it.

local cli = require "spec.support.cli"
local server = require "spec.support.server"

local tables = [[
CREATE TABLE t (id bigint PRIMARY KEY, v integer NOT NULL DEFAULT 0, note text) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT g FROM generate_series(1, 600) g;
CREATE TABLE brake (is_on boolean NOT NULL); INSERT INTO brake VALUES (true);
ANALYZE t]]

local function project(options)
  return cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil,
    { upgrade = ('  op.backfill { "plus", table = "t", set = { v = sql "v + 1" }, lanes = 1, %s }'):format(options) }) }
end

describe("a backfill and others at the server", function()
  local cluster, url, folder, others
  setup(function() cluster = server.cluster { settings = { max_prepared_transactions = 2, autovacuum = "off" } } end)
  teardown(function() cluster:remove() end)
  before_each(function()
    others = {}
    url = cluster:database()
    server.sql(url, tables)
  end)
  after_each(function()
    server.sql(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'somebody'")
    for _, other in ipairs(others) do other:wait() end
  end)

  local function sql(text) return server.sql(url, text) end
  local function options() return { cwd = folder, env = { DATABASE_URL = url } } end

  -- Another session, with what it does one after the other; its statements are not one transaction.
  local function somebody(...)
    local words = { "-X", "-d", url, "-c", "SET application_name = 'somebody'" }
    for _, text in ipairs { ... } do table.move({ "-c", text }, 1, 2, #words + 1, words) end
    others[#others + 1] = cli.start(words, { program = { server.program "psql" } })
  end

  local function is_asleep(name)
    return sql(("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%s' AND wait_event = 'PgSleep'")
      :format(name)) ~= "0"
  end

  local function row() return sql "SELECT concat_ws('|', state, reason) FROM moontide.backfill" end
  local function paused(pattern)
    cli.eventually("paused: " .. pattern, function()
      return sql "SELECT to_regclass('moontide.backfill') IS NOT NULL" == "t" and row():find("^paused|" .. pattern)
    end)
  end
  local function check_done(program)
    local ran = program:wait()
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("1|600", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.equal("done", row())
  end

  it("waits while WAL is kept for a slot, until the slot is gone", function()
    sql "SELECT pg_create_physical_replication_slot('lazy', true)"
    sql "CREATE TABLE much AS SELECT g FROM generate_series(1, 20000) g"
    folder = project "signals = { slots = 0.25 }"
    local upgrade = cli.start("upgrade", options())
    paused "WAL kept for slot lazy [%d.]+ MB > 0.25 MB"
    assert.equal("0|600", sql "SELECT v, count(*) FROM t GROUP BY v")
    sql "SELECT pg_drop_replication_slot('lazy')"
    check_done(upgrade)
  end)

  it("waits while others are at work, where it has a limit for them", function()
    somebody "SELECT pg_sleep(600)"
    cli.eventually("somebody is at work", function() return is_asleep "somebody" end)
    folder = project "signals = { active = 0.5 }"
    local upgrade = cli.start("upgrade", options())
    paused "others at work 1 sessions > 0.5 sessions"
    sql "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'somebody'"
    check_done(upgrade)
  end)

  it("waits for an old snapshot, where it has a limit for it, and names who has it", function()
    sql "BEGIN; UPDATE brake SET is_on = false; PREPARE TRANSACTION 'forgotten'"
    folder = project "signals = { horizon = 0.0001 }"
    local upgrade = cli.start("upgrade", options())
    paused "VACUUM can free nothing because of prepared transaction forgotten, whose snapshot is old [%d.]+ minutes"
    cli.ok("backfill set plus horizon=off", options())
    check_done(upgrade)
    sql "ROLLBACK PREPARED 'forgotten'"
  end)

  -- The second row of the chunk is changed when the brake is off, so the first one stays locked until then.
  it("waits while a session waits for a row that it holds", function()
    sql [[CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN WHILE (SELECT is_on FROM brake) LOOP PERFORM pg_sleep(0.02); END LOOP; RETURN new; END $$;
      CREATE TRIGGER hold BEFORE UPDATE ON t FOR EACH ROW WHEN (new.id = 2) EXECUTE FUNCTION hold()]]
    folder = project "max_rows = 100"
    local upgrade = cli.start("upgrade", options())
    cli.eventually("the chunk holds a row", function() return is_asleep "moontide backfill %" end)
    somebody "UPDATE t SET note = 'mine' WHERE id = 1"
    paused "1 session waiting for its chunks"
    sql "UPDATE brake SET is_on = false"
    check_done(upgrade)
    assert.equal("mine|1", sql "SELECT note, v FROM t WHERE id = 1")
  end)

  it("goes on elsewhere while somebody holds a row, waits no longer than two seconds at once, and names who it is",
    function()
      local held = "SELECT pid FROM pg_stat_activity WHERE application_name = 'somebody'"
      sql "INSERT INTO t SELECT g FROM generate_series(601, 20000) g; ANALYZE t"
      somebody("BEGIN", "UPDATE t SET note = 'mine' WHERE id = 40", "SELECT pg_sleep(600)")
      cli.eventually("somebody holds a row", function() return is_asleep "somebody" end)
      folder = project "max_rows = 1000, lanes = 2, wait_writers = 0"
      local upgrade = cli.start("upgrade", options())
      cli.eventually("the other parts are changed", function()
        return tonumber(sql "SELECT count(*) FROM t WHERE v = 1 AND id > 5000") == 15000
      end)
      cli.eventually("it is named", function()
        return select(2, upgrade:output()):find(("a chunk waits for a lock of process %s (somebody), active for ")
          :format(sql(held)), 1, true)
      end)
      cli.eventually("a wait has ended", function()
        return cluster:log():find("canceling statement due to lock timeout", 1, true)
      end)
      sql("SELECT pg_terminate_backend(pid) FROM (" .. held .. ") s")
      assert.equal(0, upgrade:wait().status)
      assert.equal("1|20000", sql "SELECT v, count(*) FROM t GROUP BY v")
    end)

  local function as_role(grant, body)
    local role = "poor_" .. sql "SELECT current_database()"
    sql(("CREATE ROLE %s LOGIN; GRANT ALL ON t TO %s; GRANT CREATE ON DATABASE %s TO %s; %s"):format(role, role,
      sql "SELECT current_database()", role, grant:format(role)))
    folder = project(body)
    return cli.run("upgrade", { cwd = folder, env = { DATABASE_URL = (url:gsub("postgres@", role .. "@", 1)) } }), role
  end

  it("tells a role that sees little what is not watched, once, and runs", function()
    local ran, role = as_role("", [[signals = { active = 50 } }
  op.backfill { "again", table = "t", set = { note = "x" }, ]])
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("1|600", sql "SELECT v, count(*) FROM t WHERE note = 'x' GROUP BY v")
    local warning = ("warning: backfill plus: role %s does not see what others do; not watched: lag, lag_s, vacuum, "
      .. "active, horizon\n  hint: GRANT pg_monitor TO %s makes them work.\n"):format(role, role)
    assert.matches(warning, ran.stderr, 1, true)
    assert.equal(1, select(2, ran.stderr:gsub("does not see", "")))
  end)

  it("has nothing to tell a role that sees all", function()
    local ran = as_role("GRANT pg_monitor TO %s", "")
    assert.equal(0, ran.status, ran.stderr)
    assert.falsy(ran.stderr:find("does not see", 1, true), ran.stderr)
  end)

  -- The time of a chunk is that of its rows: 0.2 ms each, ten times as much in the second part, the second chunk
  -- of which is found before it is known how long the first one took.
  it("makes chunks smaller where rows take ten times as long, and larger again behind them", function()
    sql [[DELETE FROM t; INSERT INTO t SELECT g FROM generate_series(1, 15000) g; ANALYZE t;
      CREATE TABLE chunks (no integer GENERATED ALWAYS AS IDENTITY, part text, rows integer);
      CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE last bigint := (SELECT max(id) FROM changed); n integer := (SELECT count(*) FROM changed);
        part text := CASE WHEN last <= 5000 THEN 'before' WHEN last <= 7000 THEN 'slow' ELSE 'after' END;
      BEGIN
        INSERT INTO chunks (part, rows) VALUES (part, n);
        PERFORM pg_sleep(n * CASE part WHEN 'slow' THEN 0.002 ELSE 0.0002 END);
        RETURN NULL;
      END $$;
      CREATE TRIGGER slow AFTER UPDATE ON t REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION slow()]]
    folder = project "chunk_ms = 100"
    cli.ok("upgrade", options())
    assert.equal("1|15000", sql "SELECT v, count(*) FROM t GROUP BY v")
    local function size(what) return tonumber(sql("SELECT " .. what)) end
    local before = size "max(rows) FROM chunks WHERE part = 'before'"
    local slow = size "rows FROM chunks WHERE part = 'slow' ORDER BY no DESC LIMIT 1"
    local after = size "max(rows) FROM chunks WHERE part = 'after'"
    assert.truthy(slow < before / 3, ("%d, then %d"):format(before, slow))
    assert.truthy(after > 2 * slow, ("%d, then %d"):format(slow, after))
  end)
end)
