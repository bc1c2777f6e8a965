local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local users = cli.revision("a1", nil, {
  upgrade = 'op.create_table("users", { { "id", "bigint" }, { "name", "text" } })',
  downgrade = 'op.drop_table("users")',
})

local active = "-- Users with a name.\nCREATE OR REPLACE VIEW active AS SELECT id FROM users WHERE name IS NOT NULL;\n"

describe("repeatable objects", function()
  local url, folder
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function run(...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end
  local function ok(...)
    local ran = run(...)
    assert.equal(0, ran.status, ran.stderr)
    local said = ran.stderr:gsub("NOTICE[^\n]*\n", "")
    return said, ran.stdout
  end
  local function sql(text) return server.sql(url, text) end
  local function write(name, text) shell.write(folder .. "/migrations/repeatable/" .. name, text) end
  local function project(files)
    local all = { ["migrations/versions/a.lua"] = users }
    for name, text in pairs(files) do all["migrations/repeatable/" .. name] = text end
    folder = cli.project(all)
  end
  local function versions() return sql "SELECT name, version FROM moontide.repeatable ORDER BY 1, 2" end

  it("are applied behind the revisions, once for each text", function()
    project { ["views/active.sql"] = active }
    assert.equal("Running upgrade  -> a1, Revision a1.\nApplying repeatable views/active.sql, Users with a name.\n",
      ok "upgrade")
    assert.equal("0", sql "SELECT count(*) FROM active")
    assert.equal("nothing to do, the database is at a1\n", ok "upgrade")
    write("views/active.sql", (active:gsub("SELECT id", "SELECT id, name")))
    assert.equal("Applying repeatable views/active.sql, Users with a name.\n", ok "upgrade")
    assert.equal("2", sql "SELECT count(*) FROM pg_attribute WHERE attrelid = 'active'::regclass AND attnum > 0")
    assert.equal("views/active.sql|1\nviews/active.sql|2", versions())
  end)

  it("come in the order of their requirements, and again with what they require", function()
    project {
      ["a.sql"] = "-- requires: views/b\nCREATE OR REPLACE VIEW a AS SELECT * FROM b;\n",
      ["views/b.lua"] = '-- requires: z\nfunction upgrade() op.execute("DROP VIEW IF EXISTS b CASCADE")'
        .. ' op.execute("CREATE VIEW b AS SELECT f() AS one") end\n',
      ["z.sql"] = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\n",
    }
    local said = ok "upgrade"
    assert.matches("repeatable z.sql\nApplying repeatable views/b.lua\nApplying repeatable a.sql\n$", said)
    write("views/b.lua", '-- requires: z\nfunction upgrade() op.execute("DROP VIEW IF EXISTS b CASCADE")'
      .. ' op.execute("CREATE VIEW b AS SELECT f() + 1 AS one") end\n')
    assert.equal("Applying repeatable views/b.lua\nApplying repeatable a.sql\n", ok "upgrade")
    assert.equal("2", sql "SELECT one FROM a")
    assert.equal("a.sql|1\nviews/b.lua|1\nviews/b.lua|2\nz.sql|1", versions())
  end)

  it("are not applied by an upgrade to anything but the heads", function()
    project { ["active.sql"] = active }
    assert.equal("Running upgrade  -> a1, Revision a1.\n", ok("upgrade", "a1"))
    assert.matches("objects   active.sql: new\n", select(2, ok "status"), 1, true)
    ok("upgrade", "heads")
    assert.equal("active.sql|1", versions())
  end)

  it("refuse a cycle and an unknown requirement before anything runs", function()
    project { ["a.sql"] = "-- requires: b\nSELECT 1;\n", ["b.sql"] = "-- requires: a\nSELECT 1;\n" }
    local ran = run "upgrade"
    assert.equal(1, ran.status)
    assert.matches("a.sql:1: repeatable objects require each other: a.sql -> b.sql -> a.sql", ran.stderr, 1, true)
    write("b.sql", "-- requires: aa\nSELECT 1;\n")
    ran = run "upgrade"
    assert.matches('b.sql:1: repeatable "b.sql" requires "aa", which does not exist', ran.stderr, 1, true)
    write("b.sql", "SELECT 'x;\n")
    ran = run "upgrade"
    assert.matches("repeatable/b.sql:1: unterminated quoted string", ran.stderr, 1, true)
    assert.equal("0", sql "SELECT count(*) FROM pg_class WHERE relname = 'users'")
  end)

  it("leave what was applied when one of them fails", function()
    project { ["a.sql"] = "CREATE VIEW a AS SELECT 1;\n", ["b.sql"] = "CREATE VIEW b AS SELECT 1;\nSELECT\n nope;\n" }
    local ran = run "upgrade"
    assert.equal(1, ran.status)
    assert.matches('repeatable/b.sql:2: column "nope" does not exist', ran.stderr, 1, true)
    assert.equal("a.sql|1", versions())
    assert.equal("a", sql "SELECT string_agg(relname, ',') FROM pg_class WHERE relkind = 'v' AND relname IN ('a', 'b')")
    assert.matches("failed", select(2, ok("log", "repeatable/b")), 1, true)
  end)

  it("go back to the version before", function()
    project { ["active.sql"] = active, ["top.sql"] =
      "-- requires: active\nCREATE OR REPLACE VIEW top AS SELECT 1 FROM active;\n" }
    ok "upgrade"
    for _, column in ipairs { "name", "name, 2 AS two" } do
      write("active.sql", "DROP VIEW IF EXISTS active CASCADE;\n" .. active:gsub("SELECT id", "SELECT id, " .. column))
      ok "upgrade"
    end
    local function columns()
      return sql "SELECT count(*) FROM pg_attribute WHERE attrelid = 'active'::regclass AND attnum > 0"
    end
    assert.equal("3", columns())
    assert.equal("Restoring repeatable active.sql\nApplying repeatable top.sql\n",
      ok("downgrade", "--repeatable", "active"))
    assert.equal("2", columns())
    assert.equal("active.sql|1\nactive.sql|2\ntop.sql|1", versions())
    assert.matches("active.sql: changed since it was applied", select(2, ok "status"), 1, true)
    local ran = run("downgrade", "--repeatable", "active", "base")
    assert.equal(1, ran.status)
    assert.matches('"active.sql" cannot be downgraded: there is no version before it', ran.stderr, 1, true)
    ran = run("downgrade", "--repeatable", "active", "-3")
    assert.matches("has 2 versions, not 3 to go back", ran.stderr, 1, true)
    assert.matches('"nope" does not exist', run("downgrade", "--repeatable", "nope").stderr, 1, true)
    assert.equal(2, run("downgrade", "--repeatable", "active", "x").status)
    assert.equal(2, run("downgrade").status)
  end)

  it("with a downgrade section are removed, by themselves and before a downgrade to base", function()
    project { ["active.sql"] = "-- upgrade\n" .. active .. "-- downgrade\nDROP VIEW active;\n" }
    ok "upgrade"
    ok("downgrade", "--repeatable", "active.sql")
    assert.equal("0", sql "SELECT count(*) FROM pg_class WHERE relname = 'active'")
    ok "upgrade"
    assert.equal("Removing repeatable active.sql\nRunning downgrade a1 -> , Revision a1.\n", ok("downgrade", "base"))
    assert.equal("", versions())
    ok "upgrade"
    assert.equal("0", sql "SELECT count(*) FROM active")
  end)

  it("are applied again after a downgrade, which may have taken them away", function()
    project { ["f.sql"] = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\n" }
    ok "upgrade"
    ok("downgrade", "base")
    sql "DROP FUNCTION f()"
    assert.matches("f.sql: to be applied again after a downgrade", select(2, ok "status"), 1, true)
    ok "upgrade"
    assert.equal("1", sql "SELECT f()")
    assert.equal("f.sql|1", versions())
  end)

  it("whose files are gone are reported, not dropped", function()
    project { ["active.sql"] = active, ["b.sql"] = "SELECT 1;\n" }
    ok "upgrade"
    os.remove(folder .. "/migrations/repeatable/active.sql")
    assert.equal("nothing to do, the database is at a1\n", ok "upgrade")
    assert.matches("objects   active.sql: applied, but its file is gone", select(2, ok "status"), 1, true)
    assert.equal("0", sql "SELECT count(*) FROM active")
  end)

  it("are printed by --sql, and the script leaves the same state", function()
    project { ["active.sql"] = active }
    local path = os.tmpname()
    shell.write(path, cli.ok({ "upgrade", "--sql" }, { cwd = folder }))
    shell.capture(shell.join { server.program "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", path })
    assert.equal("active.sql|1", versions())
    assert.equal("nothing to do, the database is at a1\n", ok "upgrade")
    shell.write(path, cli.ok({ "upgrade", "--sql", "a1:head" }, { cwd = folder }))
    shell.capture(shell.join { server.program "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", path })
    os.remove(path)
    assert.equal("active.sql|1", versions())
  end)

  it("run in a dry run, and outside of transactions where they must", function()
    local view = "DROP MATERIALIZED VIEW IF EXISTS m;\nCREATE MATERIALIZED VIEW m AS SELECT 1 AS i;\n"
      .. "CREATE UNIQUE INDEX CONCURRENTLY mi ON m (i);\nREFRESH MATERIALIZED VIEW CONCURRENTLY m;\n"
    project { ["m.sql"] = view }
    ok "upgrade"
    assert.equal("t", sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'mi'::regclass")
    assert.equal("0", sql "SELECT count(*) FROM moontide.journal")
    write("m.sql", (view:gsub("SELECT 1", "SELECT 2"):gsub("CONCURRENTLY ", "")))
    ok("upgrade", "--dry-run")
    assert.equal("1", sql "SELECT i FROM m")
    assert.equal("m.sql|1", versions())
  end)

  it("come to databases whose bookkeeping is older than they are", function()
    project {}
    ok "upgrade"
    sql "DROP TABLE moontide.repeatable"
    assert.equal(0, run("status").status)
    write("active.sql", active)
    ok "upgrade"
    assert.equal("active.sql|1", versions())
  end)

  it("make what belongs to them: a comparison leaves it alone unless the models declare it", function()
    project {
      ["active.sql"] = active .. "COMMENT ON VIEW active IS 'those';\n",
      ["code.lua"] = [[
function upgrade()
  op.create_function("f", { returns = "trigger", language = "plpgsql", body = "begin return new; end", replace = true })
  op.execute 'CREATE OR REPLACE TRIGGER "On" BEFORE INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION f()'
  op.execute 'CREATE MATERIALIZED VIEW IF NOT EXISTS public.m AS SELECT 1 AS a'
  op.query "SELECT 1"
end]],
    }
    shell.write(folder .. "/migrations/env.lua", 'return { models = "models.lua" }\n')
    local models = folder .. "/migrations/models.lua"
    shell.write(models, 'model.table("users", { { "id", "bigint" }, { "name", "text" } })\n')
    ok "upgrade"
    local _, said = ok "check"
    assert.equal("No differences: the database is what the models say.\n", said)
    assert.matches("No changes detected", (ok("revision", "--autogenerate")))
    shell.write(models, shell.read(models) .. 'model.view("active", "SELECT id, name FROM users")\n')
    assert.matches("~ view public.active", run("check").stdout, 1, true)
    sql "CREATE VIEW other AS SELECT 1 AS a"
    assert.matches("%- view public.other", run("check").stdout)
  end)
end)
