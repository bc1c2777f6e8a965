-- What a run meets in the wild: killed holders, servers that are down or starting,
-- standbys, waiting runners beside concurrent builds.
local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local function create(id, down)
  return cli.revision(id, down, { upgrade = ('  op.execute("CREATE TABLE t_%s (id integer)")'):format(id) })
end

local function start(folder, url) return cli.start({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } }) end

describe("runners", function()
  it("go on within moments when the holder of the lock is killed", function()
    local url = server.database()
    local slow = cli.project {
      ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = [[
  op.execute("CREATE TABLE t_a1 (id integer)")
  op.query("SELECT pg_sleep(20), 'the holder'")
]] }) }
    local quick = cli.project { ["migrations/versions/a.lua"] = create "a1" }
    local holder = start(slow, url)
    cli.eventually("the holder", function()
      return server.sql(url, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%the holder%' "
        .. "AND pid <> pg_backend_pid()") == "1"
    end)
    local waiting = start(quick, url)
    cli.eventually("the waiting one to say so", function()
      return select(2, waiting:output()):find("waiting for the migration lock, held by process %d+ %(moontide")
    end)
    holder:signal "KILL"
    holder:wait()
    -- The server notices that a client is gone when it next looks; here it is told.
    server.sql(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%the holder%' "
      .. "AND pid <> pg_backend_pid()")
    local ran = waiting:wait(20)
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("1", server.sql(url, "SELECT count(*) FROM moontide.log"))
    server.drop(url)
  end)

  it("that wait neither stall nor deadlock a concurrent build", function()
    local url = server.database()
    local folder = cli.project {
      ["migrations/versions/a.lua"] = create "a1",
      ["migrations/versions/b.lua"] = cli.revision("b2", "a1", { upgrade = [[
  op.execute("INSERT INTO t_a1 SELECT generate_series(1, 50000)")
  op.create_index("ix", "t_a1", { "id" }, { concurrently = true })
]] }),
      ["migrations/versions/c.lua"] = create("c3", "b2"),
    }
    local started = {}
    for index = 1, 8 do started[index] = start(folder, url) end
    for _, process in ipairs(started) do
      local ran = process:wait(60)
      assert.equal(0, ran.status, ran.stderr)
    end
    assert.equal("3", server.sql(url, "SELECT count(*) FROM moontide.log"))
    assert.equal("50000", server.sql(url, "SELECT count(*) FROM t_a1"))
    server.drop(url)
  end)
end)

describe("a server", function()
  local folder = cli.project { ["migrations/versions/a.lua"] = create "a1" }

  it("that is down is waited for within connect_timeout", function()
    local cluster = server.cluster()
    local url = cluster:database()
    cluster:stop()
    local patient = cli.project {
      ["migrations/env.lua"] = 'return { connect_timeout = "30s" }', ["migrations/versions/a.lua"] = create "a1",
    }
    local process = start(patient, url)
    cli.eventually("the run to wait", function()
      return select(2, process:output()):find("waiting for the server", 1, true)
    end)
    cluster:start()
    local ran = process:wait(30)
    assert.equal(0, ran.status, ran.stderr)
    cluster:remove()
  end)

  it("that is down fails at once without connect_timeout, and says what to look at", function()
    local ran = cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = "postgresql:///x?host=/nowhere" } })
    assert.equal(1, ran.status)
    assert.matches("hint: Is the server running and the URL right%?", ran.stderr)
  end)

  it("that is a read-only standby is named as one", function()
    local cluster, standby = server.cluster { tcp = true }, server.cluster { start = false, tcp = true }
    local url = cluster:database()
    shell.capture(("find %s -mindepth 1 -delete"):format(standby.dir))
    shell.capture(("sh spec/support/cluster.sh as %s/pg_basebackup -h 127.0.0.1 -p %d -U postgres -D %s -R -c fast")
      :format(server.bin(), cluster.port, standby.dir))
    standby:start()
    local there = standby:url(url:match("/([^/?]+)%?"))
    cli.eventually("the standby to follow", function() return pcall(server.sql, there, "SELECT 1") end)
    local ran = cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = there } })
    assert.equal(1, ran.status)
    assert.matches("hint: The server is a read%-only standby; connect to the primary.", ran.stderr)
    standby:remove()
    cluster:remove()
  end)

  it("that was restarted in the middle of a run loses and doubles nothing", function()
    local cluster = server.cluster { settings = { synchronous_commit = "on" } }
    local url = cluster:database()
    local body = '  op.execute("CREATE TABLE t_a1 (id integer)")\n  op.query("SELECT pg_sleep(%d)")'
    local process = start(cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil, {
      upgrade = body:format(20) }) }, url)
    cli.eventually("the sleep", function()
      return server.sql(url, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(20)%' "
        .. "AND pid <> pg_backend_pid()") == "1"
    end)
    cluster:stop "immediate"
    cluster:start()
    local ran = process:wait(30)
    assert.equal(1, ran.status)
    assert.matches("Nothing of revision a1 was applied", ran.stderr)
    assert.equal("0", server.sql(url, "SELECT count(*) FROM pg_class WHERE relname = 't_a1'"))
    cluster:remove()
  end)
end)
