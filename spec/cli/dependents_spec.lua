-- What uses a column, dropped and created around its change: run, rehearsed, continued, reversed, refused offline.

local cli = require "spec.support.cli"
local server = require "spec.support.server"

local schema = [[
  create table t (id int, n int, x text); insert into t values (1, 5, 'a'), (1, 6, 'b');
  create view v as select id, n from t where n > 0; comment on view v is 'it''s';
  create view w as select n from v; create policy p on t using (n > 1);
  create table old (id int primary key, n int references old); comment on column old.n is 'n';
]]

local change = [[
revision = "a1"
function change()
  op.alter_column("t", "n", { type = "numeric", dependents = "recreate" })
  op.drop_column("t", "x", { dependents = "recreate" })
  op.drop_table("old")
  op.create_index("once", "t", { "id" }, { unique = true, concurrently = true })
end
]]

describe("dependents", function()
  local url, folder

  before_each(function()
    url = server.database()
    server.sql(url, schema)
    folder = cli.project { ["migrations/versions/a.lua"] = change }
  end)

  local function run(...)
    return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } })
  end

  local function state()
    return server.sql(url, [[
      select string_agg(line, chr(10) order by line) from (
        select format('%s %s %s', c.oid::regclass, pg_get_viewdef(c.oid), obj_description(c.oid, 'pg_class')) as line
        from pg_class c where relkind = 'v' and relnamespace = 'public'::regnamespace
        union all select format('%s %s', polname, pg_get_expr(polqual, polrelid)) from pg_policy
        union all select format('%s.%s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod),
          col_description(attrelid, attnum)) from pg_attribute join pg_class c on c.oid = attrelid
          where relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped
        union all select pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace) l]])
  end

  it("survive an interruption and a downgrade", function()
    local before = state()
    local first = run("upgrade", "head")
    assert.equal(1, first.status)
    assert.truthy(first.stderr:find("could not create unique index", 1, true), first.stderr)
    assert.truthy(state():find("t.n numeric", 1, true))
    server.sql(url, "update t set id = n")
    local second = run("upgrade", "head")
    assert.equal(0, second.status, second.stderr)
    assert.equal("it's", server.sql(url, "select obj_description('v'::regclass)"))
    local down = run("downgrade", "base")
    assert.equal(0, down.status, down.stderr)
    assert.equal(before, state())
  end)

  it("are rehearsed", function()
    server.sql(url, "update t set id = n")
    local before = state()
    local ran = run("upgrade", "head", "--dry-run")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal(before, state())
  end)

  it("are refused in a script", function()
    local ran = run("upgrade", "head", "--sql")
    assert.equal(1, ran.status)
    assert.truthy(ran.stderr:find("what depends on the column is known only where the database can be read", 1, true))
    assert.truthy(ran.stderr:find("a.lua:3", 1, true), ran.stderr)
  end)
end)
