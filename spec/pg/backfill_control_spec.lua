-- Backfills while they run: several processes on one job, and what people say to it.

local cjson = require "cjson"
local cli = require "spec.support.cli"
local identity = require "moontide.backfill.identity"
local pg = require "moontide.runtime.pg"
local server = require "spec.support.server"

local tables = [[
CREATE TABLE t (id bigint PRIMARY KEY, v integer NOT NULL DEFAULT 0);
INSERT INTO t SELECT g FROM generate_series(1, %d) g WHERE g %% 5 <> 0;
CREATE TABLE audit (id bigint NOT NULL);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (new.id); RETURN new; END';
CREATE TRIGGER note AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note();
ANALYZE t]]

local modes = {
  sql = 'set = { v = sql "v + 1" }',
  lua = 'read = { "v" }, write = { "v" }, each = function(row) return { v = row.v + 1 } end',
}

local function project(options, more)
  local files = { ["migrations/versions/a.lua"] = cli.revision("a1", nil,
    { upgrade = ('  op.backfill { "plus", table = "t", %s }'):format(options) }) }
  for name, text in pairs(more or {}) do files[name] = text end
  return cli.project(files)
end

describe("a backfill while it runs", function()
  local url, folder
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function sql(text) return server.sql(url, text) end
  local function options() return { cwd = folder, env = { DATABASE_URL = url } } end
  local function run(words) return cli.run(words, options()) end
  local function ok(words) return cli.ok(words, options()) end
  local function start(words) return cli.start(words, options()) end
  local function job() return cjson.decode((ok "backfill status plus --json")).backfill end

  local function changed() return tonumber(sql "SELECT coalesce(sum(rows_changed), 0) FROM moontide.backfill_range") end
  local function has_begun(least)
    cli.eventually("rows are changed", function()
      local there = sql "SELECT to_regclass('moontide.backfill_range') IS NOT NULL" == "t"
      return there and changed() > (least or 0)
    end)
  end

  local function check_once(rows)
    assert.equal("1|" .. rows, sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.equal(tostring(rows), sql "SELECT count(*) FROM audit")
    assert.equal(tostring(rows), sql "SELECT count(DISTINCT id) FROM audit")
    assert.equal("done|" .. rows, sql [[SELECT j.state, sum(r.rows_changed) FROM moontide.backfill j
      JOIN moontide.backfill_range r ON r.backfill_id = j.id WHERE j.state <> 'abandoned' GROUP BY j.state]])
  end

  for name, mode in pairs(modes) do
    it("is shared by three processes, each row changed once: " .. name, function()
      sql(tables:format(25000))
      folder = project(mode .. ", max_rows = 100, rows_per_s = 4000")
      local upgrade = start "upgrade"
      has_begun()
      local others = { start "backfill work plus", start "backfill work --lanes 3" }
      cli.eventually("three processes are connected and at work", function()
        local connected = 0
        for _, item in ipairs(job().workers) do connected = connected + (item.lanes > 0 and 1 or 0) end
        return connected == 3 and sql "SELECT count(DISTINCT worker) FROM moontide.backfill_range" == "3"
      end)
      ok "backfill set plus rows_per_s=1000000"
      for _, process in ipairs(others) do
        local ran = process:wait()
        assert.equal(0, ran.status, ran.stderr)
      end
      local ran = upgrade:wait()
      assert.equal(0, ran.status, ran.stderr)
      check_once(20000)
      assert.matches("nothing to do: backfill plus is done", run("backfill work plus").stderr)
    end)

    it("goes on when processes are killed: " .. name, function()
      sql(tables:format(25000))
      folder = project(mode .. ", max_rows = 100")
      local upgrade = start "upgrade"
      has_begun()
      for _ = 1, 6 do
        local worker = start "backfill work plus"
        os.execute(("sleep %.2f"):format(0.1 + math.random() * 0.2))
        worker:signal "KILL"
      end
      upgrade:signal "KILL"
      upgrade:wait()
      ok "upgrade"
      check_once(20000)
    end)
  end

  it("refuses what a process writes that was stopped for too long", function()
    sql(tables:format(2500))
    folder = project('read = { "v" }, write = { "v" }, max_rows = 50, lanes = 1, background = true, '
      .. 'session = { idle_in_transaction_session_timeout = "1s" }, '
      .. "each = function(row) for i = 1, 300000 do i = i end return { v = row.v + 1 } end")
    ok "upgrade"
    local frozen = start "backfill work plus"
    has_begun()
    frozen:signal "STOP"
    local before = changed()
    ok "backfill work plus --wait"
    assert.truthy(before < 2000)
    check_once(2000)
    frozen:signal "CONT"
    assert.equal(0, frozen:wait().status)
    check_once(2000)
  end)

  it("refuses what a process does next that was stopped between two chunks", function()
    sql(tables:format(2500))
    folder = project(modes.sql .. ", max_rows = 50, lanes = 1, rows_per_s = 1000, background = true")
    ok "upgrade"
    local frozen = start "backfill work plus"
    has_begun(200)
    local function is_between()
      return sql([[SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'moontide backfill%'
        AND datname = current_database() AND state <> 'idle']]) == "0"
    end
    cli.eventually("it is stopped between two chunks", function()
      frozen:signal "STOP"
      if is_between() and is_between() then return true end
      frozen:signal "CONT"
    end)
    local before, refused = changed(), select(2, server.shared():log():gsub("division by zero", ""))
    assert.truthy(before < 2000)
    ok "backfill set plus rows_per_s=1000000"
    ok "backfill work plus --wait"
    frozen:signal "CONT"
    assert.equal(0, frozen:wait().status)
    check_once(2000)
    cli.eventually("the fence refused it", function()
      return select(2, server.shared():log():gsub("division by zero", "")) > refused
    end)
  end)

  it("is ended by a second Ctrl-C, and so is what the server does for it", function()
    sql(tables:format(100))
    sql [[CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(25); RETURN new; END';
      CREATE TRIGGER slow BEFORE UPDATE ON t FOR EACH ROW WHEN (new.id = 33) EXECUTE FUNCTION slow()]]
    -- Else the server itself looks for the client every five seconds.
    local blind = tonumber(sql "SHOW server_version_num") >= 140000
    folder = project(modes.sql .. (blind and ', session = { client_connection_check_interval = "0" }' or ""))
    local function is_slow()
      return sql [[SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event = 'PgSleep']] ~= "0"
    end
    local upgrade = start "upgrade"
    cli.eventually("the slow row", is_slow)
    upgrade:signal "INT"
    cli.eventually("the other lane ends", function() return #job().workers == 1 and job().workers[1].lanes == 1 end)
    upgrade:signal "INT"
    assert.equal(130, upgrade:wait().status)
    cli.eventually("the server ends it", function() return not is_slow() end)
    assert.equal("0", sql "SELECT v FROM t WHERE id = 33")
    sql "DROP TRIGGER slow ON t"
    ok "upgrade"
    check_once(80)
  end)

  it("is paused for all processes, also for those that come later, until it is resumed", function()
    sql(tables:format(10000))
    folder = project(modes.lua .. ", max_rows = 50, rows_per_s = 2000")
    local upgrade = start "upgrade"
    has_begun()
    ok { "backfill", "pause", "plus", "--reason", "the sale" }
    cli.eventually("the upgrade says so", function()
      return select(2, upgrade:output()):find("backfill plus: paused: the sale", 1, true)
    end)
    assert.equal("paused", job().state)
    assert.equal("the sale", job().reason)
    upgrade:signal "INT"
    local stopped = upgrade:wait()
    assert.equal(130, stopped.status)
    assert.matches("backfill plus: %d+%%, %d+ rows changed", stopped.stderr)
    local before = changed()
    upgrade = start "upgrade"
    cli.eventually("the next upgrade says so", function()
      return select(2, upgrade:output()):find("paused: the sale", 1, true)
    end)
    assert.equal(before, changed())
    ok "backfill set plus rows_per_s=1000000 max_rows=1000 lanes=4 chunk_ms=50"
    ok "backfill resume plus"
    local ran = upgrade:wait()
    assert.equal(0, ran.status, ran.stderr)
    assert.matches("backfill plus: goes on", ran.stderr)
    assert.same({ rows_per_s = 1000000, max_rows = 1000, lanes = 4, chunk_ms = 50 }, job().settings)
    check_once(8000)
  end)

  it("changes the number of its lanes", function()
    sql(tables:format(25000))
    folder = project(modes.sql .. ", max_rows = 50, rows_per_s = 2000, lanes = 1")
    local upgrade = start "upgrade"
    has_begun()
    for _, lanes in ipairs { 3, 1, 2 } do
      ok("backfill set plus lanes=" .. lanes)
      cli.eventually(lanes .. " lanes", function() return (job().workers[1] or {}).lanes == lanes end)
    end
    ok "backfill set plus lanes=default rows_per_s=1000000"
    assert.equal(0, upgrade:wait().status)
    check_once(20000)
  end)

  it("is left by a worker on Ctrl-C, which others do not notice", function()
    sql(tables:format(25000))
    folder = project(modes.sql .. ", max_rows = 50, rows_per_s = 400")
    local upgrade = start "upgrade"
    has_begun()
    local worker = start "backfill work plus"
    cli.eventually("the worker is at work", function() return #job().workers == 2 end)
    worker:signal "INT"
    local ran = worker:wait()
    assert.equal(130, ran.status)
    local before = changed()
    has_begun(before + 200)
    cli.eventually("it is running", function() return job().state == "running" end)
    ok "backfill set plus rows_per_s=1000000"
    assert.equal(0, upgrade:wait().status)
    check_once(20000)
  end)

  local function cancelled()
    sql(tables:format(10000))
    folder = project(modes.sql .. ", max_rows = 50, rows_per_s = 2000")
    local upgrade = start "upgrade"
    has_begun(300)
    ok "backfill cancel plus"
    local ran = upgrade:wait()
    assert.equal(1, ran.status)
    assert.matches('backfill "plus" was cancelled', ran.stderr)
    for _, words in ipairs { "upgrade", "backfill work plus" } do
      local again = run(words)
      assert.equal(1, again.status)
      assert.matches("moontide backfill resume plus", again.stderr)
    end
    assert.matches('backfill "plus" is cancelled', run("backfill pause plus").stderr)
    return changed()
  end

  it("is cancelled, and goes on when it is resumed", function()
    assert.truthy(cancelled() < 8000)
    ok "backfill resume plus"
    ok "backfill set plus rows_per_s=1000000"
    ok "upgrade"
    check_once(8000)
  end)

  it("is cancelled, and begins anew with --restart", function()
    local before = cancelled()
    ok "backfill resume plus --restart"
    ok "backfill set plus rows_per_s=1000000"
    ok "upgrade"
    assert.equal(("1|%d\n2|%d"):format(8000 - before, before), sql "SELECT v, count(*) FROM t GROUP BY v ORDER BY v")
    assert.equal("abandoned\ndone", sql "SELECT state FROM moontide.backfill ORDER BY attempt")
  end)

  it("is cancelled, and the rest skipped", function()
    local before = cancelled()
    ok "backfill cancel plus --skip"
    ok "upgrade"
    assert.equal(before, changed())
    assert.equal("a1", sql "SELECT version_num FROM moontide.version")
  end)

  it("that was edited goes on only when that is accepted", function()
    cancelled()
    ok "backfill resume plus"
    local before = changed()
    require("spec.support.shell").write(folder .. "/migrations/versions/a.lua", cli.revision("a1", nil,
      { upgrade = '  op.backfill { "plus", table = "t", set = { v = sql "v + 5" } }' }))
    for _, words in ipairs { "upgrade", "backfill work plus" } do
      assert.matches('backfill "plus" was edited after a part of it had been done', run(words).stderr)
    end
    assert.matches("%-%-accept%-edit", run("upgrade").stderr)
    ok "backfill resume plus --accept-edit"
    ok "upgrade"
    assert.equal(("1|%d\n5|%d"):format(before, 8000 - before), sql "SELECT v, count(*) FROM t GROUP BY v ORDER BY v")
  end)

  it("has its put aside rows tried again", function()
    sql(tables:format(1000))
    sql "ALTER TABLE t ADD CHECK (id <> 7 OR v = 0)"
    folder = project(modes.sql .. ', on_error = "quarantine"')
    ok "upgrade"
    assert.same({ "7" }, cjson.decode((ok "backfill status plus --json")).errors[1].key)
    local again = run "backfill retry plus"
    assert.equal(1, again.status)
    assert.matches("1 row tried, 0 changed, 1 failed again", again.stderr)
    sql "ALTER TABLE t DROP CONSTRAINT t_check"
    ok "backfill retry plus"
    check_once(800)
  end)

  it("is as fast as while it worked, however long it did not", function()
    sql(tables:format(25000))
    sql "ALTER TABLE t ADD CHECK (id <> 12001 OR v = 0)"
    folder = project(modes.sql .. ", lanes = 1, max_rows = 200")
    assert.equal(1, run("upgrade").status)
    assert.is_true(changed() > 0)
    sql [[UPDATE moontide.backfill SET state = 'running', started_at = started_at - interval '12 hours';
      UPDATE moontide.backfill_range SET busy_ms = rows_seen / 10, committed_at = committed_at - interval '11 hours']]
    assert.is_nil(job().rate)
    local lanes = {}
    for index = 1, 2 do
      lanes[index] = pg.connect(url, { defaults = { application_name = identity.application(job().id, "far:1") } })
    end
    local now = job()
    for _, lane in ipairs(lanes) do lane:close() end
    -- Ten rows a millisecond in each of two lanes, but for what is lost in whole milliseconds.
    assert.is_true(now.rate >= 20000 and now.rate < 21000, now.rate)
    assert.is_true(now.eta <= 1, now.eta)
  end)

  it("tells a role what it would have to be allowed", function()
    sql(tables:format(100))
    folder = project(modes.sql .. ", background = true")
    ok "upgrade"
    local role = "guest_" .. sql "SELECT current_database()"
    sql(("CREATE ROLE %s LOGIN"):format(role))
    local function as_role(words)
      return cli.run(words, { cwd = folder, env = { DATABASE_URL = (url:gsub("postgres@", role .. "@", 1)) } })
    end
    local hint = "\n  hint: To look at backfills a role needs USAGE on schema moontide and SELECT on its tables, "
      .. "to steer them UPDATE and INSERT as well.\n"
    local ran = as_role "backfill list"
    assert.equal(1, ran.status)
    assert.truthy(ran.stderr:find(hint, 1, true), ran.stderr)
    sql(("GRANT USAGE ON SCHEMA moontide TO %s; GRANT SELECT ON ALL TABLES IN SCHEMA moontide TO %s"):format(role,
      role))
    assert.matches("a1/plus  planned", as_role("backfill list").stdout)
    for _, words in ipairs { "pause plus", "cancel plus", "set plus lanes=1", "resume plus", "work plus" } do
      ran = as_role("backfill " .. words)
      assert.equal(1, ran.status)
      assert.truthy(ran.stderr:find(hint, 1, true), words .. "\n" .. ran.stderr)
    end
    sql(("DROP OWNED BY %s; DROP ROLE %s"):format(role, role))
  end)

  it("takes words about its speed at once, whatever rest the last chunk was to have", function()
    sql(tables:format(25000))
    folder = project(modes.sql .. ", rows_per_s = 50, lanes = 1")
    local upgrade = start "upgrade"
    has_begun()
    assert.truthy(tonumber(sql "SELECT max(chunk_rows) FROM moontide.backfill_range") <= 50)
    ok "backfill set plus rows_per_s=1000000"
    local ran = upgrade:wait()
    assert.equal(0, ran.status, ran.stderr)
    check_once(20000)
  end)

  it("refuses words that mean nothing", function()
    sql(tables:format(100))
    folder = project(modes.sql)
    assert.matches("there are no backfills", run("backfill").stderr)
    ok "upgrade"
    for words, message in pairs {
      ["set plus lane=1"] = 'unknown setting "lane"', ["set plus lanes=0"] = "lanes must be an integer from 1 to 32",
      ["set plus chunk_ms"] = '"chunk_ms" is not a setting', ["set plus"] = "needs settings",
      ["pause"] = "needs the name of a backfill", ["pause plsu"] = 'Did you mean "plus"', ["list --wait"] = "only for",
      ["work --lanes 99"] = "lanes must be an integer", ["pause plus"] = 'backfill "plus" is done',
      ["resume plus"] = 'backfill "plus" is done',
      ["retry plus"] = "no rows of backfill plus are put aside", ["resume plus --restart"] = 'backfill "plus" is done',
    } do
      local ran = run("backfill " .. words)
      assert.equal(words == "retry plus", ran.status == 0, words)
      assert(ran.stderr:find(message, 1, true), words .. "\n" .. ran.stderr)
    end
  end)
end)
