-- What a change() function takes away comes back in its downgrade, through the real binary.

local catalog = require "spec.support.catalog"
local cli = require "spec.support.cli"
local pg = require "moontide.runtime.pg"
local versions = require "spec.support.versions"

local everything = [[
  create schema app;
  create table app.users (id int primary key, name text, owner name);
  create table public.log (at timestamptz, what text);
  create view app.names with (security_barrier = true) as select id, name from app.users where name <> 'it''s';
  comment on view app.names is 'it''s';
  comment on column app.names.name is 'a \ name';
  grant select, update on app.names to capture_reader with grant option;
  grant update (name) on app.names to public;
  alter view app.names owner to capture_owner;
  create view app.counts as select count(*) as n from app.names;
  create function app.note() returns trigger language plpgsql security definer cost 5
    set search_path to app, public as $f$ begin insert into log values (now(), $q$it's $$$q$); return new; end $f$;
  comment on function app.note() is 'notes it';
  revoke all on function app.note() from public;
  grant execute on function app.note() to capture_reader;
  alter function app.note() owner to capture_owner;
  create function app.twice(a int, b text default 'x, y') returns text language sql immutable as 'select b || b';
  create trigger noted before insert or update of name on app.users for each row when (new.name is not null)
    execute function app.note('a', 'it''s');
  comment on trigger noted on app.users is 'a trigger';
  alter table app.users enable always trigger noted;
  alter table app.users enable row level security, force row level security;
  create policy own on app.users as restrictive for update to capture_reader using (owner = current_user)
    with check (name <> '');
  comment on policy own on app.users is 'a policy';
  create materialized view app.summary with (fillfactor = 70) as select name, count(*) from app.users group by name;
  create unique index on app.summary (name);
  grant select on app.users to capture_reader with grant option;]]

local change = [[
revision = "a1"
function change()
  op.drop_view("counts", { schema = "app" })
  op.drop_view("names", { schema = "app" })
  op.drop_trigger("noted", "users", { schema = "app" })
  op.drop_function("note", { schema = "app", args = {} })
  op.create_function("twice", { schema = "app", args = "a int, b text default 'z'", returns = "text",
    language = "plpgsql", body = "begin return b; end", replace = true })
  op.alter_policy("own", "users", { schema = "app", using = "true" })
  op.drop_policy("own", "users", { schema = "app" })
  op.no_force_row_security("users", { schema = "app" })
  op.drop_materialized_view("summary", { schema = "app" })
  op.revoke("all", { on = { "table", "users", schema = "app" }, from = "capture_reader" })
  op.alter_owner("table", "users", "capture_owner", { schema = "app" })
  op.drop_view("never", { if_exists = true })
end
]]

versions.each(function(major, database)
  it("is restored with owner, privileges, comments and options", function()
    local url = database()
    local conn <close> = pg.connect(url)
    for _, role in ipairs { "capture_owner", "capture_reader" } do
      if #conn:exec(("select from pg_roles where rolname = '%s'"):format(role)) == 0 then
        conn:exec("create role " .. role)
      end
    end
    conn:script(everything .. (major >= 15 and "alter view app.counts set (security_invoker = true);" or ""))
    local folder = cli.project { ["migrations/versions/a.lua"] = change }
    local function run(...)
      local ran = cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } })
      assert.equal(0, ran.status, ran.stderr)
    end
    local function lines()
      local kept = {}
      for _, line in ipairs(catalog.lines(conn)) do
        if not line:find("moontide", 1, true) then kept[#kept + 1] = line end
      end
      return kept
    end
    local before = lines()
    run "upgrade"
    local after = lines()
    assert.truthy(#catalog.added(before, after) > 8)
    run("downgrade", "base")
    assert.same(before, lines())
    run "upgrade"
    assert.same(after, lines())
  end)
end)
