-- What a revision sets for its session, and in whose name the rows that record a run are written.
local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("settings of a session", function()
  local url, role
  before_each(function()
    url, role = server.database(), "moontide_session_" .. math.random(1, 999999999)
    server.sql(url, ("CREATE ROLE %s; GRANT CREATE, USAGE ON SCHEMA public TO %s"):format(role, role))
  end)
  after_each(function()
    server.sql(url, ("DROP OWNED BY %s; DROP ROLE %s"):format(role, role))
    server.drop(url)
  end)
  local function sql(text) return server.sql(url, text) end

  local function upgrade(first, second)
    local folder = cli.project {
      ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = first:gsub("ROLE_X", role) }),
      ["migrations/versions/b.lua"] = cli.revision("b2", "a1", { upgrade = second and second:gsub("ROLE_X", role) }),
    }
    return cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
  end

  local function owner(relation)
    return sql(("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = '%s'"):format(relation))
  end

  for _, way in ipairs {
    "SET ROLE ROLE_X", "SET SESSION AUTHORIZATION ROLE_X", "SELECT set_config('role', 'ROLE_X', false)",
  } do
    it(("%s holds around commit points, and the journal is written by the one who connected"):format(way), function()
      local body = ('  op.execute("%s")\n'):format(way) .. [[
  op.execute("CREATE TABLE one (id integer)")
  op.create_index("ix", "one", { "id" }, { concurrently = true })
  op.execute("CREATE TABLE two (id integer)")
  op.transaction(function() op.execute("CREATE TABLE three (id integer)") end)
  op.execute("CREATE TABLE four (id integer)")
]]
      local ran = upgrade(body .. '  op.execute("SELECT 1/0")')
      assert.equal(1, ran.status)
      assert.matches("division by zero", ran.stderr)
      assert.equal("1", sql "SELECT count(*) FROM moontide.log WHERE outcome = 'failed' AND applied_by = session_user")
      ran = upgrade(body, '  op.execute("CREATE TABLE five (id integer)")')
      assert.equal(0, ran.status, ran.stderr)
      for _, name in ipairs { "one", "ix", "two", "three", "four" } do assert.equal(role, owner(name), name) end
      assert.not_equal(role, owner "five")
      assert.equal("0", sql("SELECT count(*) FROM moontide.log WHERE applied_by = '" .. role .. "'"))
    end)
  end

  for _, way in ipairs {
    "DO $$ BEGIN SET ROLE ROLE_X; END $$", "SET LOCAL ROLE ROLE_X", "SELECT set_config('role', rolname, false) "
      .. "FROM pg_roles WHERE rolname = 'ROLE_X'",
  } do
    it(("%s does not keep the journal from being written"):format(way), function()
      local ran = upgrade(('  op.execute("%s")\n'):format(way) .. [[
  op.transaction(function() op.execute("CREATE TABLE one (id integer)") end)
  op.execute("CREATE TABLE two (id integer)")
]], '  op.execute("CREATE TABLE three (id integer)")')
      assert.equal(0, ran.status, ran.stderr)
      assert.not_equal(role, owner "three")
    end)
  end

  it("of SET SESSION CHARACTERISTICS end with the revision", function()
    local ran = upgrade('  op.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")', [[
  local setting = op.scalar("SHOW default_transaction_read_only")
  op.execute("CREATE TABLE t AS SELECT $1::text AS setting", setting)]])
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("off", sql "SELECT setting FROM t")
  end)

  it("a transaction waits for the program as long as env.lua says", function()
    local slow = '  op.query("SELECT 1")\n  local stop = os.time() + 3\n  while os.time() < stop do end\n'
      .. '  op.execute("CREATE TABLE t ()")'
    local function run(limit)
      return cli.run({ "upgrade" }, { env = { DATABASE_URL = url }, cwd = cli.project {
        ["migrations/env.lua"] = ("return { idle_in_transaction_timeout = %s }"):format(limit),
        ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = slow }),
      } })
    end
    local ran = run "0.2"
    assert.equal(1, ran.status)
    assert.matches("raise it in env.lua", ran.stderr)
    assert.matches("Nothing of revision a1 was applied", ran.stderr)
    assert.equal(0, run("0").status)
  end)

  it("that are set by what a statement calls end with the revision", function()
    local ran = upgrade([[
  op.execute("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ SELECT set_config('app.x', 'y', false) $$")
  op.execute("SELECT f()")
  op.execute("DO $$ BEGIN SET search_path = pg_catalog; SET work_mem = '1234kB'; END $$")]], [[
  op.execute("CREATE TABLE t AS SELECT current_setting('app.x', true) AS x, current_setting('work_mem') AS m")]])
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("|f", sql "SELECT x, m = '1234kB' FROM public.t")
  end)
end)
