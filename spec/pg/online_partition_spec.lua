-- Online operations on partitioned tables, on every version of PostgreSQL that is here.

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local versions = require "spec.support.versions"

local tables = [[
CREATE TABLE m (id integer NOT NULL, day integer, kind text) PARTITION BY RANGE (day);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (1) TO (10);
CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20) PARTITION BY LIST (kind);
CREATE TABLE m2a PARTITION OF m2 FOR VALUES IN ('a');
CREATE TABLE m2b PARTITION OF m2 FOR VALUES IN ('b', NULL);
INSERT INTO m SELECT i, 1 + i % 19, CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 2000) i;
]]

versions.each(function(major, database)
  local url
  setup(function()
    url = database()
    server.sql(url, tables)
  end)

  local function sql(text) return server.sql(url, text) end

  local function upgrade(body, env)
    local id = ("r%d"):format(math.random(1 << 40))
    sql "DROP SCHEMA IF EXISTS moontide CASCADE"
    local folder = cli.project {
      ["migrations/versions/a.lua"] = cli.revision(id, nil, { upgrade = body }), ["migrations/env.lua"] = env,
    }
    local ran = cli.run({ "upgrade", "-v" }, { cwd = folder, env = { DATABASE_URL = url } })
    assert.equal(0, ran.status, ran.stderr)
    return ran.stderr
  end

  it("builds an index partition by partition", function()
    upgrade [[op.create_index("mi", "m", { "id", "day", "kind" }, { online = true, unique = true })]]
    assert.equal("m1_mi_idx\nm2_mi_idx\nm2a_m2_mi_idx_idx\nm2b_m2_mi_idx_idx\nmi", sql(
      "SELECT relid::text FROM pg_partition_tree('mi') JOIN pg_index ON indexrelid = relid "
        .. "WHERE indisvalid ORDER BY 1"))
  end)

  it("gives partitions that come later their index, too", function()
    sql "CREATE TABLE m3 PARTITION OF m FOR VALUES FROM (20) TO (30)"
    assert.equal("6", sql "SELECT count(*) FROM pg_partition_tree('mi')")
  end)

  it("drops such an index", function()
    upgrade [[op.drop_index("mi", { online = true })]]
    assert.equal("", sql "SELECT to_regclass('mi')")
  end)

  it("adds keys partition by partition", function()
    sql "CREATE TABLE p (id integer PRIMARY KEY); INSERT INTO p SELECT generate_series(1, 30)"
    upgrade [[
  op.create_primary_key("mk", "m", { "id", "day", "kind" }, { online = true })
  op.create_unique_constraint("mu", "m", { "kind", "day", "id" }, { online = true })
  op.create_foreign_key("mf", "m", "p", "day", "id", { online = true })
]]
    assert.equal("mf f true\nmk p true\nmu u true", sql("SELECT conname || ' ' || contype::text || ' ' || convalidated "
      .. "FROM pg_constraint WHERE contype <> 'n' AND conrelid = 'm'::regclass ORDER BY 1"))
    assert.equal("0", sql "SELECT count(*) FROM pg_index WHERE NOT indisvalid")
    assert.equal("6", sql "SELECT count(*) FROM pg_partition_tree('mu')")
    assert.equal("5", sql "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conparentid <> 0")
    sql "ALTER TABLE m DROP CONSTRAINT mk, DROP CONSTRAINT mu, DROP CONSTRAINT mf;"
    sql "ALTER TABLE m ALTER kind DROP NOT NULL"
  end)

  -- What the server says of its reading of tables, when the debug level is up.
  local function attach(child, bound, parent)
    sql("ALTER DATABASE " .. sql "SELECT current_database()" .. " SET log_min_messages = 'debug1'")
    local said = upgrade(([[op.attach_partition(%q, %q, { %s, online = true })]]):format(child, parent or "m", bound))
    local log = versions.cluster(major):log()
    return log, said
  end

  it("attaches a partition without reading it or the default partition under the lock", function()
    sql [[CREATE TABLE md PARTITION OF m DEFAULT;
      INSERT INTO md SELECT i, 1000 + i, 'a' FROM generate_series(1, 100) i;
      CREATE TABLE m4 (LIKE m); INSERT INTO m4 SELECT i, 30 + i % 10, 'b' FROM generate_series(1, 100) i]]
    local log = attach("m4", "from = 30, to = 40")
    assert.truthy(log:find('partition constraint for table "m4" is implied by existing constraints', 1, true))
    assert.truthy(log:find('updated partition constraint for default partition "md" is implied', 1, true))
    assert.equal("", sql "SELECT conname FROM pg_constraint WHERE conname LIKE '%online_check'")
    assert.equal("100", sql "SELECT count(*) FROM m WHERE day >= 30 AND day < 40")
  end)

  it("attaches list partitions with NULL, ranges of several columns, and hash partitions", function()
    sql [[CREATE TABLE l (a text) PARTITION BY LIST (lower(a)); CREATE TABLE l1 (LIKE l);
      INSERT INTO l1 VALUES ('X'), (NULL);
      CREATE TABLE r (a integer, b date) PARTITION BY RANGE (a, b); CREATE TABLE r1 (b date, a integer);
      INSERT INTO r1 VALUES ('2020-01-01', 5);
      CREATE TABLE h (a integer) PARTITION BY HASH (a); CREATE TABLE h0 (LIKE h)]]
    attach("l1", 'values = { "x", null }', "l")
    attach("r1", 'from = { 1, "2019-01-01" }, to = { 9, "2021-01-01" }', "r")
    local log = attach("h0", "modulus = 2, remainder = 0", "h")
    for _, name in ipairs { "l1", "r1", "h0" } do
      assert.truthy(log:find(('partition constraint for table "%s" is implied'):format(name), 1, true), name)
    end
  end)

  it("attaches a default partition, and a partition of a partition, without reading them under the lock", function()
    sql [[CREATE TABLE d (a integer, b text) PARTITION BY RANGE (a);
      CREATE TABLE d1 PARTITION OF d FOR VALUES FROM (1) TO (10);
      CREATE TABLE d2 PARTITION OF d FOR VALUES FROM (20) TO (MAXVALUE) PARTITION BY LIST (b);
      CREATE TABLE d2a PARTITION OF d2 FOR VALUES IN ('a'); CREATE TABLE d2r (LIKE d); CREATE TABLE dr (LIKE d);
      INSERT INTO dr VALUES (10, 'x'), (0, 'y'), (NULL, NULL); INSERT INTO d2r VALUES (50, 'x'), (20, NULL)]]
    local log = attach("dr", "default = true", "d")
    assert.truthy(log:find('partition constraint for table "dr" is implied', 1, true))
    log = attach("d2r", "default = true", "d2")
    assert.truthy(log:find('partition constraint for table "d2r" is implied', 1, true))
    sql "CREATE TABLE d2c (LIKE d); INSERT INTO d2c VALUES (30, 'c')"
    log = attach("d2c", 'values = "c"', "d2")
    assert.truthy(log:find('partition constraint for table "d2c" is implied', 1, true))
    assert.equal("", sql "SELECT conname FROM pg_constraint WHERE conname LIKE '%online_check'")
    assert.equal("6", sql "SELECT count(*) FROM d")
  end)

  it("attaches the first partition of a table as its default", function()
    sql "CREATE TABLE e (a integer) PARTITION BY LIST (a); CREATE TABLE ed (LIKE e); INSERT INTO ed VALUES (1)"
    attach("ed", "default = true", "e")
    assert.equal("1", sql "SELECT count(*) FROM e")
  end)

  it("does not attach a default partition with rows of another", function()
    sql [[CREATE TABLE g (a integer) PARTITION BY LIST (a); CREATE TABLE g1 PARTITION OF g FOR VALUES IN (1);
      CREATE TABLE gd (LIKE g); INSERT INTO gd VALUES (1)]]
    local body = [[op.attach_partition("gd", "g", { default = true, online = true })]]
    local folder = cli.project { ["migrations/versions/a.lua"] = cli.revision("g", nil, { upgrade = body }) }
    sql "DROP SCHEMA IF EXISTS moontide CASCADE"
    local ran = cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    assert.equal(1, ran.status)
    assert.truthy(ran.stderr:find("Correct the rows, then run the command again", 1, true), ran.stderr)
    sql "UPDATE gd SET a = 2"
    ran = cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("2", sql "SELECT a FROM g")
  end)

  -- What a script leaves, run by psql.
  local function print_and_run(body)
    sql "DROP SCHEMA IF EXISTS moontide CASCADE"
    local folder = cli.project { ["migrations/versions/a.lua"] = cli.revision("s", nil, { upgrade = body }) }
    local script = cli.ok({ "upgrade", "--sql" }, { cwd = folder, env = { DATABASE_URL = url } })
    shell.write(folder .. "/script.sql", script)
    return cli.run({ "-Xq", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", folder .. "/script.sql" },
      { program = { server.program "psql" } })
  end

  it("is printed as a script that does the same", function()
    sql [[CREATE TABLE s (a integer) PARTITION BY RANGE (a); CREATE TABLE s1 (LIKE s); CREATE TABLE sd (LIKE s);
      INSERT INTO s1 VALUES (1), (9); INSERT INTO sd VALUES (10), (NULL)]]
    local body = [[
  op.attach_partition("sd", "s", { default = true, online = true })
  op.attach_partition("s1", "s", { from = 1, to = 10, online = true })]]
    local ran = print_and_run(body)
    assert.equal(0, ran.status, ran.stderr)
    assert.truthy(versions.cluster(major):log():find('default partition "sd" is implied', 1, true))
    assert.equal("DEFAULT\nFOR VALUES FROM (1) TO (10)", sql("SELECT pg_get_expr(relpartbound, oid) FROM pg_class "
      .. "WHERE relname IN ('s1', 'sd') ORDER BY 1"))
    assert.equal("", sql "SELECT conname FROM pg_constraint WHERE conname LIKE '%online_check'")
    local detach = [[op.detach_partition("sd", "s", { online = true })]]
    ran = print_and_run(detach .. "\n" .. detach:gsub("sd", "s1"))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("0", sql "SELECT count(*) FROM pg_inherits WHERE inhparent = 's'::regclass")
  end)

  it("is refused by a script as it is by a run", function()
    sql "CREATE TABLE plain (a integer); CREATE TABLE other (a integer)"
    local ran = print_and_run [[op.attach_partition("other", "plain", { values = 1, online = true })]]
    assert.equal(3, ran.status)
    assert.matches("plain is not a partitioned table", ran.stderr)
  end)

  it("detaches a partition where there is a default one", function()
    local said = upgrade [[op.detach_partition("m4", "m", { online = true })]]
    assert.falsy(said:find("CONCURRENTLY", 1, true))
    attach("m4", "from = 30, to = 40")
  end)

  it("detaches a partition", function()
    sql "DROP TABLE md"
    local said = upgrade [[op.detach_partition("m4", "m", { online = true })]]
    assert.equal("f", sql "SELECT relispartition FROM pg_class WHERE oid = 'm4'::regclass")
    assert.equal(major >= 14, said:find("DETACH PARTITION m4 CONCURRENTLY", 1, true) ~= nil)
  end)
end)
