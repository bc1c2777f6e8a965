-- Rows that cannot be changed: put aside with on_error = "quarantine", and tried again.

local cli = require "spec.support.cli"
local database = require "moontide.db"
local operation = require "moontide.operation"
local server = require "spec.support.server"
local value = require "moontide.value"

require "moontide.object"

local project = cli.upgrading

describe("op.backfill with rows that fail", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function sql(text) return server.sql(url, text) end
  local function run(args, folder) return cli.run(args, { cwd = folder, env = { DATABASE_URL = url } }) end

  local function poisoned()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, name text, v integer NOT NULL DEFAULT 0,
        CHECK (id % 1000 <> 17 OR v = 0));
      INSERT INTO t SELECT g, 'n' || g FROM generate_series(1, 20000) g; ANALYZE t;
      CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF new.id IN (4444, 9999) THEN RAISE EXCEPTION 'not this one'; END IF; RETURN new; END $$;
      CREATE TRIGGER no BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION no()]]
  end

  local plus = '  op.backfill { "plus", table = "t", set = { v = sql "v + 1" }, on_error = "quarantine" }'
  local in_lua = [[  op.backfill { "plus", table = "t", read = { "id", "v" }, write = "v", on_error = "quarantine", %s
    each = function(row)
      if row.id == 5 or row.id == 12345 then error("cannot do " .. row.id) end
      return { v = row.v + 1 }
    end }]]

  it("puts them aside and changes all others, once", function()
    poisoned()
    local ran = run("upgrade heads", project(plus))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("0|22\n1|19978", sql "SELECT v, count(*) FROM t GROUP BY v ORDER BY v")
    assert.equal("19978|22", sql "SELECT sum(rows_changed), sum(rows_bad) FROM moontide.backfill_range")
    assert.equal("23514|20\nP0001|2",
      sql "SELECT sqlstate, count(*) FROM moontide.backfill_error GROUP BY 1 ORDER BY 1")
    assert.equal('{"v": 0, "id": 4444, "name": "n4444"}', sql [[SELECT row_before FROM moontide.backfill_error
      WHERE key = '{4444}' AND message LIKE 'not this one%' AND resolved_at IS NULL]])
    assert.matches("warning: backfill plus: 22 rows were put aside", ran.stderr, 1, true)
    assert.matches("moontide backfill retry plus", ran.stderr, 1, true)
    assert.matches("these triggers fire for each row: no", ran.stderr, 1, true)
    assert.equal("done", sql "SELECT state FROM moontide.backfill")
  end)

  it("puts rows of a Lua function aside, those of the server too", function()
    poisoned()
    local ran = run("upgrade heads", project(in_lua:format ""))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("0|24\n1|19976", sql "SELECT v, count(*) FROM t GROUP BY v ORDER BY v")
    assert.equal("cannot do 12345", sql "SELECT message FROM moontide.backfill_error WHERE key = '{12345}'")
    assert.equal("19976|24", sql "SELECT sum(rows_changed), sum(rows_bad) FROM moontide.backfill_range")
  end)

  -- The operation as a file would have it.
  local function retry(options)
    local db <close> = database.connect(url)
    return require("moontide.backfill.retry").run(operation.build("backfill", options),
      { db = db, schema = "moontide", revision = "a1", direction = "upgrade" })
  end

  it("tries the rows again, in SQL", function()
    poisoned()
    assert.equal(0, run("upgrade heads", project(plus)).status)
    sql "ALTER TABLE t DROP CONSTRAINT t_check; DELETE FROM t WHERE id = 17"
    local work = { "plus", table = "t", set = { v = value.sql "v + 1" } }
    assert.same({ tried = 22, resolved = 20, left = 2 }, retry(work))
    assert.equal("2|1", sql [[SELECT count(*), count(DISTINCT tries) FROM moontide.backfill_error
      WHERE resolved_at IS NULL AND tries = 2]])
    sql "DROP TRIGGER no ON t"
    assert.same({ tried = 2, resolved = 2, left = 0 }, retry(work))
    assert.same({ tried = 0, resolved = 0, left = 0 }, retry(work))
    assert.equal("1|19999", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.equal("19999|0", sql "SELECT sum(rows_changed), sum(rows_bad) FROM moontide.backfill_range")
  end)

  it("tries the rows again, through Lua", function()
    poisoned()
    assert.equal(0, run("upgrade heads", project(in_lua:format "")).status)
    sql "ALTER TABLE t DROP CONSTRAINT t_check; CREATE OR REPLACE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS \
      'BEGIN IF new.id = 9999 THEN RETURN NULL; END IF; RETURN new; END'"
    local work = { "plus", table = "t", read = { "id", "v" }, write = "v", each = function(row)
      if row.id == 5 then error "still not" end
      return { v = row.v + 1 }
    end }
    assert.same({ tried = 24, resolved = 22, left = 2 }, retry(work))
    assert.equal("{5}|still not\n{9999}|a trigger or rule keeps a row from being changed",
      sql "SELECT key, message FROM moontide.backfill_error WHERE resolved_at IS NULL ORDER BY key[1]::integer")
    assert.equal("0|2\n1|19998", sql "SELECT v, count(*) FROM t GROUP BY v ORDER BY v")
  end)

  it("tries the others again where a partition is gone", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0) PARTITION BY RANGE (id);
      CREATE TABLE t1 PARTITION OF t (CHECK (id <> 5 OR v = 0)) FOR VALUES FROM (0) TO (10);
      CREATE TABLE t2 PARTITION OF t (CHECK (id <> 15 OR v = 0)) FOR VALUES FROM (10) TO (20);
      INSERT INTO t SELECT generate_series(0, 19)]]
    assert.equal(0, run("upgrade heads", project(plus)).status)
    sql "DROP TABLE t1; ALTER TABLE t2 DROP CONSTRAINT t2_check"
    assert.same({ tried = 2, resolved = 1, left = 1 }, retry { "plus", table = "t", set = { v = value.sql "v + 1" } })
    assert.equal("10|42P01", sql [[SELECT (SELECT count(*) FROM t WHERE v = 1), sqlstate FROM moontide.backfill_error
      WHERE resolved_at IS NULL]])
  end)

  it("puts a row of each_chunk aside", function()
    sql "CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t SELECT generate_series(1, 3000)"
    local ran = run("upgrade heads", project [[  op.backfill { "plus", table = "t", read = "id", write = "v",
      on_error = "quarantine", each_chunk = function(rows)
        local changes = {}
        for i, row in ipairs(rows) do
          if row.id == 1234 then error "no" end
          changes[i] = { v = row.id == 77 and "x" or 1 }
        end
        return changes
      end }]])
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("{77}\n{1234}", sql "SELECT key FROM moontide.backfill_error ORDER BY key[1]::integer")
    assert.equal("2998", sql "SELECT count(*) FROM t WHERE v = 1")
  end)

  it("stops when there are more than max_errors", function()
    poisoned()
    for _, body in ipairs { (plus:gsub(" }$", ", max_errors = 3 }")), in_lua:format "max_errors = 3," } do
      sql "DROP SCHEMA IF EXISTS moontide CASCADE"
      sql "UPDATE t SET v = 0 WHERE id NOT IN (4444, 9999)"
      local ran = run("upgrade heads", project(body))
      assert.equal(1, ran.status)
      assert.matches("3 rows are put aside already, and max_errors is 3", ran.stderr, 1, true)
      assert.matches("in the row of public.t with id = ", ran.stderr, 1, true)
      assert.equal("3|failed", sql "SELECT count(*), max(state) FROM moontide.backfill_error, moontide.backfill")
    end
  end)

  it("says that a trigger keeps a row from being changed", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t SELECT generate_series(1, 3000);
      CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF new.id = 99 THEN RETURN NULL; END IF; RETURN new; END';
      CREATE TRIGGER eats BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION no()]]
    local body = '  op.backfill { "x", table = "t", read = "id", write = "v", '
      .. "each = function() return { v = 1 } end%s }"
    local ran = run("upgrade heads", project(body:format ""))
    assert.equal(1, ran.status)
    assert.matches("a trigger or rule keeps a row from being changed", ran.stderr, 1, true)
    assert.matches("in the row of public.t with id = 99", ran.stderr, 1, true)
    assert.matches("these triggers fire for each row: eats", ran.stderr, 1, true)
    assert.equal(0, run("upgrade heads", project(body:format ', on_error = "quarantine"')).status)
    assert.equal("2999|1", sql "SELECT sum(v), (SELECT count(*) FROM moontide.backfill_error) FROM t")
  end)

  it("still stops at an operation in the function, and at a division by zero names the row", function()
    sql "CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t SELECT generate_series(1, 3000)"
    local ran = run("upgrade heads", project [[  op.backfill { "x", table = "t", read = "id", write = "v",
      on_error = "quarantine", each = function() op.execute("SELECT 1") end }]])
    assert.equal(1, ran.status)
    assert.matches("an operation is called in a function", ran.stderr, 1, true)
    sql "DROP SCHEMA moontide CASCADE"
    ran = run("upgrade heads", project '  op.backfill { "x", table = "t", set = { v = sql "1 / (id - 777)" } }')
    assert.matches("division by zero", ran.stderr, 1, true)
    assert.matches("with id = 777", ran.stderr, 1, true)
  end)

  it("stops where the function yields, which nobody would resume", function()
    sql "CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t SELECT generate_series(1, 10)"
    local ran = run("upgrade heads", project [[  op.backfill { "x", table = "t", read = "id", write = "v",
      each = function(row)
        local numbers = coroutine.wrap(function() coroutine.yield(1) end)
        return { v = numbers() + coroutine.yield(row) }
      end }]])
    assert.equal(1, ran.status)
    assert.matches("error: migrations/versions/a.lua:9: a function of a backfill cannot yield", ran.stderr, 1, true)
    assert.equal("0", sql "SELECT count(v) FROM t")
  end)

  it("refuses to put deleted rows where they come from", function()
    local body = '  op.backfill { "x", table = "t", where = "true", delete = true, into = "t" }'
    local ran = run("upgrade heads", project(body))
    assert.matches("a.lua:6: backfill: into is the table itself", ran.stderr, 1, true)
  end)

  it("undoes the parts of a chunk that were sent before one that fails", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0, bad boolean,
        CHECK (id <> 301 OR v = 0));
      INSERT INTO t SELECT g, 0, g = 8990 FROM generate_series(1, 9000) g]]
    local folder = project [[  op.backfill { "plus", table = "t", read = { "v", "bad" }, write = "v", lanes = 1,
      chunk_ms = 60000, each = function(row)
        if row.bad then error "not this one" end
        return { v = row.v + 1 }
      end }]]
    local function whole() return sql [[SELECT (SELECT count(*) FROM t WHERE v = 1) =
      (SELECT sum(rows_changed) FROM moontide.backfill_range)]] end
    local ran = run("upgrade heads", folder)
    assert.matches("in the row of public.t with id = 301", ran.stderr, 1, true)
    assert.equal("t", whole())
    sql "ALTER TABLE t DROP CONSTRAINT t_check"
    ran = run("upgrade heads", folder)
    assert.matches("not this one", ran.stderr, 1, true)
    assert.matches("in the row of public.t with id = 8990", ran.stderr, 1, true)
    assert.equal("t", whole())
    sql "UPDATE t SET bad = false"
    ran = run("-v upgrade heads", folder)
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("1|9000", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.is_true(select(2, ran.stderr:gsub("WITH w AS %(UPDATE", "")) > select(2, ran.stderr:gsub("FOR NO KEY", "")))
  end)

  it("knows how many rows the chunk has that failed, whatever size the next one is to have", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, name text, v integer NOT NULL DEFAULT 0, CHECK (id <> 3 OR v = 0));
      INSERT INTO t SELECT g, repeat('x', 5000000) FROM generate_series(1, 12) g]]
    local ran = run("upgrade heads", project [[  op.backfill { "plus", table = "t", read = { "v", "name" },
      write = "v", lanes = 1, max_rows = 5, on_error = "quarantine",
      each = function(row) return { v = row.v + 1 } end }]])
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("{3}", sql "SELECT key FROM moontide.backfill_error")
    assert.equal("11|11", sql "SELECT sum(v), (SELECT sum(rows_changed) FROM moontide.backfill_range) FROM t")
  end)

  it("are not put aside where nothing finds them again, also when that is asked for later", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, grp integer, v integer NOT NULL DEFAULT 0, CHECK (id <> 2 OR v = 0));
      CREATE INDEX ON t (grp); INSERT INTO t VALUES (1, 1), (2, NULL), (3, 2), (4, 2), (5, NULL)]]
    local body = '  op.backfill { "plus", table = "t", key = { "grp" }, set = { v = sql "v + 1" }%s }'
    local folder = project(body:format "")
    assert.matches("in the row of public.t with id = 2", run("upgrade heads", folder).stderr, 1, true)
    local ran = run("upgrade heads", project(body:format ', on_error = "quarantine"'))
    assert.equal(1, ran.status)
    assert.matches("rows of public.t cannot be put aside", ran.stderr, 1, true)
    sql "ALTER TABLE t DROP CONSTRAINT t_check"
    assert.equal(0, run("upgrade heads", folder).status)
    assert.equal("1|5", sql "SELECT v, count(*) FROM t GROUP BY v")
  end)
end)
