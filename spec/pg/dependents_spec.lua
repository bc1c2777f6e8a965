-- Columns that views, policies, triggers, rules and generated columns use: changed with dependents = "recreate".

local catalog = require "spec.support.catalog"
local operations = require "spec.support.operations"
local rehearsal = require "spec.support.rehearsal"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local versions = require "spec.support.versions"

local fresh = rehearsal.fresh

-- Views that depend on each other in both orders of age, in two schemas, with everything a view can have.
local everything = [[
  create table t (id int primary key, n int not null, "odd ""one" text, twice int generated always as (n * 2) stored);
  insert into t values (1, 5, 'x'), (2, 7, 'y');
  create index on t (twice); comment on column t.twice is 'twice';
  create function fired() returns trigger language plpgsql as 'begin return new; end';
  create view "O.ther"."v 1" as select id, n, "odd ""one" from t where n > 0;
  create view v2 as select 1 as n;
  create view v3 as select a.n + b.n as sum, b.id from v2 a join "O.ther"."v 1" b on true;
  create or replace view v2 as select n from t union select n from "O.ther"."v 1";
  create view unrelated as select id from t;
  create materialized view m as select v3.sum, count(*) as c from v3 join v2 on true group by 1;
  create unique index m_sum on m (sum); comment on index m_sum is 'm_sum'; comment on column m.c is 'c';
  create materialized view empty as select * from m with no data;
  alter view "O.ther"."v 1" set (security_barrier = true, check_option = local);
  comment on view "O.ther"."v 1" is 'it''s'; comment on column "O.ther"."v 1".n is 'n';
  grant select on v2, "O.ther"."v 1" to moontide_owner; grant usage on schema public, "O.ther" to moontide_owner;
  grant select on "O.ther"."v 1" to moontide_reader with grant option; grant update (n) on "O.ther"."v 1" to public;
  create trigger tv instead of insert on "O.ther"."v 1" for each row execute function fired('a');
  create rule rv as on delete to "O.ther"."v 1" do instead nothing;
  alter view v3 owner to moontide_owner;
  create table other (id int); create table plainly (id int default 3);
  create policy on_t on t for select to moontide_reader using (n > 1); comment on policy on_t on t is 'on_t';
  create policy by_view on other as restrictive using (id in (select id from v3));
  create policy elsewhere on t using (id > 0);
  create rule log as on update to t where new.n > old.n do also insert into other values (new.n);
  create trigger tt after update of n on t for each row when (new.n <> 3) execute function fired();
  comment on trigger tt on t is 'tt';
  create trigger plain before insert on t for each row execute function fired();
  alter table t disable trigger tt;
]]

versions.each(function(major, database)
  local conn, url

  setup(function()
    url = database()
    conn = rehearsal.open(url)
  end)

  teardown(function() conn:close() end)

  local function is_left(line) return not line:find("........pg.dropped.", 1, true) end

  -- Without the table of the columns, whose order a generated column changes.
  local function state()
    local lines = {}
    for _, line in ipairs(catalog.lines(conn)) do
      if is_left(line) then lines[#lines + 1] = line end
    end
    if versions.available()[major] ~= false then return lines end
    local dump = shell.capture(shell.join { server.bin() .. "/pg_dump", "-s", "-d", url })
    for paragraph in (dump .. "\n\n"):gmatch("(.-)\n\n+") do
      if not paragraph:find("^CREATE TABLE") and not paragraph:find("restrict ", 1, true) then
        lines[#lines + 1] = paragraph
      end
    end
    return lines
  end

  local function same(before, after)
    assert.same({ lost = {}, new = {} }, { lost = catalog.added(before, after), new = catalog.added(after, before) })
  end

  local function run(list)
    conn:exec "begin"
    for _, o in ipairs(list) do
      rehearsal.capture { o }
      rehearsal.run { o }
    end
    conn:exec "commit"
  end

  local function value_of(query) return conn:exec(query)[1].v end

  it("a column is retyped under all that uses it, and back", function()
    conn:script(fresh .. everything)
    local before = state()
    local list = operations.collect(function(op)
      op.alter_column("t", "n", { type = "bigint", dependents = "recreate" })
    end)
    run(list)
    assert.equal("bigint", value_of [[select format_type(atttypid, atttypmod) as v from pg_attribute
      where attrelid = '"O.ther"."v 1"'::regclass and attname = 'n']])
    assert.equal(3, value_of "select count(*) as v from m")
    assert.is_false(value_of "select relispopulated as v from pg_class where relname = 'empty'")
    assert.equal(14, value_of "select twice as v from t where id = 2")
    assert.equal("D", value_of "select tgenabled as v from pg_trigger where tgname = 'tt'")
    run(operations.undo(list))
    same(before, state())
  end)

  it("the search path does not matter", function()
    conn:script(fresh .. everything .. [[set search_path = "O.ther", public]])
    local before = state()
    local list = operations.collect(function(op)
      op.alter_column("t", "n", { type = "numeric", schema = "public", dependents = "recreate" })
    end)
    run(list)
    assert.equal([["O.ther", public]], value_of "select current_setting('search_path') as v")
    run(operations.undo(list))
    same(before, state())
    conn:script "reset search_path"
  end)

  it("a column that nothing uses is retyped as usual", function()
    conn:script(fresh .. everything)
    run(operations.collect(function(op)
      op.alter_column("plainly", "id", { type = "bigint", dependents = "recreate" })
      op.alter_column("plainly", "id", { comment = "x", dependents = "recreate" })
    end))
  end)

  local dropping = [[
    create table t (id int primary key, n int, x text);
    create view v as select id, n, x from t; comment on view v is 'v'; grant select on v to moontide_reader;
    create view w as select id from v; alter view w owner to moontide_owner;
    create policy p on t using (id > 0);]]

  it("a column is dropped under views that get new queries, and comes back", function()
    conn:script(fresh .. dropping)
    local before = state()
    local list = operations.collect(function(op)
      op.drop_column("t", "x", { dependents = { { "v", "select id, n from t" } } })
    end)
    run(list)
    assert.equal("v", value_of "select obj_description('v'::regclass, 'pg_class') as v")
    assert.equal(2, value_of "select count(*) as v from pg_attribute where attrelid = 'v'::regclass and attnum > 0")
    run(operations.undo(list))
    same(before, state())
  end)

  it("a view that names the dropped column and has no new query is refused by the server, with all as it was",
    function()
      conn:script(fresh .. dropping)
      local before = state()
      local list = operations.collect(function(op) op.drop_column("t", "x", { dependents = "recreate" }) end)
      local ok, problem = pcall(run, list)
      conn:exec "rollback"
      assert.is_false(ok)
      assert.equal("42703", problem.sqlstate)
      same(before, state())
    end)

  it("a new query for a view that does not depend is refused", function()
    conn:script(fresh .. dropping)
    local list = operations.collect(function(op)
      op.drop_column("t", "x", { dependents = { { "u", "select 1" } } })
    end)
    local ok, problem = pcall(rehearsal.run, list)
    assert.is_false(ok)
    assert.equal('no view "u" depends on the column "x"', problem.message)
  end)
end)
