-- Settings of tables, partitions, statistics and comments on real servers: run, read the catalog, undo, compare.

local operation = require "moontide.operation"
local operations = require "spec.support.operations"
local pg = require "moontide.runtime.pg"
local rehearsal = require "spec.support.rehearsal"
local value = require "moontide.value"
local versions = require "spec.support.versions"

local sql, null = value.sql, value.null
local cases, contains = rehearsal.cases, rehearsal.contains

local hostile = [[we"ird.n'äme $1 \ %s]]

local ranges = "create table t (id int not null, at date) partition by range (id); "
local lists = "create table t (kind text, id int) partition by list (kind); "

local objects = [[
  create table t (id int, constraint c check (id > 0)); create view v as select 1 as x; create sequence s;
  create materialized view m as select 2 as y; create index i on t (id); create type e as enum ('a');
  create domain d as int constraint dc check (value > 0); create type k as (a int);
  create function f(int, text[]) returns int language sql as 'select 1';
  create function only_one() returns int language sql as 'select 1';
  create procedure p() language sql as ''; create aggregate g(int) (sfunc = int4pl, stype = int);
  create function tf() returns trigger language plpgsql as 'begin return new; end';
  create trigger tr before insert on t for each row execute function tf();
  create rule ru as on delete to t do instead nothing; create policy po on t; create statistics st on id, id2 from q;
  comment on constraint dc on domain d is 'old'; comment on function f(int, text[]) is 'old';
  comment on column v.x is 'old'; comment on schema public is 'old'; comment on policy po on t is 'old';
]]

versions.each(function(major, database)
  local conn, url

  setup(function()
    url = database()
    conn = rehearsal.open(url)
  end)

  teardown(function() conn:close() end)

  local from = rehearsal.from(major)

  describe("partitions", function()
    cases {
      { "by range, with everything", ranges, function(op)
        op.create_partition(hostile, "t", { from = sql "minvalue", to = 10, schema = "O.ther", parent_schema = "public",
          comment = "it's", partition_by = "list (at)", unlogged = false })
        op.create_partition("inner", hostile, { schema = "O.ther", values = { "2026-01-01", null },
          with = { fillfactor = 60 } })
      end, has = { "table O.ther.inner", "comment=it's" } },
      { "by list", lists, function(op)
        op.create_partition("a", "t", { values = { "a", null, "it's" } })
      end, has = { "table public.a" } },
      { "by hash", "create table t (id int) partition by hash (id)", function(op)
        op.create_partition("a", "t", { modulus = 2, remainder = 1 })
      end, has = { "table public.a" } },
      { "that are dropped", ranges .. [[create table p partition of t for values from (1) to (5);
        comment on table p is 'old'; create index px on p (at)]], function(op)
        op.drop_partition("p", "t")
      end },
    }

    -- Detaching locks a partition of PostgreSQL 13 less than what is declared.
    from(14, {
      { "that are attached", ranges .. "create table p (id int not null, at date)", function(op)
        op.attach_partition("p", "t", { from = 1, to = sql "maxvalue", schema = "public" })
      end, has = { "table public.p kind=r persistence=p options= tablespace= am=heap partition= inherits=t" } },
      { "that are detached", lists .. "create table p partition of t for values in ('a', null, 'x''y')", function(op)
        op.detach_partition("p", "t")
      end },
    })

    local function attached()
      return #conn:exec "select from pg_inherits where inhparent = 't'::regclass" == 1
    end

    local function concurrently()
      conn:script("drop table if exists t, p cascade; " .. lists .. "create table p partition of t for values in ('a')")
      return operations.collect(function(op) op.detach_partition("p", "t", { concurrently = true }) end)
    end

    local function recover(o)
      local step = operation.get(o.kind).expand(o, { server_version = conn:server_version() })[1]
      return step.recover(o, { interrupted = true, query = function(text) return conn:exec(text) end })
    end

    if major >= 14 then
      it("that are detached concurrently", function()
        local list = concurrently()
        rehearsal.capture(list)
        assert.same({}, recover(list[1]))
        rehearsal.run(list)
        assert.is_false(attached())
        assert.is_nil(recover(list[1]))
        rehearsal.run(operations.undo(list))
        assert.is_true(attached())
      end)

      it("whose concurrent detaching was interrupted", function()
        local list = concurrently()
        local reader <close> = pg.connect(url)
        reader:script "begin; select * from t"
        conn:script "set statement_timeout = '300ms'"
        assert.is_false(pcall(rehearsal.run, list))
        conn:script "reset statement_timeout"
        reader:script "rollback"
        assert.is_true(attached())
        assert.is_nil(recover(list[1]))
        assert.is_false(attached())
      end)
    end
  end)

  describe("settings of tables", function()
    cases {
      { "parameters", [[create table t (id int) with (fillfactor = 50, toast.autovacuum_enabled = false);
        create index i on t (id)]], function(op)
        op.set_storage_parameters("t", { fillfactor = null, ["toast.autovacuum_enabled"] = null,
          autovacuum_vacuum_scale_factor = 0.5 })
        op.set_storage_parameters("i", { fillfactor = 60 })
      end, has = { "options={autovacuum_vacuum_scale_factor=0.5}", "fillfactor='60'" } },
      { "that are logged or not", "create table t (id int); create unlogged table u (id int)", function(op)
        op.set_unlogged("t")
        op.set_logged("u")
      end, has = { "public.t kind=r persistence=u", "public.u kind=r persistence=p" } },
      { "a parent", "create table t (id int); create table p (id int); create table c () inherits (p)", function(op)
        op.inherit("t", "p", { schema = "public" })
        op.no_inherit("c", "p")
      end, has = { "partition= inherits=p" } },
    }

    local function identity()
      local row = conn:exec([[select relreplident::text || coalesce((select indexrelid::regclass::text from pg_index
        where indrelid = 't'::regclass and indisreplident), '') || coalesce((select indexrelid::regclass::text
        from pg_index where indrelid = 't'::regclass and indisclustered), '') as t from pg_class
        where oid = 't'::regclass]])[1]
      return row.t
    end

    local function there_and_back(fn, expected)
      local before, list = identity(), operations.collect(fn)
      for _, o in ipairs(list) do rehearsal.capture { o } rehearsal.run { o } end
      assert.equal(expected, identity())
      rehearsal.run(operations.undo(list))
      assert.equal(before, identity())
    end

    it("replica identity and clustering", function()
      conn:script [[drop table if exists t cascade; create table t (id int primary key, a int);
        create index i on t (a)]]
      there_and_back(function(op)
        op.set_replica_identity("t", "full")
        op.set_cluster("t", "i")
        op.set_replica_identity("t", { index = "t_pkey" })
      end, "it_pkeyi")
      conn:script "alter table t cluster on t_pkey"
      there_and_back(function(op)
        op.set_replica_identity("t", "nothing")
        op.set_cluster("t", false)
      end, "n")
    end)

    it("the tablespace and the access method", function()
      conn:script "drop table if exists t cascade; create table t (id int)"
      local list = operations.collect(function(op)
        op.set_tablespace("t", "pg_default")
        if major >= 15 then op.set_access_method("t", "heap") end
      end)
      for _, o in ipairs(list) do rehearsal.capture { o } rehearsal.run { o } end
      assert.equal("pg_default", list[1].existing)
      if list[2] then assert.equal("heap", list[2].existing) end
      rehearsal.run(operations.undo(list))
    end)
  end)

  describe("schemas of objects", function()
    cases {
      { "are changed", objects:gsub("create statistics [^;]*;", ""), function(op)
        op.set_schema("table", "t", "O.ther")
        op.set_schema("view", "v", "O.ther", { schema = "public" })
        op.set_schema("materialized view", "m", "O.ther")
        op.set_schema("sequence", "s", "O.ther")
        op.set_schema("function", "f", "O.ther", { arguments = { "int", "text[]" } })
        op.set_schema("function", "only_one", "O.ther")
        op.set_schema("procedure", "p", "O.ther", { arguments = {} })
        op.set_schema("aggregate", "g", "O.ther", { arguments = { "int" } })
        op.set_schema("type", "e", "O.ther")
        op.set_schema("domain", "d", "O.ther")
      end, has = { "table O.ther.t", "sequence \"O.ther\".s", "type \"O.ther\".e" } },
    }
  end)

  describe("extended statistics", function()
    local t = "create table t (a int, b int, c text);"

    local function definitions()
      local list = {}
      for i, row in ipairs(conn:exec [[select pg_get_statisticsobjdef(oid) || coalesce(nullif(stxstattarget, -1), 0)
          || coalesce(obj_description(oid, 'pg_statistic_ext'), '') as t from pg_statistic_ext order by 1]]) do
        list[i] = row.t
      end
      return list
    end

    local function there_and_back(fn, expected)
      local before, list = definitions(), operations.collect(fn)
      for _, o in ipairs(list) do rehearsal.capture { o } rehearsal.run { o } end
      assert.same(expected, definitions())
      rehearsal.run(operations.undo(list))
      assert.same(before, definitions())
    end

    it("are made and changed", function()
      conn:script("drop table if exists t cascade;" .. t .. [[create statistics old (ndistinct) on a, c from t;
        alter statistics old set statistics 7; comment on statistics old is 'it''s']])
      there_and_back(function(op)
        op.create_statistics(hostile, "t", { "a", "b" }, { schema = "O.ther", table_schema = "public",
          kinds = { "mcv" }, target = 9, comment = "new" })
        op.set_statistics_target("old", 8)
        op.drop_statistics("old")
        op.rename_statistics(hostile, "st", { schema = "O.ther" })
      end, { 'CREATE STATISTICS "O.ther".st (mcv) ON a, b FROM t9new' })
    end)

    if major >= 14 then
      it("of expressions", function()
        conn:script("drop table if exists t cascade;" .. t .. "create statistics old on (a + b) from t")
        there_and_back(function(op)
          op.drop_statistics("old")
          op.create_statistics("st", "t", { "a", sql "lower(c)" }, { kinds = { "ndistinct" } })
        end, { "CREATE STATISTICS public.st (ndistinct) ON a, lower(c) FROM t0" })
      end)
    end
  end)

  describe("comments", function()
    local function comments()
      local list = {}
      for i, row in ipairs(conn:exec [[select (pg_identify_object(classoid, objoid, objsubid)).identity || ': '
          || description as t from pg_description where (pg_identify_object(classoid, objoid, objsubid)).identity
          ~ 'public|O.ther' order by 1]]) do
        list[i] = row.t
      end
      return list
    end

    it("on anything", function()
      conn:script([[drop schema if exists public cascade; create schema public; create table q (id int, id2 int);]]
        .. objects)
      local before, list = comments(), operations.collect(function(op)
        for _, kind in ipairs { { "table", "t" }, { "view", "v" }, { "materialized view", "m" }, { "index", "i" },
          { "sequence", "s" }, { "type", "e" }, { "type", "k" }, { "domain", "d" }, { "statistics", "st" } } do
          op.comment(kind[1], kind[2], hostile)
          op.comment(kind[1], kind[2], "again", { schema = "public" })
        end
        for _, kind in ipairs { { "column", "id" }, { "constraint", "c" }, { "trigger", "tr" }, { "rule", "ru" },
          { "policy", "po" } } do
          op.comment(kind[1], kind[2], hostile, { table = "t", schema = "public" })
          op.comment(kind[1], kind[2], null, { table = "t" })
        end
        op.comment("column", "x", "new", { table = "v" })
        op.comment("constraint", "dc", null, { domain = "d" })
        op.comment("schema", "public", "new")
        op.comment("function", "f", null, { arguments = { "int", "text[]" } })
        op.comment("function", "only_one", "new")
        op.comment("procedure", "p", "new", { arguments = {} })
        op.comment("aggregate", "g", "new", { arguments = { "int" } })
        op.comment("language", "plpgsql", "new")
        op.comment("role", "postgres", "new")
      end)
      for _, o in ipairs(list) do rehearsal.capture { o } rehearsal.run { o } end
      assert.truthy(#comments() > #before)
      assert.truthy(contains(comments(), "public.only_one(): new"))
      rehearsal.run(operations.undo(list))
      assert.same(before, comments())
    end)
  end)
end)


