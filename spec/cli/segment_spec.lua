local cli = require "spec.support.cli"
local server = require "spec.support.server"

local function project(body, downgrade)
  local text = cli.revision("a1", nil, { upgrade = body, downgrade = downgrade })
  return cli.project { ["migrations/versions/a.lua"] = text }
end

describe("a revision that is more than one transaction", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function upgrade(folder, ...)
    return cli.run({ "upgrade", ... }, { cwd = folder, env = { DATABASE_URL = url } })
  end
  local function sql(text) return server.sql(url, text) end

  local concurrent = [[
  op.execute("CREATE TABLE t (id integer)")
  op.execute("INSERT INTO t SELECT generate_series(1, 100)")
  op.create_index("ix", "t", { "id" }, { concurrently = true })
  op.execute("INSERT INTO t VALUES (101)")
]]

  it("builds an index concurrently between its transactions and leaves no journal", function()
    local ran = upgrade(project(concurrent))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("t", sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix'::regclass")
    assert.equal("101", sql "SELECT count(*) FROM t")
    assert.equal("a1", sql "SELECT version_num FROM moontide.version")
    assert.equal("0", sql "SELECT count(*) FROM moontide.journal")
  end)

  it("is in the log from the beginning of its first transaction, also where an earlier run had begun it", function()
    local body = concurrent:gsub("CREATE TABLE t %(id integer%)", "CREATE TABLE t AS SELECT 0 AS id, now() AS at")
      :gsub("INSERT INTO t ", "INSERT INTO t (id) ")
    assert.equal(1, upgrade(project(body .. '  op.execute("SELECT 1/0")\n')).status)
    local ran = upgrade(project(body))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("t",
      sql "SELECT started_at = (SELECT at FROM t WHERE id = 0) FROM moontide.log WHERE outcome = 'done'")
  end)

  it("goes on behind what is committed, after a failure and an edit of the rest", function()
    local body = concurrent .. '  op.execute("SELECT 1/0")\n'
    local ran = upgrade(project(body))
    assert.equal(1, ran.status)
    assert.matches("Revision a1 is partially applied: 2 of its segments are committed", ran.stderr)
    assert.equal("100", sql "SELECT count(*) FROM t")
    assert.equal("", sql "SELECT coalesce(max(version_num), '') FROM moontide.version")
    local status = cli.ok({ "status" }, { cwd = project(body), env = { DATABASE_URL = url } })
    assert.matches("partial   a1: 2 segments of its upgrade are committed", status)
    ran = upgrade(project(concurrent))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("101", sql "SELECT count(*) FROM t")
    assert.equal("0", sql "SELECT count(*) FROM moontide.journal")
  end)

  it("refuses to go on when the committed part was edited", function()
    upgrade(project(concurrent .. '  op.execute("SELECT 1/0")\n'))
    local ran = upgrade(project((concurrent:gsub("100", "99"))))
    assert.equal(1, ran.status)
    assert.matches('revision "a1" was edited after a part of it had been applied', ran.stderr)
    assert.matches("partially applied: 2 of its segments are committed", ran.stderr)
    assert.equal("100", sql "SELECT count(*) FROM t")
  end)

  it("shows the beginning of a long statement that fails", function()
    local ran = upgrade(project('  op.execute("DO $$BEGIN\\n" .. ("PERFORM 1;\\n"):rep(50) .. "PERFORM 1/0; END$$")'))
    assert.equal(1, ran.status)
    assert.matches("statement: DO $$BEGIN\n", ran.stderr, 1, true)
    assert.equal(11, select(2, ran.stderr:gsub("PERFORM 1;", "")))
    assert.matches("PERFORM 1;\n *%.%.%.\n  context: ", ran.stderr)
  end)

  it("drops the invalid index of a failed build, and rebuilds one that was left", function()
    local body = [[
  op.execute("CREATE TABLE t (id integer)")
  op.execute("INSERT INTO t VALUES (1), (1)")
  op.create_index("ux", "t", { "id" }, { unique = true, concurrently = true })
]]
    local ran = upgrade(project(body))
    assert.equal(1, ran.status)
    assert.matches("could not create unique index", ran.stderr)
    assert.equal("", sql "SELECT to_regclass('ux')")
    pcall(sql, "CREATE UNIQUE INDEX CONCURRENTLY ux ON t (id)")
    assert.equal("f", sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ux'::regclass")
    sql "DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)"
    ran = upgrade(project(body))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("t", sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ux'::regclass")
  end)

  it("answers reads of committed segments as they were answered then", function()
    local body = [[
  op.execute("CREATE TABLE t (id integer, note text)")
  op.execute("CREATE SEQUENCE s")
  local first = op.scalar("SELECT nextval('s')")
  op.transaction(function() op.execute("INSERT INTO t VALUES ($1, $2)", first, "é\n'quoted'") end)
  local row = op.row("SELECT id, note, NULL AS nothing FROM t")
  op.transaction(function() op.execute("INSERT INTO t VALUES ($1, $2)", row.id + 10, row.note) end)
]]
    local ran = upgrade(project(body .. '  op.execute("SELECT 1/0")\n'))
    assert.equal(1, ran.status)
    ran = upgrade(project(body))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("1|1\n11|1", sql "SELECT id, (note = E'é\\n''quoted''')::int FROM t ORDER BY id")
    assert.equal("1", sql "SELECT last_value FROM s")
  end)

  it("commits each operation of op.autocommit by itself", function()
    local ran = upgrade(project [[
  op.autocommit(function()
    op.execute("CREATE TABLE t (id integer)")
    op.execute("VACUUM t")
    op.execute("SELECT 1/0")
  end)
]])
    assert.equal(1, ran.status)
    assert.equal("t", sql "SELECT relname FROM pg_class WHERE relname = 't'")
    assert.equal("done,done", sql "SELECT string_agg(state, chr(44)) FROM moontide.journal")
  end)

  it("downgrades in segments as well", function()
    local folder = project(concurrent, '  op.drop_index("ix", { concurrently = true })\n  op.execute("DROP TABLE t")')
    upgrade(folder)
    local ran = cli.run({ "downgrade", "base" }, { cwd = folder, env = { DATABASE_URL = url } })
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("0", sql "SELECT count(*) FROM pg_class WHERE relname IN ('t', 'ix')")
    assert.equal("0", sql "SELECT count(*) FROM moontide.journal")
  end)

  it("rehearses a concurrent index as a plain one in a dry run", function()
    local ran = upgrade(project(concurrent .. '  op.execute("ALTER INDEX ix RENAME TO iy")\n'), "--dry-run")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("0", sql "SELECT count(*) FROM pg_class WHERE relname = 't'")
  end)

  it("is printed with its commit points", function()
    local script = cli.ok({ "upgrade", "--sql" }, { cwd = project(concurrent) })
    assert.matches("COMMIT;\n\nCREATE INDEX CONCURRENTLY ix ON t %(id%);\n\nBEGIN;", script)
    sql "SELECT 1"
    local file = os.tmpname()
    local out = assert(io.open(file, "w"))
    out:write(script)
    out:close()
    local shell = require "spec.support.shell"
    shell.capture(shell.join { server.program "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", file })
    os.remove(file)
    assert.equal("101", sql "SELECT count(*) FROM t")
  end)

  it("continues after kill -9 in the middle of a statement", function()
    local body = [[
  op.execute("CREATE TABLE t (id integer)")
  op.autocommit(function() op.execute("INSERT INTO t VALUES (1)") end)
  op.execute("INSERT INTO t VALUES (2)")
  op.query("SELECT pg_sleep(%s)")
]]
    local folder = project(body:format "30")
    local process = cli.start({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    local sleeping = "FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()"
    cli.eventually("the sleep", function() return sql("SELECT count(*) " .. sleeping) == "1" end)
    process:signal "KILL"
    process:wait()
    sql("SELECT pg_terminate_backend(pid) " .. sleeping)
    local ran = upgrade(project(body:format "0"))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("1,2", sql "SELECT string_agg(id::text, ',' ORDER BY id) FROM t")
  end)
end)
