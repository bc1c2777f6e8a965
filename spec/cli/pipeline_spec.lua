-- Revisions that read nothing travel together. Whatever happens must be what would
-- have happened one by one.
local cli = require "spec.support.cli"
local proxy = require "spec.support.proxy"
local server = require "spec.support.server"

local function name(index) return ("r%02d"):format(index) end

local function chain(count, body_of)
  local files = {}
  for index = 1, count do
    local id = name(index)
    files["migrations/versions/" .. id .. ".lua"] = cli.revision(id, index > 1 and name(index - 1) or nil, {
      upgrade = body_of and body_of(index, id) or ('  op.execute("CREATE TABLE %s (id integer)")'):format(id),
      downgrade = ('  op.execute("DROP TABLE %s")'):format(id),
    })
  end
  return cli.project(files)
end

local function create(id) return ('  op.execute("CREATE TABLE %s (id integer)")'):format(id) end

describe("revisions that travel together", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function run(folder, ...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end
  local function sql(text) return server.sql(url, text) end
  local function count_tables() return tonumber(sql "SELECT count(*) FROM pg_class WHERE relname ~ '^r\\d\\d$'") end

  it("need six round trips for fifty, and again for taking them back", function()
    local wire <close> = proxy.start(url, { tcp = false })
    local folder = chain(50)
    cli.ok({ "ensure-version" }, { cwd = folder, env = { DATABASE_URL = wire.url } })
    for _, command in ipairs { { "upgrade" }, { "downgrade", "base" } } do
      wire:reset()
      cli.ok(command, { cwd = folder, env = { DATABASE_URL = wire.url } })
      assert.is_true(wire:counts().round_trips <= 6, "round trips: " .. wire:counts().round_trips)
    end
    assert.equal("100", sql "SELECT count(*) FROM moontide.log")
  end)

  it("announce, log and report each by itself", function()
    local ran = run(chain(3), "upgrade", "--json")
    assert.equal("Running upgrade  -> r01, Revision r01.\nRunning upgrade r01 -> r02, Revision r02.\n"
      .. "Running upgrade r02 -> r03, Revision r03.\n", ran.stderr)
    local _, events = ran.stdout:gsub('"event":"step"', "")
    assert.equal(3, events)
  end)

  for failing = 1, 7 do
    it(("leave exactly %d applied when number %d of 7 fails on the server"):format(failing - 1, failing), function()
      local folder = chain(7, function(index, id)
        return create(id) .. (index == failing and '\n  op.execute("SELECT 1/0")' or "")
      end)
      local ran = run(folder, "upgrade")
      assert.equal(1, ran.status)
      assert.matches(("error: migrations/versions/%s.lua:7: division by zero"):format(name(failing)), ran.stderr)
      assert.matches("revision: " .. name(failing) .. "\n", ran.stderr)
      local _, announced = ran.stderr:gsub("Running upgrade", "")
      assert.equal(failing, announced)
      assert.equal(failing - 1, count_tables())
      assert.equal(failing == 1 and "" or name(failing - 1),
        sql "SELECT coalesce(max(version_num), '') FROM moontide.version")
      assert.equal(tostring(failing - 1), sql "SELECT count(*) FROM moontide.log WHERE outcome = 'done'")
      assert.equal(name(failing), sql "SELECT revision FROM moontide.log WHERE outcome = 'failed'")
    end)

    it(("leave exactly %d applied when number %d of 7 fails in Lua"):format(failing - 1, failing), function()
      local folder = chain(7, function(index, id)
        return create(id) .. (index == failing and '\n  error("no")' or "")
      end)
      local ran = run(folder, "upgrade")
      assert.equal(1, ran.status)
      assert.matches(("error: migrations/versions/%s.lua:7: no\n"):format(name(failing)), ran.stderr)
      assert.equal(failing - 1, count_tables())
      assert.equal(tostring(failing - 1), sql "SELECT count(*) FROM moontide.log WHERE outcome = 'done'")
    end)
  end

  it("give the failure of the earlier one when a later one fails in Lua", function()
    local folder = chain(4, function(index, id)
      if index == 2 then return '  op.execute("SELECT 1/0")' end
      return create(id) .. (index == 4 and '\n  error("no")' or "")
    end)
    local ran = run(folder, "upgrade")
    assert.matches("error: migrations/versions/r02.lua:6: division by zero", ran.stderr)
    assert.equal(1, count_tables())
  end)

  it("stop at Ctrl-C behind the last one that is committed, and say which that is", function()
    local folder = chain(6, function(index, id)
      return create(id) .. (index == 4 and '\n  op.execute("SELECT pg_sleep(30), 4")' or "")
    end)
    local process = cli.start({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    cli.eventually("the sleep", function()
      return sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30), 4%' "
        .. "AND pid <> pg_backend_pid()") == "1"
    end)
    process:signal "INT"
    local ran = process:wait(10)
    assert.equal(130, ran.status)
    assert.matches("Nothing of revision r04 was applied; the database is at r03.", ran.stderr)
    assert.equal("r03", sql "SELECT version_num FROM moontide.version")
    assert.equal(3, count_tables())
  end)

  it("stop before a revision that reads", function()
    local folder = chain(4, function(index, id)
      local read = '  assert(op.scalar("SELECT count(*) FROM pg_class WHERE relname = \'r02\'") == 1)\n'
      return (index == 3 and read or "") .. create(id)
    end)
    assert.equal(0, run(folder, "upgrade").status)
    assert.equal(4, count_tables())
  end)

  it("go around a commit point", function()
    local folder = chain(5, function(index, id)
      return create(id) .. (index == 3 and '\n  op.create_index("ix", "r03", { "id" }, { concurrently = true })' or "")
    end)
    local ran = run(folder, "upgrade")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal(5, count_tables())
    assert.equal("0", sql "SELECT count(*) FROM moontide.journal")
  end)

  it("survive more statements than one batch holds", function()
    local folder = chain(30, function(_, id)
      local lines = { create(id) }
      for index = 1, 100 do lines[#lines + 1] = ('  op.execute("INSERT INTO %s VALUES (%d)")'):format(id, index) end
      return table.concat(lines, "\n")
    end)
    assert.equal(0, run(folder, "upgrade").status)
    assert.equal("100", sql "SELECT count(*) FROM r30")
    assert.equal("r30", sql "SELECT version_num FROM moontide.version")
  end)

  for _, cut in ipairs { "client:before:8", "client:after:8", "client:before:24", "client:after:24", "server:before:20",
    "server:after:20", "server:before:30", "server:before:44" } do
    it("say how far they came when the connection is cut: " .. cut, function()
      local folder = chain(6)
      run(folder, "ensure-version")
      local wire <close> = proxy.start(url, { cut = cut })
      local ran = cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = wire.url } })
      local applied = sql "SELECT coalesce(max(version_num), '') FROM moontide.version"
      local done = applied == "" and 0 or tonumber(applied:match("%d+"))
      assert.equal(done, count_tables())
      if ran.status == 0 then assert.equal(6, done) end
      assert.equal(tostring(done), sql "SELECT count(*) FROM moontide.log WHERE outcome = 'done'")
      assert.equal(0, run(folder, "upgrade").status)
      assert.equal(6, count_tables())
    end)
  end
end)

describe("a lock that is not free", function()
  it("is tried again, with the one who holds it named, until it is", function()
    local url = server.database()
    server.sql(url, "CREATE TABLE t (id integer)")
    local folder = cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil, {
      upgrade = '  op.add_column("t", { "x", "integer" })' }) }
    local holder = cli.start({ "lua", "-e", ([[
      local pg = require "moontide.runtime.pg"
      local c = pg.connect(%q, { defaults = { application_name = "holder" } })
      c:script("BEGIN; LOCK TABLE t")
      require("moontide.runtime.sys").sleep(1.5)
    ]]):format(url) })
    cli.eventually("the lock", function()
      return server.sql(url, "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted") ~= "0"
    end)
    local ran = cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    assert.equal(0, ran.status, ran.stderr)
    assert.matches("warning: migrations/versions/a.lua:6: canceling statement due to lock timeout, "
      .. "trying again %(1 of 30%)\n  detail: process %d+ %(holder%)", ran.stderr)
    assert.equal(1, select(2, ran.stderr:gsub("Running upgrade", "")))
    assert.equal("x", server.sql(url, "SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum = 2"))
    holder:wait()
    server.drop(url)
  end)

  it("fails in the end when env.lua says so", function()
    local url = server.database()
    server.sql(url, "CREATE TABLE t (id integer)")
    local folder = cli.project {
      ["migrations/env.lua"] = 'return { retries = 0, lock_timeout = "50ms" }',
      ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = '  op.add_column("t", { "x", "integer" })' }),
    }
    local holder = cli.start({ "lua", "-e", ([[
      local c = require("moontide.runtime.pg").connect(%q)
      c:script("BEGIN; LOCK TABLE t")
      require("moontide.runtime.sys").sleep(3)
    ]]):format(url) })
    cli.eventually("the lock", function()
      return server.sql(url, "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted") ~= "0"
    end)
    local ran = cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    assert.equal(1, ran.status)
    assert.matches("SQLSTATE 55P03", ran.stderr)
    assert.matches("Nothing of revision a1 was applied", ran.stderr)
    holder:signal "KILL"
    holder:wait()
    server.drop(url)
  end)
end)
