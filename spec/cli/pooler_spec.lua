local cli = require "spec.support.cli"
local support = require "spec.support.pooler"
local server = require "spec.support.server"

describe("behind a transaction pooler", function()
  if not support.is_there() then return pending("pgbouncer is not installed") end
  local cluster, pooler
  setup(function()
    cluster = server.cluster { tcp = true }
    pooler = support.start(cluster)
  end)
  teardown(function()
    pooler:stop()
    cluster:remove()
  end)

  local function fresh()
    local direct = cluster:database()
    return direct, pooler:through(direct)
  end

  local folder = cli.project {
    ["migrations/versions/a.lua"] = cli.revision("a1", nil, {
      upgrade = '  op.execute("CREATE TABLE t (id integer)")' }),
    ["migrations/versions/b.lua"] = cli.revision("b2", "a1", {
      upgrade = '  op.create_index("ix", "t", { "id" }, { concurrently = true })' }),
  }

  it("an upgrade works, says so, and leaves no lock behind", function()
    local direct, pooled = fresh()
    local ran = cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = pooled } })
    assert.equal(0, ran.status, ran.stderr)
    assert.matches("warning: the connection goes through a transaction pooler", ran.stderr)
    assert.equal("b2", server.sql(direct, "SELECT version_num FROM moontide.version"))
    assert.equal("0", server.sql(direct, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))
    assert.equal("0", server.sql(direct, "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%'"))
  end)

  -- A transaction that a concurrent build waits for.
  local function hold(url)
    local process = cli.start({ "-XAtq", "-d", url, "-c", "BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE; "
      .. "SELECT pg_sleep(120)" }, { program = { server.program "psql" } })
    cli.eventually("the lock", function()
      return server.sql(url, "SELECT count(*) FROM pg_locks WHERE mode = 'RowExclusiveLock' "
        .. "AND relation = 't'::regclass") ~= "0"
    end)
    return process
  end

  local building = "FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY ix%' AND state = 'active'"

  for _, way in ipairs { "an upgrade", "repair" } do
    it(("%s leaves a build alone that outlives its connection"):format(way), function()
      local direct, pooled = fresh()
      local env = { DATABASE_URL = pooled }
      assert.equal(0, cli.run({ "upgrade", "a1" }, { cwd = folder, env = env }).status)
      local holder = hold(direct)
      local first = cli.start({ "upgrade" }, { cwd = folder, env = env })
      cli.eventually("the build", function() return server.sql(direct, "SELECT count(*) " .. building) == "1" end)
      cli.eventually("the index", function() return server.sql(direct, "SELECT to_regclass('ix')") == "ix" end)
      first:signal "KILL"
      first:wait()
      local index = server.sql(direct, "SELECT 'ix'::regclass::oid")
      if way == "repair" then
        assert.not_matches("invalid_index", cli.run({ "repair" }, { cwd = folder, env = env }).stdout)
        assert.equal(0, cli.run({ "repair", "indexes" }, { cwd = folder, env = env }).status)
      end
      local second = cli.start({ "upgrade" }, { cwd = folder, env = env })
      cli.eventually("the second run to wait", function()
        return select(2, second:output()):find("which is still building the index ix", 1, true) ~= nil
      end)
      server.sql(direct, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(120)%' "
        .. "AND pid <> pg_backend_pid()")
      holder:wait()
      local ran = second:wait()
      assert.equal(0, ran.status, ran.stderr)
      assert.equal(index .. "|t", server.sql(direct, "SELECT indexrelid, indisvalid FROM pg_index "
        .. "WHERE indexrelid = 'ix'::regclass"))
      assert.equal("b2", server.sql(direct, "SELECT version_num FROM moontide.version"))
    end)
  end

  it("runners, pooled and direct, apply each revision once", function()
    local direct, pooled = fresh()
    local started = {}
    for index = 1, 6 do
      local url = index % 2 == 0 and direct or pooled
      started[index] = cli.start({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    end
    for _, process in ipairs(started) do
      local ran = process:wait()
      assert.equal(0, ran.status, ran.stderr)
    end
    assert.equal("2", server.sql(direct, "SELECT count(*) FROM moontide.log"))
  end)
end)
