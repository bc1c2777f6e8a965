local cli = require "spec.support.cli"
local server = require "spec.support.server"

local function create(id, down)
  return cli.revision(id, down, {
    upgrade = ('  op.execute("CREATE TABLE t_%s (id integer)")'):format(id),
    downgrade = ('  op.execute("DROP TABLE t_%s")'):format(id),
  })
end

describe("hooks of env.lua", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function run(env, b, ...)
    local folder = cli.project {
      ["migrations/env.lua"] = env, ["migrations/versions/a.lua"] = create "a1", ["migrations/versions/b.lua"] = b,
    }
    return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } })
  end

  local telling = [[
local function tell(event)
  print(event.hook, event.direction, event.revision or table.concat(event.revisions, "+"), event.dry_run)
end
return { hooks = {
  before_upgrade = tell, after_upgrade = tell, before_revision = tell, after_revision = tell, on_error = function(event)
    print(event.hook, event.error.sqlstate)
  end,
} }
]]

  it("are called around the run and around each revision", function()
    local ran = run(telling, create("b2", "a1"), "upgrade", "-q")
    assert.equal("", ran.stdout)
    ran = run(telling, create("b2", "a1"), "downgrade", "base")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("Running downgrade b2 -> a1, Revision b2.\nbefore_revision\tdowngrade\tb2\tfalse\n"
      .. "after_revision\tdowngrade\tb2\tfalse\nRunning downgrade a1 -> , Revision a1.\n"
      .. "before_revision\tdowngrade\ta1\tfalse\nafter_revision\tdowngrade\ta1\tfalse\n", ran.stderr)
  end)

  it("may log", function()
    local ran = run([[
return { hooks = { before_upgrade = function(event) log(#event.revisions .. " to apply"); log.warn("slow") end } }
]], create("b2", "a1"), "upgrade")
    assert.equal(0, ran.status, ran.stderr)
    assert.matches("^2 to apply\nwarning: slow\n", ran.stderr)
  end)

  it("tell of a failure", function()
    local ran = run(telling, cli.revision("b2", "a1", { upgrade = '  op.execute("SELECT 1/0")' }), "upgrade")
    assert.equal(1, ran.status)
    assert.matches("before_upgrade\tupgrade\ta1%+b2\tfalse\n", ran.stderr)
    assert.matches("\non_error\t22012\n", ran.stderr)
    assert.matches("error: migrations/versions/b.lua:6: division by zero", ran.stderr)
  end)

  it("take part in the transaction of the revision", function()
    local env = [[
return { hooks = { after_revision = function(event)
  event.op.execute("INSERT INTO seen VALUES ($1)", event.revision)
  if event.revision == "b2" then error("not b2") end
end, before_revision = function(event)
  if event.revision == "a1" then event.op.execute("CREATE TABLE seen (id text)") end
end } }
]]
    local ran = run(env, create("b2", "a1"), "upgrade")
    assert.equal(1, ran.status)
    assert.matches("error: migrations/env.lua:3: not b2\n  revision: b2\n  detail: in the hook after_revision",
      ran.stderr)
    assert.equal("a1", server.sql(url, "SELECT string_agg(id, ',') FROM seen"))
    assert.equal("0", server.sql(url, "SELECT count(*) FROM pg_class WHERE relname = 't_b2'"))
  end)

  it("with an unknown name are refused", function()
    local ran = run("return { hooks = { after_upgrad = print } }", create("b2", "a1"), "upgrade")
    assert.equal(2, ran.status)
    assert.matches("after_upgrade", ran.stderr)
  end)
end)

describe("verify()", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function upgrade(verify)
    local text = create "a1" .. "function verify()\n" .. verify .. "\nend\n"
    local folder = cli.project { ["migrations/versions/a.lua"] = text }
    return cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
  end
  local function exists() return server.sql(url, "SELECT count(*) FROM pg_class WHERE relname = 't_a1'") == "1" end

  it("sees what upgrade() did", function()
    local ran = upgrade '  return op.scalar("SELECT count(*) FROM t_a1") == 0'
    assert.equal(0, ran.status, ran.stderr)
    assert.is_true(exists())
  end)

  it("rolls the revision back when it raises", function()
    local ran = upgrade '  error("too few rows")'
    assert.equal(1, ran.status)
    assert.matches("a.lua:13: too few rows", ran.stderr)
    assert.is_false(exists())
  end)

  it("rolls the revision back when it answers false", function()
    local ran = upgrade '  return op.scalar("SELECT count(*) FROM t_a1") == 1'
    assert.equal(1, ran.status)
    assert.matches('verify%(%) of revision "a1" answered false', ran.stderr)
    assert.is_false(exists())
  end)
end)

describe("transaction", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function upgrade(mode, b, ...)
    local folder = cli.project {
      ["migrations/env.lua"] = ('return { transaction = "%s" }'):format(mode),
      ["migrations/versions/a.lua"] = create "a1", ["migrations/versions/b.lua"] = b,
    }
    return cli.run({ "upgrade", ... }, { cwd = folder, env = { DATABASE_URL = url } })
  end
  local function tables()
    return server.sql(url, "SELECT coalesce(string_agg(relname, ',' ORDER BY relname), '') FROM pg_class "
      .. "WHERE relname LIKE 't\\_%' AND relnamespace = 'public'::regnamespace")
  end
  local failing = '  op.execute("CREATE TABLE t_b2 (id integer)")\n  op.execute("SELECT 1/0")'

  it('"run" commits all revisions together', function()
    local ran = upgrade("run", create("b2", "a1"))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("t_a1,t_b2", tables())
    assert.equal("1", server.sql(url, "SELECT count(DISTINCT xmin::text) FROM moontide.log"))
  end)

  it('"run" keeps nothing when one fails', function()
    local ran = upgrade("run", cli.revision("b2", "a1", { upgrade = failing }))
    assert.equal(1, ran.status)
    assert.matches("Nothing of this run was applied; the database is empty.", ran.stderr)
    assert.equal("", tables())
  end)

  it('"run" commits what comes before a commit point', function()
    local ran = upgrade("run", cli.revision("b2", "a1", {
      upgrade = '  op.create_index("ix", "t_a1", { "id" }, { concurrently = true })\n' .. failing }))
    assert.equal(1, ran.status)
    assert.equal("t_a1", tables())
    assert.equal("a1", server.sql(url, "SELECT version_num FROM moontide.version"))
    ran = upgrade("run", cli.revision("b2", "a1", {
      upgrade = '  op.create_index("ix", "t_a1", { "id" }, { concurrently = true })\n'
        .. '  op.execute("CREATE TABLE t_b2 (id integer)")' }))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("t_a1,t_b2", tables())
  end)

  it('"none" commits every operation, and goes on behind the last one', function()
    local ran = upgrade("none", cli.revision("b2", "a1", { upgrade = failing }))
    assert.equal(1, ran.status)
    assert.equal("t_a1,t_b2", tables())
    ran = upgrade("none", create("b2", "a1"))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("0", server.sql(url, "SELECT count(*) FROM moontide.journal"))
  end)

  it('"run" is printed as one transaction', function()
    local script = upgrade("run", create("b2", "a1"), "--sql").stdout
    local _, begins = script:gsub("BEGIN;", "")
    assert.equal(2, begins)
  end)
end)
