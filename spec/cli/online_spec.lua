-- Online operations on a server: what they leave, what they hold, and how they go on.

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local function project(body, env)
  return cli.project {
    ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = body }),
    ["migrations/env.lua"] = env,
  }
end

describe("an online operation", function()
  local url
  before_each(function()
    url = server.database()
    server.sql(url, "CREATE TABLE p (id integer PRIMARY KEY); INSERT INTO p SELECT generate_series(1, 10); "
      .. "CREATE TABLE t (id integer, a integer, email text); "
      .. "INSERT INTO t SELECT i, i % 10 + 1, 'm' || i FROM generate_series(1, 1000) i")
  end)
  after_each(function() server.drop(url) end)

  local function upgrade(folder, ...)
    return cli.run({ "upgrade", ... }, { cwd = folder, env = { DATABASE_URL = url } })
  end
  local function sql(text) return server.sql(url, text) end

  local function constraints(relation)
    return sql("SELECT conname || ' ' || contype::text || ' ' || convalidated FROM pg_constraint WHERE contype <> 'n' "
      .. "AND conrelid = '" .. relation .. "'::regclass ORDER BY 1")
  end

  local everything = [[
  op.create_index("ix", "t", { "a" }, { online = true })
  op.create_primary_key(nil, "t", { "id" }, { online = true })
  op.create_unique_constraint("u", "t", { "email" }, { online = true })
  op.create_foreign_key("f", "t", "p", "a", "id", { online = true })
  op.create_check_constraint("c", "t", "a > 0", { online = true })
  op.alter_column("t", "a", { nullable = false, online = true })
]]

  it("makes what the plain one makes", function()
    local ran = upgrade(project(everything))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("c c true\nf f true\nt_pkey p true\nu u true", constraints "t")
    assert.equal("a\nid", sql("SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnotnull "
      .. "AND attnum > 0 ORDER BY 1"))
    assert.equal("ix\nt_pkey\nu", sql("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 't'::regclass "
      .. "AND indisvalid ORDER BY 1"))
    assert.equal("0", sql "SELECT count(*) FROM moontide.journal")
  end)

  it("is a plain one in a dry run", function()
    local ran = upgrade(project(everything), "--dry-run")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("", constraints "t")
  end)

  it("is printed with its commit points", function()
    local ran = upgrade(project [[
  op.create_unique_constraint("u", "t", { "email" }, { online = true })
  op.alter_column("t", "a", { nullable = false, online = true })
]], "--sql")
    assert.equal(0, ran.status, ran.stderr)
    local text = ran.stdout:match("%-%- Running.-\n\n(.-)INSERT INTO moontide.version")
    assert.equal([[
CREATE UNIQUE INDEX CONCURRENTLY u ON t (email);

BEGIN;

ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX u;

COMMIT;

BEGIN;

ALTER TABLE t ADD CONSTRAINT t_a_online_check CHECK (a IS NOT NULL) NOT VALID;

COMMIT;

BEGIN;

ALTER TABLE t VALIDATE CONSTRAINT t_a_online_check;

COMMIT;

BEGIN;

ALTER TABLE t ALTER COLUMN a SET NOT NULL;

ALTER TABLE t DROP CONSTRAINT IF EXISTS t_a_online_check;

COMMIT;

BEGIN;

]], text)
  end)

  it("sends nothing where the catalog says that it is so already", function()
    sql "ALTER TABLE t ALTER a SET NOT NULL"
    local ran = upgrade(project [[op.alter_column("t", "a", { nullable = false, online = true })]], "-v")
    assert.equal(0, ran.status, ran.stderr)
    assert.falsy(ran.stderr:find("\nALTER TABLE t", 1, true))
  end)

  it("says which values are duplicates, and leaves no index behind", function()
    sql "UPDATE t SET email = 'same' WHERE id <= 3; UPDATE t SET email = NULL WHERE id > 900"
    local folder = project [[op.create_unique_constraint("u", "t", { "email" }, { online = true })]]
    local ran = upgrade(folder)
    assert.equal(1, ran.status)
    assert.truthy(ran.stderr:find("(email)=(same) in 3 rows", 1, true), ran.stderr)
    assert.equal("0", sql "SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass")
    sql "UPDATE t SET email = 'same' || id WHERE id <= 3"
    ran = upgrade(folder)
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("u u true", constraints "t")
  end)

  it("names no more than five duplicates", function()
    sql "UPDATE t SET email = 'm' || id % 10"
    local ran = upgrade(project [[op.create_index("u", "t", { "email" }, { online = true, unique = true })]])
    assert.equal(1, ran.status)
    local _, count = ran.stderr:gsub("in 100 rows", "")
    assert.equal(5, count)
    assert.truthy(ran.stderr:find("... and more", 1, true))
  end)

  local slow = "CREATE FUNCTION slow(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS "
    .. "$$ BEGIN PERFORM pg_sleep(0.002); RETURN $1; END $$"

  it("says how far the build of an index is", function()
    sql(slow)
    local folder = project [[op.create_index("ix", "t", { sql "slow(a)" }, { online = true })]]
    local ran = upgrade(folder)
    assert.equal(0, ran.status, ran.stderr)
    assert.matches("\nindex ix: building index: scanning table, %d+%%\n", ran.stderr)
    local _, lines = ran.stderr:gsub("index ix: ", "")
    assert.equal(1, lines)
    assert.equal("0", sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'moontide progress'")
  end)

  it("rewrites that line on a terminal, and shows none with -q", function()
    sql(slow)
    local folder = project [[op.create_index("ix", "t", { sql "slow(a)" }, { online = true })]]
    local command = cli.binary() .. " upgrade"
    local ran = cli.run({ "-qec", command, "/dev/null" }, {
      program = { "script" }, cwd = folder,
      env = { DATABASE_URL = url, MOONTIDE_LUA_PATH = os.getenv "MOONTIDE_LUA_PATH" },
    })
    assert.equal(0, ran.status, ran.stderr)
    assert.matches("\r\27%[Kindex ix: building index: [^\n]*\r\27%[K", ran.stdout)
    sql "DROP INDEX ix; DROP SCHEMA moontide CASCADE"
    assert.equal("", upgrade(folder, "-q").stderr)
  end)

  it("is ended on the server by Ctrl-C while it is watched, and goes on", function()
    sql(slow)
    local folder = project [[op.create_index("ix", "t", { sql "slow(a)" }, { online = true })]]
    local process = cli.start({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    cli.eventually("progress", function() return select(2, process:output()):find("index ix", 1, true) end)
    process:signal "INT"
    assert.equal(130, process:wait().status)
    assert.equal("0", sql "SELECT count(*) FROM pg_stat_progress_create_index")
    sql "CREATE OR REPLACE FUNCTION slow(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1'"
    local ran = upgrade(folder)
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("t", sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix'::regclass")
  end)

  it("goes on with the check of the rows once they are right", function()
    sql "UPDATE t SET a = 11 WHERE id = 5"
    local folder = project [[op.create_foreign_key("f", "t", "p", "a", "id", { online = true })]]
    local ran = upgrade(folder)
    assert.equal(1, ran.status)
    assert.truthy(ran.stderr:find("Correct the rows, then run the command again", 1, true), ran.stderr)
    assert.equal("f f false", constraints "t")
    sql "INSERT INTO p VALUES (11)"
    ran = upgrade(folder)
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("f f true", constraints "t")
  end)

  it("is verified by repair against its file", function()
    sql "UPDATE t SET a = NULL WHERE id = 5"
    local folder = project [[op.alter_column("t", "a", { nullable = false, online = true })]]
    assert.equal(1, upgrade(folder).status)
    local ran = cli.run({ "repair", "verify", "a1" }, { cwd = folder, env = { DATABASE_URL = url } })
    assert.equal(0, ran.status, ran.stderr)
  end)

  it("waits for a lock in a step of its own, and does not build its index again", function()
    local folder = project [[op.create_unique_constraint("u", "t", { "email" }, { online = true })]]
    -- A reader that is idle stands in the way of the constraint, but not of the build.
    local release = folder .. "/release"
    local reader = cli.start({ "-X", "-d", url, "-c", "BEGIN", "-c", "SELECT count(*) FROM t",
      "-c", "\\! while [ ! -e " .. release .. " ]; do sleep 0.02; done", "-c", "COMMIT" },
      { program = { server.program "psql" } })
    cli.eventually("the reader has its lock", function()
      return sql "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass" ~= "0"
    end)
    local process = cli.start({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    cli.eventually("it tries again", function() return select(2, process:output()):find("trying again", 1, true) end)
    local built = sql "SELECT 'u'::regclass::oid"
    shell.write(release, "")
    assert.equal(0, reader:wait().status)
    assert.equal(0, process:wait().status)
    assert.equal(built, sql "SELECT conindid FROM pg_constraint WHERE conname = 'u'")
  end)

  it("adds a column, unless its default writes every row anew", function()
    local function add(default)
      return ([[op.add_column("t", { "n", "text", default = sql "%s" }, { online = true })]]):format(default)
    end
    local ran = upgrade(project(add "md5(clock_timestamp()::text)"))
    assert.equal(1, ran.status)
    assert.truthy(ran.stderr:find("rewrites the table: clock_timestamp() has another", 1, true), ran.stderr)
    assert.equal(0, upgrade(project(add "lower(now()::text)")).status)
  end)

  describe("by default, with safe = \"online\"", function()
    local safe = 'return { safe = "online" }\n'

    it("is what runs on tables that are in use", function()
      local ran = upgrade(project([[op.create_index("ix", "t", { "a" })]], safe), "-v")
      assert.equal(0, ran.status, ran.stderr)
      assert.truthy(ran.stderr:find("CREATE INDEX CONCURRENTLY ix", 1, true))
    end)

    it("is not what runs where the operation says no", function()
      local ran = upgrade(project([[op.create_index("ix", "t", { "a" }, { online = false })]], safe), "-v")
      assert.equal(0, ran.status, ran.stderr)
      assert.truthy(ran.stderr:find("CREATE INDEX ix", 1, true))
    end)

    it("is not what runs on tables that the revision creates", function()
      local ran = upgrade(project([[
  op.create_table("n", { { "id", "integer" } })
  op.create_index("ix", "n", { "id" })
  op.create_unique_constraint("u", "n", { "id" })
]], safe), "-v")
      assert.equal(0, ran.status, ran.stderr)
      assert.falsy(ran.stderr:find("CONCURRENTLY", 1, true))
    end)

    it("is refused with any other value", function()
      local ran = upgrade(project("", 'return { safe = "offline" }\n'))
      assert.equal(2, ran.status)
      assert.truthy(ran.stderr:find('"online" or false', 1, true), ran.stderr)
    end)
  end)
end)
