-- Views, routines, triggers and policies on real servers: run, read the catalog, undo, compare with the catalog before.

local rehearsal = require "spec.support.rehearsal"
local value = require "moontide.value"
local versions = require "spec.support.versions"

local sql, null = value.sql, value.null
local cases = rehearsal.cases
local hostile = [[we"ird.n'äme $1 \ $$ $body$]]

local a_view = [[
  create table t (id int primary key, name text, "Odd ""one" int);
  create view v as select id, name from t;
  create function nothing() returns trigger language plpgsql as 'begin return new; end';]]

local a_kept_view = a_view .. [[
  alter view v set (security_barrier = true, check_option = local);
  comment on view v is 'it''s';
  comment on column v.name is 'their "name"';
  alter view v alter column name set default 'x';
  revoke all on v from moontide_owner;
  grant select, update on v to moontide_reader with grant option;
  grant insert on v to public;
  grant update (id) on v to moontide_reader;
  create trigger own instead of insert on v for each row execute function nothing('a', 'it''s');
  comment on trigger own on v is 'trigger''s';
  create rule remove as on delete to v do instead nothing;
  alter view v owner to moontide_owner;]]

versions.each(function(major, database)
  local conn

  setup(function() conn = rehearsal.open(database()) end)

  teardown(function() conn:close() end)

  local from = rehearsal.from(major)

  describe("views", function()
    cases {
      { "with every option", a_view, function(op)
        op.create_view("w", "select id, name from t where id > 0 -- up", { check_option = "cascaded",
          security_barrier = true, columns = { "a", hostile }, comment = "it's", owner = "moontide_owner",
          grants = { { "select", to = "moontide_reader", grantable = true }, { "insert", to = "public" } } })
      end, has = { "kind=v persistence=p options={check_option=cascaded,security_barrier=true}", "comment=it's",
        "access w owner=moontide_owner", "moontide_reader=SELECT*/moontide_owner", "public=INSERT" } },
      { "recursive", "", function(op)
        op.create_view("w", "select 1 union all select n + 1 from w where n < 10;", { recursive = true, columns = "n" })
      end, has = { "WITH RECURSIVE" } },
      { "in another schema", a_view, function(op)
        op.create_view(hostile, "with x as (select 1 as a) select * from x", { schema = "O.ther" })
        op.rename_view(hostile, "w", { schema = "O.ther" })
      end, has = { "view O.ther.w" } },
      { "dropped, with all that hangs on them", a_kept_view, function(op) op.drop_view("v") end },
      { "dropped, under another search path", a_kept_view .. [[ create view "O.ther".v as select * from v; ]],
        function(op) op.drop_view("v", { schema = "O.ther" }) end },
      { "replaced", a_kept_view, function(op)
        op.create_view("v", "select id, upper(name) as name from t", { replace = true, comment = "new" })
      end, has = { "upper(", "comment=new" } },
      { "replaced by one with more columns", a_kept_view, function(op)
        op.create_view("v", "select id, name, 1 as one from t", { replace = true })
      end, has = { "view column v.one integer" } },
      { "with other options", a_kept_view, function(op)
        op.alter_view("v", { check_option = null, security_barrier = false })
        op.alter_view("v", { check_option = "cascaded" })
      end, has = { "options={check_option=cascaded}" } },
      { "replaced where there was none", a_view, function(op)
        op.create_view("new", "select 1 as one", { replace = true })
      end, has = { "view public.new" } },
    }
    from(15, {
      { "with the rights of who asks", a_view, function(op)
        op.create_view("w", "select 1 as one", { security_invoker = true })
        op.drop_view("w")
        op.create_view("w", "select 2 as two")
      end, has = { "view public.w" } },
    })
  end)

  describe("materialized views", function()
    cases {
      { "with every option", a_view, function(op)
        op.create_materialized_view("m", "select id, name from t", { columns = { "a", "b" }, using = "heap",
          with = { fillfactor = 70 }, tablespace = "pg_default", with_data = false, comment = "it's",
          owner = "moontide_owner", grants = { { "select", to = "public" } } })
      end, has = { "kind=m persistence=p options={fillfactor=70} populated=f", "comment=it's" } },
      { "dropped, with all that hangs on them", a_view .. [[
        create materialized view m with (fillfactor = 60) as select id, name from t;
        create unique index one on m (id); create index two on m (lower(name)) where id > 1;
        comment on index one is 'index''s'; alter materialized view m cluster on one;
        create statistics st on id, name from m;
        comment on column m.id is 'x'; grant select on m to moontide_reader;
        alter materialized view m owner to moontide_owner;]],
        function(op) op.drop_materialized_view("m") end },
      { "renamed and altered", a_view .. "create materialized view m with (fillfactor = 60) as select 1 as one",
        function(op)
          op.alter_materialized_view("m", { with = { fillfactor = null, autovacuum_enabled = false } })
          op.rename_materialized_view("m", "n")
          op.refresh_materialized_view("n", { with_data = false })
        end, has = { "options={autovacuum_enabled=false} populated=f" } },
    }

    it("are refreshed without keeping readers out, in a transaction", function()
      conn:script("drop schema public cascade; create schema public;" .. a_view .. [[
        create materialized view m as select id from t; create unique index on m (id); insert into t values (1)]])
      local operations = require "spec.support.operations"
      conn:exec "begin"
      rehearsal.run(operations.collect(function(op) op.refresh_materialized_view("m", { concurrently = true }) end))
      conn:exec "commit"
      assert.equal(1, conn:exec("select count(*) as n from m")[1].n)
    end)
  end)

  local a_function = [[
    create table users (id int);
    create function f(a int, b text default 'x, y', out c int, variadic d text[] default array['p)', 'q'])
      language plpgsql stable strict security definer leakproof parallel restricted cost 7
      set search_path to public, "O.ther", '' set work_mem to '8MB'
      as $f$ begin c := a; -- $$ $body$
      end $f$;
    comment on function f is 'it''s';
    revoke all on function f from public; grant execute on function f to moontide_reader with grant option;
    alter function f owner to moontide_owner;
    create function g() returns setof users rows 7 language sql as 'select * from users';
    create function g(int) returns table (a int, b text) language sql immutable as 'select 1, null::text';]]

  describe("functions", function()
    cases {
      { "with every option", "", function(op)
        op.create_function("f", { args = { "int", { "b", "text", default = "x" }, "inout c double precision = 1",
          { "d", "text[]", mode = "variadic", default = sql "'{}'" } }, returns = "double precision",
          language = "plpgsql", body = "begin return; end -- " .. hostile, volatility = "stable", strict = true,
          security_definer = true, leakproof = true, parallel = "safe", cost = 3.5,
          set = { search_path = { "public", "" }, work_mem = "8MB", ["my.own"] = 1 }, comment = "it's",
          owner = "moontide_owner", grants = { { "execute", to = "moontide_reader" } } })
      end, has = { "routine f(integer,text,double precision,text[]) owner=moontide_owner", "LEAKPROOF",
        "moontide_reader=EXECUTE" } },
      { "of sets and tables", "create table users (id int)", function(op)
        op.create_function("f", { returns = "setof users", body = "select * from users", rows = 5 })
        op.create_function("f", { args = "a int", returns = "table (x int, y text)", body = "select 1, null::text" })
        op.rename_function("f", "g", { args = "int" })
        op.create_function("agg", { args = "a int", returns = "int", language = "internal", body = "int4abs" })
      end, has = { "RETURNS SETOF users", "ROWS 5", "routine g(integer)", "RETURNS TABLE(x integer, y text)" } },
      { "dropped", a_function, function(op)
        op.drop_function "f"
        op.drop_function("g", { args = {} })
        op.drop_function("g", { args = "int" })
      end },
      { "replaced", a_function, function(op)
        op.create_function("f", { args = "a int, b text default 'z', out c int, variadic d text[] = null",
          body = "begin end",
          language = "plpgsql", replace = true, comment = "new" })
        op.create_function("new", { returns = "void", body = "", replace = true })
      end, has = { "comment=new", "routine new()" } },
    }
    from(14, {
      { "with bodies in SQL", "create table users (id int)", function(op)
        op.create_function("f", { args = "a int", returns = "int", body = sql "return a + 1" })
        op.create_function("g", { returns = "setof int",
          body = sql "begin atomic select 1; select case when id > 1 then 2 end from users; end" })
        op.drop_function("f", { args = "int" })
        op.drop_function "g"
        op.create_function("h", { returns = "int", body = sql "return 1" })
      end, has = { "RETURN 1" } },
    })
  end)

  describe("functions that stay", function()
    cases {
      { "with other properties", a_function, function(op)
        op.alter_function("f", { volatility = "immutable", strict = false, leakproof = false,
          security_definer = false, parallel = "unsafe", cost = 9.5,
          set = { search_path = { "public" }, work_mem = null, ["my.own"] = hostile } })
        op.alter_function("g", { args = {}, rows = 9, cost = 3, strict = true, set = { search_path = { "a b", "" } } })
        op.alter_function("g", { args = "int", leakproof = true })
      end, has = { "IMMUTABLE COST 9.5", "ROWS 9", "SET search_path TO 'public'" } },
      { "of C", [[create function f(int) returns int language internal as 'int4abs']], function(op)
        op.alter_function("f", { cost = 7 })
      end, has = { "COST 7" } },
    }
  end)

  describe("procedures", function()
    cases {
      { "altered", "create procedure p() language plpgsql security definer as 'begin end'", function(op)
        op.alter_procedure("p", { security_definer = false, set = { work_mem = "1MB" } })
      end, has = { "SET work_mem TO '1MB'" } },
      { "created", "create table users (id int)", function(op)
        op.create_procedure("p", { args = { { "a", "int", mode = "inout" } }, language = "plpgsql", body = "begin end",
          security_definer = true, comment = "it's" })
        op.create_procedure("q", { body = "select id from users", schema = "O.ther" })
        op.rename_procedure("p", "r", { args = "int" })
      end, has = { "routine r(integer)", [[routine "O.ther".q()]] } },
      { "dropped and replaced", [[
        create procedure p(a int, inout b text) language plpgsql as 'begin end';
        grant execute on procedure p to moontide_reader;
        create procedure q() language plpgsql as 'begin null; end'; ]], function(op)
        op.drop_procedure("p", { args = "int, inout text" })
        op.create_procedure("q", { body = "begin end", language = "plpgsql", replace = true })
      end },
    }
  end)

  local a_table = [[
    create table t (id int, name text); create table other (id int);
    create function f() returns trigger language plpgsql as 'begin return null; end';
    create function "O.ther"."g g"() returns trigger language plpgsql as 'begin return null; end';]]

  describe("triggers", function()
    cases {
      { "with every option", a_table, function(op)
        op.create_trigger("a", "t", { timing = "before", events = { "insert", "update", "delete" },
          update_of = { "id", "name" }, for_each = "row", when = "pg_trigger_depth() = 0 -- top", execute = "f",
          args = { "x", "it's", "b\\s", hostile }, enabled = "always", comment = "it's" })
        op.create_trigger("b", "t", { timing = "after", events = "insert", for_each = "row", constraint = true,
          deferrable = true, initially = "deferred", from = "other", execute = { schema = "O.ther", name = "g g" } })
        op.create_trigger("c", "t", { events = "update", execute = "f", referencing = { old = "o", new = "n" } })
        op.create_trigger("d", "t", { events = { "truncate" }, execute = "f", enabled = "disabled" })
      end, has = { "trigger CREATE TRIGGER a BEFORE INSERT OR DELETE OR UPDATE OF id, name ON public.t",
        "DEFERRABLE INITIALLY DEFERRED", "REFERENCING OLD TABLE AS o NEW TABLE AS n", "enabled=D", "enabled=A" } },
      { "dropped", a_table .. [[
        create trigger a before insert or update of name, id on t for each row
          when (new.name <> ' WHEN ( ) EXECUTE FUNCTION f(' and new.id > 0)
          execute function f('x', 'it''s) EXECUTE FUNCTION f(', e'b\\s', '', ', ');
        comment on trigger a on t is 'it''s'; alter table t enable replica trigger a;
        create constraint trigger b after delete on t from other deferrable for each row
          execute function "O.ther"."g g"();
        create trigger c after update on t referencing new table as n execute function f();]], function(op)
        op.drop_trigger("a", "t")
        op.drop_trigger("b", "t")
        op.drop_trigger("c", "t")
      end },
      { "renamed and switched", a_table .. [[
        create trigger a before insert on t execute function f(); alter table t enable always trigger a;
        create trigger b before insert on t execute function f();]], function(op)
        op.rename_trigger("a", "t", hostile)
        op.disable_trigger(hostile, "t")
        op.enable_trigger("b", "t", { mode = "replica" })
        op.enable_trigger("b", "t", { mode = "always" })
      end, has = { "enabled=D", "enabled=A" } },
      { "switched all at once", a_table .. [[
        create trigger a before insert on t execute function f(); create trigger b after insert on t
          execute function f(); create trigger c after insert on t execute function f();
        alter table t enable always trigger b, disable trigger c;]], function(op)
        op.disable_triggers("t")
        op.enable_triggers("t", { internal = true })
        op.disable_triggers("t", { internal = true })
      end, has = { "enabled=D" } },
    }
    from(14, {
      { "replaced", a_table .. "create trigger a before insert on t for each row execute function f('x')", function(op)
        op.create_trigger("a", "t", { timing = "after", events = { "update" }, execute = "f", replace = true })
        op.create_trigger("b", "t", { events = "delete", execute = "f", replace = true })
      end, has = { "AFTER UPDATE" } },
    })
  end)

  describe("event triggers", function()
    local a_handler = "create function f() returns event_trigger language plpgsql as 'begin end';"
    cases {
      { "created", a_handler, function(op)
        op.create_event_trigger("moontide_e", "ddl_command_end", { tags = { "create table", "DROP TABLE" },
          execute = { schema = "public", name = "f" }, enabled = "disabled", comment = "it's", owner = "postgres" })
        op.rename_event_trigger("moontide_e", hostile)
      end, has = { "on ddl_command_end function=f", 'tags={"CREATE TABLE","DROP TABLE"} enabled=D', "comment=it's" } },
      { "dropped", a_handler .. [[create event trigger moontide_e on sql_drop execute function f();
        alter event trigger moontide_e enable always; comment on event trigger moontide_e is 'x';]], function(op)
        op.drop_event_trigger("moontide_e")
        op.drop_event_trigger("moontide_e", { if_exists = true })
      end },
    }
  end)

  describe("rules", function()
    cases {
      { "with every option", a_table, function(op)
        op.create_rule("a", "t", { event = "delete", condition = "old.id > 0 -- up", instead = true, comment = "it's",
          commands = { "insert into t values (old.id); delete from t where id = 1 -- one",
            "select 1" },
          enabled = "always" })
        op.create_rule("b", "t", { event = "insert", instead = true })
        op.rename_rule("b", "t", hostile)
      end, has = { "enabled=A comment=it's", "DO INSTEAD NOTHING" } },
      { "dropped and replaced", a_table .. [[
        create rule a as on delete to t where old.name <> ' DO (' do also (insert into t values (1);
          update t set id = 2 where id = old.id); comment on rule a on t is 'x';
        create rule b as on insert to t do instead nothing; alter table t disable rule b;
        create rule c as on update to t do also select 1; ]], function(op)
        op.create_rule("c", "t", { event = "update", instead = true, replace = true })
        op.create_rule("d", "t", { event = "update", replace = true })
        op.drop_rule("a", "t")
        op.drop_rule("b", "t")
      end, has = { "DO INSTEAD NOTHING" } },
    }
  end)

  local shared = a_table .. [[
    create view v as select * from t; create sequence s; create sequence "O.ther".q;
    create function g(int) returns int language sql as 'select 1';
    create procedure p() language plpgsql as 'begin end';
    create type mood as enum ('ok'); create domain d as int; create statistics st on id, name from t;
    create materialized view m as select 1 as one; create table "O.ther".u (id int, b int);]]

  describe("owners", function()
    cases {
      { "of every kind of object", shared, function(op)
        op.alter_owner("table", "t", "moontide_owner")
        op.alter_owner("view", "v", "moontide_owner")
        op.alter_owner("sequence", "q", "moontide_owner", { schema = "O.ther" })
        op.alter_owner("materialized_view", "m", "moontide_owner")
        op.alter_owner("function", "g", "moontide_owner", { args = "int" })
        op.alter_owner("procedure", "p", "moontide_owner")
        op.alter_owner("routine", "f", "moontide_owner", { args = {} })
        op.alter_owner("type", "mood", "moontide_owner")
        op.alter_owner("domain", "d", "moontide_owner")
        op.alter_owner("schema", "O.ther", "moontide_owner")
        op.alter_owner("statistics", "st", "moontide_owner")
      end, has = { "access t owner=moontide_owner", "access v owner=moontide_owner", "g(integer) owner=moontide_owner",
        "schema O.ther owner=moontide_owner", [[sequence "O.ther".q owner=moontide_owner]] } },
    }
  end)

  describe("privileges", function()
    cases {
      { "granted on every kind of object", shared, function(op)
        op.grant({ "select", "update" }, { on = "t", to = { "moontide_reader", "public" }, grantable = nil })
        op.grant("all", { on = { "table", { "t", "v" } }, to = "moontide_owner", grantable = true })
        op.grant({ "select", "references" }, { on = { "table", "u", schema = "O.ther" }, columns = { "id", "b" },
          to = "moontide_reader" })
        op.grant("usage", { on = { "sequence", "s" }, to = "moontide_reader" })
        op.grant("execute", { on = { "function", "g", args = "a int" }, to = "moontide_reader" })
        op.grant("execute", { on = { "procedure", "p" }, to = "moontide_reader" })
        op.grant("usage", { on = { "type", "mood" }, to = "moontide_reader" })
        op.grant("usage", { on = { "domain", "d" }, to = "moontide_reader" })
        op.grant({ "usage", "create" }, { on = { "schema", { "O.ther", "public" } }, to = "moontide_reader" })
        op.grant("usage", { on = { "language", "plpgsql" }, to = "moontide_reader" })
        op.grant("select", { on = { "all tables", { "O.ther", "public" } }, to = "moontide_reader" })
        op.grant("all", { on = { "all sequences", "public" }, to = "moontide_reader" })
        op.grant("execute", { on = { "all functions", "public" }, to = "moontide_reader", grantable = true })
      end, has = { "moontide_owner=SELECT*/postgres", [[access "O.ther".u.id acl=moontide_reader=rx/postgres]],
        "moontide_reader=EXECUTE*/postgres" } },
      { "granted to who had a part of them", shared .. [[
        grant select on t to moontide_reader with grant option; grant update (id) on t to moontide_reader;]],
        function(op) op.grant({ "select", "update", "insert" }, { on = "t", to = "moontide_reader" }) end },
      { "revoked from who had a part of them", shared .. [[
        grant select on t to moontide_reader with grant option; grant update (id), select (id) on t to moontide_reader;
        grant execute on function g(int) to moontide_reader; grant select on v to public;]],
        function(op)
          op.revoke({ "select", "update", "insert" }, { on = "t", from = { "moontide_reader", "public" } })
          op.revoke("all", { on = { "all functions", "public" }, from = { "public", "moontide_reader" } })
          op.revoke("all", { on = { "view", "v" }, from = "public" })
          op.revoke("usage", { on = { "type", "mood" }, from = "public" })
          op.revoke("select", { on = "t", from = "postgres" })
        end },
      { "only to be passed on no more", shared .. "grant select on t to moontide_reader with grant option",
        function(op) op.revoke("select", { on = "t", from = "moontide_reader", grantable = true }) end },
      { "by default", "alter default privileges grant select on tables to moontide_reader", function(op)
        op.alter_default_privileges("grant", { "select", "insert" }, { on = "tables", to = "moontide_reader" })
        op.alter_default_privileges("revoke", "all", { on = "tables", from = "moontide_reader" })
        op.alter_default_privileges("revoke", "execute", { on = "functions", from = "public" })
        op.alter_default_privileges("grant", "all", { on = "sequences", to = { "public", "moontide_reader" },
          schema = "O.ther", role = "moontide_owner", grantable = nil })
        op.alter_default_privileges("grant", "usage", { on = "types", to = "moontide_reader", grantable = true })
      end, has = { "default access moontide_owner" } },
    }

    it("are roles, too", function()
      local operations = require "spec.support.operations"
      local list = operations.collect(function(op)
        op.grant("moontide_owner", { to = "moontide_reader", admin = true })
      end)
      local function member()
        return #conn:exec "select from pg_auth_members where roleid = 'moontide_owner'::regrole"
      end
      rehearsal.run(list)
      assert.equal(1, member())
      rehearsal.run(operations.undo(list))
      assert.equal(0, member())
    end)
  end)

  describe("what is created again", function()
    local defaults = [[
      alter default privileges grant select, insert on tables to moontide_reader;
      alter default privileges in schema public grant execute on functions to moontide_reader with grant option;
      alter default privileges revoke execute on functions from public;]]
    cases {
      { "does not get privileges that it had not", shared .. defaults, function(op)
        op.drop_view "v"
        op.drop_function("g", { args = "int" })
      end },
      { "gets those back that it had", shared .. [[
        grant select on v to moontide_reader; alter view v owner to moontide_owner;
        revoke all on v from moontide_owner; revoke all on function g(int) from public, postgres;]] .. defaults,
        function(op)
          op.drop_view "v"
          op.drop_function("g", { args = "int" })
        end },
    }
  end)

  describe("policies", function()
    cases {
      { "with every option", a_table, function(op)
        op.enable_row_security("t")
        op.force_row_security("t")
        op.create_policy(hostile, "t", { command = "update", roles = { "moontide_reader", "public" },
          using = "id > 0 -- up", with_check = "id < 9", permissive = false, comment = "it's" })
        op.create_policy("p", "t")
        op.create_policy("q", "t", { command = "insert", with_check = "true", roles = "current_user" })
        op.rename_policy("q", "t", "r")
      end, has = { "security=t,t", "permissive=f", "policy r on t", "comment=it's" } },
      { "dropped and altered", a_table .. [[
        alter table t enable row level security, force row level security;
        create policy p on t as restrictive for update to moontide_reader, moontide_owner using (id > 1)
          with check (id in (select id from other));
        comment on policy p on t is 'x'; create policy q on t; create policy r on t for select using (name = 'a');]],
        function(op)
          op.alter_policy("p", "t", { roles = "public", using = "true" })
          op.drop_policy("p", "t")
          op.drop_policy("q", "t")
          op.alter_policy("r", "t", { using = "false" })
          op.no_force_row_security("t")
          op.disable_row_security("t")
        end },
    }
  end)
end)
