-- The ways of op.backfill through tables: other keys than a primary key, none at all, and what is refused.

local cli = require "spec.support.cli"
local server = require "spec.support.server"

local project = cli.upgrading

describe("op.backfill without a primary key", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function sql(text) return server.sql(url, text) end
  local function run(body)
    return cli.run("upgrade heads", { cwd = project(body), env = { DATABASE_URL = url } })
  end
  local function upgrade(body)
    local ran = run(body)
    if ran.status ~= 0 then error(ran.stderr, 2) end
    return ran
  end
  local function refused(body, words)
    local ran = run(body)
    assert.equal(1, ran.status)
    assert.matches(words, ran.stderr, 1, true)
    return ran.stderr
  end

  local audit = [[CREATE TABLE audit (id integer);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN INSERT INTO audit VALUES (new.id); RETURN new; END';
    CREATE TRIGGER note BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note()]]

  -- Every third row is gone, so that new versions of rows land everywhere.
  local function loose()
    sql [[CREATE TABLE t (id integer, v integer NOT NULL DEFAULT 0, done boolean NOT NULL DEFAULT false);
      INSERT INTO t SELECT g FROM generate_series(1, 45000) g; DELETE FROM t WHERE id % 3 = 0]]
    sql "VACUUM ANALYZE t"
    sql(audit)
  end

  for way, how in pairs {
    ["in SQL"] = 'set = { v = sql "v + 1", done = true }',
    ["through Lua"] = 'read = "v", write = { "v", "done" }, each = function(row) '
      .. "return { v = row.v + 1, done = true } end",
  } do
    it("goes through rows as they are stored, each once, " .. way, function()
      loose()
      upgrade(('  op.backfill { "x", table = "t", where = "NOT done", max_rows = 500, %s }'):format(how))
      assert.equal("1|30000", sql "SELECT v, count(*) FROM t GROUP BY v")
      assert.equal("30000|30000", sql "SELECT count(*), count(DISTINCT id) FROM audit")
      assert.equal("30000", sql "SELECT sum(rows_changed) FROM moontide.backfill_range")
    end)
  end

  it("does so where that is wanted, and deletes that way", function()
    sql "CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t SELECT generate_series(1, 3000)"
    upgrade '  op.backfill { "x", table = "t", where = "v IS NULL", order = "physical", set = { v = 1 } }'
    assert.equal("3000", sql "SELECT count(*) FROM t WHERE v = 1")
    assert.matches("^%(%d+,0%)$", (sql "SELECT max(hi[1]) FROM moontide.backfill_range"))
    sql "DROP SCHEMA moontide CASCADE; ALTER TABLE t DROP CONSTRAINT t_pkey"
    upgrade '  op.backfill { "x", table = "t", where = "id > 1000", delete = true, max_rows = 100 }'
    assert.equal("1000", sql "SELECT count(*) FROM t")
  end)

  it("refuses a condition that a changed row matches still, on a sample and later", function()
    loose()
    refused('  op.backfill { "x", table = "t", where = "id > 0", set = { v = 1 } }',
      "rows match its condition still after they were changed")
    refused('  op.backfill { "x", table = "t", where = "v < 9", read = "v", write = "v", '
      .. "each = function(row) return { v = row.v + 1 } end }",
      "rows match its condition still after they were changed")
    sql "UPDATE t SET done = true WHERE id < 40000; DROP SCHEMA moontide CASCADE; DROP TRIGGER note ON t"
    local problem = refused('  op.backfill { "x", table = "t", where = "v = 0", max_rows = 200, '
      .. 'set = { v = sql "CASE WHEN done THEN 1 ELSE 0 END" } }',
      "1 rows match the condition of the backfill still after they were changed")
    assert.matches("in the row of public.t with ctid = ", problem, 1, true)
    assert.equal("0", sql "SELECT count(*) FROM moontide.backfill_range WHERE rows_still > 0")
  end)

  it("names the row that cannot be changed", function()
    loose()
    sql "ALTER TABLE t ADD CHECK (id <> 7777 OR v = 0)"
    local ran = run '  op.backfill { "x", table = "t", where = "NOT done", set = { v = sql "v + 1", done = true } }'
    local place = ran.stderr:match "in the row of public%.t with ctid = (%(%d+,%d+%))"
    assert.equal("7777", sql(("SELECT id FROM t WHERE ctid = '%s'"):format(place)))
  end)

  it("goes by an index that is not unique", function()
    sql [[CREATE TABLE t (id integer NOT NULL, v integer NOT NULL DEFAULT 0); CREATE INDEX ON t (id);
      INSERT INTO t SELECT g / 7 FROM generate_series(1, 20000) g; ANALYZE t]]
    upgrade '  op.backfill { "x", table = "t", set = { v = sql "v + 1" }, max_rows = 100 }'
    assert.equal("1|20000", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.equal("2857", sql "SELECT max(hi[1]::integer) FROM moontide.backfill_range")
  end)

  it("warns of one value in most rows, and with a condition goes as they are stored", function()
    sql [[CREATE TABLE t (id integer NOT NULL, v integer NOT NULL DEFAULT 0); CREATE INDEX ON t (id);
      INSERT INTO t SELECT CASE WHEN g < 18000 THEN 5 ELSE g END FROM generate_series(1, 20000) g; ANALYZE t]]
    local ran = upgrade '  op.backfill { "x", table = "t", set = { v = sql "v + 1" }, max_rows = 100 }'
    assert.matches("warning: backfill x: about 1%d%d%d%d rows of public.t have the same id", ran.stderr)
    assert.equal("1|20000", sql "SELECT v, count(*) FROM t GROUP BY v")
    sql "DROP SCHEMA moontide CASCADE"
    upgrade '  op.backfill { "x", table = "t", set = { v = sql "v + 1" }, where = "v = 1", max_rows = 100, lanes = 1 }'
    assert.equal("2|20000", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.equal("t", sql "SELECT sum(chunks) > 150 FROM moontide.backfill_range WHERE pass = 0")
  end)

  it("divides equal values of a key that is named by the primary key", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, day integer NOT NULL, v integer NOT NULL DEFAULT 0);
      CREATE INDEX ON t (day); INSERT INTO t SELECT g, 1 + g / 19000 FROM generate_series(1, 20000) g; ANALYZE t]]
    upgrade '  op.backfill { "x", table = "t", key = "day", set = { v = sql "v + 1" }, max_rows = 100 }'
    assert.equal("1|20000", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.equal("t", sql "SELECT sum(chunks) >= 200 FROM moontide.backfill_range")
  end)

  it("goes through rows with NULL in the key by themselves", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, a integer, b text, v integer NOT NULL DEFAULT 0);
      CREATE INDEX ON t (a, b); INSERT INTO t SELECT g, nullif(g % 5, 0), CASE WHEN g % 7 > 0 THEN 'x' || g % 100 END
        FROM generate_series(1, 30000) g; ANALYZE t]]
    upgrade '  op.backfill { "x", table = "t", key = { "a", "b" }, set = { v = sql "v + 1" }, max_rows = 300 }'
    assert.equal("1|30000", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.equal("30000", sql "SELECT sum(rows_changed) FROM moontide.backfill_range")
    assert.equal("1", sql "SELECT max(pass) FROM moontide.backfill_range")
    sql "DROP SCHEMA moontide CASCADE; ALTER TABLE t DROP CONSTRAINT t_pkey"
    upgrade [[  op.backfill { "x", table = "t", key = { "a", "b" }, read = "v", write = "v", where = "v = 1",
      each = function(row) return { v = row.v + 1 } end }]]
    assert.equal("2|30000", sql "SELECT v, count(*) FROM t GROUP BY v")
    sql "DROP SCHEMA moontide CASCADE"
    refused('  op.backfill { "x", table = "t", key = { "a", "b" }, set = { v = 3 } }',
      'the key column "a" may be NULL')
  end)

  it("refuses to put rows aside that nothing finds again, and options that contradict", function()
    sql "CREATE TABLE t (id integer, v integer)"
    refused('  op.backfill { "x", table = "t", where = "v = 0", set = { v = 1 }, on_error = "quarantine" }',
      "rows of public.t cannot be put aside, since nothing unique finds them again")
    refused('  op.backfill { "x", table = "t", order = "physical", key = "id", set = { v = 1 } }',
      'order = "physical" goes by no key')
    refused('  op.backfill { "x", table = "t", order = "physical", set = { v = 1 } }',
      "table public.t has no key to go through it by")
  end)

  it("refuses a table the rows of which are hidden from it", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t VALUES (1), (2);
      ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id < 2)]]
    local role = "moontide_spec_" .. sql "SELECT pg_backend_pid()"
    sql(("CREATE ROLE %s LOGIN; GRANT ALL ON t TO %s; GRANT CREATE ON DATABASE %s TO %s"):format(role, role,
      sql "SELECT current_database()", role))
    local ran = cli.run("upgrade heads", { cwd = project '  op.backfill { "x", table = "t", set = { v = 1 } }',
      env = { DATABASE_URL = (url:gsub("//[^@]+@", "//" .. role .. "@")) } })
    assert.equal(1, ran.status)
    assert.matches("row level security hides rows of public.t from " .. role, ran.stderr, 1, true)
    sql(("DROP OWNED BY %s; DROP ROLE %s"):format(role, role))
  end)

  it("refuses to go on when the order of texts has changed", function()
    sql [[CREATE TABLE t (id text COLLATE "en-x-icu" PRIMARY KEY, v integer, CHECK (id <> 'n77' OR v IS NULL));
      INSERT INTO t SELECT 'n' || g FROM generate_series(1, 300) g]]
    local body = '  op.backfill { "x", table = "t", set = { v = 1 } }'
    assert.equal(1, run(body).status)
    local version = sql "SELECT pg_collation_actual_version('\"en-x-icu\"'::regcollation)"
    sql(("UPDATE moontide.backfill SET spec = replace(spec, %s, 'id 1.2.3')"):format("'id " .. version .. "'"))
    local problem = refused(body, "the texts in the key of public.t are in another order than when it began")
    assert.matches("then: id 1.2.3\n", problem, 1, true)
    assert.matches("now: id " .. version, problem, 1, true)
  end)
end)
