-- What happens to a table while op.backfill is at work: rows that come and move, partitions that come and go,
-- transactions that are still open.

local cli = require "spec.support.cli"
local server = require "spec.support.server"

local project = cli.upgrading

describe("op.backfill of a table that changes meanwhile", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function sql(text) return server.sql(url, text) end
  local function run(args, folder) return cli.run(args, { cwd = folder, env = { DATABASE_URL = url } }) end
  local function start(body)
    local process = cli.start({ "upgrade", "heads" }, { cwd = project(body), env = { DATABASE_URL = url } })
    cli.eventually("a chunk", function() return sql "SELECT count(*) FROM t WHERE v = 1" ~= "0" end)
    return process
  end
  local function psql(text)
    return cli.start({ "-X", "-q", "-d", url, "-c", text }, { program = { server.program "psql" } })
  end

  it("sweeps for rows that came behind it, and for keys that moved", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer);
      INSERT INTO t SELECT g * 2 FROM generate_series(1, 3000) g]]
    local process = start('  op.backfill { "x", table = "t", set = { v = 1 }, where = "v IS NULL", rows_per_s = 3000, '
      .. "max_rows = 100, lanes = 1 }")
    sql "INSERT INTO t VALUES (-1), (1), (3), (100001); UPDATE t SET id = -id WHERE id IN (5998, 6000)"
    assert.equal(0, process:wait().status)
    assert.equal("3004", sql "SELECT count(*) FROM t WHERE v = 1")
    assert.equal("3", sql "SELECT max(pass) FROM moontide.backfill_range")
    assert.equal("3004|0", sql "SELECT sum(rows_changed), sum(rows_still) FROM moontide.backfill_range")
  end)

  it("does not sweep where the condition stays true, so that no row is changed twice", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0);
      INSERT INTO t SELECT g FROM generate_series(1, 3000) g]]
    for _, how in ipairs { 'set = { v = sql "v + 1" }',
      'read = "v", write = "v", each = function(row) return { v = row.v + 1 } end' } do
      sql "DROP SCHEMA IF EXISTS moontide CASCADE; UPDATE t SET v = 0"
      assert.equal(0, run("upgrade heads",
        project(('  op.backfill { "x", table = "t", where = "id %% 2 = 0", %s }'):format(how))).status)
      assert.equal("0|1500\n1|1500", sql "SELECT v, count(*) FROM t GROUP BY v ORDER BY v")
      assert.equal("1500|0", sql "SELECT sum(rows_still), max(pass) FROM moontide.backfill_range")
    end
  end)

  it("sweeps in Lua too, not with sweep = 0, and a limited number of times", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t SELECT g FROM generate_series(1, 300) g;
      CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO t SELECT min(id) - 1 FROM t; RETURN NULL; END';
      CREATE TRIGGER more AFTER UPDATE ON t FOR EACH ROW WHEN (new.id <= 1) EXECUTE FUNCTION more()]]
    local body = '  op.backfill { "x", table = "t", read = "id", write = "v", each = function() return { v = 1 } end, '
      .. 'where = "v IS NULL", sweep = %d }'
    assert.equal(0, run("upgrade heads", project(body:format(0))).status)
    assert.equal("1|0",
      sql "SELECT count(*) FILTER (WHERE v IS NULL), (SELECT max(pass) FROM moontide.backfill_range) FROM t")
    sql "DROP SCHEMA moontide CASCADE"
    local ran = run("upgrade heads", project(body:format(2)))
    assert.equal(0, ran.status, ran.stderr)
    assert.matches("warning: backfill x: the last of 2 sweeps still changed 1 row", ran.stderr, 1, true)
  end)

  it("asks verify at the end", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t SELECT g FROM generate_series(1, 300) g]]
    local folder = project('  op.backfill { "x", table = "t", set = { v = 1 }, where = "id <> 7", '
      .. 'verify = "SELECT count(*) FROM t WHERE v IS NULL" }')
    local ran = run("upgrade heads", folder)
    assert.equal(1, ran.status)
    assert.matches('backfill "x": verify answers 1, not 0', ran.stderr, 1, true)
    assert.equal("failed", sql "SELECT state FROM moontide.backfill")
    sql "UPDATE t SET v = 1 WHERE id = 7"
    assert.equal(0, run("upgrade heads", folder).status)
    assert.equal("done", sql "SELECT state FROM moontide.backfill")
  end)

  it("takes partitions that are attached, finishes detached ones, and lets go of dropped ones", function()
    sql [[CREATE TABLE t (k integer PRIMARY KEY, v integer NOT NULL DEFAULT 0) PARTITION BY RANGE (k);
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (1000);
      CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (1000) TO (2000);
      CREATE TABLE t3 PARTITION OF t FOR VALUES FROM (2000) TO (3000);
      CREATE TABLE t4 PARTITION OF t FOR VALUES FROM (3000) TO (4000);
      CREATE TABLE t5 (k integer PRIMARY KEY, v integer NOT NULL DEFAULT 0);
      INSERT INTO t SELECT g FROM generate_series(0, 3999) g;
      INSERT INTO t5 SELECT g FROM generate_series(4000, 4999) g]]
    local process = start('  op.backfill { "x", table = "t", set = { v = sql "v + 1" }, rows_per_s = 1500, '
      .. "max_rows = 50, lanes = 1 }")
    sql "ALTER TABLE t DETACH PARTITION t2; ALTER TABLE t ATTACH PARTITION t5 FOR VALUES FROM (4000) TO (5000)"
    sql "DROP TABLE t4; ALTER TABLE t3 RENAME TO other"
    local ended = process:wait()
    assert.equal(0, ended.status, ended.stderr)
    assert.equal("1|3000", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.equal("1|1000", sql "SELECT v, count(*) FROM t2 GROUP BY v")
    assert.matches("public.t5 has become a part of the table", ended.stderr, 1, true)
    assert.matches("public.t4 was dropped", ended.stderr, 1, true)
  end)

  it("waits for transactions that have written to the table before it notes the last key", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0);
      INSERT INTO t SELECT g FROM generate_series(2, 300) g]]
    local writer = psql "BEGIN; INSERT INTO t VALUES (1); SELECT pg_sleep(3); COMMIT"
    cli.eventually("the row", function()
      return sql "SELECT count(*) FROM pg_locks WHERE mode = 'RowExclusiveLock' AND relation = 't'::regclass" ~= "0"
    end)
    local folder = project '  op.backfill { "x", table = "t", set = { v = sql "v + 1" }, wait_writers = 1 }'
    local ran = run("upgrade heads", folder)
    assert.equal(1, ran.status)
    assert.matches('backfill "x": transactions that have written to the table are still open', ran.stderr, 1, true)
    assert.matches("process %d+ %(psql%), active for", ran.stderr)
    ran = run("upgrade heads", project '  op.backfill { "x", table = "t", set = { v = sql "v + 1" } }')
    assert.equal(0, ran.status, ran.stderr)
    writer:wait()
    assert.equal("1|300", sql "SELECT v, count(*) FROM t GROUP BY v")
  end)

  it("looks at attached partitions as at the others before it changes them", function()
    sql [[CREATE TABLE t (k integer NOT NULL, v integer NOT NULL DEFAULT 0) PARTITION BY RANGE (k);
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (1000);
      ALTER TABLE t1 ADD PRIMARY KEY (k);
      CREATE TABLE t2 (k integer NOT NULL, v integer NOT NULL DEFAULT 0);
      CREATE INDEX ON t2 (k);
      INSERT INTO t SELECT g FROM generate_series(0, 999) g;
      INSERT INTO t2 SELECT g FROM generate_series(1000, 1999) g]]
    local process = start('  op.backfill { "x", table = "t", set = { v = sql "v + 1" }, rows_per_s = 500, '
      .. 'max_rows = 50, lanes = 1, on_error = "quarantine" }')
    sql "ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (1000) TO (2000)"
    local ended = process:wait()
    assert.equal(1, ended.status)
    assert.matches("rows of public.t2 cannot be put aside", ended.stderr, 1, true)
    assert.equal("1|1000|0", sql "SELECT max(v), count(*), (SELECT sum(v) FROM t2) FROM t1")
  end)
end)
