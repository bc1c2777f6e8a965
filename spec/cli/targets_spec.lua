local cjson = require "cjson"
local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("targets", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local tenants = [[
    return { targets = {
      { name = "ta", schema = "ta" }, { name = "tb", schema = "tb" }, { name = "tc", schema = "tc" },
    }, jobs = 2 }]]

  local create = '  op.create_table("things", { { "id", "integer" } })'

  local function project(env, fields)
    return cli.project {
      ["migrations/env.lua"] = env,
      ["migrations/versions/a.lua"] = cli.revision("a1", nil,
        fields or { upgrade = create, downgrade = '  op.drop_table("things")' }),
      ["migrations/versions/b.lua"] = cli.revision("b2", "a1"),
    }
  end

  local function run(folder, ...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end

  local function tables()
    return server.sql(url, [[SELECT coalesce(string_agg(schemaname || '.' || tablename, ' ' ORDER BY schemaname), '')
      FROM pg_tables WHERE tablename = 'things']])
  end

  local function sorted_lines(text)
    local lines = {}
    for line in text:gmatch("[^\n]+") do lines[#lines + 1] = line end
    table.sort(lines)
    return lines
  end

  it("that are schemas of one database have tables and versions of their own", function()
    local folder = project(tenants)
    local ran = run(folder, "upgrade", "a1")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("", ran.stdout)
    assert.equal("ta.things tb.things tc.things", tables())
    assert.matches("tb | Running upgrade  -> a1, Revision a1.\n", ran.stderr, 1, true)
    assert.matches("\nta  done +[%d.]+ s\ntb  done +[%d.]+ s\ntc  done +[%d.]+ s\n3 targets in [%d.]+ s: 3 done\n$",
      ran.stderr)
    assert.equal(0, run(folder, "-n", "tb", "upgrade").status)
    assert.equal("b2", server.sql(url, "SELECT version_num FROM tb.moontide_version"))
    ran = run(folder, "current")
    assert.same({ "ta | a1", "tb | b2 (head)", "tc | a1" }, sorted_lines(ran.stdout))
    assert.equal("", ran.stderr)
    assert.equal(0, run(folder, "downgrade", "-n", "tc", "-n", "ta", "base").status)
    assert.equal("tb.things", tables())
  end)

  it("give every statement the search path, also outside of a transaction", function()
    local folder = project(tenants, { upgrade = create .. [[

      op.execute("INSERT INTO things VALUES (1)")
      assert(op.scalar("SELECT current_schema()"):find("^t[abc]$"))
      op.create_index("things_id", "things", "id", { concurrently = true })
      op.execute("INSERT INTO things VALUES (2)")]] })
    local ran = run(folder, "upgrade")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("ta tb tc", server.sql(url,
      "SELECT string_agg(schemaname, ' ' ORDER BY schemaname) FROM pg_indexes WHERE indexname = 'things_id'"))
    assert.equal("2", server.sql(url, "SELECT count(*) FROM tc.things"))
  end)

  it("are printed with the search path", function()
    local folder = project(tenants, { upgrade = create .. [[

      op.create_index("things_id", "things", "id", { concurrently = true })]] })
    local script = cli.ok("-n tb upgrade --sql", { cwd = folder })
    local psql = { server.program "psql" }
    cli.ok({ "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url }, { program = psql, input = script })
    assert.equal("tb.things", tables())
    assert.equal("b2", server.sql(url, "SELECT version_num FROM tb.moontide_version"))
    assert.equal("tb", server.sql(url, "SELECT schemaname FROM pg_indexes WHERE indexname = 'things_id'"))
  end)

  it("are asked of the database by a function", function()
    server.sql(url, "CREATE TABLE tenants AS VALUES ('x1', 'eu'), ('x2', 'us')")
    local folder = project([[
      return { targets = function(query)
        local list = {}
        for _, row in ipairs(query("SELECT * FROM tenants WHERE column1 <> $1 ORDER BY 1", "nobody")) do
          list[#list + 1] = { name = row.column1, schema = row.column1, x = { region = row.column2 } }
        end
        return list
      end }]], { upgrade = '  op.create_table("things", { { context.x.region, "integer" } })' })
    local ran = run(folder, "upgrade")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("x1.eu x2.us", server.sql(url, [[
      SELECT string_agg(table_schema || '.' || column_name, ' ' ORDER BY table_schema)
      FROM information_schema.columns WHERE table_name = 'things']]))
  end)

  it("begin with the canary, and nothing follows when it fails", function()
    server.sql(url, "CREATE SCHEMA tb; CREATE TABLE tb.things ()")
    local folder = project((tenants:gsub("jobs = 2", 'canary = "tb"')))
    local ran = run(folder, "upgrade", "--keep-going")
    assert.equal(1, ran.status)
    assert.equal("tb.things", tables())
    assert.matches('tb | error: ', ran.stderr, 1, true)
    assert.matches("\ntb  failed +[%d.]+ s\nta  skipped\ntc  skipped\n", ran.stderr)
    assert.matches("error: 1 of 3 targets failed\n  detail: 2 were not started\n  hint: ", ran.stderr)
    server.sql(url, "DROP TABLE tb.things")
    assert.equal(0, run(folder, "upgrade").status)
    assert.equal("ta.things tb.things tc.things", tables())
  end)

  it("stop being started after a failure, unless told to keep going", function()
    server.sql(url, "CREATE SCHEMA tb; CREATE TABLE tb.things ()")
    local folder = project((tenants:gsub("jobs = 2", "jobs = 1")))
    local ran = run(folder, "upgrade")
    assert.equal(1, ran.status)
    assert.equal("ta.things tb.things", tables())
    ran = run(folder, "upgrade", "--keep-going")
    assert.equal(1, ran.status)
    assert.matches("3 targets in [%d.]+ s: 2 done, 1 failed\n", ran.stderr)
    assert.equal("ta.things tb.things tc.things", tables())
  end)

  it("print events with the target, and one at the end", function()
    local folder = project(tenants)
    local ran = run(folder, "upgrade", "--json", "-q")
    local steps, last = {}, nil
    for line in ran.stdout:gmatch("[^\n]+") do
      last = cjson.decode(line)
      if last.event == "step" then steps[#steps + 1] = last.target .. " " .. last.revision end
    end
    table.sort(steps)
    assert.same({ "ta a1", "ta b2", "tb a1", "tb b2", "tc a1", "tc b2" }, steps)
    assert.same({ "targets", 3, 0, 0 }, { last.event, last.done, last.failed, last.skipped })
    assert.equal("tc", last.targets[3].target)
    assert.equal("", ran.stderr)
  end)

  it("that cannot be looked at are not said to go on", function()
    local folder = project [[return { targets = {
      one = { url = "postgresql:///x?host=/nonexistent" }, two = { url = "postgresql:///y?host=/nonexistent" } } }]]
    local ran = cli.run({ "status" }, { cwd = folder })
    assert.equal(1, ran.status)
    assert.matches("error: 2 of 2 targets failed\n  hint: What is wrong with each stands above", ran.stderr)
  end)

  it("are separate databases with URLs of their own", function()
    local other = server.database()
    local folder = project(("return { targets = { one = { url = %q }, two = { url = %q } } }"):format(url, other))
    assert.equal(0, cli.run({ "upgrade" }, { cwd = folder }).status)
    for _, database in ipairs { url, other } do
      assert.equal("b2", server.sql(database, "SELECT version_num FROM moontide.version"))
    end
    local ran = cli.run({ "log" }, { cwd = folder })
    assert.equal(2, ran.status)
    assert.matches("hint: Name one of the targets with %-n.", ran.stderr)
    assert.equal(0, cli.run({ "log", "-n", "one" }, { cwd = folder }).status)
    ran = cli.run({ "log", "-n", "*" }, { cwd = folder })
    assert.matches("error: this runs on one target, and 2 are meant", ran.stderr)
    assert.matches("error: a script is of one target", cli.run({ "upgrade", "--sql" }, { cwd = folder }).stderr)
    ran = cli.run({ "stamp", "base" }, { cwd = folder })
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("0", server.sql(other, "SELECT count(*) FROM moontide.version"))
    server.drop(other)
  end)

  it("all stop at Ctrl-C, and leave nothing half done", function()
    local folder = project(tenants:gsub("jobs = 2", "jobs = 3, canary = false"),
      { upgrade = create .. '\n  op.execute("SELECT pg_sleep(60)")' })
    local started = cli.start({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    cli.eventually("all three to sleep", function()
      return server.sql(url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        .. "AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()") == "3"
    end)
    started:signal "INT"
    local ran = started:wait(20)
    assert.equal(130, ran.status)
    assert.matches("3 targets in [%d.]+ s: 3 interrupted\n", ran.stderr)
    assert.equal("", tables())
    assert.equal("1", server.sql(url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"))
  end)
end)
