-- Every rule of `lint`, with what it finds and what it leaves alone. Each case is a revision of one project.

local cjson = require "cjson"
local cli = require "spec.support.cli"
local lint = require "moontide.lint"

-- Bodies of upgrade(), or statements of a .sql file, by rule. What else is found is named behind.
local hazards = {
  ["index-not-concurrent"] = {
    [[op.create_index("i", "t", { "a" })]], [[op.create_index("i", "t", { "a" }, { unique = true, where = "a > 0" })]],
    [[op.execute "CREATE UNIQUE INDEX IF NOT EXISTS i ON only_t USING gin (a) WHERE a IS NULL"]],
    [[op.add_column("t", { "x1", "int", index = true })]], [[op.create_index("i", "t", { "a" }, { online = false })]],
    [[op.create_table("n", { { "a", "int" } }) op.create_index("i", "t", { "a" })]],
    [[op.execute "/* x */ create /* index concurrently */ index on \"T\" (a); SELECT 1"]],
    "sql CREATE INDEX ON s.t (lower(a));",
  },
  ["reindex-not-concurrent"] = {
    [[op.execute "REINDEX INDEX i"]], "sql REINDEX (VERBOSE) TABLE t;",
  },
  ["check-reads-table"] = {
    [[op.create_check_constraint("c", "t", "a > 0")]], [[op.add_column("t", { "x2", "int", check = "x2 > 0" })]],
    [[op.alter_table("t", { { "create_check_constraint", "c", "a > 0" }, { "add_column", { "x3", "int" } } })]],
    "sql ALTER TABLE t ADD CHECK (a <> ' NOT VALID');",
  },
  ["foreign-key-reads-table"] = {
    [[op.create_foreign_key("f", "t", "u", "a", "id")]],
    [[op.create_index("i", "t", { "x4" }, { online = true })
      op.add_column("t", { "x4", "int", references = "u", default = 1 })]],
    "sql ALTER TABLE IF EXISTS ONLY t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (id) ON DELETE CASCADE;",
  },
  ["unique-builds-index"] = {
    [[op.create_unique_constraint("u", "t", { "a" })]], [[op.create_primary_key("p", "t", { "a" })]],
    [[op.add_column("t", { "x5", "int", unique = true })]], "sql ALTER TABLE t ADD UNIQUE NULLS NOT DISTINCT (a, b);",
    [[op.add_column("t", { "x6", "bigint", primary_key = true, default = 1 })]],
  },
  ["exclude-builds-index"] = {
    [[op.create_exclude_constraint("e", "t", { { "a", "=" } })]],
    "sql ALTER TABLE t ADD EXCLUDE USING gist (a WITH &&);",
  },
  ["not-null-reads-table"] = {
    [[op.alter_column("t", "a", { nullable = false })]], [[op.alter_table("t", { { "alter_column", "a",
      { nullable = false } }, { "alter_column", "b", { default = 1 } } })]],
    "sql ALTER TABLE t ALTER a SET NOT NULL;",
    -- Not validated, another column, only one of two cases, and dropped in the same ALTER TABLE.
    "sql ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID; ALTER TABLE t ALTER a SET NOT NULL;",
    { "sql ALTER TABLE t ADD CONSTRAINT c CHECK (b IS NOT NULL); ALTER TABLE t ALTER a SET NOT NULL;",
      "check-reads-table" },
    { "sql ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL OR b > 0); ALTER TABLE t ALTER a SET NOT NULL;",
      "check-reads-table" },
    { [[op.create_check_constraint("c", "t", "a IS NOT NULL")
      op.execute "ALTER TABLE t ALTER a SET NOT NULL, DROP CONSTRAINT c"]], "check-reads-table" },
    "sql ALTER TABLE t ADD CONSTRAINT n NOT NULL a;",
  },
  ["type-rewrites-table"] = {
    [[op.alter_column("t", "a", { type = "bigint", existing = { type = "int" } })]],
    [[op.alter_column("t", "a", { type = "varchar(10)", existing = { type = "varchar(20)" } })]],
    [[op.alter_column("t", "a", { type = "varchar(10)", existing = { type = "text" } })]],
    [[op.alter_column("t", "a", { type = "numeric(10,3)", existing = { type = "numeric(10,2)" } })]],
    [[op.alter_column("t", "a", { type = "text", existing = { type = "char(10)" } })]],
    [[op.alter_column("t", "a", { type = "text", using = "lower(a)", existing = { type = "text" } })]],
    [[op.alter_column("t", "a", { type = "timestamptz", existing = { type = "timestamp" } })]],
    [[op.alter_column("t", "unknown", { type = "text" })]],
    [[op.alter_column("known", "n", { type = "bigint" })]],
    "sql ALTER TABLE known ALTER COLUMN v SET DATA TYPE varchar(5) COLLATE \"C\" USING v::varchar(5);",
  },
  ["column-rewrites-table"] = {
    [[op.add_column("t", { "x7", "uuid", default = sql "gen_random_uuid()" })]],
    [[op.add_column("t", { "x8", "timestamptz", default = sql "pg_catalog.clock_timestamp()" })]],
    [[op.add_column("t", { "x9", "bigint", identity = true })]], [[op.add_column("t", { "x10", "bigserial" })]],
    [[op.add_column("t", { "x11", "int", generated = "a + 1" })]],
    "sql ALTER TABLE t ADD x12 float DEFAULT 1 + Random() NOT NULL;",
  },
  ["column-needs-default"] = {
    [[op.add_column("t", { "x13", "int", nullable = false })]], "sql ALTER TABLE t ADD COLUMN x14 int NOT NULL;",
  },
  ["command-rewrites-table"] = {
    "sql VACUUM FULL t;", "sql VACUUM (ANALYZE, FULL) t;", "sql CLUSTER t USING i;", [[op.set_logged("t")]],
    [[op.set_tablespace("t", "fast")]], [[op.set_access_method("t", "heap2")]],
  },
  ["enum-rewrites-tables"] = {
    [[op.drop_enum_value("e", "a")]], [[op.alter_enum("e", { "a", "b" })]],
    [[op.alter_enum("e", { "b", "a" }, { existing = { "a", "b" } })]],
  },
  ["validate-under-lock"] = {
    [[op.create_check_constraint("c", "t", "a > 0", { not_valid = true }) op.validate_constraint("c", "t")]],
    [[op.add_column("t", { "x15", "int" }) op.validate_constraint("c", "t")]],
    "sql ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT t_a_fkey;",
  },
  ["several-tables-locked"] = {
    [[op.add_column("t", { "x16", "int" }) op.add_column("u", { "x17", "int" })]],
    { "sql ALTER TABLE t ADD x18 int; LOCK u;", "lock-table" },
  },
  ["lock-table"] = { "sql LOCK TABLE t;", "sql LOCK t IN SHARE ROW EXCLUSIVE MODE NOWAIT;" },
  ["unbatched-write"] = {
    "sql UPDATE t SET a = 1;", "sql DELETE FROM ONLY s.t;", [[op.execute("UPDATE t SET a = $1", 'x WHERE y')]],
    "sql UPDATE t SET a = (SELECT b FROM u WHERE u.id = t.id);",
    [[op.add_column("t", { "x19", "int" }) op.execute "UPDATE t SET x19 = 1 WHERE x19 IS NULL"]],
  },
  ["refresh-not-concurrent"] = { [[op.refresh_materialized_view("m")]], "sql REFRESH MATERIALIZED VIEW s.m;" },
  ["foreign-key-without-index"] = {
    [[op.create_table("n1", { { "a", "int", references = "u" } })]],
    [[op.create_table("n2", { { "a", "int" }, { "b", "int" }, { "c", "int" }, foreign_keys = { { { "a", "b" }, "u" } },
      unique = { { "a", "c", "b" } } })]],
    [[op.add_column("t", { "x20", "int", references = "u" })]],
    [[op.create_table("n3", { { "a", "int" } }) op.create_foreign_key(nil, "n3", "u", "a", "id")]],
    [[op.create_table("n4", { { "a", "int", references = "u" } })
      op.create_index("i", "n4", { "a" }, { where = "a > 0" })]],
    "sql CREATE TABLE n5 (a int CONSTRAINT f REFERENCES u (id) ON DELETE CASCADE, EXCLUDE (a WITH =));",
  },
  ["drop-column"] = { [[op.drop_column("t", "a")]], "sql ALTER TABLE t DROP IF EXISTS a CASCADE, DROP CONSTRAINT c;" },
  ["drop-table"] = { [[op.drop_table("t")]], "sql DROP TABLE IF EXISTS s.t CASCADE;", [[op.drop_partition("p", "t")]] },
  ["truncate"] = { "sql TRUNCATE t;", "sql TRUNCATE TABLE ONLY t RESTART IDENTITY CASCADE;" },
  ["rename-column"] = {
    [[op.rename_column("t", "a", "b")]], [[op.alter_column("t", "a", { name = "b" })]],
    "sql ALTER TABLE t RENAME a TO b;",
  },
  ["rename-table"] = {
    [[op.rename_table("t", "v")]], "sql ALTER TABLE t SET SCHEMA s;", "sql ALTER TABLE t RENAME TO v;",
    [[op.rename_table("t", "v") op.create_view("other", "SELECT 1 AS a")]],
  },
  ["json-column"] = {
    [[op.create_table("n", { { "a", "json" } })]], "sql ALTER TABLE t ADD x21 json[];",
    [[op.alter_column("t", "a", { type = "json", existing = { type = "json" } })]],
  },
  ["char-column"] = { [[op.create_table("n", { { "a", "char(3)" } })]], "sql CREATE TABLE n (a character (3));" },
  ["timestamp-without-zone"] = {
    [[op.add_column("t", { "x22", "timestamp" })]],
    "sql CREATE TABLE n (a timestamp(3) without time zone DEFAULT now());",
  },
  ["small-key"] = {
    [[op.create_table("n", { { "id", "int", primary_key = true } })]],
    [[op.create_table("n", { { "id", "integer" }, primary_key = { "id" } })]],
    "sql CREATE TABLE n (id serial PRIMARY KEY);",
  },
}

-- Where nothing at all is found.
local harmless = {
  [[op.alter_enum("e", { "a", "b", "c" }, { existing = { "a", "c" } }) op.add_enum_value("e", "d")]],
  [[op.create_index("i", "t", { "a" }, { online = true })]],
  [[op.create_index("i", "t", { "a" }, { concurrently = true })]],
  [[op.create_index("i", "t", { "a" }, { only = true })]], "sql CREATE INDEX CONCURRENTLY i ON t (a);",
  [[op.create_table("n", { { "a", "text" } }) op.create_index("i", "n", { "a" })]],
  "sql CREATE TABLE s.n AS SELECT 1 AS a; CREATE INDEX ON s.n (a);", "sql CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;"
    .. " CREATE UNIQUE INDEX ON m (a); REFRESH MATERIALIZED VIEW m;",
  [[op.create_table("n", { { "a", "text" } }) op.rename_table("n", "o") op.create_index("i", "o", { "a" })]],
  "sql REINDEX TABLE CONCURRENTLY t;", "sql REINDEX (CONCURRENTLY) INDEX i;",
  [[op.create_check_constraint("c", "t", "a > 0", { online = true })]],
  [[op.create_check_constraint("c", "t", "a > 0", { not_valid = true })]], [[op.validate_constraint("c", "t")]],
  "sql ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;",
  [[op.create_foreign_key("f", "t", "u", "a", "id", { online = true })]],
  [[op.create_foreign_key("f", "t", "u", "a", "id", { not_valid = true })]],
  [[op.add_column("t", { "y1", "int", references = "u" }) op.create_index("i", "t", { "y1" }, { online = true })]],
  [[op.create_unique_constraint("u", "t", { "a" }, { online = true })]],
  [[op.create_unique_constraint("u", "t", nil, { using_index = "i" })]],
  "sql ALTER TABLE t ADD PRIMARY KEY USING INDEX i;",
  [[op.alter_column("t", "a", { nullable = false, online = true })]],
  [[op.alter_column("t", "a", { nullable = true })]],
  "sql ALTER TABLE t ADD CONSTRAINT c CHECK ((a IS NOT NULL) AND b > 0) NOT VALID;",
  [[op.create_check_constraint("c", "t", "a IS NOT NULL", { online = true })
    op.alter_column("t", "a", { nullable = false }) op.drop_constraint("c", "t")]],
  [[op.execute "ALTER TABLE t ADD CONSTRAINT c CHECK (((a IS NOT NULL) AND (b > 0))) NOT VALID"
    op.transaction(function() op.validate_constraint("c", "t") end) op.alter_column("t", "a", { nullable = false })]],
  [[op.alter_column("t", "a", { type = "bigint", online = true })]],
  [[op.alter_column("t", "a", { type = "text", existing = { type = "varchar(5)" }, dependents = "recreate" })]],
  [[op.alter_column("t", "a", { type = "varchar(50)", existing = { type = "varchar(20)" } })]],
  [[op.alter_column("t", "a", { type = "text", existing = { type = "varchar(20)" } })]],
  [[op.alter_column("t", "a", { type = "varchar", using = "a::varchar", existing = { type = "text" } })]],
  [[op.alter_column("t", "a", { type = "numeric", existing = { type = "numeric(10,2)" } })]],
  [[op.alter_column("t", "a", { type = "numeric(12,2)", existing = { type = "numeric(10,2)" } })]],
  [[op.alter_column("t", "a", { type = "timestamptz", existing = { type = "timestamptz(3)" } })]],
  [[op.alter_column("known", "w", { type = "varchar(9)" })]],
  [[op.alter_table("known", { { "alter_column", "w2", { type = "text", existing = { type = "varchar(3)" } } } })]],
  [[op.add_column("t", { "y2", "int", default = 3, nullable = false })]],
  [[op.add_column("t", { "y3", "timestamptz", default = sql "now()", nullable = false })]],
  [[op.add_column("t", { "y4", "text", comment = "gen_random_uuid() CHECK (x) UNIQUE" })]],
  "sql ALTER TABLE t ADD y5 int GENERATED ALWAYS AS (a * 2) VIRTUAL;",
  "sql VACUUM t;", "sql VACUUM (FULL false) t;", [[op.set_storage_parameters("t", { fillfactor = 70 })]],
  [[op.add_column("t", { "y6", "int" }) op.add_column("t", { "y7", "int" })]],
  [[op.add_column("t", { "y8", "int" }) op.create_table("n", { { "a", "text" } })]],
  [[op.transaction(function() op.add_column("t", { "y9", "int" }) end)
    op.transaction(function() op.add_column("u", { "y10", "int" }) end)]],
  "sql LOCK t IN ROW EXCLUSIVE MODE;", "sql UPDATE t SET a = 1 WHERE id = 3;", "sql DELETE FROM t WHERE a IS NULL;",
  [[op.create_table("n", { { "a", "text" } }) op.execute "UPDATE n SET a = 1" op.drop_table("n")]],
  [[op.backfill { "b", table = "t", set = { a = sql "1" }, where = "a IS NULL" }]],
  [[op.bulk_insert("t", { { a = "DROP TABLE t" } })]], "sql INSERT INTO t SELECT * FROM u;",
  [[op.refresh_materialized_view("m", { concurrently = true })]], "sql REFRESH MATERIALIZED VIEW m WITH NO DATA;",
  [[op.create_table("n6", { { "a", "bigint", references = "u", primary_key = true } })]],
  [[op.create_table("n7", { { "a", "int" }, { "b", "int" }, { "c", "int" }, foreign_keys = { { { "a", "b" }, "u" } },
    indexes = { { "b", "a", "c" } } })]],
  [[op.create_foreign_key("f", "t", "u", "a", "id", { not_valid = true })]],
  [[op.add_column("t", { "y11", "int" }) op.rename_column("t", "y11", "y12") op.drop_column("t", "y12")]],
  [[op.drop_constraint("c", "t")]], [[op.drop_index("i", { online = true })]], [[op.rename_index("i", "j")]],
  [[op.rename_constraint("t", "c", "d")]], [[op.alter_column("t", "a", { default = 3 })]],
  [[op.rename_table("t", "t2") op.create_view("t", "SELECT * FROM t2")]],
  "sql CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM t; END;",
  "sql DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$;", "sql COMMENT ON TABLE t IS 'TRUNCATE t; DROP TABLE t';",
  [[op.create_table("n", { { "a", "jsonb" }, { "b", "varchar(3)" }, { "c", "timestamptz" }, { "d", "\"char\"" } })]],
  "sql CREATE TEMP TABLE n (id int PRIMARY KEY REFERENCES u, b json);",
  [[op.create_table("n", { { "id", "bigint", identity = true, primary_key = true }, { "n", "int" } })]],
}

local style = { "json-column", "char-column", "timestamp-without-zone", "small-key" }

local function file_of(id, down, body)
  local statements = body:match("^sql (.*)$")
  if not statements then return id .. ".lua", cli.revision(id, down, { upgrade = body }) end
  return id .. ".sql", ("-- Case.\n-- moontide: revision=%s, down_revision=%s\n\n-- upgrade\n%s\n")
    :format(id, down, statements)
end

-- The first revision creates a table whose types later ones know.
local function project(cases)
  local levels = {}
  for index, name in ipairs(style) do levels[index] = ('["%s"] = "warn"'):format(name) end
  local files = {
    ["migrations/env.lua"] = "return { lint = { " .. table.concat(levels, ", ") .. " } }",
    ["migrations/versions/c0.lua"] = cli.revision("c0", nil, { upgrade = [[
      op.create_table("known", { { "n", "int" }, { "v", "varchar(9)" }, { "w", "varchar(3)" } })]] }),
  }
  for index, case in ipairs(cases) do
    local name, text = file_of("c" .. index, "c" .. index - 1, case.body)
    files["migrations/versions/" .. name] = text
  end
  return cli.project(files)
end

local function all_cases()
  local cases = {}
  for _, rule in ipairs(lint.builtin) do
    for _, given in ipairs(assert(hazards[rule], "no case for " .. rule)) do
      local body = type(given) == "table" and given[1] or given
      cases[#cases + 1] = { rule = rule, body = body, expected = { rule, type(given) == "table" and given[2] or nil } }
    end
  end
  for _, body in ipairs(harmless) do cases[#cases + 1] = { body = body, expected = {} } end
  return cases
end

local function found_by_revision(folder)
  local ran = cli.run("lint --all --json", { cwd = folder })
  assert(ran.stdout:find('"findings"', 1, true), ran.stdout .. ran.stderr)
  local found = {}
  for _, finding in ipairs(cjson.decode(ran.stdout).findings) do
    found[finding.revision] = found[finding.revision] or {}
    found[finding.revision][finding.rule] = true
  end
  return found
end

local function words(set)
  local list = {}
  for name in pairs(set or {}) do list[#list + 1] = name end
  table.sort(list)
  return table.concat(list, " ")
end

describe("the rules of lint", function()
  local cases = all_cases()
  local found
  setup(function() found = found_by_revision(project(cases)) end)

  for index, case in ipairs(cases) do
    it(("%s: %s"):format(case.rule or "nothing is found in", case.body:gsub("%s+", " ")), function()
      table.sort(case.expected)
      assert.equal(table.concat(case.expected, " "), words(found["c" .. index]))
    end)
  end
end)
