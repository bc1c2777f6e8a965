local cjson = require "cjson"
local cli = require "spec.support.cli"
local proxy = require "spec.support.proxy"
local server = require "spec.support.server"

local function files()
  return {
    ["migrations/versions/a.lua"] = cli.revision("a1", nil),
    ["migrations/versions/b.lua"] = cli.revision("b2", "a1"),
    ["migrations/versions/c.lua"] = cli.revision("c2", "a1"),
  }
end

describe("stamp", function()
  local url, folder
  before_each(function() url, folder = server.database(), cli.project(files()) end)
  after_each(function() server.drop(url) end)

  local function run(...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end
  local function rows()
    return server.sql(url, "SELECT coalesce(string_agg(version_num, ',' ORDER BY version_num), '') "
      .. "FROM moontide.version")
  end

  it("sets the rows and runs nothing", function()
    local ran = run("stamp", "b2")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("b2", rows())
    assert.equal("stamp|done", server.sql(url, "SELECT direction, outcome FROM moontide.log"))
  end)

  it("looks up what became of a commit whose answer is lost", function()
    for _, side in ipairs { "client", "server" } do
      server.sql(url, "DROP SCHEMA IF EXISTS moontide CASCADE")
      assert.equal(0, run("ensure-version").status)
      local wire <close> = proxy.start(url, { cut = side .. ":before:1:COMMIT" })
      local ran = cli.run({ "stamp", "b2" }, { cwd = folder, env = { DATABASE_URL = wire.url } })
      assert.equal(1, wire:counts().cuts)
      assert.equal(side == "server" and 0 or 1, ran.status, ran.stderr)
      assert.matches(side == "server" and "the connection was lost; the server had committed"
        or "Nothing was stamped; the database is empty", ran.stderr)
      assert.equal(side == "server" and "b2" or "", rows())
    end
  end)

  it("prints its steps as JSON", function()
    local lines = {}
    for line in run("stamp", "b2", "--json").stdout:gmatch("[^\n]+") do lines[#lines + 1] = cjson.decode(line) end
    assert.equal(2, #lines)
    assert.same({ "step", "stamp", "b2" }, { lines[1].event, lines[1].direction, lines[1].to[1] })
    assert.equal("done", lines[2].event)
  end)

  it("sets all heads, and goes back to base", function()
    run("stamp", "heads")
    assert.equal("b2,c2", rows())
    run("stamp", "base")
    assert.equal("", rows())
  end)

  it("refuses one head where there are two, and says how to choose", function()
    local ran = run("stamp", "head")
    assert.equal(1, ran.status)
    assert.matches("head", ran.stderr)
    assert.matches("hint: ", ran.stderr)
  end)

  it("replaces a row that no file has with --purge", function()
    run("stamp", "b2")
    server.sql(url, "UPDATE moontide.version SET version_num = 'gone'")
    local ran = run("stamp", "a1")
    assert.equal(1, ran.status)
    assert.matches('"gone"', ran.stderr)
    ran = run("stamp", "--purge", "a1")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("a1", rows())
  end)

  it("is printed as a script that psql runs", function()
    local script = cli.ok({ "stamp", "heads", "--sql" }, { cwd = folder })
    server.sql(url, script)
    assert.equal("b2,c2", rows())
    server.sql(url, cli.ok({ "stamp", "b2:a1", "--sql" }, { cwd = folder }):gsub("^$", ""))
  end)

  it("does not print --purge", function()
    assert.equal(2, run("stamp", "--sql", "--purge", "a1").status)
  end)
end)

describe("ensure-version", function()
  it("creates the bookkeeping tables, once", function()
    local url, folder = server.database(), cli.project {}
    local options = { cwd = folder, env = { DATABASE_URL = url } }
    for _ = 1, 2 do
      local ran = cli.run({ "ensure-version" }, options)
      assert.equal(0, ran.status, ran.stderr)
      assert.equal("the bookkeeping tables are in place: moontide.version\n", ran.stderr)
    end
    assert.equal("captured,journal,log,repeatable,version", server.sql(url,
      "SELECT string_agg(tablename, ',' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'moontide'"))
    server.drop(url)
  end)

  it("shares Alembic's table", function()
    local url = server.database()
    server.sql(url, "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL, "
      .. "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)); INSERT INTO alembic_version VALUES ('a1')")
    local all = files()
    all["migrations/env.lua"] = 'return { version_table = { schema = "public", name = "alembic_version" } }'
    local options = { cwd = cli.project(all), env = { DATABASE_URL = url } }
    assert.equal("a1 (branchpoint)\n", cli.ok({ "current" }, options))
    cli.ok({ "upgrade", "b2" }, options)
    assert.equal("b2", server.sql(url, "SELECT version_num FROM alembic_version"))
    server.drop(url)
  end)

  it("prints the script", function()
    assert.matches("^BEGIN;\n\nCREATE SCHEMA", cli.ok({ "ensure-version", "--sql" }, { cwd = cli.project {} }))
  end)
end)
