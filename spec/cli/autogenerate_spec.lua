-- revision --autogenerate through the binary: what it refuses, what it says, and what it leaves alone.

local cjson = require "cjson"
local cli = require "spec.support.cli"
local lfs = require "lfs"
local models = require "spec.support.models"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local declared = [[
model.enum("status", { "new", "paid" })
model.table("orders", {
  { "id", "bigint", identity = true, primary_key = true },
  { "state", "status", default = "new", nullable = false },
})
]]

describe("revision --autogenerate", function()
  local url, folder
  before_each(function()
    url = models.database()
    folder = cli.project { ["migrations/env.lua"] = 'return { models = "models.lua" }\n',
      ["migrations/models.lua"] = declared }
  end)
  after_each(function() server.drop(url) end)

  local function run(...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end
  local function declare(text) shell.write(folder .. "/migrations/models.lua", text) end
  local function env(text) shell.write(folder .. "/migrations/env.lua", text) end
  local function written(name) return shell.read(folder .. "/migrations/versions/" .. name) end

  local function files()
    local count = 0
    for name in lfs.dir(folder .. "/migrations/versions") do
      if name:sub(1, 1) ~= "." then count = count + 1 end
    end
    return count
  end

  local function apply(id, ...)
    local ran = run("revision", "--autogenerate", "--rev-id", id, ...)
    assert.equal(0, ran.status, ran.stderr)
    local up = run("upgrade", "-q")
    assert.equal(0, up.status, up.stderr)
    return ran
  end

  it("writes a file, says where and what it found, and finds nothing the second time", function()
    local ran = run("revision", "--autogenerate", "--rev-id", "r1", "-m", "First")
    assert.equal("Generating migrations/versions/r1_first.lua ...  done\n"
      .. "migrations/versions/r1_first.lua:1\n", ran.stdout)
    assert.equal("Detected added enum 'status'\nDetected added table 'orders'\n", ran.stderr)
    assert.matches([[
function upgrade%(%)
  op%.create_enum%("status", { "new", "paid" }, { schema = "public" }%)

  op%.create_table%("orders", {
    { "id", "bigint", identity = true },
    { "state", "public%.status", nullable = false, default = sql "'new'::public%.status" },
    schema = "public",
    primary_key = { "id", name = "orders_pkey" },
  }%)
end

function downgrade%(%)
  op%.drop_table%("orders", { schema = "public" }%)
  op%.drop_enum%("status", { schema = "public" }%)
end
$]], written "r1_first.lua")
    assert.equal(0, run("upgrade").status)
    ran = run("revision", "--autogenerate")
    assert.same({ 0, "", "No changes detected: nothing was written\n" }, { ran.status, ran.stdout, ran.stderr })
    assert.equal(1, files())
    local document = cjson.decode(run("revision", "--autogenerate", "--json").stdout)
    assert.same({ cjson.null, {} }, { document.revision, document.detected })
  end)

  it("refuses when the database is behind, and says how to get there", function()
    run("revision", "--autogenerate", "--rev-id", "r1")
    local ran = run("revision", "--autogenerate")
    assert.equal(1, ran.status)
    assert.matches("error: Target database is not up to date\n", ran.stderr)
    assert.matches("It is at no revision; the files lead to r1%.", ran.stderr)
    assert.matches("moontide upgrade heads", ran.stderr)
    assert.equal(1, files())
  end)

  it("refuses when there are several heads", function()
    for _, id in ipairs { "a", "b" } do
      shell.write(folder .. "/migrations/versions/" .. id .. ".lua", cli.revision(id))
    end
    run("upgrade", "heads")
    local ran = run("revision", "--autogenerate")
    assert.equal(1, ran.status)
    assert.matches("multiple heads are present", ran.stderr)
    assert.equal(0, run("revision", "--autogenerate", "--head", "a").status)
  end)

  it("says which of no models and no server it is", function()
    env "return {}\n"
    local ran = run("revision", "--autogenerate")
    assert.equal(2, ran.status)
    assert.matches("error: there are no models", ran.stderr)
    env 'return { models = "models.lua", url = "postgresql://127.0.0.1:1/none" }\n'
    ran = cli.run({ "revision", "--autogenerate" }, { cwd = folder })
    assert.equal(1, ran.status)
    assert.matches("127.0.0.1", ran.stderr, 1, true)
    assert.falsy(ran.stderr:find("models", 1, true))
    assert.equal(0, files())
  end)

  it("marks what destroys data in the file, and warns of it", function()
    apply "r1"
    declare((declared:gsub("[^\n]*state[^\n]*\n", "")))
    local ran = run("revision", "--autogenerate", "--rev-id", "r2")
    assert.equal("Detected removed column 'orders.state'\n"
      .. "warning: the new revision destroys data\n"
      .. "  detail: migrations/versions/r2_.lua:12: drops the column public.orders.state\n"
      .. "  hint: Read it before it is applied; `moontide upgrade` asks, as confirm in env.lua says.\n", ran.stderr)
    assert.truthy(written("r2_.lua"):find("  -- destructive: drops the column public.orders.state\n"
      .. '  op.drop_column("orders"', 1, true))
    assert.equal(0, run("upgrade", "-q").status)
    declare 'model.enum("status", { "new", "paid" })'
    local document = cjson.decode(run("revision", "--autogenerate", "--json").stdout)
    assert.same({ "drops the table public.orders" }, document.destructive)
    assert.same({ { action = "remove", kind = "table", object = "orders", text = "removed table 'orders'" } },
      document.detected)
  end)

  it("writes SQL files, which lead there and back", function()
    apply("r1", "--sql")
    assert.matches("%-%- upgrade\nCREATE TYPE public%.status AS ENUM", written "r1_.sql")
    assert.equal(0, run("check").status)
    declare((declared:gsub('"new", "paid"', '"paid", "new"')))
    apply("r2", "--sql")
    assert.equal(0, run("check").status)
    assert.equal(0, run("downgrade", "base", "-q").status)
    assert.equal("0", server.sql(url, "SELECT count(*) FROM pg_class WHERE relname = 'orders'"))
  end)

  it("takes an SQL file or a database instead of the models", function()
    env "return {}\n"
    shell.write(folder .. "/all.sql", "create table t (id int primary key);")
    apply("r1", "--from", "all.sql")
    assert.truthy(written("r1_.lua"):find('op.create_table("t"', 1, true))
    local other = models.database "create table t (id int primary key, x text)"
    apply("r2", "--from", other)
    assert.truthy(written("r2_.lua"):find('op.add_column("t", { "x", "text" }, { schema = "public" })', 1, true))
    server.drop(other)
    local ran = run("revision", "--from", "all.sql")
    assert.equal(2, ran.status)
    assert.matches("--from is for revisions that are generated", ran.stderr, 1, true)
  end)

  it("builds the models in a scratch database, and leaves that as it was", function()
    local scratch = server.database()
    local before = models.catalog(scratch)
    apply("r1", "--scratch", scratch)
    assert.equal(0, run("check").status)
    assert.same(before, models.catalog(scratch))
    server.drop(scratch)
  end)

  it("runs the hooks, and keeps the options of a revision", function()
    env [[return { models = "models.lua",
  post_write_hooks = { { name = "mark", command = { "sed", "-i", "1i -- marked", "$FILE" } } } }
]]
    apply("r1", "-m", "One", "--branch-label", "shop")
    assert.matches("^%-%- marked\n%-%-%- One\n", written "r1_one.lua")
    assert.matches('branch_labels = "shop"', written "r1_one.lua")
  end)

  it("writes what runs online under safe = online, and says what does not", function()
    local function table_of(more)
      return 'model.table("t", { { "a", "int"' .. more .. ' }, { "b", "int" } })'
    end
    env 'return { models = "models.lua", safe = "online" }'
    declare(table_of "" .. '\nmodel.index("ix", "t", { "b" })')
    apply "r1"
    assert.falsy(written("r1_.lua"):find("online", 1, true), written "r1_.lua")
    declare(table_of ", nullable = false" .. [[

model.index("ix", "t", { "a", "b" })
model.check_constraint("positive", "t", "b > 0")]])
    apply "r2"
    assert.equal("", run("revision", "--autogenerate").stdout)
    assert.truthy(tonumber(server.sql(url, "SELECT count(*) FROM moontide.log")) > 1)
    local more = '{ "b", "int" }, { "c", "int", identity = true }, { "d", "float8", default = sql "random()" } }'
    declare((shell.read(folder .. "/migrations/models.lua"):gsub('{ "b", "int" } }', more)))
    apply "r3"
    assert.truthy(written("r3_.lua"):find('  -- not online: an identity or serial column rewrites the table\n'
      .. '  op.add_column("t", { "c", "integer", identity = true }, { schema = "public", online = false })', 1, true),
      written "r3_.lua")
    assert.matches("%-%- not online: the default rewrites the table: random%(%)", written "r3_.lua")
    assert.equal("", run("revision", "--autogenerate").stdout)
    assert.equal(0, run("downgrade", "base", "-q").status)
  end)

  it("gives the names that env.lua has rules for", function()
    env [[return { models = "models.lua", naming = { pk = "pk_%(table_name)s", ix = "ix_%(column_0_label)s" } }]]
    declare 'model.table("t", { { "a", "int", primary_key = true }, { "b", "int", index = true } })'
    apply "r1"
    assert.truthy(written("r1_.lua"):find('name = "pk_t"', 1, true), written "r1_.lua")
    assert.truthy(written("r1_.lua"):find('name = "ix_t_b"', 1, true))
    assert.equal("", run("revision", "--autogenerate").stdout)
  end)

  it("refuses what cannot be written as operations, and writes nothing", function()
    apply("r1", "--from", models.database "create table p (a int, b int) partition by list (a); create table u (x int)")
    local ran = run("revision", "--autogenerate", "--from",
      models.database "create table p (a int, b int) partition by list (b)")
    assert.equal(1, ran.status)
    assert.matches("there are differences that cannot be written as operations", ran.stderr)
    assert.matches("table public.p: the server cannot change the partition key of a table", ran.stderr)
    assert.equal(1, files())
  end)

  it("lists what it did not compare", function()
    local live = models.database "create collation mine (locale = 'C')"
    local ran = cli.run({ "--url", live, "revision", "--autogenerate" }, { cwd = folder })
    assert.matches("not modelled, and so not compared: collation public.mine", ran.stderr)
    server.drop(live)
  end)
end)
