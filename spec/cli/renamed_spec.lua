-- What has another name now: said in the models, or asked about on a terminal, and never guessed.

local cli = require "spec.support.cli"
local models = require "spec.support.models"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local before = [[
create schema shop;
create type state as enum ('new', 'payed', 'lost');
create domain email as text check (value like '%@%');
create table person (id serial primary key, mail email constraint person_mail_key unique, st state default 'payed');
create table orders (id int primary key, person int references person, at date);
create index orders_at on orders (at);
create table shop.item (n int primary key);
create view mails as select p.mail, o.at from person p join orders o on o.person = p.id where p.st <> 'payed';
create function f() returns trigger language plpgsql as 'begin return new; end';
create trigger touched before insert on person for each row when (new.mail <> '') execute function f();
insert into person (mail) values ('a@b'), ('c@d');
insert into orders values (1, 1, '2026-01-01'), (2, 2, '2026-01-02');
insert into shop.item values (7);
]]

local renamed = [[
model.schema("store", { renamed_from = "shop" })
model.enum("status", { "new", { "paid", renamed_from = "payed" }, "lost" }, { renamed_from = "state" })
model.domain("address", "text", { renamed_from = "email", checks = { { "value like '%@%'", name = "email_check" } } })
model.table("users", {
  { "id", "serial", primary_key = true },
  { "address", "address", renamed_from = "mail", unique = true },
  { "st", "status", default = "paid" },
  renamed_from = "person",
})
model.table("orders", {
  { "id", "int", primary_key = true },
  { "user", "int", references = "users", renamed_from = "person" },
  { "at", "date", index = { name = "orders_by_day" } },
})
model.table("item", { { "n", "bigint", primary_key = true }, schema = "store" })
model.view("mails", 'select u.address as mail, o.at from users u join orders o on o."user" = u.id '
  .. "where u.st <> 'paid'")
model.func("f", { returns = "trigger", language = "plpgsql", body = "begin return new; end" })
model.trigger("touched", "users", { timing = "before", events = { "insert" }, for_each = "row",
  when = "new.address <> ''", execute = "f" })
]]

describe("renames", function()
  local url, folder
  local function project(sql, text)
    url = models.database(sql)
    folder = cli.project { ["migrations/env.lua"] = 'return { models = "models.lua" }\n',
      ["migrations/models.lua"] = text }
  end
  after_each(function() server.drop(url) end)

  local function run(...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end
  local function written(name) return shell.read(folder .. "/migrations/versions/" .. name) or "" end

  local function ok(...)
    local ran = run(...)
    assert(ran.status == 0, ran.stderr .. ran.stdout .. written "r1_.lua")
    return ran
  end

  local function catalog()
    local lines = {}
    for _, line in ipairs(models.catalog(url)) do
      if not line:find("%f[%w]moontide%f[%W]") then lines[#lines + 1] = line end
    end
    return lines
  end

  -- On a terminal: util-linux script gives it one and passes the answers on.
  local function answer(text, ...)
    local words = { cli.binary(), "revision", "--autogenerate", "--rev-id", "r1", ... }
    return cli.run({ "-qec", table.concat(words, " "), "/dev/null" },
      { cwd = folder, env = { DATABASE_URL = url }, program = { "script" }, input = text })
  end

  it("are followed where the models say them, with all rows, and back", function()
    project(before, renamed)
    local was = catalog()
    local ran = ok("revision", "--autogenerate", "--rev-id", "r1")
    for _, line in ipairs { "renamed schema 'shop' to 'store'", "renamed table 'person' to 'users'",
      "renamed column 'users.mail' to 'address'", "renamed enum 'state' to 'status'",
      "renamed value 'status.payed' to 'paid'", "renamed domain 'email' to 'address'",
      "renamed index 'orders_at' to 'orders_by_day'", "renamed sequence 'person_id_seq' to 'users_id_seq'",
      "renamed constraint 'users.person_pkey' to 'users_pkey'" } do
      assert.truthy(ran.stderr:find("Detected " .. line .. "\n", 1, true), line .. "\n" .. ran.stderr)
    end
    local text = written "r1_.lua"
    for _, word in ipairs { "drop_table", "drop_column", "add_column", "drop_constraint", "destructive" } do
      assert.falsy(text:find(word, 1, true), text)
    end
    ok("upgrade", "-q")
    assert.equal(0, run("check").status)
    assert.equal("", ok("revision", "--autogenerate").stdout)
    assert.equal("2|a@b|3", server.sql(url, [[select count(*) || '|' || min(u.address) || '|' || nextval('users_id_seq')
      from users u join orders o on o."user" = u.id join store.item i on i.n = 7]]))
    ok("downgrade", "base", "-q")
    assert.same(was, catalog())
    assert.equal("2", server.sql(url, "select count(*) from person p join orders o on o.person = p.id"))
  end)

  it("make way for each other", function()
    project("create table a (x int); create table b (y int); insert into a values (1); insert into b values (2)", [[
model.table("b", { { "x", "int" }, renamed_from = "a" })
model.table("c", { { "y", "int" }, renamed_from = "b" })]])
    ok("revision", "--autogenerate", "--rev-id", "r1")
    ok("upgrade", "-q")
    assert.equal("1|2", server.sql(url, "select x || '|' || y from b, c"))
    assert.equal("", ok("revision", "--autogenerate").stdout)
  end)

  it("are nothing where the models are new", function()
    project("", [[model.table("b", { { "y", "int", renamed_from = "x" }, renamed_from = "a" })]])
    ok("revision", "--autogenerate", "--rev-id", "r1")
    assert.truthy(written("r1_.lua"):find('op.create_table("b", {', 1, true))
    assert.falsy(written("r1_.lua"):find("rename", 1, true))
  end)

  it("are shown by check", function()
    project("create table a (x int)", [[model.table("b", { { "x", "int" }, renamed_from = "a" })]])
    local ran = run "check"
    assert.equal(1, ran.status)
    assert.truthy(ran.stdout:find('op.rename_table("a", "b", { schema = "public" })', 1, true), ran.stdout)
  end)

  it("are refused where the earlier name is no name", function()
    project("", 'model.table("b", { { "x", "int" }, renamed_from = 1 })')
    local ran = run("revision", "--autogenerate")
    assert.equal(2, ran.status)
    assert.matches('models.lua:1: renamed_from of "b" must be the earlier name', ran.stderr)
  end)

  local alike = [[
model.enum("e", { "a", "c" })
model.table("users", { { "id", "int" }, { "address", "text" } })]]
  local there = "create type e as enum ('a', 'b'); create table person (id int, mail text); \z
    insert into person values (1, 'x')"

  it("are asked about on a terminal", function()
    project(there, alike)
    local ran = answer("y\ny\ny\n")
    assert.equal(0, ran.status, ran.stdout)
    assert.truthy(ran.stdout:find("Is table users the new name of person? [y/N]", 1, true), ran.stdout)
    assert.truthy(ran.stdout:find("Is label c of e the new name of b? [y/N]", 1, true))
    assert.truthy(ran.stdout:find("Is column address of users the new name of mail? [y/N]", 1, true))
    ok("upgrade", "-q")
    assert.equal("x", server.sql(url, "select address from users"))
    assert.equal(0, run("check").status)
  end)

  it("are not assumed after a no, with --yes, or where there is no terminal", function()
    project(there, alike)
    local ran = answer("n\nn\n", "-y")
    assert.truthy(ran.stdout:find("Is table users the new name of person? [y/N]", 1, true))
    assert.truthy(written("r1_.lua"):find('op.drop_table("person"', 1, true), ran.stdout)
    assert.falsy(written("r1_.lua"):find("rename", 1, true))
    os.remove(folder .. "/migrations/versions/r1_.lua")
    ran = ok("revision", "--autogenerate", "--rev-id", "r2", "-y")
    assert.falsy(ran.stderr:find("new name", 1, true))
    assert.truthy(written("r2_.lua"):find('op.drop_table("person"', 1, true))
  end)
end)
