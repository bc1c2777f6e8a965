-- op.backfill without a run of its own: as a script, and in a dry run.

local cli = require "spec.support.cli"
local server = require "spec.support.server"

local function project(body)
  return cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = body }) }
end

describe("op.backfill that is written or tried", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function sql(text) return server.sql(url, text) end

  local function script(body)
    local ran = cli.run("upgrade heads --sql", { cwd = project(body), env = { DATABASE_URL = url } })
    local path = require("spec.support.tmp").name("script")
    require("spec.support.shell").write(path, ran.stdout)
    return cli.run({ "-X", "-q", "-d", url, "-v", "ON_ERROR_STOP=1", "-f", path },
      { program = { server.bin() .. "/psql" } })
  end

  it("archives by the names of columns, whatever their order", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, gone text, "Note" text, v integer GENERATED ALWAYS AS (id * 2) STORED,
        day date NOT NULL);
      ALTER TABLE t DROP COLUMN gone;
      CREATE TABLE old (day date, extra text DEFAULT 'e', "Note" text, id integer, v integer);
      INSERT INTO t (id, "Note", day) SELECT g, 'n' || g, date '2001-01-01' + g FROM generate_series(1, 1000) g]]
    local ran = script '  op.backfill { "old", table = "t", where = "id <= 700", delete = true, into = "old" }'
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("300|700", sql "SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM old)")
    assert.equal("2001-01-08|e|n7|7|", sql "SELECT * FROM old WHERE id = 7")
  end)

  it("refuses a key that may be NULL in a script", function()
    sql "CREATE TABLE t (k integer, v integer); INSERT INTO t VALUES (1), (NULL)"
    local ran = script '  op.backfill { "x", table = "t", key = "k", set = { v = 1 } }'
    assert.equal(3, ran.status)
    assert.matches("the key of table public.t may be NULL", ran.stderr, 1, true)
    assert.equal("0", sql "SELECT count(*) FROM t WHERE v = 1")
  end)

  it("has the settings of the backfill in a script", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t VALUES (1), (2);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''fired''; END';
      CREATE TRIGGER note BEFORE UPDATE ON t FOR EACH ROW
        WHEN (current_setting('app.backfill', true) IS DISTINCT FROM 'it''s on') EXECUTE FUNCTION note()]]
    local ran = script [[
  op.backfill { "x", table = "t", set = { v = 1 }, session = { ["app.backfill"] = "it's on" } }]]
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("2", sql "SELECT count(*) FROM t WHERE v = 1")
  end)

  it("leaves everything as it was in a dry run, and says what it found", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0); CREATE TABLE u (a integer, v integer);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
      CREATE TRIGGER note BEFORE UPDATE OF v ON t FOR EACH ROW EXECUTE FUNCTION note();
      CREATE TRIGGER other BEFORE UPDATE OF id ON t FOR EACH ROW EXECUTE FUNCTION note();
      INSERT INTO t SELECT generate_series(1, 5000); INSERT INTO u SELECT generate_series(1, 500); ANALYZE]]
    local sum = "SELECT md5(string_agg(t::text, ',' ORDER BY id)), "
      .. "(SELECT md5(string_agg(u::text, ',' ORDER BY a)) FROM u), to_regclass('moontide.backfill') FROM t"
    local before = sql(sum)
    local ran = cli.run("upgrade heads --dry-run", { cwd = project [[
  op.backfill { "x", table = "t", set = { v = sql "v + 1" } }
  op.backfill { "y", table = "u", where = "v IS NULL", set = { v = 1 } }
  op.backfill { "z", table = "t", read = "v", write = "v", each = function(row) return { v = row.v + 1 } end }]],
      env = { DATABASE_URL = url } })
    assert.equal(0, ran.status, ran.stderr)
    assert.matches("backfill x: public.t by id, about 5000 rows; 5000 rows of all would change", ran.stderr, 1, true)
    assert.matches("backfill x: these triggers fire for each row: note\n", ran.stderr, 1, true)
    assert.matches("backfill y: public.u by ctid, about 500 rows; 500 rows of all would change", ran.stderr, 1, true)
    assert.matches("backfill z: public.t by id", ran.stderr, 1, true)
    assert.matches("backfill x: t may grow from 0.2 MB by 0.2 MB, WAL: about 0.[78] MB\n", ran.stderr)
    assert.falsy(ran.stderr:find("ANALYZE", 1, true))
    assert.equal(before, sql(sum))
  end)

  it("says what the server does not know of the table, and how much of it will change", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer) WITH (autovacuum_enabled = off);
      INSERT INTO t SELECT g, g % 4 FROM generate_series(1, 2000) g; ANALYZE t;
      INSERT INTO t SELECT g, g % 4 FROM generate_series(2001, 40000) g]]
    local function dry(more)
      local body = ('  op.backfill { "x", table = "t", where = "v = 1", %s }'):format(more)
      return cli.run("upgrade heads --dry-run", { cwd = project(body), env = { DATABASE_URL = url } }).stderr
    end
    local err = dry 'set = { v = 0 }'
    assert.matches("t may grow from 1.4 MB by 0.3 MB, WAL: about 1.[56] MB\n", err)
    assert.matches("the statistics of t know 2000 rows, where there are about %d%d%d%d%d; ANALYZE t mends that\n", err)
    assert.matches("t stays at %d.%d MB until a VACUUM, WAL: about 0.%d MB\n", dry "delete = true")
    sql "ANALYZE t"
    assert.falsy(dry("set = { v = 0 }"):find("ANALYZE", 1, true))
  end)
end)
