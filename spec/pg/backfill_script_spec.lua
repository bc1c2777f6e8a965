-- op.backfill without a run of its own: as a script, and in a dry run.

local cli = require "spec.support.cli"
local server = require "spec.support.server"

local project = cli.upgrading

describe("op.backfill that is written or tried", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function sql(text) return server.sql(url, text) end

  local folder, path
  local function written(body)
    folder, path = project(body), require("spec.support.tmp").name("script")
    require("spec.support.shell").write(path, (cli.ok("upgrade heads --sql", { cwd = folder })))
  end
  local psql = { program = { server.program "psql" } }
  local function words() return { "-X", "-q", "-d", url, "-v", "ON_ERROR_STOP=1", "-f", path } end
  local function script(body)
    written(body)
    return cli.run(words(), psql)
  end
  local function start(body)
    written(body)
    return cli.start(words(), psql)
  end
  local function ok(args) return (cli.ok(args, { cwd = folder, env = { DATABASE_URL = url } })) end
  local function row() return sql "SELECT concat_ws('|', state, reason) FROM moontide.backfill" end
  local function eventually(pattern)
    cli.eventually(pattern, function()
      return sql "SELECT to_regclass('moontide.backfill') IS NOT NULL" == "t" and row():find(pattern)
    end)
  end
  local function check_done(program)
    local ran = program:wait()
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("1|900", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.equal("done", row())
    return ran.stderr
  end
  local plus = '  op.backfill { "plus", table = "t", set = { v = sql "v + 1" }, max_rows = 100, %s }'
  local rows = [[CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0);
    INSERT INTO t SELECT g FROM generate_series(1, 900) g; CREATE TABLE brake (is_on boolean NOT NULL);
    INSERT INTO brake VALUES (true)]]

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

  -- While it waits behind its first chunks there comes work for a sweep: a row behind it and one whose key moves back.
  it("sweeps in a script for rows that came meanwhile, and takes new partitions", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer) PARTITION BY RANGE (id);
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (1000); CREATE TABLE t2 (LIKE t INCLUDING ALL);
      INSERT INTO t SELECT g FROM generate_series(100, 899) g; INSERT INTO t2 VALUES (1500, NULL);
      CREATE TABLE brake AS SELECT true AS is_on]]
    local running = start [[  op.backfill { "fill", table = "t", set = { v = 1 }, where = "v IS NULL", rows_per_s = 100,
      throttle_sql = "SELECT is_on AND EXISTS (SELECT FROM t WHERE v = 1) FROM brake" }]]
    eventually "^paused|throttle_sql"
    assert.equal("1", sql "SELECT count(*) FROM t WHERE id = 899 AND v IS NULL")
    sql [[INSERT INTO t1 VALUES (5, NULL); UPDATE t1 SET id = 6 WHERE id = 899;
      ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (1000) TO (2000); UPDATE brake SET is_on = false]]
    ok "backfill set fill rows_per_s=100000"
    local ran = running:wait()
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("1|802", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.equal("0|800\n2|2\n3|0", sql [[SELECT pass, sum(rows_changed) FROM moontide.backfill_range
      GROUP BY pass ORDER BY pass]])
  end)

  it("does not sweep in a script where a changed row matches still, nor with sweep = 0", function()
    for _, more in ipairs { "", "sweep = 0, " } do
      sql("DROP TABLE IF EXISTS t, brake; DROP SCHEMA IF EXISTS moontide CASCADE; " .. rows)
      local ran = script(plus:format(more .. 'where = "v >= 0"'))
      assert.equal(0, ran.status, ran.stderr)
      assert.equal("1|900", sql "SELECT v, count(*) FROM t GROUP BY v")
      assert.equal("0", sql "SELECT max(pass) FROM moontide.backfill_range")
    end
  end)

  it("waits in a script while a query says so, and says why", function()
    sql(rows)
    local running = start(plus:format 'throttle_sql = "SELECT is_on FROM brake"')
    eventually "^paused|throttle_sql answers true$"
    assert.equal("0|900", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.matches("paused .*throttle_sql answers true", ok "backfill list")
    sql "UPDATE brake SET is_on = false"
    assert.matches("NOTICE:  backfill plus: paused: throttle_sql answers true\n.*NOTICE:  backfill plus: goes on\n",
      check_done(running))
  end)

  it("waits in a script outside of its hours", function()
    sql(rows)
    local hour = tonumber(sql "SELECT extract(hour FROM now() AT TIME ZONE 'Asia/Tokyo')::integer")
    local running = start(plus:format(('window = "%02d:00-%02d:00 Asia/Tokyo"'):format((hour + 4) % 24,
      (hour + 6) % 24)))
    eventually "^paused|it is %d%d:%d%d, outside of %d%d:00%-%d%d:00 Asia/Tokyo$"
    ok "backfill set plus window=off"
    check_done(running)
  end)

  it("takes words in a script: other settings, pause and resume", function()
    sql(rows)
    local running = start(plus:format "rows_per_s = 50")
    cli.eventually("a chunk", function() return sql "SELECT count(*) FROM t WHERE v = 1" ~= "0" end)
    ok { "backfill", "pause", "plus", "--reason", "the sale" }
    eventually "^paused|the sale$"
    local done = sql "SELECT count(*) FROM t WHERE v = 1"
    ok "backfill set plus rows_per_s=100000 max_rows=7 profile=gentle"
    assert.equal(done, sql "SELECT count(*) FROM t WHERE v = 1")
    ok "backfill resume plus"
    assert.matches("paused: the sale\n.*goes on\n", check_done(running))
    assert.equal("7", sql "SELECT max(chunk_rows) FROM moontide.backfill_range")
  end)

  it("is refused to others once a script has begun it, since they would change its rows again", function()
    sql(rows)
    local running = start(plus:format "rows_per_s = 50")
    cli.eventually("a chunk", function() return sql "SELECT count(*) FROM t WHERE v = 1" ~= "0" end)
    for _, args in ipairs { "upgrade", "backfill work plus" } do
      local ran = cli.run(args, { cwd = folder, env = { DATABASE_URL = url } })
      assert.equal(1, ran.status)
      assert.matches('backfill "plus" was begun by a script.*hint: Run the script again', ran.stderr)
    end
    ok "backfill set plus rows_per_s=100000"
    check_done(running)
  end)

  it("is cancelled in a script, which then begins nothing before it is resumed", function()
    sql(rows)
    local running = start(plus:format "rows_per_s = 50")
    cli.eventually("a chunk", function() return sql "SELECT count(*) FROM t WHERE v = 1" ~= "0" end)
    ok "backfill cancel plus"
    for _, ran in ipairs { running:wait(), cli.run(words(), psql) } do
      assert.equal(3, ran.status)
      assert.matches('ERROR:  backfill "plus" was cancelled\nHINT:  `moontide backfill resume plus`', ran.stderr)
    end
    ok "backfill resume plus"
    ok "backfill set plus rows_per_s=100000"
    check_done(cli.start(words(), psql))
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

  it("says how much of the table a condition on a new column takes", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer) WITH (autovacuum_enabled = off);
      INSERT INTO t SELECT g, g FROM generate_series(1, 40000) g; ANALYZE t]]
    local body = [[
  op.add_column("t", { "w", "integer" })
  op.backfill { "x", table = "t", where = "w IS NULL", set = { w = sql "v" } }]]
    local ran = cli.run("upgrade heads --dry-run", { cwd = project(body), env = { DATABASE_URL = url } })
    assert.matches("t may grow from 1.4 MB by 1.4 MB, WAL: about 6.2 MB\n", ran.stderr)
  end)
end)
