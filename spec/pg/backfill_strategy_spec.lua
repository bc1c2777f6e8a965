-- Strategies of plugins: other ways through a table, by which every row is changed exactly once all the same.

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local by_value = [[
  moontide.backfill_strategy { name = "by_value", summary = "one value after the other",
    probe = function(way)
      return ("SELECT %s FROM %s WHERE %s ORDER BY %s LIMIT 1"):format(way.key[1], way.from, way.rest, way.order)
    end }]]

-- The audit knows the transaction and the order of every change.
local audit = [[CREATE TABLE audit (no serial, id integer, tenant integer, tx bigint);
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
    INSERT INTO audit (id, tenant, tx) VALUES (old.id, old.tenant, txid_current()); RETURN coalesce(new, old); END';
  CREATE TRIGGER note BEFORE UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION note()]]

local several = "SELECT count(*) FROM (SELECT tx FROM audit GROUP BY tx HAVING count(DISTINCT tenant) > 1) s"

describe("a strategy of a plugin", function()
  local url, folder
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function sql(text) return server.sql(url, text) end
  local function options() return { cwd = folder, env = { DATABASE_URL = url } } end
  local function run(words) return cli.run(words or "upgrade", options()) end
  local function ok(words) return cli.ok(words or "upgrade", options()) end

  local function project(op, plugin, version)
    folder = cli.project {
      ["migrations/env.lua"] = 'return { plugins = { "ways" } }',
      ["migrations/plugins/ways.lua"] = ('return function(moontide)\n  moontide.name { name = "ways", '
        .. 'version = "%s" }\n%s\nend\n'):format(version or "1.0", plugin or by_value),
      ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = ('  op.backfill { "x", table = "t", %s }')
        :format(op) }),
    }
  end

  -- A tenant with most of the rows, many small ones, gaps.
  local function fill(rows, more)
    sql(([[CREATE TABLE t (id integer PRIMARY KEY, tenant integer NOT NULL, v integer NOT NULL DEFAULT 0);
      INSERT INTO t SELECT g, CASE WHEN g %% 3 = 0 THEN 40 ELSE g %% 97 END FROM generate_series(1, %d) g;
      CREATE INDEX ON t (tenant, id); ANALYZE t]]):format(rows))
    sql(more or audit)
  end

  local function check_once(rows)
    assert.equal("1|" .. rows, sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.equal(("%d|%d"):format(rows, rows), sql "SELECT count(*), count(DISTINCT id) FROM audit")
    assert.equal(tostring(rows), sql "SELECT sum(rows_changed) FROM moontide.backfill_range")
  end

  local common = 'key = "tenant", order = "by_value", max_rows = 300, '
  local ways = { ["in SQL"] = 'set = { v = sql "v + 1" }',
    ["through Lua"] = 'read = "v", write = "v", each = function(row) return { v = row.v + 1 } end' }

  for way, how in pairs(ways) do
    it("parts the table at its boundaries, each row once, with lanes, " .. way, function()
      fill(40000)
      project(common .. "lanes = 3, " .. how)
      ok()
      check_once(40000)
      assert.equal("0", sql(several))
      assert.equal("t", sql "SELECT count(*) > 2 FROM moontide.backfill_range")
      assert.equal("40000", sql "SELECT sum(rows_seen) FROM moontide.backfill_range")
      assert.equal("t", sql "SELECT max(n) BETWEEN 2 AND 300 FROM (SELECT count(*) AS n FROM audit GROUP BY tx) s")
    end)

    it("goes on after kill -9, and other processes join in, " .. way, function()
      fill(12000)
      project(common .. "rows_per_s = 4000, " .. how)
      for round = 1, 3 do
        local upgrade = cli.start("upgrade", options())
        cli.eventually("some is done", function()
          return sql "SELECT to_regclass('moontide.backfill_range') IS NOT NULL" == "t"
            and tonumber((sql "SELECT count(*) FROM audit")) > round * 1500
        end)
        local other = cli.start("backfill work", options())
        upgrade:signal "KILL"
        upgrade:wait()
        if round == 2 then other:signal "KILL" end
        other:wait()
        if sql "SELECT state FROM moontide.backfill" == "done" then break end
      end
      ok()
      check_once(12000)
      assert.equal("0", sql(several))
    end)
  end

  it("deletes, in partitions, rows without a value too, and sweeps", function()
    sql [[CREATE TABLE t (id integer, tenant integer, v integer NOT NULL DEFAULT 0, PRIMARY KEY (id))
        PARTITION BY RANGE (id);
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (3000);
      CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (3000) TO (9000);
      CREATE INDEX ON t (tenant, id);
      INSERT INTO t SELECT g, nullif(g % 11, 0) FROM generate_series(1, 6000) g; ANALYZE t]]
    sql(audit)
    project(common .. 'where = "v = 0", set = { v = sql "v + 1" }')
    ok()
    check_once(6000)
    assert.equal("0,1,2", sql "SELECT string_agg(DISTINCT pass::text, ',') FROM moontide.backfill_range")
    sql "DROP SCHEMA moontide CASCADE; TRUNCATE audit"
    project(common .. 'where = "id % 2 = 0", delete = true, sweep = 0')
    ok()
    assert.equal("3000|3000", sql "SELECT count(*), count(DISTINCT id) FROM audit")
    assert.equal("3000", sql "SELECT count(*) FROM t")
    assert.equal("0", sql(several))
  end)

  it("puts rows aside and tries them again", function()
    fill(3000)
    sql "ALTER TABLE t ADD CONSTRAINT good CHECK (id NOT IN (7, 40, 2999) OR v = 0)"
    project(common .. 'on_error = "quarantine", set = { v = sql "v + 1" }')
    ok()
    assert.equal("2997", sql "SELECT count(*) FROM t WHERE v = 1")
    assert.equal("7,40,2999",
      sql "SELECT string_agg(key[2], ',' ORDER BY key[2]::integer) FROM moontide.backfill_error")
    assert.equal("0", sql(several))
    sql "ALTER TABLE t DROP CONSTRAINT good"
    ok "backfill retry x"
    assert.equal("1|3000", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.matches("done", (ok "backfill list"))
  end)

  it("goes from the last to the first, by the calendar of the example", function()
    sql [[CREATE TABLE t (id integer PRIMARY KEY, tenant integer, created_at timestamptz NOT NULL,
        v integer NOT NULL DEFAULT 0);
      INSERT INTO t SELECT g, extract(epoch FROM at)::bigint / 86400, at FROM (SELECT g,
        '2026-01-01 00:00Z'::timestamptz + g * interval '10 minutes' AS at FROM generate_series(0, 29999) g) s;
      CREATE INDEX ON t (created_at); ANALYZE t]]
    sql(audit)
    project('order = "calendar", lanes = 1, set = { v = sql "v + 1" }')
    shell.write(folder .. "/migrations/plugins/calendar.lua", shell.read "examples/plugins/plugins/calendar.lua")
    shell.write(folder .. "/migrations/env.lua", 'return { plugins = { "calendar" } }')
    ok()
    check_once(30000)
    assert.equal("0", sql(several))
    assert.equal("0", sql [[SELECT count(*) FROM (SELECT tenant - lag(tenant) OVER (ORDER BY no) AS step FROM audit) s
      WHERE step > 0]])
    assert.equal("8", sql "SELECT count(*) FROM moontide.backfill_range")
    assert.equal("209", sql "SELECT sum(chunks) FROM moontide.backfill_range")
    sql "DROP SCHEMA moontide CASCADE; TRUNCATE audit; UPDATE t SET v = 0; TRUNCATE audit"
    shell.write(folder .. "/migrations/env.lua",
      'return { plugins = { { "calendar", unit = "month", oldest_first = true } } }')
    ok()
    check_once(30000)
    -- Within a chunk rows are changed as the plan has it.
    assert.equal("0", sql [[SELECT count(*) FROM (SELECT min(tenant) - lag(max(tenant)) OVER (ORDER BY min(no)) AS step
      FROM audit GROUP BY tx) s WHERE step < 0]])
    assert.equal("0", sql [[SELECT count(*) FROM (SELECT tx FROM audit GROUP BY tx
      HAVING count(DISTINCT date_trunc('month', to_timestamp(tenant * 86400) AT TIME ZONE 'UTC')) > 1) s]])
    sql "DROP SCHEMA moontide CASCADE; ALTER TABLE t RENAME created_at TO born"
    local ran = run()
    assert.matches('a%.lua:%d+: backfill "x": strategy "calendar" cannot go through public.t: there is no column '
      .. '"created_at"; key', ran.stderr)
  end)

  it("is a part of what is done, with the version of its plugin", function()
    fill(2000)
    project(common .. 'lanes = 1, rows_per_s = 150, set = { v = sql "v + 1" }')
    local upgrade = cli.start("upgrade", options())
    cli.eventually("some is done", function() return sql "SELECT count(*) > 10 FROM audit" == "t" end)
    upgrade:signal "KILL"
    upgrade:wait()
    project(common .. 'set = { v = sql "v + 1" }', nil, "1.1")
    assert.matches("was edited after a part of it had been done", run().stderr)
    project(common .. 'set = { v = sql "v + 1" }')
    ok()
    check_once(2000)
  end)

  it("is told by a dry run, and a script goes by the key instead and says so", function()
    fill(2000)
    project(common .. 'set = { v = sql "v + 1" }')
    local _, err = ok "upgrade --dry-run"
    assert.matches("public.t by tenant, id in the order by_value, about 2000 rows; 2000 rows of all would change", err,
      1, true)
    sql "TRUNCATE audit"
    local script = (ok "upgrade --sql")
    assert.matches("-- It goes by the key, not by the strategy by_value of a plugin.\n", script, 1, true)
    shell.write(folder .. "/script.sql", script)
    cli.ok({ "-d", url, "-qX", "-v", "ON_ERROR_STOP=1", "-f", folder .. "/script.sql" },
      { program = { server.program "psql" } })
    assert.equal("1|2000", sql "SELECT v, count(*) FROM t GROUP BY v")
    assert.equal("2000|2000", sql "SELECT count(*), count(DISTINCT id) FROM audit")
  end)

  -- What a strategy may answer, however odd, and every row is changed once.
  for what, answer in pairs {
    ["a boundary behind the end"] = '"SELECT 2147483647"', ["NULL"] = '"SELECT NULL::integer"',
    ["no row"] = '"SELECT 1 WHERE false"', ["no query"] = "nil",
    ["the last row of all, whatever is done"] = '"SELECT max(tenant) FROM t -- so"',
    ["more columns than the key"] = '"SELECT 2147483647, 5"',
  } do
    it("may answer " .. what, function()
      fill(3000)
      project('key = "tenant", order = "odd", lanes = 1, max_rows = 500, set = { v = sql "v + 1" }',
        ('  moontide.backfill_strategy { name = "odd", summary = "odd", probe = function() return %s\n  end }')
          :format(answer))
      ok()
      check_once(3000)
    end)
  end

  local function strategy(fields)
    return ('  moontide.backfill_strategy { name = "odd", summary = "odd",\n    %s }'):format(fields)
  end

  for fields, message in pairs {
    ['probe = function() return "SELECT -1" end'] =
      'backfill strategy "odd": the boundary tenant = -1 of public.t lies before the first row that is left',
    ["probe = function() return 5 end"] =
      'ways.lua:4: backfill strategy "odd": probe must answer a query as text, or nil, not a number',
    ['probe = function() return " " end'] = 'backfill strategy "odd": probe must answer a query as text',
    ['probe = function() return "SELECT 1 FROM nowhere" end'] =
      'ways.lua:4: backfill strategy "odd": relation "nowhere" does not exist',
    ['probe = function() return "SELECT generate_series(50, 90)" end'] =
      'ways.lua:4: backfill strategy "odd": the query that probe answers has more than one boundary for public.t',
    ['probe = function() return "SELECT \'many\'" end'] = 'invalid input syntax for type integer: "many"',
    ['probe = function() return "DELETE FROM t RETURNING id" end'] =
      'ways.lua:4: backfill strategy "odd": syntax error',
    ['probe = function(way) return way.nothing.at_all end'] =
      'ways.lua:4: backfill strategy "odd": attempt to index a nil value (field \'nothing\')',
    ["choose = function() return {} end"] = 'ways.lua:4: backfill strategy "odd": choose answers no key',
    ["choose = function() return 5 end"] = "choose must answer a table { key = {...} }, not a number",
    ["choose = function() return nil end"] = "choose must answer a table { key = {...} }, not a nil",
    ['choose = function() return nil, "no time" end'] =
      'a.lua:6: backfill "x": strategy "odd" cannot go through public.t: no time',
    ['choose = function() return { key = "born" } end'] = 'goes by the column "born", which is not in the table',
    ['choose = function() return { key = { "id", "id" } } end'] = "is not a list of different columns",
    ['choose = function() return { key = "id", desc = true } end'] = 'choose answers an unknown field "desc"',
    ['choose = function() return { key = "id", data = print } end'] = "must be plain values",
    ['choose = function() return { key = "v" } end'] = 'the key column "v" is changed',
    ['choose = function(_, query) return { key = query("SELECT x")[1].x } end'] = 'column "x" does not exist',
    ['choose = function() error "no idea" end'] = 'ways.lua:4: backfill strategy "odd": no idea',
    ["summary = 5, probe = print"] = 'field "summary" must be a string, not number',
    ["bounds = print, probe = print"] = 'unknown field "bounds"', [""] = "give choose or probe, or both",
  } do
    it("is refused with its line: " .. fields, function()
      fill(1000)
      project('key = "tenant", order = "odd", set = { v = sql "v + 1" }', strategy(fields))
      local ran = run()
      assert.truthy(ran.status == 1 or ran.status == 2, ran.stdout)
      assert.truthy(ran.stderr:find(message, 1, true), ran.stderr)
      assert.falsy(ran.stderr:find("traceback", 1, true))
      assert.equal("0", sql "SELECT count(*) FROM t WHERE v <> 0")
    end)
  end

  it("has names that are told apart, and needs columns", function()
    fill(10)
    project('key = "tenant", order = "by_valu", set = { v = 1 }')
    local ran = run()
    assert.equal(1, ran.status)
    assert.matches('a%.lua:%d+: backfill: option "order": unknown strategy "by_valu"\n.*hint: Did you mean '
      .. '"by_value"%?', ran.stderr)
    project('order = "zzz", set = { v = 1 }')
    assert.matches("The strategies are key, physical, by_value; plugins add others", run().stderr, 1, true)
    project('order = "by_value", set = { v = 1 }')
    assert.matches('strategy "by_value" needs key = {...}, the columns to go by', run().stderr, 1, true)
    project('order = "key", set = { v = 1 }', (by_value:gsub("by_value", "physical")))
    assert.matches('backfill strategy "physical" is already registered by moontide itself', run().stderr, 1, true)
  end)
end)
