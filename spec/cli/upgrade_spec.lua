local cli = require "spec.support.cli"
local server = require "spec.support.server"

local function project(files)
  local all = {}
  for name, text in pairs(files) do all["migrations/versions/" .. name .. ".lua"] = text end
  return cli.project(all)
end

local function table_revision(id, down)
  return cli.revision(id, down, {
    upgrade = ('  op.execute("CREATE TABLE t_%s (id integer)")'):format(id),
    downgrade = ('  op.execute("DROP TABLE t_%s")'):format(id),
  })
end

local function chain()
  return project { a = table_revision("a1"), b = table_revision("b2", "a1"), c = table_revision("c3", "b2") }
end

local function runner(folder, url)
  return function(...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end
end

local function tables(url)
  return server.sql(url, "SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class "
    .. "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
end

local function versions(url)
  return server.sql(url, "SELECT coalesce(string_agg(version_num, ',' ORDER BY version_num), '') FROM moontide.version")
end

describe("upgrade", function()
  local url

  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  it("applies every revision to head, one line each on stderr and nothing on stdout", function()
    local ran = runner(chain(), url) "upgrade"
    assert.equal("", ran.stdout)
    assert.equal("Running upgrade  -> a1, Revision a1.\nRunning upgrade a1 -> b2, Revision b2.\n"
      .. "Running upgrade b2 -> c3, Revision c3.\n", ran.stderr)
    assert.equal(0, ran.status)
    assert.equal("t_a1,t_b2,t_c3", tables(url))
    assert.equal("c3", versions(url))
  end)

  it("does nothing the second time and says so", function()
    local run = runner(chain(), url)
    run("upgrade", "head")
    local ran = run("upgrade", "head")
    assert.equal("nothing to do, the database is at c3\n", ran.stderr)
    assert.equal(0, ran.status)
  end)

  it("goes to a revision and by steps, and back", function()
    local run = runner(chain(), url)
    run("upgrade", "a1")
    assert.equal("a1", versions(url))
    run("upgrade", "+1")
    assert.equal("b2", versions(url))
    assert.equal("Running downgrade b2 -> a1, Revision b2.\n", run("downgrade", "-1").stderr)
    assert.equal("a1", versions(url))
    run("downgrade", "base")
    assert.equal("", versions(url))
    assert.equal("", tables(url))
  end)

  it("logs who, what and with which file", function()
    runner(chain(), url)("upgrade", "a1")
    assert.equal("a1|upgrade|done|64|postgres|Revision a1.", server.sql(url,
      "SELECT revision, direction, outcome, length(checksum), applied_by, message FROM moontide.log"))
  end)

  it("leaves schema and version untouched when an operation fails, and says where and why", function()
    local folder = project {
      a = table_revision("a1"),
      b = cli.revision("b2", "a1", { upgrade = '  op.execute("CREATE TABLE t_b2 (id integer)")\n'
        .. '  op.execute("SELECT missing FROM t_b2")' }),
    }
    local ran = runner(folder, url)("upgrade", "head")
    assert.equal(1, ran.status)
    assert.equal("t_a1", tables(url))
    assert.equal("a1", versions(url))
    assert.equal([[
Running upgrade  -> a1, Revision a1.
Running upgrade a1 -> b2, Revision b2.
error: migrations/versions/b.lua:7: column "missing" does not exist (SQLSTATE 42703)
  revision: b2
  operation: execute
  LINE 1: SELECT missing FROM t_b2
                 ^
  hint: Nothing of revision b2 was applied; the database is at a1.
]], ran.stderr)
    assert.equal("b2|failed|column \"missing\" does not exist", server.sql(url,
      "SELECT revision, outcome, error FROM moontide.log WHERE outcome = 'failed'"))
  end)

  it("gives a plain Lua error with its place, and rolls back", function()
    local folder = project { a = cli.revision("a1", nil, {
      upgrade = '  op.execute("CREATE TABLE t (id integer)")\n  local x = nil\n  print(x.y)' }) }
    local ran = runner(folder, url)("upgrade")
    assert.equal(1, ran.status)
    assert.matches("error: migrations/versions/a.lua:8: attempt to index a nil value %(local 'x'%)", ran.stderr)
    assert.is_nil(ran.stderr:find("traceback"))
    assert.equal("", tables(url))
  end)

  it("refuses a syntax error in the last file before the first one is run", function()
    local folder = project { a = table_revision("a1"), b = table_revision("b2", "a1") .. "\nfunction oops(" }
    local ran = runner(folder, url)("upgrade")
    assert.equal(1, ran.status)
    assert.matches("migrations/versions/b.lua:%d+: ", ran.stderr)
    assert.equal("", tables(url))
  end)

  it("refuses a database URL that is not there with exit code 2", function()
    local ran = cli.run({ "upgrade" }, { cwd = chain() })
    assert.equal(2, ran.status)
    assert.matches("DATABASE_URL", ran.stderr)
  end)

  it("never prints the password", function()
    local ran = cli.run({ "upgrade", "--url", "postgresql://u:s3cr3t@127.0.0.1:1/db" }, { cwd = chain() })
    assert.equal(1, ran.status)
    assert.is_nil((ran.stdout .. ran.stderr):find("s3cr3t", 1, true))
  end)

  it("refuses an applied file that was edited, warns or keeps silent as env.lua says", function()
    local folder = chain()
    local run = runner(folder, url)
    run("upgrade", "b2")
    local path = folder .. "/migrations/versions/a.lua"
    local file = assert(io.open(path, "a"))
    file:write("-- edited\n")
    file:close()
    local ran = run("upgrade")
    assert.equal(1, ran.status)
    assert.matches('error: migrations/versions/a.lua: revision "a1" was edited after it had been applied', ran.stderr)
    assert.equal("b2", versions(url))
    local patterns = { warn = 'warning: migrations/versions/a.lua: revision "a1" was edited', ignore = "^Running" }
    for mode, pattern in pairs(patterns) do
      local env = assert(io.open(folder .. "/migrations/env.lua", "w"))
      env:write(('return { checksums = "%s" }\n'):format(mode))
      env:close()
      assert.matches(pattern, run("upgrade", "--dry-run").stderr)
    end
  end)

  it("runs everything and keeps nothing with --dry-run", function()
    local ran = runner(chain(), url)("upgrade", "--dry-run")
    assert.equal(0, ran.status)
    assert.matches("Running upgrade b2 %-> c3, Revision c3.\ndry run: everything was rolled back\n", ran.stderr)
    assert.equal("", tables(url))
    assert.equal("", versions(url))
  end)

  it("finds the failing revision in a dry run", function()
    local folder = project {
      a = table_revision("a1"), b = cli.revision("b2", "a1", { upgrade = '  op.execute("nonsense")' }),
    }
    local ran = runner(folder, url)("upgrade", "--dry-run")
    assert.equal(1, ran.status)
    assert.matches("b.lua:6: syntax error at or near \"nonsense\" %(SQLSTATE 42601%)", ran.stderr)
    assert.equal("", tables(url))
  end)

  it("prints events with --json", function()
    local ran = runner(chain(), url)("upgrade", "b2", "--json", "-q")
    assert.equal([[
{"direction":"upgrade","event":"step","from":[],"message":"Revision a1.","revision":"a1","to":["a1"]}
{"direction":"upgrade","event":"step","from":["a1"],"message":"Revision b2.","revision":"b2","to":["b2"]}
{"direction":"upgrade","event":"done","rows":["b2"],"steps":2}
]], ran.stdout)
  end)

  it("derives the downgrade of change()", function()
    local folder = project { a = [[
revision = "a1"
function change()
  op.create_table("t_a1", { { "id", "integer" }, { "name", "text" } })
  op.create_index("ix_name", "t_a1", { "name" })
end
]] }
    local run = runner(folder, url)
    assert.equal(0, run("upgrade").status)
    assert.equal("t_a1", tables(url))
    local ran = run("downgrade", "base")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("", tables(url))
  end)

  it("refuses to reverse what cannot be reversed before anything runs", function()
    local folder = project { a = [[
revision = "a1"
function change()
  op.create_table("t_a1", { { "id", "integer" } })
  op.execute("INSERT INTO t_a1 VALUES (1)")
end
]], b = table_revision("b2", "a1") }
    local run = runner(folder, url)
    run "upgrade"
    local ran = run("downgrade", "base")
    assert.equal(1, ran.status)
    assert.matches("a.lua:4: execute cannot be reversed", ran.stderr)
    assert.equal("t_a1,t_b2", tables(url))
  end)

  it("refuses to revert a revision without a downgrade function", function()
    local folder = project {
      a = 'revision = "a1"\nfunction upgrade() op.execute("CREATE TABLE t_a1 (id integer)") end\n',
    }
    local run = runner(folder, url)
    run "upgrade"
    local ran = run("downgrade", "base")
    assert.equal(1, ran.status)
    assert.matches("has no downgrade function", ran.stderr)
    assert.equal("t_a1", tables(url))
  end)

  it("refuses operations at the top of a file", function()
    local folder = project { a = 'revision = "a1"\nop.execute("SELECT 1")\nfunction upgrade() end\n' }
    local ran = runner(folder, url) "upgrade"
    assert.equal(1, ran.status)
    assert.matches("a.lua:2: ", ran.stderr)
  end)

  it("sees its own reads, in the same transaction", function()
    local folder = project { a = cli.revision("a1", nil, { upgrade = [[
  op.execute("CREATE TABLE t (id integer, name text)")
  op.execute("INSERT INTO t VALUES ($1, $2)", 1, "it's")
  assert(op.scalar("SELECT count(*) FROM t") == 1)
  for _, row in ipairs(op.query("SELECT id, name FROM t")) do
    op.execute("INSERT INTO t VALUES ($1, $2)", row.id + 1, row.name .. "!")
  end
]] }) }
    local ran = runner(folder, url) "upgrade"
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("1|it's\n2|it's!", server.sql(url, "SELECT * FROM t ORDER BY id"))
  end)

  it("applies each revision once when ten runners start together", function()
    local folder, started = chain(), {}
    for index = 1, 10 do
      started[index] = cli.start({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    end
    for _, process in ipairs(started) do
      local ran = process:wait()
      assert.equal(0, ran.status, ran.stderr)
    end
    assert.equal("3", server.sql(url, "SELECT count(*) FROM moontide.log"))
    assert.equal("c3", versions(url))
  end)

  it("cancels the statement on the server at Ctrl-C, rolls back and exits with 130", function()
    local folder = project { a = cli.revision("a1", nil, { upgrade = '  op.execute("CREATE TABLE t (id integer)")\n'
      .. '  op.query("SELECT pg_sleep(60)")' }) }
    local process = cli.start({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    local running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' "
      .. "AND pid <> pg_backend_pid() AND state = 'active'"
    cli.eventually("the statement to run", function() return server.sql(url, running) == "1" end)
    process:signal "INT"
    local ran = process:wait(10)
    assert.equal(130, ran.status)
    assert.matches("interrupted", ran.stderr)
    assert.matches("Nothing of revision a1 was applied", ran.stderr)
    assert.equal("", tables(url))
    assert.equal("0", server.sql(url, running))
  end)

  it("shows every statement with -v", function()
    local ran = runner(chain(), url)("upgrade", "a1", "-v")
    assert.matches("CREATE TABLE t_a1 %(id integer%);\n", ran.stderr)
    assert.matches("%-%- one round trip %-%- %d+%.%d+ ms", ran.stderr)
  end)

  it("waits for the lock no longer than lock_wait and names the holder", function()
    local folder = chain()
    local env = assert(io.open(folder .. "/migrations/env.lua", "w"))
    env:write 'return { lock_wait = "200ms" }\n'
    env:close()
    local run = runner(folder, url)
    run("upgrade", "a1")
    local slow = project {
      a = table_revision("a1"), b = cli.revision("b2", "a1", { upgrade = '  op.query("SELECT pg_sleep(30)")' }),
    }
    local holder = cli.start({ "upgrade" }, { cwd = slow, env = { DATABASE_URL = url } })
    cli.eventually("the holder to hold", function()
      return server.sql(url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") ~= "0"
    end)
    local ran = run "upgrade"
    assert.equal(1, ran.status)
    assert.matches("could not take the migration lock: process %d+ %(moontide", ran.stderr)
    holder:signal "KILL"
    holder:wait()
    server.sql(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' "
      .. "AND pid <> pg_backend_pid()")
  end)
end)

describe("upgrade --sql", function()
  it("prints a script that psql runs to the same end", function()
    local folder, url = chain(), server.database()
    local script = cli.ok({ "upgrade", "head", "--sql" }, { cwd = folder })
    assert.matches("^BEGIN;\n\nCREATE SCHEMA IF NOT EXISTS moontide;\n", script)
    assert.matches("\n%-%- Running upgrade a1 %-> b2\n\nBEGIN;\n\nCREATE TABLE t_b2 %(id integer%);\n", script)
    server.sql(url, script)
    assert.equal("t_a1,t_b2,t_c3", tables(url))
    assert.equal("c3", versions(url))
    local back = cli.ok({ "downgrade", "c3:a1", "--sql" }, { cwd = folder })
    server.sql(url, back)
    assert.equal("a1", versions(url))
    server.sql(url, cli.ok({ "upgrade", "a1:b2", "--sql" }, { cwd = folder }))
    assert.equal("b2", versions(url))
    assert.equal("t_a1,t_b2", tables(url))
    server.drop(url)
  end)

  it("needs a start for a downgrade", function()
    local ran = cli.run({ "downgrade", "a1", "--sql" }, { cwd = chain() })
    assert.equal(2, ran.status)
    assert.matches("downgrade with %-%-sql requires <fromrev>:<torev>", ran.stderr)
  end)

  it("says which line reads data", function()
    local folder = project { a = cli.revision("a1", nil, { upgrade = '  op.scalar("SELECT 1")' }) }
    local ran = cli.run({ "upgrade", "--sql" }, { cwd = folder })
    assert.equal(1, ran.status)
    assert.matches("a.lua:6: a revision that reads data cannot be printed", ran.stderr)
  end)
end)
