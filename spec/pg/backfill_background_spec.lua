-- Backfills that a revision leaves to the background, and revisions that stand on them.

local cjson = require "cjson"
local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local rows = "CREATE TABLE t (id bigint PRIMARY KEY, v integer NOT NULL DEFAULT 0); "
  .. "INSERT INTO t SELECT g FROM generate_series(1, 4000) g; CREATE TABLE step AS SELECT 2 AS n; ANALYZE t"

-- What is done with the rows stands on what the revision has read before.
local first = [[
  op.execute "CREATE TABLE made (a integer)"
  local n = op.scalar "SELECT n FROM step"
  op.execute "UPDATE step SET n = 100"
  op.backfill { "plus", table = "t", read = { "v" }, write = { "v" }, background = true, max_rows = 50%s,
    each = function(row) return { v = row.v + n } end }
  op.execute "CREATE TABLE made_too (a integer)"]]

local function project(options, required)
  return cli.project {
    ["migrations/versions/a.lua"] = cli.revision("a1", nil,
      { upgrade = first:format(options or ""), downgrade = '  op.execute "DROP TABLE made, made_too"' }),
    ["migrations/versions/b.lua"] = cli.revision("b1", "a1", { upgrade = required or '  op.require_backfill("plus")' }),
  }
end

describe("a backfill in the background", function()
  local url, folder
  before_each(function()
    url = server.database()
    server.sql(url, rows)
  end)
  after_each(function() server.drop(url) end)

  local function sql(text) return server.sql(url, text) end
  local function options() return { cwd = folder, env = { DATABASE_URL = url } } end
  local function run(words) return cli.run(words, options()) end
  local function ok(words) return cli.ok(words, options()) end
  local function values() return sql "SELECT v, count(*) FROM t GROUP BY v ORDER BY v" end

  it("is registered by its revision, and required by a later one", function()
    folder = project()
    local ran = run "upgrade"
    assert.equal(1, ran.status)
    assert.matches("backfill plus is left to the background: `moontide backfill work plus` does it", ran.stderr)
    assert.matches('b.lua:6: backfill "plus" of revision a1 is not done', ran.stderr)
    assert.matches("hint: Run `moontide backfill work plus`, then this command again", ran.stderr)
    assert.equal("a1", sql "SELECT version_num FROM moontide.version")
    assert.matches("a1/plus  planned  not begun, in the background", (ok "status"))
    assert.equal("planned", cjson.decode((ok "status --json")).backfills[1].state)
    ok "backfill work plus"
    assert.equal("2|4000", values())
    assert.same({}, cjson.decode((ok "status --json")).backfills)
    ok "upgrade"
    assert.equal("b1", sql "SELECT version_num FROM moontide.version")
  end)

  it("is done by the revision that requires it, beside others", function()
    folder = project(", rows_per_s = 2000", '  op.require_backfill("plus", { otherwise = "run", revision = "a1" })')
    ok "upgrade a1"
    local worker = cli.start("backfill work plus", options())
    ok "upgrade"
    assert.equal(0, worker:wait().status)
    assert.equal("2|4000", values())
  end)

  it("is waited for by the revision that requires it", function()
    folder = project(nil, '  op.require_backfill("plus", { otherwise = "wait" })')
    ok "upgrade a1"
    local waiting = cli.start("upgrade", options())
    cli.eventually("it says so", function()
      return select(2, waiting:output()):find("nobody works on it: run `moontide backfill work plus`", 1, true)
    end)
    ok "backfill work"
    assert.equal(0, waiting:wait().status)
    assert.equal("2|4000", values())
    assert.equal("0", sql "SELECT count(*) FROM moontide.journal")
  end)

  it("is cancelled when its revision is reverted, and registered again with it", function()
    folder = project()
    ok "upgrade a1"
    ok "downgrade base"
    assert.matches("abandoned.*the revision was reverted", (ok "backfill"))
    assert.matches("there are no open backfills", run("backfill work").stderr)
    sql "UPDATE step SET n = 3"
    ok "upgrade a1"
    ok "backfill work"
    assert.equal("3|4000", values())
  end)

  it("needs the file of its revision, as it was", function()
    folder = project()
    ok "upgrade a1"
    local path = folder .. "/migrations/versions/a.lua"
    local text = shell.read(path)
    os.remove(path)
    os.remove(folder .. "/migrations/versions/b.lua")
    assert.matches('is of revision "a1", which no file has', run("backfill work plus").stderr)
    shell.write(path, (text:gsub('"plus"', '"minus"')))
    assert.matches('there is no backfill "plus" in the upgrade of revision "a1"', run("backfill work plus").stderr)
    shell.write(path, (text:gsub("row.v %+ n", "row.v // 0")))
    assert.equal(1, run("backfill work plus").status)
    assert.matches("a1/plus  failed", (ok "backfill"))
    assert.matches('backfill "plus" has failed', run("backfill work").stderr)
    shell.write(path, text)
    assert.matches("was edited after a part of it had been done", run("backfill work plus").stderr)
    ok "backfill resume plus --accept-edit"
    ok "backfill work plus"
    assert.equal("2|4000", values())
  end)

  -- Only the revision's own reads are answered again, and the hook is not called.
  it("is found by others behind the reads of a hook, whose answers are the hook's own", function()
    folder = project ""
    shell.write(folder .. "/migrations/env.lua", [[
return { hooks = { before_revision = function(event)
  log("told " .. event.op.scalar("SELECT 7 + 0"))
  event.op.execute("SET LOCAL app.hook = 'on'")
end } }]])
    assert.matches("told 7", run("upgrade a1").stderr)
    local ran = run "backfill work plus"
    assert.equal(0, ran.status, ran.stderr)
    assert.falsy(ran.stderr:find("told", 1, true))
    assert.equal("2|4000", values())
  end)

  it("that is not in the background is found, too, and its revision goes on with both", function()
    folder = project ", rows_per_s = 400"
    shell.write(folder .. "/migrations/env.lua", [[
return { hooks = { before_revision = function(event)
  event.op.execute("SELECT " .. event.op.scalar("SELECT 7 + 0"))
end } }
]])
    local path = folder .. "/migrations/versions/a.lua"
    shell.write(path, (shell.read(path):gsub("background = true, ", "")))
    local upgrade = cli.start("upgrade a1", options())
    cli.eventually("rows are changed", function() return sql "SELECT count(*) FROM t WHERE v = 2" ~= "0" end)
    upgrade:signal "INT"
    assert.equal(130, upgrade:wait().status)
    assert.matches("is as in its file", run("repair verify a1").stderr)
    ok "backfill set plus rows_per_s=100000"
    ok "backfill work plus"
    ok "upgrade a1"
    assert.equal("2|4000", values())
  end)

  it("is refused in a hook, where nobody finds it later", function()
    folder = project()
    shell.write(folder .. "/migrations/env.lua", [[
return { hooks = { after_revision = function(event)
  event.op.backfill { "more", table = "t", set = { v = 1 }, background = true }
end } }]])
    local ran = run "upgrade a1"
    assert.equal(1, ran.status)
    assert.matches('env.lua:2: backfill "more" is in a hook, where nobody who works on it later finds it', ran.stderr)
    assert.equal("", sql "SELECT coalesce(max(version_num), '') FROM moontide.version")
  end)

  it("that was never there is an error, unless that is allowed", function()
    folder = cli.project { ["migrations/versions/b.lua"] = cli.revision("b1", nil,
      { upgrade = '  op.require_backfill("plus")' }) }
    assert.matches('there is no backfill "plus" to be done', run("upgrade").stderr)
    folder = cli.project { ["migrations/versions/b.lua"] = cli.revision("b1", nil,
      { upgrade = '  op.require_backfill("plus", { missing = "pass" })' }) }
    ok "upgrade"
  end)

  it("is tried by a dry run, which registers nothing", function()
    folder = project()
    assert.matches("4000 rows of all would change", run("upgrade a1 --dry-run").stderr, 1, true)
    assert.equal("0|4000", values())
    assert.matches("there are no backfills", run("backfill").stderr)
  end)

  it("is registered and required by a script", function()
    folder = cli.project {
      ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade =
        '  op.backfill { "plus", table = "t", set = { v = sql "v + 1" }, background = true }' }),
      ["migrations/versions/b.lua"] = cli.revision("b1", "a1", { upgrade = '  op.require_backfill("plus")' }),
    }
    sql((ok "upgrade a1 --sql"))
    local script = ok "upgrade a1:b1 --sql"
    local done, problem = pcall(sql, script)
    assert.is_false(done)
    assert.matches('backfill "plus" is not done', tostring(problem))
    ok "backfill work"
    sql(script)
    assert.equal("1|4000", values())
    assert.equal("b1", sql "SELECT version_num FROM moontide.version")
  end)
end)
