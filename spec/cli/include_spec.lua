-- `include` of env.lua, as reflect, check, diff and revision --autogenerate follow it.

local cjson = require "cjson"
local cli = require "spec.support.cli"
local models = require "spec.support.models"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local shared = [[
create schema app; create schema legacy;
create table public.alembic_version (version_num varchar(32) primary key);
create table legacy.people (id int primary key, name text);
create table legacy.other (x int);
create table app.orders (id bigint primary key, buyer int constraint buyer references legacy.people);
create view app.names as select o.id, p.name from app.orders o join legacy.people p on p.id = o.buyer;
create table app.tmp_1 (id serial primary key);
create collation legacy.s from "C";
create function app.f() returns int language sql as 'select 1';
]]

local of_app = [[
model.schema "app"
model.table("orders", { { "id", "bigint", primary_key = true }, { "buyer", "int" }, schema = "app" })
model.foreign_key("buyer", "orders", "people", "buyer", "id", { schema = "app", referent_schema = "legacy" })
model.view("names", "select o.id, p.name from app.orders o join legacy.people p on p.id = o.buyer", { schema = "app" })
model.func("f", { schema = "app", returns = "int", language = "sql", body = "select 1" })
]]

describe("include", function()
  local url, folder
  before_each(function() url = models.database(shared) end)
  after_each(function() server.drop(url) end)

  local function run(...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end
  local function ok(...)
    local ran = run(...)
    assert.equal(0, ran.status, ran.stdout .. ran.stderr)
    return ran.stdout, ran.stderr
  end
  local function project(include, declared)
    folder = cli.project { ["migrations/models.lua"] = declared or of_app, ["migrations/env.lua"] =
      'return { models = "models.lua"' .. (include and ", include = " .. include or "") .. " }\n" }
  end
  local function objects()
    local list = {}
    for i, item in ipairs(cjson.decode((ok("reflect", "--json"))).objects) do list[i] = item.object end
    return table.concat(list, ", ")
  end

  it("leaves out the books of other tools when nothing is said", function()
    project()
    local text = ok "reflect"
    assert.is_nil(text:find("alembic_version", 1, true))
    assert.truthy(text:find('model.table("other"', 1, true))
    project '{ schema = "*" }'
    assert.truthy(ok("reflect"):find("alembic_version", 1, true))
  end)

  it("takes patterns, and models may refer to schemas that are left out", function()
    project '{ schema = "app", except = { name = "tmp_*" } }'
    assert.equal("schema app, table app.orders, function app.f(), view app.names", objects())
    local text, said = ok "check"
    assert.equal("No differences: the database is what the models say.\n", text)
    assert.equal("", said)
    assert.equal("No changes detected: nothing was written\n", select(2, ok("revision", "--autogenerate")))
    local before = models.catalog(url)
    shell.write(folder .. "/migrations/models.lua", (of_app:gsub('"buyer", "int"', '"buyer", "bigint"')))
    assert.equal(1, run("check").status)
    assert.same(before, models.catalog(url))
  end)

  it("takes kinds and names", function()
    project '{ kind = { "table", "schema" }, name = { "o*", "tmp_?" } }'
    assert.equal("table app.orders, table app.tmp_1, table legacy.other", (objects():gsub(", foreign key.*$", "")))
    project '{ kind = "function" }'
    assert.equal("function app.f()", objects())
  end)

  it("leaves a table with its sequences, constraints and comments", function()
    project '{ schema = "app", except = { { kind = "table" }, { kind = "view" } } }'
    assert.equal("schema app, function app.f()", objects())
    project '{ schema = "app", except = { kind = { "foreign key", "view" } } }'
    assert.is_nil(ok("reflect"):find("foreign_key", 1, true))
  end)

  it("takes a function, which knows what only the database has", function()
    project("function(o) return o.schema == 'app' and (not o.reflected or o.both) end",
      'model.schema "app"\nmodel.func("f", { schema = "app", returns = "int", language = "sql", body = "select 2" })')
    local ran = run "check"
    assert.equal("~ function app.f()", ran.stdout:match("^[^\n]+"))
    assert.is_nil(ran.stdout:find("drop", 1, true))
    assert.equal("", ran.stderr)
  end)

  it("holds for both sides of a diff, and what is not modelled", function()
    project '{ except = { schema = "legacy" } }'
    local other = models.database [[create schema legacy; create table legacy.more (x int);
      create view v as select 1 as a]]
    local ran = run("diff", url, other)
    assert.is_nil(ran.stdout:find("legacy.more", 1, true))
    assert.is_nil(ran.stdout:find("+ table", 1, true))
    assert.truthy(ran.stdout:find("+ view public.v", 1, true))
    server.drop(other)
    assert.same({}, cjson.decode((ok("reflect", "--json"))).not_modelled)
  end)

  it("does not rename what is left out, and keeps what is left out while it renames", function()
    project('{ schema = "app", except = { name = "tmp_*" } }', of_app:gsub('"orders", {', '"purchases", {')
      :gsub('schema = "app" }%)', 'schema = "app", renamed_from = "orders" })', 1):gsub('"orders"', '"purchases"')
      :gsub("app%.orders", "app.purchases"):gsub('renamed_from = "purchases"', 'renamed_from = "orders"'))
    local ran = run("check", "--json")
    local operations = cjson.decode(ran.stdout).operations
    assert.equal('op.rename_table("orders", "purchases", { schema = "app" })', operations[1].source)
    for _, o in ipairs(operations) do assert.is_nil(o.source:find("drop", 1, true)) end
  end)

  it("says what a function that fails was asked", function()
    project "function(o) return o.name .. nil end"
    local ran = run "reflect"
    assert.equal(1, ran.status)
    assert.truthy(ran.stderr:find("in include of env.lua, asked about", 1, true), ran.stderr)
    assert.truthy(ran.stderr:find("env.lua:1", 1, true), ran.stderr)
  end)
end)
