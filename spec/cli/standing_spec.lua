-- What a run says and does where an earlier one stopped halfway, and where a later
-- revision's function is what the failure of an earlier one comes out of.
local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("where a run stands", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function project(bodies)
    local files, last = {}, nil
    for index, fields in ipairs(bodies) do
      local id = ("abc"):sub(index, index) .. index
      files["migrations/versions/" .. id .. ".lua"] = cli.revision(id, last, fields)
      last = id
    end
    return cli.project(files)
  end
  local function run(folder, ...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end
  local function sql(text) return server.sql(url, text) end
  local function at() return sql "SELECT coalesce(max(version_num), '') FROM moontide.version" end

  local first = { upgrade = '  op.execute("CREATE TABLE t (id integer)")', downgrade = '  op.execute("DROP TABLE t")' }

  local function halves(last)
    return '  op.transaction(function() op.execute("ALTER TABLE t ADD COLUMN half integer") end)\n' .. last
  end

  it("a downgrade does not take away what a partial upgrade stands on", function()
    local folder = project { first, { upgrade = halves '  op.execute("SELECT 1/0")' } }
    assert.equal(1, run(folder, "upgrade").status)
    local ran = run(folder, "downgrade", "base")
    assert.equal(1, ran.status)
    assert.matches('revision "b2" is partially applied', ran.stderr)
    assert.matches("moontide repair finish b2", ran.stderr)
    assert.equal("a1", at())
    assert.equal(0, run(folder, "repair", "abandon", "b2").status)
    assert.equal(0, run(folder, "downgrade", "base").status)
    assert.equal(1, run(folder, "upgrade").status)
    assert.equal("1", sql "SELECT count(*) FROM pg_attribute WHERE attname = 'half'")
  end)

  it("an upgrade does not build on a revision that is partially reverted", function()
    local down = '  op.transaction(function() op.execute("ALTER TABLE t DROP COLUMN half") end)\n'
    local folder = project { first, { upgrade = halves "", downgrade = down .. '  op.execute("SELECT 1/0")' }, {} }
    assert.equal(0, run(folder, "upgrade", "b2").status)
    assert.equal(1, run(folder, "downgrade", "a1").status)
    for _, target in ipairs { "b2", "head" } do
      local ran = run(folder, "upgrade", target)
      assert.equal(1, ran.status)
      assert.matches('revision "b2" is partially reverted', ran.stderr)
    end
    assert.equal("b2", at())
  end)

  it("a stamp forgets what is committed of the revisions that it passes", function()
    local folder = project { first, { upgrade = halves '  op.execute("SELECT 1/0")' } }
    run(folder, "upgrade")
    assert.equal(0, run(folder, "stamp", "b2").status)
    assert.equal("0", sql "SELECT count(*) FROM moontide.journal")
    assert.equal(0, run(folder, "downgrade", "a1").status)
  end)

  it("a committed part that the file no longer has is refused", function()
    local whole = halves '  op.transaction(function() op.execute("INSERT INTO t VALUES (1)") end)\n'
    local partial = project { first, { upgrade = whole .. '  op.execute("SELECT 1/0")' } }
    run(partial, "upgrade")
    for _, body in ipairs { halves "", "" } do
      local folder = project { first, { upgrade = body } }
      local ran = run(folder, "upgrade")
      assert.equal(1, ran.status)
      assert.matches("was edited after a part of it had been applied", ran.stderr)
      assert.equal(1, run(folder, "repair", "verify", "b2").status)
      assert.equal("a1", at())
    end
    assert.equal(0, run(project { first, { upgrade = whole } }, "upgrade").status)
    assert.equal("b2", at())
    assert.equal("0", sql "SELECT count(*) FROM moontide.journal")
  end)

  it("a started statement that the file no longer has leaves no journal row", function()
    local body = '  op.execute("CREATE INDEX CONCURRENTLY ix ON t (missing)")'
    assert.equal(1, run(project { first, { upgrade = body } }, "upgrade").status)
    assert.equal(0, run(project { first, {} }, "upgrade").status)
    assert.equal("0", sql "SELECT count(*) FROM moontide.journal")
  end)

  it("a statement that cannot be sent is not taken for an end of those before it", function()
    local folder = project { first, { upgrade = '  op.execute("CREATE TABLE u ()")' },
      { upgrade = '  op.execute("SELECT \'\\0\'")' } }
    local ran = run(folder, "upgrade")
    assert.equal(1, ran.status)
    assert.equal("b2", at())
    assert.matches("the database is at b2", ran.stderr)
    assert.equal("c3", sql "SELECT coalesce(max(revision), '') FROM moontide.log WHERE outcome = 'failed'")
  end)

  it("the failure of an earlier revision is not caught by a later one", function()
    local folder = project { first, { upgrade = '  op.execute("SELECT 1/0")' },
      { upgrade = '  pcall(op.query, "SELECT 1")\n  pcall(op.query, "SELECT 1")' } }
    local ran = run(folder, "upgrade")
    assert.equal(1, ran.status)
    assert.matches("division by zero", ran.stderr)
    assert.matches("revision: b2", ran.stderr)
    assert.matches("the database is at a1", ran.stderr)
    assert.equal("a1", at())
  end)

  it("a failure that a revision catches fails it with its own words", function()
    local folder = project { first, { upgrade = '  pcall(op.query, "SELECT 1/0")\n  op.execute("CREATE TABLE u ()")' } }
    local ran = run(folder, "upgrade")
    assert.equal(1, ran.status)
    assert.matches("division by zero", ran.stderr)
    assert.equal("a1", at())
  end)

  it("a block that fails is not committed by a revision that catches it", function()
    local folder = project { first, { upgrade = [[
  pcall(op.transaction, function()
    op.execute("INSERT INTO t VALUES (1)")
    error("no")
  end)
  op.execute("INSERT INTO t VALUES (2)")]] } }
    run(folder, "upgrade")
    assert.equal("0", sql "SELECT count(*) FROM t WHERE id = 1")
  end)

  it("settings of a session are there again when a run continues", function()
    local body = [[
  op.execute("CREATE SCHEMA app")
  op.execute("SET search_path = app, public")
  op.transaction(function() op.execute("CREATE TABLE one ()") end)
  op.execute("CREATE TABLE two ()")
]]
    run(project { first, { upgrade = body .. '  op.execute("SELECT 1/0")' } }, "upgrade")
    local ran = run(project { first, { upgrade = body } }, "upgrade")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("app,app",
      sql "SELECT string_agg(relnamespace::regnamespace::text, ',') FROM pg_class WHERE relname IN ('one', 'two')")
  end)

  it("settings of one revision are not those of the next", function()
    local folder = project { { upgrade = '  op.execute("CREATE SCHEMA app")\n  op.execute("SET search_path = app")' },
      { upgrade = '  op.execute("CREATE TABLE u ()")' } }
    assert.equal(0, run(folder, "upgrade").status)
    assert.equal("public", sql "SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 'u'")
  end)

  it("the search path of env.lua holds for every revision of one transaction", function()
    sql "CREATE SCHEMA app"
    local folder = project { { upgrade = '  op.execute("SET search_path = pg_catalog")' },
      { upgrade = '  op.execute("CREATE TABLE u ()")' } }
    local env = assert(io.open(folder .. "/migrations/env.lua", "w"))
    env:write 'return { transaction = "run", search_path = "app" }\n'
    env:close()
    assert.equal(0, run(folder, "upgrade").status)
    assert.equal("app", sql "SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 'u'")
  end)

  it("the role of one revision is not that of the next", function()
    sql "CREATE ROLE moontide_spec_other"
    sql "GRANT CREATE, USAGE ON SCHEMA public TO moontide_spec_other"
    local body = '  op.execute("SET ROLE moontide_spec_other")\n  op.execute("CREATE TABLE v ()")'
    local folder = project { { upgrade = body },
      { upgrade = '  op.execute("CREATE TABLE u ()")' } }
    local ran = run(folder, "upgrade")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("f", sql "SELECT pg_get_userbyid(relowner) = 'moontide_spec_other' FROM pg_class WHERE relname = 'u'")
    sql "DROP OWNED BY moontide_spec_other; DROP ROLE moontide_spec_other"
  end)

  -- The cancel request comes to nothing, as one does that arrives too late.
  local deaf = '  op.execute("DO $$ BEGIN PERFORM pg_sleep(30); EXCEPTION WHEN query_canceled THEN NULL; END $$")'

  local function interrupted(folder)
    local process = cli.start({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    cli.eventually("the statement runs", function()
      return sql "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^DO' AND wait_event = 'PgSleep'" == "1"
    end)
    process:signal "INT"
    return process:wait()
  end

  it("a commit that Ctrl-C came too late for is counted", function()
    local ran = interrupted(project { first, { upgrade = deaf } })
    assert.equal("b2", at())
    assert.not_matches("Nothing of revision b2", ran.stderr)
    assert.matches("the database is at b2", ran.stderr)
    assert.equal(130, ran.status)
    assert.equal("0", sql "SELECT count(*) FROM moontide.log WHERE revision = 'b2' AND outcome = 'failed'")
  end)

  it("Ctrl-C that came too late for one revision stops the next", function()
    local ran = interrupted(project { first, { upgrade = deaf }, { upgrade = '  op.query("SELECT 1")' } })
    assert.equal("b2", at())
    assert.matches("the database is at b2", ran.stderr)
    assert.equal(130, ran.status)
  end)

  it("finishing one revision downwards leaves the others of the branchpoint, and works for a merge", function()
    local down = { downgrade = '  op.transaction(function() op.execute("CREATE TABLE half ()") end)\n'
      .. '  op.execute("INSERT INTO missing VALUES (1)")' }
    local folder = cli.project {
      ["migrations/versions/a1.lua"] = cli.revision("a1"),
      ["migrations/versions/b2.lua"] = cli.revision("b2", "a1", down),
      ["migrations/versions/c3.lua"] = cli.revision("c3", "a1"),
      ["migrations/versions/d4.lua"] = cli.revision("d4", { "b2", "c3" }, down),
    }
    assert.equal(0, run(folder, "upgrade").status)
    assert.matches("Revision d4 is partially reverted", run(folder, "downgrade", "b2").stderr)
    sql "CREATE TABLE missing (id integer)"
    assert.equal("Running downgrade d4 -> b2, c3, Revision d4.\n", run(folder, "repair", "finish", "d4").stderr)
    sql "DROP TABLE half, missing"
    assert.equal(1, run(folder, "downgrade", "b2-1").status)
    sql "CREATE TABLE missing (id integer)"
    assert.equal("Running downgrade b2 -> a1, Revision b2.\n", run(folder, "repair", "finish", "b2").stderr)
    assert.equal("c3", sql "SELECT string_agg(version_num, ',') FROM moontide.version")
  end)

  it("what was stamped away may be edited", function()
    local folder = project { first, {} }
    run(folder, "upgrade")
    run(folder, "stamp", "a1")
    local file = assert(io.open(folder .. "/migrations/versions/b2.lua", "a"))
    file:write "-- another way\n"
    file:close()
    assert.equal(0, run(folder, "upgrade").status)
  end)

  it("an abandoned upgrade is not taken for applied", function()
    local folder = project { first, { upgrade = halves '  op.execute("SELECT 1/0")' } }
    run(folder, "upgrade")
    run(folder, "repair", "abandon", "b2")
    os.remove(folder .. "/migrations/versions/b2.lua")
    assert.equal("nothing is wrong\n", run(folder, "repair").stderr)
  end)

  it("a commit point inside of op.each is refused before anything is committed", function()
    local ran = run(project { { upgrade = [[
  op.each("SELECT 1 AS id", function()
    op.transaction(function() op.execute("CREATE TABLE y ()") end)
  end)]] } }, "upgrade")
    assert.equal(1, ran.status)
    assert.matches("a commit point inside of op.each", ran.stderr)
    assert.matches("a1.lua:7", ran.stderr)
    assert.matches("Nothing of revision a1 was applied", ran.stderr)
  end)
end)
