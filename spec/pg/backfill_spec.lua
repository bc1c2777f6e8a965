-- op.backfill against a server: every kind of key, what stops it and what continues it.

local cli = require "spec.support.cli"
local proxy = require "spec.support.proxy"
local server = require "spec.support.server"

local function project(body, more)
  more = more or {}
  local text = cli.revision("a1", nil, { upgrade = body, downgrade = more.downgrade, head = more.head })
  if more.change then
    text = ('--- A.\nrevision = "a1"\ndown_revision = nil\nfunction change()\n%s\nend\n'):format(body)
  end
  return cli.project { ["migrations/versions/a.lua"] = text }
end

local function rows(count) return ("INSERT INTO t SELECT generate_series(1, %d)"):format(count) end

describe("op.backfill", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function sql(text) return server.sql(url, text) end
  local function run(args, folder) return cli.run(args, { cwd = folder, env = { DATABASE_URL = url } }) end
  local function upgrade(body, more)
    local ran = run("upgrade heads", project(body, more))
    if ran.status ~= 0 then error(ran.stderr, 2) end
    return ran
  end

  local plus = '  op.backfill { "plus", table = "t", set = { v = sql "v + 1" }, max_rows = %d }'

  local keys = {
    ["integers with gaps"] = { "bigint", "g * 1000003::bigint - 5000000000" },
    ["uuids"] = { "uuid", "md5(g::text)::uuid" },
    ["texts"] = { "text", "CASE WHEN g = 1 THEN '' ELSE chr(39) || chr(92) || 't.' || md5(g::text) || 'ß' END" },
    ["texts in another order"] = { 'text COLLATE "C"', "md5(g::text) || 'é'" },
    ["instants"] = { "timestamptz", "timestamptz '2001-02-03' + g * interval '1.000001 s'" },
    ["numbers"] = { "numeric", "g / 7.0" },
    ["bytes"] = { "bytea", "decode(md5(g::text), 'hex')" },
    ["padded characters"] = { "char(40)", "md5(g::text)" },
  }
  for name, key in pairs(keys) do
    it("goes through " .. name .. " once", function()
      sql(("CREATE TABLE t (k %s PRIMARY KEY, v integer NOT NULL DEFAULT 0); INSERT INTO t SELECT %s, 0 "
        .. "FROM generate_series(1, 30000) g; ANALYZE t"):format(key[1], key[2]))
      upgrade(plus:format(700))
      assert.equal("1|30000", sql "SELECT v, count(*) FROM t GROUP BY v")
      assert.equal("30000|done", sql [[SELECT sum(rows_changed), max(state) FROM moontide.backfill_range,
        moontide.backfill]])
    end)
  end

  it("goes through a key of several columns, quoted names, an enum and a domain", function()
    sql [[CREATE SCHEMA "My Schema"; CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN num AS integer;
      CREATE TABLE "My Schema"."My Table" ("The Mood" mood, n num, d date, v integer NOT NULL DEFAULT 0,
        PRIMARY KEY ("The Mood", n, d));
      INSERT INTO "My Schema"."My Table" SELECT (enum_range(NULL::mood))[1 + g % 3], g / 10, date '2000-01-01' + g % 10
        FROM generate_series(1, 30000) g; ANALYZE]]
    upgrade('  op.backfill { "plus", table = "My Table", schema = "My Schema", max_rows = 333, '
      .. 'set = { v = sql "v + 1" } }')
    assert.equal("1|30000", sql 'SELECT v, count(*) FROM "My Schema"."My Table" GROUP BY v')
  end)

  it("goes through partitions of partitions, an empty one, and inheritance", function()
    sql [[CREATE TABLE t (k integer, v integer NOT NULL DEFAULT 0, PRIMARY KEY (k)) PARTITION BY RANGE (k);
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (1000) PARTITION BY RANGE (k);
      CREATE TABLE t1a PARTITION OF t1 FOR VALUES FROM (0) TO (500);
      CREATE TABLE t1b PARTITION OF t1 FOR VALUES FROM (500) TO (1000);
      CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (1000) TO (2000); CREATE TABLE t3 PARTITION OF t DEFAULT;
      INSERT INTO t SELECT g FROM generate_series(1, 1999) g]]
    upgrade(plus:format(100))
    assert.equal("1|1999", sql "SELECT v, count(*) FROM t GROUP BY v")
  end)

  it("goes by a key that is named, with many equal values", function()
    sql [[CREATE TABLE t (day integer NOT NULL, v integer NOT NULL DEFAULT 0); CREATE INDEX ON t (day);
      INSERT INTO t SELECT g / 5000, 0 FROM generate_series(1, 30000) g; ANALYZE t]]
    upgrade '  op.backfill { "plus", table = "t", key = "day", set = { v = sql "v + 1" }, max_rows = 100 }'
    assert.equal("1|30000", sql "SELECT v, count(*) FROM t GROUP BY v")
  end)

  it("refuses a table without a key, a key that may be NULL, and a key that is changed", function()
    sql "CREATE TABLE t (a integer, v integer NOT NULL DEFAULT 0)"
    local ran = run("upgrade heads", project(plus:format(10)))
    assert.matches('backfill "plus": table public.t has no key to go through it by', ran.stderr, 1, true)
    ran = run("upgrade heads", project '  op.backfill { "p", table = "t", key = "a", set = { v = 1 } }')
    assert.matches('the key column "a" may be NULL', ran.stderr, 1, true)
    sql "ALTER TABLE t ADD PRIMARY KEY (a)"
    ran = run("upgrade heads", project '  op.backfill { "p", table = "t", set = { a = 1 } }')
    assert.matches('the key column "a" is changed', ran.stderr, 1, true)
  end)

  it("changes only the rows of its condition, and says how many", function()
    sql "CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t SELECT g, 0 FROM generate_series(1, 1000) g"
    local ran = upgrade '  op.backfill { "some", table = "t", set = { v = 5 }, where = "t.id % 2 = 0" }'
    assert.equal("0|500\n5|500", sql "SELECT v, count(*) FROM t GROUP BY v ORDER BY v")
    assert.matches("backfill some: 500 rows changed", ran.stderr, 1, true)
  end)

  it("deletes, and archives what it deletes", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer GENERATED ALWAYS AS (id * 2) STORED, note text);
      CREATE TABLE old (LIKE t INCLUDING ALL);
      INSERT INTO t (id, note) SELECT g, 'n' FROM generate_series(1, 3000) g]]
    upgrade '  op.backfill { "old", table = "t", where = "id <= 2000", delete = true, into = "old", max_rows = 300 }'
    assert.equal("1000|2000", sql "SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM old)")
    assert.equal("1", sql "SELECT count(*) FROM old WHERE id = 7 AND v = 14 AND note = 'n'")
  end)

  it("names the row that cannot be changed, keeps what is done, and goes on when it is mended", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0, CHECK (id <> 777 OR v = 0));
      INSERT INTO t SELECT g FROM generate_series(1, 5000) g]]
    local folder = project(plus:format(200))
    local ran = run("upgrade heads", folder)
    assert.equal(1, ran.status)
    assert.matches("in the row of public.t with id = 777", ran.stderr, 1, true)
    assert.matches("23514", ran.stderr, 1, true)
    assert.equal("776", sql "SELECT count(*) FROM t WHERE v = 1 AND id < 777")
    assert.equal("failed", sql "SELECT state FROM moontide.backfill")
    sql "ALTER TABLE t DROP CONSTRAINT t_check"
    assert.equal(0, run("upgrade heads", folder).status)
    assert.equal("1|5000", sql "SELECT v, count(*) FROM t GROUP BY v")
  end)

  it("waits for a locked row and goes on", function()
    sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0); " .. rows(900))
    local blocker = cli.start({ "-X", "-q", "-d", url, "-c",
      "BEGIN; UPDATE t SET v = v WHERE id = 450; SELECT pg_sleep(3); COMMIT" },
      { program = { server.program "psql" } })
    cli.eventually("the lock", function()
      return sql "SELECT count(*) FROM pg_locks WHERE mode = 'RowExclusiveLock' AND relation = 't'::regclass" ~= "0"
    end)
    upgrade(plus:format(100))
    blocker:wait()
    assert.equal("1|900", sql "SELECT v, count(*) FROM t GROUP BY v")
  end)

  it("refuses to go on when it was edited, and runs again after a downgrade", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0, CHECK (id <> 777 OR v = 0));
      INSERT INTO t SELECT g FROM generate_series(1, 1000) g]]
    assert.equal(1, run("upgrade heads", project(plus:format(200))).status)
    local ran = run("upgrade heads", project '  op.backfill { "plus", table = "t", set = { v = sql "v + 2" } }')
    assert.matches('backfill "plus" was edited after a part of it had been done', ran.stderr, 1, true)
    sql "ALTER TABLE t DROP CONSTRAINT t_check"
    local folder = project(plus:format(100))
    for _ = 1, 2 do
      assert.equal(0, run("upgrade heads", folder).status)
      assert.equal(0, run("downgrade base", folder).status)
    end
    assert.equal("2|1000", sql "SELECT v, count(*) FROM t GROUP BY v")
  end)

  it("may be edited when it failed with its first chunk", function()
    sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0); " .. rows(900))
    local ran = run("upgrade heads", project '  op.backfill { "plus", table = "t", set = { vv = 1 } }')
    assert.matches('error: migrations/versions/a.lua:6: backfill "plus": the column "vv" of set is not in the table\n',
      ran.stderr, 1, true)
    assert.matches('hint: Did you mean "v"?\n', ran.stderr, 1, true)
    for _, wrong in ipairs { 'table = "t", set = { v = sql "w" }', 'table = "t", set = { v = 1 }, where = "w = 1"',
      'table = "t", read = "v", write = "v", each = function(row) return { v = row.w + 1 } end' } do
      assert.equal(1, run("upgrade heads", project('  op.backfill { "plus", ' .. wrong .. " }")).status)
      assert.equal("failed|1", sql "SELECT state, attempt FROM moontide.backfill")
    end
    assert.equal(0, run("upgrade heads", project(plus:format(200))).status)
    assert.equal("1|900", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.equal("0",
      sql "SELECT count(*) FROM moontide.backfill_range WHERE backfill_id <> (SELECT id FROM moontide.backfill)")
  end)

  it("may not be edited while somebody is at its first chunk, who is not seen behind a pooler", function()
    sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0); " .. rows(900))
    assert.equal(1, run("upgrade heads", project '  op.backfill { "plus", table = "t", set = { v = sql "w" } }').status)
    local other = cli.start({ "-X", "-q", "-d", url, "-c",
      "BEGIN; UPDATE moontide.backfill_range SET chunks = 1; SELECT pg_sleep(3); COMMIT" },
      { program = { server.program "psql" } })
    cli.eventually("its chunk", function()
      return sql "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'" == "1"
    end)
    local ran = run("upgrade heads", project(plus:format(200)))
    assert.matches("was edited after a part of it had been done", ran.stderr, 1, true)
    other:wait()
    assert.equal("1", sql "SELECT max(chunks) FROM moontide.backfill_range")
  end)

  it("is undone by the change that it names in a change()", function()
    sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0); " .. rows(900))
    local body = '  op.backfill { "plus", table = "t", set = { v = sql "v + 1" }, '
      .. 'down = { set = { v = sql "v - 1" } } }'
    local folder = project(body, { change = true })
    assert.equal(0, run("upgrade heads", folder).status)
    assert.equal("1", sql "SELECT min(v) FROM t")
    assert.equal(0, run("downgrade base", folder).status)
    assert.equal("0|900", sql "SELECT v, count(*) FROM t GROUP BY v")
  end)

  it("changes nothing in a dry run", function()
    sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0); " .. rows(900))
    local ran = run("upgrade heads --dry-run", project(plus:format(100)))
    assert.matches("900 rows of all would change", ran.stderr, 1, true)
    assert.equal("0|900", sql "SELECT v, count(*) FROM t GROUP BY v")
  end)

  it("changes all rows of a small table in a dry run, so that what follows can be tried", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, grp integer, v integer);
      INSERT INTO t SELECT g, nullif(g % 9, 0) FROM generate_series(1, 5000) g; CREATE INDEX ON t (grp)]]
    for _, how in ipairs { 'read = "id", write = "v", each = function(row) return { v = row.id } end',
      "set = { v = 1 }", 'key = "grp", set = { v = 1 }', 'order = "physical", where = "v IS NULL", set = { v = 1 }',
      'order = "physical", where = "v IS NULL", read = "id", write = "v", each = function() return { v = 1 } end' } do
      local ran = run("upgrade heads --dry-run", project(('  op.backfill { "x", table = "t", %s }\n'):format(how)
        .. '  op.alter_column("t", "v", { nullable = false })'))
      assert.equal(0, ran.status, how .. ran.stderr)
    end
    assert.equal("0", sql "SELECT count(v) FROM t")
  end)

  it("is a script that is resumed by running it again", function()
    sql [[CREATE TABLE t (a integer, b text, v integer NOT NULL DEFAULT 0, PRIMARY KEY (a, b));
      INSERT INTO t SELECT g / 3, 't.' || chr(39) || g FROM generate_series(1, 5000) g]]
    local ran = run("upgrade heads --sql", project(plus:format(100)))
    local script = require("spec.support.tmp").name("script")
    require("spec.support.shell").write(script, ran.stdout)
    local psql = { program = { server.program "psql" } }
    sql "ALTER TABLE t ADD CHECK (a <> 800 OR v = 0)"
    assert.equal(3, cli.run({ "-X", "-q", "-d", url, "-v", "ON_ERROR_STOP=1", "-f", script }, psql).status)
    assert.is_true(tonumber(sql "SELECT count(*) FROM t WHERE v = 1") > 1000)
    sql "ALTER TABLE t DROP CONSTRAINT t_check"
    cli.run({ "-X", "-q", "-d", url, "-f", script }, psql)
    assert.equal("1|5000", sql "SELECT v, count(*) FROM t GROUP BY v")
  end)

  it("finishes its chunks at Ctrl-C and continues", function()
    sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0); " .. rows(9000))
    local folder = project('  op.backfill { "plus", table = "t", set = { v = sql "v + 1" }, rows_per_s = 3000, '
      .. "max_rows = 100 }")
    local process = cli.start({ "upgrade", "heads" }, { cwd = folder, env = { DATABASE_URL = url } })
    cli.eventually("a chunk", function()
      return sql "SELECT count(*) FROM t WHERE v = 1" ~= "0"
    end)
    process:signal "INT"
    assert.equal(130, process:wait().status)
    assert.equal("paused", sql "SELECT state FROM moontide.backfill")
    assert.equal(0, run("upgrade heads", folder).status)
    assert.equal("1|9000", sql "SELECT v, count(*) FROM t GROUP BY v")
  end)

  it("asks a Lua function what becomes of each row", function()
    sql [[CREATE TABLE t (a uuid, b text, full_name text, first text, last text, n numeric, f float8, j jsonb, d date,
        ok boolean, small smallint, raw bytea, keep integer DEFAULT 7, PRIMARY KEY (a, b));
      INSERT INTO t (a, b, full_name) SELECT md5(g::text)::uuid, 'b' || g,
        CASE WHEN g % 10 = 0 THEN 'Plato' ELSE 'Ada' || g || ' King' END FROM generate_series(1, 3000) g]]
    upgrade [[  op.backfill { "split", table = "t", read = "full_name", max_rows = 300,
      write = { "first", "last", "n", "f", "j", "d", "ok", "small", "raw", "keep" }, each = function(row)
        local first, last = row.full_name:match("^(%S+)%s+(.+)$")
        if not first then return { last = row.full_name, keep = null } end
        return { first = first, last = last, n = "1.50", f = 0.25, j = json { x = 1 }, d = "2001-02-03", ok = true,
          small = -5, raw = bytea("\0\1") }
      end }]]
    assert.equal('2700|1.50|0.25|{"x": 1}|2001-02-03|t|-5|0001|7', sql [[SELECT count(*), min(n), min(f),
      min(j::text), min(d), bool_and(ok), min(small), min(encode(raw, 'hex')), min(keep) FROM t
      WHERE first LIKE 'Ada%' AND last = 'King']])
    assert.equal("300", sql "SELECT count(*) FROM t WHERE last = 'Plato' AND first IS NULL AND keep IS NULL")
  end)

  it("leaves rows alone, and takes a whole chunk", function()
    sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0); " .. rows(900))
    upgrade [[  op.backfill { "half", table = "t", read = "id", write = "v", each_chunk = function(rows)
        local changes = {}
        for i, row in ipairs(rows) do changes[i] = row.id % 2 == 0 and { v = row.id } end
        return changes
      end }]]
    assert.equal("450|450", sql "SELECT count(*) FILTER (WHERE v = id), count(*) FILTER (WHERE v = 0) FROM t")
  end)

  it("reads few wide rows at a time, from the first chunk of each table on", function()
    sql [[CREATE TABLE t (id integer, name text, v integer) PARTITION BY RANGE (id);
      CREATE TABLE t1 PARTITION OF t (PRIMARY KEY (id)) FOR VALUES FROM (0) TO (100);
      CREATE TABLE t2 PARTITION OF t (PRIMARY KEY (id)) FOR VALUES FROM (100) TO (200);
      ALTER TABLE t2 ALTER COLUMN name SET STORAGE EXTERNAL;
      INSERT INTO t SELECT g, CASE WHEN g >= 100 THEN repeat('x', 500000) END FROM generate_series(1, 130) g;
      ANALYZE t]]
    upgrade [[  op.backfill { "x", table = "t", read = "name", write = "v", lanes = 1,
      each = function(row) return { v = #(row.name or "") } end }]]
    assert.equal("99|0\n31|500000", sql "SELECT count(*), v FROM t GROUP BY v ORDER BY v")
    assert.equal("t1|t\nt2|t", sql [[SELECT leaf::regclass, CASE leaf WHEN 't1'::regclass THEN chunks = 1
      ELSE chunks > 3 AND chunks < 32 END FROM moontide.backfill_range ORDER BY 1]])
  end)

  it("names the row for which a Lua function raises an error", function()
    sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0); " .. rows(900))
    local ran = run("upgrade heads", project [[  op.backfill { "bad", table = "t", read = "id", write = "v",
      max_rows = 50, lanes = 1, each = function(row) if row.id == 77 then error("no way") end return { v = 1 } end }]])
    assert.equal(1, ran.status)
    assert.matches("no way", ran.stderr, 1, true)
    assert.matches("in the row of public.t with id = 77", ran.stderr, 1, true)
    ran = run("upgrade heads", project [[  op.backfill { "bad", table = "t", read = "id", write = "v",
      each = function(row) op.execute("SELECT 1") end }]])
    assert.matches("was edited after", ran.stderr, 1, true)
  end)

  it("refuses what is no change of a row", function()
    sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0); " .. rows(9))
    for given, message in pairs {
      ["each = function() return { v = { 1 } } end"] = 'column "v": an integer is expected, not a table\n',
      ["each_chunk = function(list) list[10] = {} return list end"] = "as many changes as there are rows, 9, not 10\n",
    } do
      local ran = run("upgrade heads", project('  op.backfill { "bad", table = "t", read = "v", write = "v", '
        .. given .. " }"))
      assert.matches(message, ran.stderr, 1, true)
    end
    assert.equal("0", sql "SELECT sum(v) FROM t")
  end)

  it("refuses operations in a Lua function", function()
    sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0); " .. rows(900))
    local ran = run("upgrade heads", project [[  op.backfill { "bad", table = "t", read = "id", write = "v",
      each = function() op.execute("SELECT 1") end }]])
    assert.equal(1, ran.status)
    assert.matches('an operation is called in a function of backfill "bad"', ran.stderr, 1, true)
  end)

  it("cannot print a Lua function as a script, unless SQL does the same", function()
    local body = '  op.backfill { "x", table = "t", read = "v", write = "v", each = function() end%s }'
    local ran = run("upgrade heads --sql", project(body:format ""))
    assert.matches("which cannot be printed as a script", ran.stderr, 1, true)
    ran = run("upgrade heads --sql", project(body:format ', sql_equivalent = { set = { v = sql "v + 1" } }'))
    assert.equal(0, ran.status)
    assert.matches("SET v = v + 1", ran.stdout, 1, true)
  end)

  it("says at the end how many dead rows are left, where they are many", function()
    sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0) WITH (autovacuum_enabled = off); "
      .. rows(30000) .. "; ANALYZE t")
    local few = '  op.backfill { "few", table = "t", where = "id % 15 = 0 AND v = 0", set = { v = 5 } }\n'
    local err = upgrade(few .. plus:format(5000)).stderr
    assert.falsy(err:find("backfill few: about", 1, true), err)
    assert.matches("backfill plus: about 3%d%d%d%d dead rows are left in t %(%d+%.%d MB%); VACUUM %(ANALYZE%) t ", err)
    assert.falsy(err:find("statistics", 1, true), err)
  end)

  it("says at the end that the server does not know the table", function()
    sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0) WITH (autovacuum_enabled = off); "
      .. rows(30000))
    local body = '  op.backfill { "some", table = "t", where = "id % 100 = 0", set = { v = 5 } }'
    assert.matches("the statistics of t know 0 rows, where there are at least %d+; ANALYZE t mends that",
      upgrade(body).stderr)
  end)

  it("does not have the statements of a trigger planned for each row", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0, mode text);
      INSERT INTO t SELECT generate_series(1, 10);
      CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN new.mode = current_setting(''plan_cache_mode''); RETURN new; END';
      CREATE TRIGGER noted BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION noted()]]
    upgrade(plus:format(5))
    assert.equal("auto|10", sql "SELECT mode, count(*) FROM t GROUP BY mode")
  end)

  -- Beside those of the chunks: connections, the books, what is looked up first, two for each of eight ranges, a look
  -- at the server once a second.
  local function round_trips(body)
    sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL DEFAULT 0);" .. rows(60000))
    local wire <close> = proxy.start(url, { delay = 10 })
    local ran = cli.run("upgrade heads", { cwd = project(body), env = { DATABASE_URL = wire.url } })
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("1|60000", sql "SELECT v, count(*) FROM t GROUP BY v")
    local chunks = math.tointeger(tonumber((sql "SELECT sum(chunks) FROM moontide.backfill_range")))
    return wire:counts().round_trips, chunks
  end

  it("needs a round trip for a chunk in SQL", function()
    local trips, chunks = round_trips(plus:format(1000):gsub(" }$", ", lanes = 1 }"))
    assert.is_true(chunks >= 60 and trips < 1.2 * chunks + 100, ("%d round trips, %d chunks"):format(trips, chunks))
  end)

  it("needs two for a chunk through Lua, however many its parts are", function()
    local trips, chunks = round_trips [[  op.backfill { "plus", table = "t", read = "v", write = "v", max_rows = 2000,
      lanes = 1, each = function(row) return { v = row.v + 1 } end }]]
    assert.is_true(chunks >= 30 and trips < 2.4 * chunks + 100, ("%d round trips, %d chunks"):format(trips, chunks))
  end)
end)
