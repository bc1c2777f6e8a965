local cjson = require "cjson"
local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("repair", function()
  local url, folder
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local partial = [[
  op.execute("CREATE TABLE t (id integer)")
  op.transaction(function() op.execute("INSERT INTO t VALUES (1)") end)
  op.execute("INSERT INTO missing VALUES (1)")
]]

  local function project(b)
    folder = cli.project {
      ["migrations/versions/a.lua"] = cli.revision("a1", nil),
      ["migrations/versions/b.lua"] = cli.revision("b2", "a1", { upgrade = b }),
    }
  end
  local function run(...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end
  local function sql(text) return server.sql(url, text) end
  local function edit(name, text)
    local file = assert(io.open(folder .. "/migrations/versions/" .. name, "a"))
    file:write(text)
    file:close()
  end

  it("finds nothing wrong in a healthy database", function()
    project ""
    run "upgrade"
    local ran = run "repair"
    assert.equal(0, ran.status)
    assert.equal("nothing is wrong\n", ran.stderr)
  end)

  it("finds nothing wrong with repeatable objects, whether their files are there or not", function()
    folder = cli.project {
      ["migrations/versions/a.lua"] = cli.revision("a1", nil),
      ["migrations/repeatable/one.sql"] = "CREATE OR REPLACE VIEW one AS SELECT 1 AS one",
    }
    assert.equal(0, run("upgrade").status)
    assert.equal("nothing is wrong\n", run("repair").stderr)
    assert(os.remove(folder .. "/migrations/repeatable/one.sql"))
    assert.equal("nothing is wrong\n", run("repair").stderr)
  end)

  it("counts one segment as one", function()
    project [[
  op.execute("CREATE TABLE t (id integer)")
  op.transaction(function() op.execute("INSERT INTO missing VALUES (1)") end)
]]
    assert.matches("1 of its segments is committed; the same command", run("upgrade").stderr)
    assert.matches("b2: 1 segment of its upgrade is committed; run it again", run("status").stdout)
    assert.matches("partial b2: 1 segment of its upgrade is committed\n", run("repair").stdout)
    assert.equal("forgot 1 segment of revision b2; what was made is still there\n",
      run("repair", "abandon", "b2").stderr)
  end)

  it("says what it did as JSON", function()
    local function document(...)
      local ran = run("repair", "--json", ...)
      assert.equal(0, ran.status, ran.stderr)
      return cjson.decode(ran.stdout)
    end
    project(partial)
    run "upgrade"
    assert.same({ action = "verify", revision = "b2", segments = 2 }, document("verify", "b2"))
    assert.same({ action = "abandon", revision = "b2", segments = 2 }, document("abandon", "b2"))
    edit("a.lua", "-- edited\n")
    local accepted = document("accept", "a1")
    assert.equal(64, #accepted.checksum)
    assert.same({ action = "accept", revision = "a1", checksum = accepted.checksum }, accepted)
    assert.same({ action = "indexes", dropped = {} }, document "indexes")
    sql "UPDATE moontide.version SET version_num = 'gone'"
    assert.same({ action = "forget", revision = "gone", replacement = "a1" },
      document("forget", "gone", "--replace", "a1"))
  end)

  it("finishes a partial revision", function()
    project(partial)
    assert.equal(1, run("upgrade").status)
    local ran = run "repair"
    assert.equal(1, ran.status)
    assert.equal("partial b2: 2 segments of its upgrade are committed\n"
      .. "    statement: INSERT INTO t VALUES (1)\n    moontide repair finish b2\n", ran.stdout)
    sql "CREATE TABLE missing (id integer)"
    ran = run("repair", "finish", "b2")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("1", sql "SELECT count(*) FROM t")
    assert.equal("b2", sql "SELECT version_num FROM moontide.version")
  end)

  it("compares the committed part with the file", function()
    project(partial)
    run "upgrade"
    local ran = run("repair", "verify", "b2")
    assert.equal(0, ran.status, ran.stderr)
    project((partial:gsub("VALUES %(1%)\"%) end", 'VALUES (2)") end')))
    ran = run("repair", "verify", "b2")
    assert.equal(1, ran.status)
    assert.matches("was edited after a part of it had been applied", ran.stderr)
    assert.equal("1", sql "SELECT count(*) FROM t")
  end)

  it("abandons a partial revision and leaves its objects", function()
    project(partial)
    run "upgrade"
    local ran = run("repair", "abandon", "b2")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("0", sql "SELECT count(*) FROM moontide.journal")
    assert.equal("1", sql "SELECT count(*) FROM t")
    assert.equal("a1", sql "SELECT version_num FROM moontide.version")
    assert.equal(1, run("repair", "abandon", "b2").status)
  end)

  it("accepts an edited file", function()
    project ""
    run "upgrade"
    edit("a.lua", "-- a typo in a comment is mended\n")
    assert.equal(1, run("upgrade").status)
    assert.matches("edited a1: its file migrations/versions/a.lua was edited", run("repair").stdout)
    assert.equal(0, run("repair", "accept", "a1").status)
    assert.equal(0, run("repair").status)
    assert.equal(0, run("upgrade").status)
  end)

  it("removes or replaces a version row that no file has", function()
    project ""
    run "upgrade"
    sql "UPDATE moontide.version SET version_num = 'gone'"
    local document = cjson.decode((run("repair", "--json").stdout))
    assert.equal("unknown", document.troubles[1].kind)
    local ran = run("repair", "forget", "gone", "--replace", "a1")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("a1", sql "SELECT version_num FROM moontide.version")
    sql "INSERT INTO moontide.version VALUES ('gone')"
    assert.equal(0, run("repair", "forget", "gone").status)
    assert.equal("a1", sql "SELECT version_num FROM moontide.version")
    assert.equal(1, run("repair", "forget", "gone").status)
  end)

  it("drops invalid indexes", function()
    project ""
    run "upgrade"
    sql "CREATE TABLE t AS SELECT 1 AS id UNION ALL SELECT 1"
    pcall(sql, "CREATE UNIQUE INDEX CONCURRENTLY ux ON t (id)")
    assert.matches("invalid_index public.ux: an invalid index of public.t", run("repair").stdout)
    assert.equal(0, run("repair", "indexes").status)
    assert.equal("0", sql "SELECT count(*) FROM pg_class WHERE relname = 'ux'")
  end)

  it("asks for the revision", function()
    project ""
    assert.equal(2, run("repair", "accept").status)
    assert.equal(2, run("repair", "mend").status)
  end)
end)
