-- A change of the type of a column online, as a script and in the ways it can fail.

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local function project(body, env)
  return cli.project {
    ["migrations/versions/a.lua"] = ('revision = "a1"\ndown_revision = nil\nfunction change()\n%s\nend\n'):format(body),
    ["migrations/env.lua"] = env,
  }
end

describe("the change of a type online", function()
  local url
  before_each(function()
    url = server.database()
    server.sql(url, [[CREATE TABLE t (id integer PRIMARY KEY, c integer NOT NULL DEFAULT 3 CHECK (c >= 0),
      d varchar(5));
      CREATE INDEX ti ON t (c, d); INSERT INTO t SELECT i, i % 7, i FROM generate_series(1, 1000) i]])
  end)
  after_each(function() server.drop(url) end)

  local function run(folder, ...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end
  local function sql(text) return server.sql(url, text) end

  local function printed(folder)
    local ran = run(folder, "upgrade", "--sql")
    assert.equal(0, ran.status, ran.stderr)
    local file = folder .. "/script.sql"
    shell.write(file, ran.stdout)
    return cli.run({ "-Xq", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", file }, { program = { server.program "psql" } })
  end

  local description = [[
SELECT attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull
  || coalesce(pg_get_expr(adbin, adrelid), '')
  FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 't'::regclass AND indisvalid
UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 't'::regclass
UNION ALL SELECT sum(c::text::bigint)::text FROM t UNION ALL SELECT proname FROM pg_proc
  WHERE pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'moontide')) ORDER BY 1]]

  for _, change in ipairs {
    [[op.alter_column("t", "c", { type = "bigint", online = true, nullable = true, name = "c", comment = "it's" })]],
    [[op.alter_column("t", "d", { type = "integer", using = "d::integer + c", default = 1, online = true })]],
    [[op.alter_column("t", "id", { type = "bigint", online = true })]],
    [[op.alter_column("t", "d", { type = "text", nullable = false, online = true })]],
  } do
    it("is printed as a script that does the same: " .. change, function()
      local folder, before = project((change:gsub('name = "c", ', ""))), sql(description)
      assert.equal(0, run(folder, "upgrade").status)
      local online = sql(description)
      assert.are_not.equal(before, online)
      assert.equal(0, run(folder, "downgrade", "base").status)
      sql "ALTER TABLE t ALTER d DROP NOT NULL; DROP SCHEMA moontide CASCADE"
      assert.equal(before, sql(description))
      local ran = printed(folder)
      assert.equal(0, ran.status, ran.stderr)
      assert.equal(online, sql(description))
      assert.equal("a1", sql "SELECT version_num FROM moontide.version")
    end)
  end

  it("is refused by the script, too, before anything is done", function()
    sql "CREATE VIEW v AS SELECT c FROM t"
    local before = sql(description)
    local ran = printed(project [[op.alter_column("t", "c", { type = "bigint", online = true })]])
    assert.equal(3, ran.status)
    assert.matches('depends on the column "c"\n', ran.stderr)
    assert.matches('HINT:  Drop it before', ran.stderr)
    assert.equal(before, sql(description))
  end)

  it("is what safe = \"online\" makes of it", function()
    local folder = project([[op.alter_column("t", "c", { type = "bigint" })]], 'return { safe = "online" }\n')
    local ran = run(folder, "upgrade")
    assert.equal(0, ran.status, ran.stderr)
    assert.matches("backfill t_c_shadow: 1000 rows", ran.stderr)
  end)

  it("is a plain one in a dry run", function()
    local ran = run(project [[op.alter_column("t", "c", { type = "bigint", online = true })]], "upgrade", "--dry-run")
    assert.equal(0, ran.status, ran.stderr)
    assert.falsy(ran.stderr:find("backfill", 1, true))
    assert.equal("integer", sql "SELECT pg_typeof(c) FROM t LIMIT 1")
  end)

  it("names the row whose value is none of the new type, and goes on when it is right", function()
    sql "UPDATE t SET d = 'none' WHERE id = 700"
    local folder = project [[op.alter_column("t", "d", { type = "integer", using = "d::integer", online = true })]]
    local ran = run(folder, "upgrade")
    assert.equal(1, ran.status)
    assert.matches('invalid input syntax for type integer: "none"', ran.stderr)
    assert.matches("id = 700", ran.stderr)
    sql "UPDATE t SET d = '-1' WHERE id = 700"
    ran = run(folder, "upgrade")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("-1|999", sql "SELECT min(d), count(*) FILTER (WHERE d = id) FROM t")
  end)

  it("converts under the settings of the run, whoever writes", function()
    sql "ALTER TABLE t ADD z timestamptz; UPDATE t SET z = '2020-01-01 00:00+00'"
    local folder = project [[
  op.execute("SET timezone = 'Asia/Tokyo'")
  op.alter_column("t", "z", { type = "timestamp", online = true })]]
    local ran = run(folder, "upgrade")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("2020-01-01 09:00:00|1", sql "SELECT min(z), count(DISTINCT z) FROM t")
  end)
end)
