-- What a change() function drops comes back from the catalog; the revision that adds a label of an enum can use it.

local catalog = require "spec.support.catalog"
local cli = require "spec.support.cli"
local pg = require "moontide.runtime.pg"
local server = require "spec.support.server"

local url, conn

before_each(function()
  url = server.database()
  conn = pg.connect(url)
end)

after_each(function()
  conn:close()
  server.drop(url)
end)

local function project(files)
  files["migrations/env.lua"] = files["migrations/env.lua"] or "return {}"
  local folder = cli.project(files)
  return function(...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end
end

local function change(body)
  return ('--- Change.\nrevision = "a1"\ndown_revision = nil\n\nfunction change()\n%s\nend\n'):format(body)
end

-- The catalog without the bookkeeping.
local function schema()
  local lines = {}
  for _, line in ipairs(catalog.lines(conn)) do
    if not line:find("moontide.", 1, true) then lines[#lines + 1] = line end
  end
  return lines
end

local function role(name)
  local known = #conn:exec("select from pg_roles where rolname = $1", { name, n = 1 }) > 0
  if not known then conn:exec("create role " .. name) end
end

describe("what a change() function drops", function()
  it("comes back with all it was", function()
    role "moontide_owner"
    role "moontide_reader"
    conn:script [[
      create type status as enum ('draft', 'it''s', 'sent');
      alter type status owner to moontide_owner; comment on type status is 'where it is';
      grant usage on type status to moontide_reader with grant option;
      create domain quantity as int default 1 not null constraint positive check (value > 0);
      revoke all on domain quantity from public; comment on constraint positive on domain quantity is 'more';
      create sequence numbers increment 5 start 10 maxvalue 9000 cycle; select setval('numbers', 700);
      alter sequence numbers owner to moontide_owner; grant usage on sequence numbers to moontide_reader;
      create type address as (street text collate "C", city text); comment on column address.city is 'town';
      create schema old authorization moontide_owner; comment on schema old is 'gone soon';
      create extension citext schema old version '1.5'; create type span as range (subtype = float8)]]
    local run = project { ["migrations/versions/a.lua"] = change [[
  op.drop_enum("status")
  op.drop_domain("quantity")
  op.drop_sequence("numbers")
  op.drop_type("address")
  op.drop_range_type("span")
  op.drop_extension("citext")
  op.drop_schema("old")
  op.drop_enum("never_there", { if_exists = true })]] }
    run "ensure-version"
    local before = schema()
    local ran = run "upgrade"
    assert.equal(0, ran.status, ran.stderr)
    assert.is_nil(conn:exec("select to_regtype('status') as t")[1].t)
    assert.same({}, catalog.added(schema(), before))
    ran = run("downgrade", "base")
    assert.equal(0, ran.status, ran.stderr)
    assert.same(before, schema())
    assert.equal(705, conn:exec("select nextval('numbers') as n")[1].n)
  end)

  it("offline is refused with what is missing", function()
    local run = project { ["migrations/versions/a.lua"] = change '  op.drop_enum("status")' }
    local ran = run("downgrade", "--sql", "a1:base")
    assert.equal(1, ran.status)
    assert.matches("drop_enum cannot be reversed", ran.stderr, 1, true)
    assert.matches('what the type "status" was is not known: give existing', ran.stderr, 1, true)
  end)
end)

local function adds(upgrade)
  return cli.revision("a1", nil, { upgrade = upgrade, downgrade = '  op.drop_enum_value("status", "sent")' })
end

local uses = adds [[
  op.execute("create table t (s status)")
  op.add_enum_value("status", "sent")
  op.add_enum_value("status", "lost", { after = "sent" })
  op.execute("insert into t values ('sent'), ('lost')")]]

describe("a label that a revision adds", function()
  before_each(function() conn:exec "create type status as enum ('draft')" end)

  local function labels()
    return conn:exec("select enum_range(null::status)::text as labels")[1].labels
  end

  it("can be used by what follows in it, and by the next one", function()
    local next_revision = cli.revision("b2", "a1", { upgrade = [[  op.execute("insert into t values ('lost')")]] })
    for _, transaction in ipairs { "revision", "run" } do
      local run = project { ["migrations/env.lua"] = ('return { transaction = "%s" }'):format(transaction),
        ["migrations/versions/a.lua"] = uses, ["migrations/versions/b.lua"] = next_revision }
      local ran = run "upgrade"
      assert.equal(0, ran.status, ran.stderr)
      assert.equal(3, #conn:exec "select from t")
      assert.equal("{draft,sent,lost}", labels())
      conn:script "drop schema moontide cascade; drop table t; drop type status; create type status as enum ('draft')"
    end
  end)

  it("can be used by the next one where the run is one transaction", function()
    conn:exec "create table t (s status)"
    local run = project { ["migrations/env.lua"] = 'return { transaction = "run" }',
      ["migrations/versions/a.lua"] = adds '  op.add_enum_value("status", "sent")',
      ["migrations/versions/b.lua"] = cli.revision("b2", "a1", {
        upgrade = [[  op.execute("insert into t values ('sent')")]] }) }
    local ran = run "upgrade"
    assert.equal(0, ran.status, ran.stderr)
    assert.equal(1, #conn:exec "select from t")
  end)

  it("is in the one transaction of the revision when nothing follows it", function()
    local run = project { ["migrations/versions/a.lua"] = adds [[
  op.execute("create table t (s status)")
  op.add_enum_value("status", "sent")]] }
    local script = run("upgrade", "--sql").stdout
    assert.equal(2, select(2, script:gsub("COMMIT;", "")), script)   -- the bookkeeping's and the revision's
    assert.equal(0, run("upgrade").status)
    assert.equal("{draft,sent}", labels())
  end)

  it("stays when what uses it fails, and the run goes on after it", function()
    local run = project { ["migrations/versions/a.lua"] = adds [[
  op.execute("create table t (s status)")
  op.add_enum_value("status", "sent")
  op.execute("insert into t values ('sent'), ('never')")]] }
    local ran = run "upgrade"
    assert.equal(1, ran.status)
    assert.matches('invalid input value for enum status: "never"', ran.stderr, 1, true)
    assert.equal("{draft,sent}", labels())
    conn:exec "alter type status add value 'never'"
    ran = run "upgrade"
    assert.equal(0, ran.status, ran.stderr)
    assert.equal(2, #conn:exec "select from t")
  end)

  it("is undone by a downgrade, also as a script", function()
    local run = project { ["migrations/versions/a.lua"] = adds '  op.add_enum_value("status", "sent")' }
    conn:exec "create table t (s status default 'draft')"
    run "upgrade"
    local script = run("downgrade", "--sql", "a1:base")
    assert.equal(0, script.status, script.stderr)
    server.sql(url, script.stdout)
    assert.equal("{draft}", labels())
    assert.equal("'draft'::status", conn:exec(
      "select pg_get_expr(adbin, adrelid) as d from pg_attrdef where adrelid = 't'::regclass")[1].d)
  end)
end)
