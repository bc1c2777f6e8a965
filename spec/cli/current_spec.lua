local cjson = require "cjson"
local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("current", function()
  local url, folder
  before_each(function()
    url = server.database()
    folder = cli.project {
      ["migrations/versions/a.lua"] = cli.revision("a1", nil),
      ["migrations/versions/b.lua"] = cli.revision("b1", nil),
      ["migrations/versions/c.lua"] = cli.revision("c1", "b1", { head = 'depends_on = "a1"' }),
    }
  end)
  after_each(function() server.drop(url) end)

  local function run(...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end

  it("prints nothing for an empty database and creates nothing", function()
    local ran = run "current"
    assert.equal("", ran.stdout .. ran.stderr)
    assert.equal(0, ran.status)
    assert.equal("0", server.sql(url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'moontide'"))
  end)

  it("lists implied heads too", function()
    run("upgrade", "heads")
    assert.equal("c1", server.sql(url, "SELECT version_num FROM moontide.version"))
    assert.equal("a1 (effective head)\nc1 (head)\n", run("current").stdout)
  end)

  it("is content with --check-heads when heads are implied by dependencies", function()
    assert.equal(1, run("current", "--check-heads").status)
    run("upgrade", "heads")
    assert.equal(0, run("current", "--check-heads").status)
    assert.equal(0, run("current", "-c").status)
  end)

  it("prints entries with -v, the password masked", function()
    run("upgrade", "b1")
    local ran = cli.run({ "current", "-v", "--url", (url:gsub("postgres@", "postgres:s3cr3t@")) }, { cwd = folder })
    assert.matches("^Current revision%(s%) for postgresql://postgres:[^@]*@", ran.stdout)
    assert.is_nil(ran.stdout:find("s3cr3t", 1, true))
    assert.matches("\nRev: b1\nParent: <base>\nPath: migrations/versions/b.lua\n\n    Revision b1.\n", ran.stdout)
  end)

  it("shows a row that no file has", function()
    run("upgrade", "b1")
    server.sql(url, "UPDATE moontide.version SET version_num = 'gone'")
    local ran = run "current"
    assert.equal("gone (unknown)\n", ran.stdout)
    assert.matches('warning: the database is at revision "gone", which no file has', ran.stderr)
    assert.equal(1, run("current", "-c").status)
  end)

  it("prints a document with --json", function()
    run("upgrade", "b1")
    local document = cjson.decode(run("current", "--json").stdout)
    assert.equal("b1", document.current[1].revision)
    assert.is_false(document.at_heads)
  end)
end)

describe("status and log", function()
  it("show what is applied, pending, edited and done", function()
    local url = server.database()
    local folder = cli.project {
      ["migrations/versions/a.lua"] = cli.revision("a1", nil),
      ["migrations/versions/b.lua"] = cli.revision("b1", "a1", { upgrade = '  op.execute("SELECT 1/0")' }),
    }
    local options = { cwd = folder, env = { DATABASE_URL = url } }
    assert.equal("current   nothing applied\npending   2\n          a1, Revision a1.\n          b1, Revision b1.\n"
      .. "lock      free\n", (cli.ok({ "status" }, options):gsub("^database [^\n]*\n", "")))
    assert.equal("", cli.ok({ "log" }, options))
    assert.equal(1, cli.run({ "upgrade" }, options).status)
    local log = cli.ok({ "log" }, options)
    assert.matches("^[%d-]+ [%d:]+  b1  upgrade   failed +[%d.]+ s  postgres@[^,]+, Revision b1.\n"
      .. "    division by zero\n", log)
    assert.matches("\n[%d-]+ [%d:]+  a1  upgrade   done +[%d.]+ s  postgres@[^,]+, Revision a1.\n$", log)
    local document = cjson.decode((cli.ok({ "log", "--json", "a" }, options)))
    assert.equal(1, #document.log)
    assert.equal("done", document.log[1].outcome)
    local file = assert(io.open(folder .. "/migrations/versions/a.lua", "a"))
    file:write "-- edited\n"
    file:close()
    assert.matches("edited    a1 in migrations/versions/a.lua\n", cli.ok({ "status" }, options))
    document = cjson.decode((cli.ok({ "status", "--json" }, options)))
    assert.equal("a1", document.edited[1].revision)
    assert.equal("b1", document.pending[1].revision)
    server.drop(url)
  end)
end)
