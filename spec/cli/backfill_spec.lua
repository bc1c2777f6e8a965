local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("op.backfill that was stopped", function()
  it("is shown as what it left", function()
    local url = server.database()
    local function sql(text) return server.sql(url, text) end
    local folder = cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = [[
  op.execute "CREATE TABLE t AS SELECT g AS id, g AS v FROM generate_series(1, 100) g"
  op.execute "ALTER TABLE t ADD PRIMARY KEY (id)"
  op.backfill { "x", table = "t", read = "v", write = "v", max_rows = 10, lanes = 1, each = function(row)
    return { v = assert(row.v < 50 and -row.v, "too much") }
  end }]] }) }
    local function run(words) return cli.run(words, { cwd = folder, env = { DATABASE_URL = url } }) end
    assert.matches("1 of its segments is committed", run("upgrade").stderr, 1, true)
    assert.matches("a1: 1 segment of its upgrade is committed; run it again", run("status").stdout, 1, true)
    assert.matches("1 segment of its upgrade is committed", run("repair").stdout, 1, true)
    assert.falsy(run("backfill list").stdout:find("nobody", 1, true))
    sql "UPDATE moontide.backfill SET state = 'running'"   -- as `kill -9` leaves it
    assert.matches("a1/x  running  40%, 40 rows changed, about 60 to go, but nobody is at work on it\n",
      run("backfill list").stdout, 1, true)
    assert.matches("\nstate     running\n          nobody is at work on it\n", run("backfill status x").stdout)
    sql "UPDATE t SET v = 1 WHERE id >= 50"
    assert.equal(0, run("upgrade").status)
    assert.equal("a1/x  done  100%, 100 rows changed\n", run("backfill list").stdout)
    server.drop(url)
  end)
end)

describe("op.backfill of a table that is not there", function()
  local folder = cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil, {
    upgrade = '  op.backfill { "x", table = "nowhere", set = { v = 1 } }' }) }

  for _, words in ipairs { { "upgrade" }, { "upgrade", "--dry-run" } } do
    it("is refused at the line of the call: " .. table.concat(words, " "), function()
      local url = server.database()
      local ran = cli.run(words, { cwd = folder, env = { DATABASE_URL = url } })
      assert.equal(1, ran.status)
      assert.matches('error: migrations/versions/a.lua:6: relation "nowhere" does not exist', ran.stderr)
      assert.matches("\n  operation: backfill\n", ran.stderr)
      assert.falsy(ran.stderr:find("regclass", 1, true))
      assert.equal("", server.sql(url, "SELECT coalesce(max(version_num), '') FROM moontide.version"))
      server.drop(url)
    end)
  end
end)
