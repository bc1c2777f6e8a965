-- The server goes away in the middle of a backfill: it comes back, or a standby takes its place that
-- has not got what was committed last. The runs go on by themselves, with what the new primary has.
-- More often: MOONTIDE_FAILOVERS=20; another server: MOONTIDE_SERVER=13

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local torture = require "spec.torture.backfill"
local versions = require "spec.support.versions"

local times = tonumber(os.getenv("MOONTIDE_FAILOVERS") or "1")
local rows = 25000   -- as keys; fewer would be one range

describe("a backfill whose server goes away", function()
  local primary, standby
  setup(function()
    local bin = versions.available()[tonumber(os.getenv "MOONTIDE_SERVER" or "0")] or nil
    primary = server.cluster { bin = bin, settings = { full_page_writes = "on", synchronous_commit = "on" } }
  end)
  teardown(function() primary:remove() end)

  -- The primary is used again: what it was, without the standby.
  local function restore()
    if standby then standby:remove() end
    if not primary.running then primary:start() end
    standby = nil
  end
  after_each(restore)

  -- The same database of both servers, by one URL.
  local function both(url)
    return (url:gsub("host=([^&]*)", function(host)
      return "host=" .. host .. "," .. standby:url():match("host=([^&]*)")
    end)) .. ",5432&target_session_attrs=read-write"
  end

  local function changed(url)
    return tonumber(server.sql(url, "SELECT coalesce(sum(rows_changed), 0) FROM moontide.backfill_range"))
  end
  local function wait_for(url, least)
    cli.eventually("rows are changed", function()
      local there = server.sql(url, "SELECT to_regclass('moontide.backfill_range') IS NOT NULL") == "t"
      return there and changed(url) > least
    end)
  end

  local function start(mode, url)
    local options = { env = { DATABASE_URL = url },
      cwd = torture.project(torture.modes[mode] .. ", rows_per_s = 3000, chunk_ms = 50") }
    return options, cli.start("upgrade", options)
  end

  local function hurry(url)
    cli.eventually("the server takes changes", function()
      return server.sql(url, "SELECT pg_is_in_recovery()") == "f"
    end)
    server.sql(url, "UPDATE moontide.backfill SET control = control || '{\"rows_per_s\": 1000000}'")
  end

  local function check_done(processes, url)
    hurry(url)
    for _, process in ipairs(processes) do
      local ran = process:wait(120)
      assert.equal(0, ran.status, ran.stderr)
      assert.falsy(ran.stderr:find "traceback")
    end
    assert.same({}, torture.problems(url))
    assert.equal("20000|done", server.sql(url, "SELECT sum(rows_changed), (SELECT state FROM moontide.backfill) "
      .. "FROM moontide.backfill_range"))
    return processes[1]:wait().stderr
  end

  -- What is committed from here on stays where it is.
  local function cut_off()
    standby:sql "ALTER SYSTEM SET primary_conninfo = ''"
    standby:sql "SELECT pg_reload_conf()"
    cli.eventually("the standby is cut off", function()
      return standby:sql "SELECT count(*) FROM pg_stat_wal_receiver" == "0"
    end)
  end

  local function fail_over(mode)
    local url = primary:database()
    torture.fill(url, rows)
    standby = primary:standby()
    local follower = standby:url(url:match "/(%w+)%?")
    local options, upgrade = start(mode, both(url))
    wait_for(url, 0)
    local work = cli.start("backfill work plus --wait", options)
    wait_for(follower, 400)
    cut_off()
    wait_for(url, changed(follower) + 600)
    primary:stop "immediate"
    local lost = changed(follower)
    standby:sql "SELECT pg_promote()"
    local words = check_done({ upgrade, work }, follower)
    assert.truthy(words:find "the connection was lost; the run goes on with another", words)
    return lost
  end

  -- A short run takes one of them.
  local modes = times > 1 and { "sql", "lua" } or { ({ "sql", "lua" })[os.time() % 2 + 1] }
  for _, mode in ipairs(modes) do
    it("goes on with a standby that has not got the last chunks: " .. mode, function()
      for number = 1, times do
        local left = fail_over(mode)
        io.stderr:write(("\n%s, failover %d: the new primary had %d of 20000 rows\n"):format(mode, number, left))
        restore()
      end
    end)
  end

  it("goes on when it comes back", function()
    local url = primary:database()
    torture.fill(url, rows)
    local _, upgrade = start("lua", url)
    wait_for(url, 0)
    primary:kill()
    primary:start()
    check_done({ upgrade }, url)
  end)

  it("leaves connections that take no changes any more", function()
    local url = primary:database()
    torture.fill(url, rows)
    local _, upgrade = start("sql", url)
    wait_for(url, 0)
    local name = url:match "/(%w+)%?"
    server.sql(url, ("ALTER DATABASE %s SET default_transaction_read_only = on"):format(name))
    server.sql(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      .. "WHERE application_name LIKE 'moontide backfill _ %'")
    cli.eventually("the server refuses changes", function()
      return primary:log():find "read%-only transaction"
    end)
    primary:sql(("ALTER DATABASE %s RESET default_transaction_read_only"):format(name))
    check_done({ upgrade }, url)
  end)

  it("is found behind a server that is silent", function()
    local url = primary:database()
    standby = primary:standby()
    local options = { env = { DATABASE_URL = both(url) .. "&connect_timeout=1" }, cwd = cli.project {} }
    local postmaster = shell.read(primary.dir .. "/postmaster.pid"):match "^%d+"
    os.execute("kill -STOP " .. postmaster)
    standby:sql "SELECT pg_promote()"
    local ran = cli.run("upgrade", options)
    options.env.DATABASE_URL = url .. "&connect_timeout=1"
    local alone = cli.run("upgrade", options)
    os.execute("kill -CONT " .. postmaster)
    assert.equal(0, ran.status, ran.stderr)
    assert.equal(1, alone.status)
    assert.matches("did not answer in time", alone.stderr)
  end)

  it("ends at Ctrl-C while it waits for it", function()
    local url = primary:database()
    torture.fill(url, rows)
    local options, upgrade = start("sql", url)
    wait_for(url, 0)
    primary:stop "immediate"
    os.execute "sleep 0.3"
    upgrade:signal "INT"
    local ran = upgrade:wait(20)
    assert.equal(130, ran.status, ran.stderr)
    primary:start()
    hurry(url)
    assert.equal(0, cli.run("upgrade", options).status)
    assert.same({}, torture.problems(url))
  end)
end)
