-- Every operation on a real server: run it, read the catalog, undo it, compare the catalog with the one before.

local catalog = require "spec.support.catalog"
local operations = require "spec.support.operations"
local rehearsal = require "spec.support.rehearsal"
local server = require "spec.support.server"
local value = require "moontide.value"

local sql, null, array, json = value.sql, value.null, value.array, value.json
local cases, run, contains = rehearsal.cases, rehearsal.run, rehearsal.contains

local conn

setup(function()
  conn = rehearsal.open(server.database())
  conn:script "create schema extensions; create extension btree_gist schema extensions"
end)

teardown(function()
  conn:close()
end)

local long = ("n"):rep(63)
local hostile = [[we"ird.n'äme $1 \ ]]

describe("tables", function()
  cases {
    { "with every option of a column", "create table p (id int primary key, k int unique)", function(op)
      op.create_table("t", {
        { "id", "bigint", identity = { always = true, start = 10, increment = 5, minimum = 5, maximum = 1000, cache = 3,
          cycle = true }, primary_key = true },
        { "plain", "int", identity = true },
        { "name", "varchar(20)", nullable = false, default = "it's \\ here", collation = "C", comment = "it's" },
        { "flag", "boolean", default = false }, { "nothing", "text", default = null },
        { "list", "int[]", default = array { 1, 2, null } }, { "doc", "jsonb", default = json { a = { 1, "x" } } },
        { "at", "timestamptz", default = sql "now() - interval '1 day'" },
        { "twice", "int", generated = "length(name) * 2" },
        { "small", "int", check = { "small < 10", name = "is_small", no_inherit = true } },
        { "u1", "int", unique = true },
        { "u2", "int", unique = { name = "u2_once", nulls_not_distinct = true, deferrable = true,
          initially = "deferred", include = { "u1" } } },
        { "p", "int", references = "p", index = true },
        { "k", "int", default = 1, references = { table = "p", column = "k", schema = "public", name = "to_k",
          match = "full", on_delete = "set default", on_update = "cascade", deferrable = true,
          initially = "deferred" } },
        { "big", "text", storage = "external", compression = "pglz", statistics = 77,
          options = { n_distinct = -0.25 } },
        { "ix", "text", index = { name = "ix_ix", unique = true, using = "btree", where = "ix <> ''", order = "desc",
          nulls = "last", opclass = "text_pattern_ops", collation = "C", include = { "p" },
          with = { fillfactor = 50 } } },
      })
    end, has = {
      "column public.t.id bigint notnull=t default= identity=a", "sequence=10,5,5,1000,3,t",
      "column public.t.plain integer notnull=t default= identity=d",
      [[name character varying(20) notnull=t default='it''s \ here'::character varying identity= generated= ]]
        .. "collation=C",
      "comment=it's", "t.flag boolean notnull=f default=false",
      "t.list integer[] notnull=f default='{1,2,NULL}'::integer[]",
      [[t.doc jsonb notnull=f default='{"a": [1, "x"]}'::jsonb]],
      "default=(now() - '1 day'::interval)", "default=(length((name)::text) * 2) identity= generated=s",
      "constraint t.is_small CHECK ((small < 10)) NO INHERIT", "constraint t.t_u1_key UNIQUE (u1)",
      "constraint t.u2_once UNIQUE NULLS NOT DISTINCT (u2) INCLUDE (u1) DEFERRABLE INITIALLY DEFERRED",
      "constraint t.t_p_fkey FOREIGN KEY (p) REFERENCES p(id)",
      "constraint t.to_k FOREIGN KEY (k) REFERENCES p(k) MATCH FULL ON UPDATE CASCADE ON DELETE SET DEFAULT "
        .. "DEFERRABLE INITIALLY DEFERRED",
      "storage=e compression=p statistics=77 options={n_distinct=-0.25}", "index CREATE INDEX t_p_idx ON public.t",
      'index CREATE UNIQUE INDEX ix_ix ON public.t USING btree (ix COLLATE "C" text_pattern_ops DESC NULLS LAST) '
        .. "INCLUDE (p) WITH (fillfactor='50') WHERE (ix <> ''::text)",
    } },
    { "with every option of a table", "create table p (id int primary key, x int, y int, unique (x, y))", function(op)
      op.create_table("t", {
        { "a", "int" }, { "b", "int" }, { "c", "int" }, { "r", "int4range" },
        schema = "O.ther", unlogged = true, comment = "all of it", using = "heap",
        with = { fillfactor = 70, ["toast.autovacuum_enabled"] = false }, tablespace = "pg_default",
        primary_key = { "a", "b", name = "pk", include = { "c" }, with = { fillfactor = 60 } },
        unique = { { "b", "c" }, { "c", name = "u", deferrable = true } },
        checks = { "a < b", { "c > 0", name = "c_up" }, sql "b > 0" },
        excludes = { { { "c", "=" }, { "r", "&&" }, using = "gist", where = "c > 1" } },
        indexes = { { "a", { "b", order = "desc" }, { sql "a + b" }, name = "ab", unique = true },
          { "r", using = "gist" } },
      })
    end, has = {
      "table O.ther.t kind=r persistence=u options={fillfactor=70} tablespace= am=heap", "comment=all of it",
      "pk PRIMARY KEY (a, b) INCLUDE (c)", "t_b_c_key UNIQUE (b, c)", "u UNIQUE (c) DEFERRABLE",
      "t_check CHECK ((a < b))", "c_up CHECK ((c > 0))", "t_b_check CHECK ((b > 0))",
      "t_c_r_excl EXCLUDE USING gist (c WITH =, r WITH &&) WHERE ((c > 1))",
      "CREATE UNIQUE INDEX ab ON \"O.ther\".t USING btree (a, b DESC, ((a + b)))",
      "t_r_idx ON \"O.ther\".t USING gist (r)",
    } },
    { "with foreign keys of the table",
      "create table p (x int, y int, unique (x, y)); create table q (id int primary key)",
      function(op)
        op.create_table("t", { { "a", "int" }, { "b", "int" }, foreign_keys = {
          { { "a", "b" }, "p", { "x", "y" }, on_delete = "set null", on_delete_columns = { "b" } }, { "a", "q", "id" },
          { "b", "q", name = "qq", referent_schema = "public", on_update = "restrict" } } })
      end, has = { "t_a_b_fkey FOREIGN KEY (a, b) REFERENCES p(x, y) ON DELETE SET NULL (b)",
        "t_a_fkey FOREIGN KEY (a) REFERENCES q(id)", "qq FOREIGN KEY (b) REFERENCES q(id) ON UPDATE RESTRICT" } },
    { "with a key of several marked columns", "", function(op)
      op.create_table("t", { { "a", "int", primary_key = true }, { "b", "int", primary_key = true } })
    end, has = { "t_pkey PRIMARY KEY (a, b)" } },
    { "with comments in expressions", "", function(op)
      op.create_table("t", { { "a", "int", default = sql "1 -- one", check = "a > 0 -- up" },
        indexes = { { sql "a + 1 -- next", name = "i", where = "a > 2 -- big" } } })
    end, has = { "default=1 ", "CHECK ((a > 0))", "((a + 1))) WHERE (a > 2)" } },
    { "partitioned", "", function(op)
      op.create_table("t", { { "a", "int" }, { "b", "date", primary_key = true }, partition_by = "range (b)" })
    end, has = { "kind=p persistence=p options= tablespace= am= partition=RANGE (b)" } },
    { "that inherit, and like another", "create table p (id int not null, v int default 5); create table q (z int)",
      function(op)
        op.create_table("t", { { "own", "int" }, inherits = { "p", { table = "q", schema = "public" } } })
        op.create_table("l", { like = { table = "p", including = { "defaults" }, excluding = { "storage" } } })
      end, has = { "inherits=p,q", "column public.l.v integer notnull=f default=5" } },
    { "renamed", "create table a (id int)", function(op)
      op.rename_table("a", hostile, { if_exists = true })
    end, has = { "table public." .. hostile } },
    { "dropped and described",
      "create table t (id int generated by default as identity primary key, v text default 'x'); "
      .. "comment on table t is 'old'", function(op)
      op.drop_table("t", { if_exists = true, schema = "public", existing = {
        { "id", "int", identity = true, primary_key = true }, { "v", "text", default = "x" }, comment = "old" } })
    end },
    { "with hostile names everywhere", "", function(op)
      op.create_table(hostile, {
        { "select", "int", primary_key = true, comment = hostile }, { long, "int", unique = true, index = true },
        { hostile, "text", default = hostile, storage = "main", check = { [["select" > 0]], name = long } },
        { "Üml", "int", references = { table = hostile, schema = "O.ther" } }, schema = "O.ther", comment = hostile,
        indexes = { { "select", long, name = 'i"x' } },
      })
      op.create_index(nil, hostile, { "select", { hostile, order = "desc" }, long }, { schema = "O.ther" })
      op.create_unique_constraint(nil, hostile, { hostile, long, "Üml" }, { schema = "O.ther" })
      op.create_foreign_key(nil, hostile, hostile, { long }, { "select" },
        { schema = "O.ther", referent_schema = "O.ther" })
      op.rename_column(hostile, "Üml", "end", { schema = "O.ther" })
    end, has = { "column O.ther." .. hostile .. ".end integer" } },
  }
end)

describe("columns", function()
  local t = "create table t (id int, a text, b int default 5, c int not null, e text); "
    .. "create table p (id int primary key);"
  cases {
    { "added with everything", t, function(op)
      op.add_column("t", { "n", "int", nullable = false, default = 7,
        references = { table = "p", on_delete = "cascade" },
        unique = { name = "n_once" }, check = "n > 0", comment = "c", index = { name = "n_ix" }, statistics = 9,
        storage = "plain" }, { schema = "public" })
    end, has = { "column public.t.n integer notnull=t default=7", "statistics=9", "t_n_check CHECK ((n > 0))",
      "t_n_fkey FOREIGN KEY (n) REFERENCES p(id) ON DELETE CASCADE", "n_once UNIQUE (n)", "INDEX n_ix ON" } },
    { "added as identity and generated", t, function(op)
      op.add_column("t", { "n", "bigint", identity = "always", primary_key = true })
      op.add_column("t", { "g", "text", generated = "upper(a)" })
    end, has = { "t_pkey PRIMARY KEY (n)", "default=upper(a) identity= generated=s" } },
    { "dropped and described", t, function(op)
      op.drop_column("t", "b", { if_exists = true, existing = { "b", "int", default = 5 } })
    end },
    { "renamed", t, function(op) op.rename_column("t", "a", hostile) end, has = { hostile } },
    { "with another type", t, function(op)
      op.alter_column("t", "b", { type = "text", using = "b::text || 'x'", default = "y", collation = "C",
        existing = { type = "int", using = "length(b)", default = 5 } })
    end, has = { "t.b text notnull=f default='y'::text identity= generated= collation=C" } },
    { "with another nullability", t, function(op)
      op.alter_column("t", "c", { nullable = true })
      op.alter_column("t", "id", { nullable = false })
    end, has = { "t.c integer notnull=f", "t.id integer notnull=t" } },
    { "with another default and name", t, function(op)
      op.alter_column("t", "b", { default = null, name = "bb", comment = "x",
        existing = { default = 5, comment = null } })
      op.alter_column("t", "id", { default = sql "1 + 1", existing = { default = null } })
    end, has = { "t.bb integer notnull=f default= ", "comment=x", "t.id integer notnull=f default=(1 + 1)" } },
    { "turned into an identity and back", t, function(op)
      op.alter_column("t", "c", { identity = { always = true, start = 3, cache = 4 } })
      op.alter_column("t", "c", { identity = { increment = 2, cycle = true },
        existing = { identity = { always = true, start = 3, cache = 4 } } })
      op.alter_column("t", "b", { nullable = false, default = null, identity = true,
        existing = { default = 5, nullable = true } })
    end, has = { "identity=d generated= collation= storage=p compression= statistics=-1 options= "
      .. "sequence=1,2,1,2147483647,1,t", "t.b integer notnull=t default= identity=d" } },
    { "with another identity dropped", "create table t (a int generated always as identity (increment 3))", function(op)
      op.alter_column("t", "a", { identity = false, existing = { identity = { always = true, increment = 3 } } })
    end, has = { "t.a integer notnull=t default= identity= " } },
    { "with other settings", t, function(op)
      op.alter_column("t", "a", { storage = "main", compression = "pglz", statistics = 7, schema = "public",
        existing = { storage = "extended", compression = "default", statistics = -1 } })
      op.alter_column("t", "e", { options = { n_distinct = 5 }, existing = { options = { n_distinct = null } } })
    end, has = { "storage=m compression=p statistics=7", "options={n_distinct=5}" } },
    { "changed together with constraints", t, function(op)
      op.alter_table("t", {
        { "add_column", { "n", "int", nullable = false, default = 1, comment = "new" } },
        { "drop_column", "e", { existing = { "e", "text" } } },
        { "alter_column", "b", { type = "bigint", name = "big", existing = { type = "int" } } },
        { "create_check_constraint", "n_up", "n > 0", { not_valid = true } },
        { "create_primary_key", nil, { "n" } },
        { "create_foreign_key", "fk", "p", "id" },
        { "create_unique_constraint", nil, { "a" } },
        { "create_exclude_constraint", nil, { { "c", "=" } }, { using = "gist" } },
      }, { schema = "public" })
    end, has = { "t.n integer notnull=t default=1", "t.big bigint", "n_up CHECK ((n > 0)) NOT VALID",
      "t_pkey PRIMARY KEY (n)", "fk FOREIGN KEY (id) REFERENCES p(id)", "t_a_key UNIQUE (a)", "t_c_excl EXCLUDE" } },
    { "with comments", t .. "comment on table t is 'old'; comment on column t.a is 'old'", function(op)
      op.create_table_comment("t", hostile, { existing = "old" })
      op.create_column_comment("t", "a", hostile, { schema = "public", existing = "old" })
      op.create_column_comment("t", "b", "new")
      op.create_table_comment("p", "new")
    end, has = { "comment=" .. hostile, "t.b integer notnull=f default=5 identity= generated= collation= storage=p "
      .. "compression= statistics=-1 options= sequence= comment=new" } },
    { "without comments", t .. "comment on table t is 'old'; comment on column t.a is 'old'", function(op)
      op.drop_table_comment("t", { existing = "old" })
      op.drop_column_comment("t", "a", { existing = "old" })
    end },
  }

  it("whose generation is dropped keep their values", function()
    conn:script "drop table if exists g; create table g (a int, b int generated always as (a * 2) stored)"
    run(operations.collect(function(op) op.alter_column("g", "b", { generated = null }) end))
    assert.truthy(contains(catalog.lines(conn), "g.b integer notnull=f default= identity= generated= "))
  end)
end)

describe("constraints", function()
  local t = "create table t (a int not null, b int not null, c int, r int4range); "
    .. "create table p (id int primary key, x int, y int, unique (x, y));"
  cases {
    { "that are primary keys", t, function(op)
      op.create_primary_key(nil, "t", { "a", "b" }, { schema = "public", include = { "c" }, with = { fillfactor = 50 },
        tablespace = "pg_default", deferrable = true, initially = "immediate" })
    end, has = { "t_pkey PRIMARY KEY (a, b) INCLUDE (c) DEFERRABLE" } },
    { "that are unique", t, function(op)
      op.create_unique_constraint(nil, "t", "a", { include = "c" })
      op.create_unique_constraint("u", "t", { "b", "c" }, { nulls_not_distinct = true, deferrable = true,
        initially = "deferred", with = { fillfactor = 50 }, tablespace = "pg_default" })
    end, has = { "t_a_c_key UNIQUE (a) INCLUDE (c)",
      "u UNIQUE NULLS NOT DISTINCT (b, c) DEFERRABLE INITIALLY DEFERRED" } },
    { "on an index that is there", t .. "create unique index ia on t (a) include (c); create unique index ib on t (b)",
      function(op)
        op.create_unique_constraint("u", "t", { "a" }, { using_index = "ia", include = { "c" } })
        op.create_primary_key(nil, "t", { "b" }, { using_index = "ib" })
      end, has = { "u UNIQUE (a) INCLUDE (c)", "ib PRIMARY KEY (b)" } },
    { "that are foreign keys", t, function(op)
      op.create_foreign_key(nil, "t", "p", { "a", "b" }, { "x", "y" }, { source_schema = "public",
        referent_schema = "public", on_delete = "set null", on_delete_columns = "b", on_update = "cascade",
        match = "simple" })
      op.create_foreign_key("fk", "t", "p", "a", nil, { not_valid = true, deferrable = true, initially = "deferred" })
    end, has = { "t_a_b_fkey FOREIGN KEY (a, b) REFERENCES p(x, y) ON UPDATE CASCADE ON DELETE SET NULL (b)",
      "fk FOREIGN KEY (a) REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED NOT VALID" } },
    { "that are checks", t, function(op)
      op.create_check_constraint("ck", "t", "a > 0", { not_valid = true, no_inherit = true })
      op.create_check_constraint(hostile, "t", sql "a > b")
    end, has = { "ck CHECK ((a > 0)) NO INHERIT NOT VALID", hostile .. " CHECK ((a > b))" } },
    { "that are exclusions", t, function(op)
      op.create_exclude_constraint(nil, "t", { { "a", "=" }, { "r", "&&" } }, { using = "gist", where = "a > 0",
        include = { "b" }, deferrable = true, initially = "deferred" })
      op.create_exclude_constraint("ex", "t", { { sql "b + c", "=", opclass = "int4_ops", order = "asc",
        nulls = "first" } }, { using = "btree", with = { fillfactor = 50 }, tablespace = "pg_default" })
    end, has = { "t_a_r_b_excl EXCLUDE USING gist (a WITH =, r WITH &&) INCLUDE (b) WHERE ((a > 0)) "
      .. "DEFERRABLE INITIALLY DEFERRED", "ex EXCLUDE USING btree (((b + c)) NULLS FIRST WITH =)" } },
    { "dropped and described", t .. [[alter table t add constraint pk primary key (a), add constraint u unique (b),
      add constraint ck check (c > 0), add constraint fk foreign key (a) references p on delete cascade,
      add constraint ex exclude using gist (r with &&) where (a > 0)]], function(op)
      op.drop_constraint("u", "t", { existing = { unique = { "b" } } })
      op.drop_constraint("ck", "t", { if_exists = true, existing = { check = "c > 0" } })
      op.drop_constraint("fk", "t", { existing = { foreign_key = { "a", "p", on_delete = "cascade" } } })
      op.drop_constraint("ex", "t", { schema = "public", existing = { exclude = { { "r", "&&" }, using = "gist",
        where = "a > 0" } } })
      op.drop_constraint("pk", "t", { existing = { primary_key = { "a" } } })
    end },
    { "renamed", t .. "alter table t add constraint ck check (a > 0)", function(op)
      op.rename_constraint("t", "ck", hostile)
    end, has = { hostile .. " CHECK ((a > 0))" } },
  }

  it("are validated", function()
    conn:script [[drop table if exists v; create table v (a int);
      alter table v add constraint ck check (a > 0) not valid]]
    run(operations.collect(function(op) op.validate_constraint("ck", "v") end))
    assert.truthy(contains(catalog.lines(conn), "constraint v.ck CHECK ((a > 0)) noinherit=f"))
  end)

  it("drop what depends on them with cascade", function()
    conn:script [[drop table if exists w, p cascade; create table p (id int primary key);
      create table w (p int references p)]]
    run(operations.collect(function(op) op.drop_constraint("p_pkey", "p", { cascade = true }) end))
    assert.falsy(contains(catalog.lines(conn), "w_p_fkey"))
  end)
end)

describe("indexes", function()
  local t = "create table t (a int, b text, c int, r int4range);"
  cases {
    { "with every option", t, function(op)
      op.create_index(nil, "t", { "a", { "b", order = "desc", nulls = "last", opclass = "text_pattern_ops",
        collation = "C" } }, { schema = "public", unique = true, using = "btree", where = "a > 0", include = { "c" },
        with = { fillfactor = 50, deduplicate_items = false }, tablespace = "pg_default", nulls_not_distinct = true })
      op.create_index("low", "t", { sql "lower(b)", { sql "a + c", order = "desc" } }, { only = true })
      op.create_index(nil, "t", "r", { using = "gist" })
      op.create_index("pages", "t", { "a" }, { using = "brin", with = { pages_per_range = 8 } })
    end, has = {
      'INDEX t_a_b_c_idx ON public.t USING btree (a, b COLLATE "C" text_pattern_ops DESC NULLS LAST) INCLUDE (c) '
        .. "NULLS NOT DISTINCT WITH (deduplicate_items='false', fillfactor='50') WHERE (a > 0)",
      "INDEX low ON public.t USING btree (lower(b), ((a + c)) DESC)", "INDEX t_r_idx ON public.t USING gist (r)",
      "INDEX pages ON public.t USING brin (a) WITH (pages_per_range='8')" } },
    { "built concurrently", t, function(op)
      op.create_index("i", "t", { "a" }, { concurrently = true, unique = true })
    end, has = { "CREATE UNIQUE INDEX i ON public.t USING btree (a) valid=t" } },
    { "dropped concurrently and described", t .. "create unique index i on t (a desc) where b <> ''", function(op)
      op.drop_index("i", { concurrently = true, if_exists = true, table = "t", schema = "public",
        existing = { { "a", order = "desc" }, unique = true, where = "b <> ''" } })
    end },
    { "renamed", t .. "create index i on t (a)", function(op)
      op.rename_index("i", hostile, { schema = "public", if_exists = true })
    end, has = { hostile:gsub('"', '""') .. '" ON public.t' } },
    { "with names that are cut",
      t .. ("create table %s (%s int, %s int)"):format(long, long:gsub("n", "x"), ("y"):rep(40)),
      function(op)
        op.create_index(nil, long, { ("x"):rep(63), ("y"):rep(40) })
        op.create_index(nil, long, { ("y"):rep(40) })
        op.create_unique_constraint(nil, long, { ("y"):rep(40), ("x"):rep(63) })
      end },
    { "with names of several bytes a character that are cut", ("create table %s (%s int not null)")
      :format(("ä"):rep(31), ("ö"):rep(31)), function(op)
      op.create_index(nil, ("ä"):rep(31), { ("ö"):rep(31) })
      op.create_unique_constraint(nil, ("ä"):rep(31), { ("ö"):rep(31) })
      op.create_foreign_key(nil, ("ä"):rep(31), ("ä"):rep(31), ("ö"):rep(31), ("ö"):rep(31))
    end },
  }

  it("are made once with if_not_exists, and dropped with what depends on them", function()
    conn:script "drop table if exists t cascade; create table t (a int); create index i on t (a)"
    run(operations.collect(function(op)
      op.create_index("i", "t", "a", { if_not_exists = true })
      op.create_table("t", { { "a", "int" }, if_not_exists = true })
      op.add_column("t", { "a", "int" }, { if_not_exists = true })
      op.drop_index("i", { cascade = true })
      op.drop_index("none", { if_exists = true })
      op.drop_column("t", "none", { if_exists = true, cascade = true })
      op.drop_table("t", { cascade = true })
    end))
    assert.falsy(contains(catalog.lines(conn), "table public.t "))
  end)
end)
