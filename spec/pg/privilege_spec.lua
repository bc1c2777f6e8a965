-- Privileges in models: what default privileges gave is quiet, what is declared is compared, and roles have to exist.

local cli = require "spec.support.cli"
local models = require "spec.support.models"
local server = require "spec.support.server"

local roles = [[
do $$ begin create role reader; exception when duplicate_object or unique_violation then null; end $$;
do $$ begin create role clerk; exception when duplicate_object or unique_violation then null; end $$;
]]

local function check(url, text)
  local folder = cli.project { ["migrations/env.lua"] = 'return { models = "models.lua" }\n',
    ["migrations/models.lua"] = text }
  return cli.run({ "--url", url, "check" }, { cwd = folder })
end

local tables = 'model.table("t", { { "id", "bigint" } })\nmodel.table("u", { { "id", "bigint" } })\n'

describe("privileges of models", function()
  it("are quiet about what default privileges gave", function()
    local url = models.database(roles .. [[
alter default privileges in schema public grant select on tables to reader;
create table t (id bigint); create table u (id bigint); grant insert on t to clerk]])
    local found = check(url, tables)
    assert.equal(1, found.status)
    assert.matches("%- grant on table public.t to clerk", found.stdout)
    assert.falsy(found.stdout:find("to reader", 1, true))
    local declared = tables .. 'model.grant("insert", { on = "t", to = "clerk" })\n'
    assert.equal(0, check(url, declared).status)
    assert.equal(0, check(url, declared .. 'model.grant("select", { on = "t", to = "reader" })\n').status)
    server.drop(url)
  end)

  it("may name several objects and roles at once", function()
    local url = models.database(roles .. [[
create table t (id bigint); create table u (id bigint); grant select, delete on t, u to reader, clerk]])
    local text = tables .. [[
model.grant({ "select", "delete" }, { on = { "table", { "t", "u" } }, to = { "reader", "clerk" } })]]
    assert.equal(0, check(url, text).status)
    server.drop(url)
  end)

  it("refuse roles that there are not, with the place", function()
    local url = models.database "create table t (id bigint); create table u (id bigint)"
    local found = check(url, tables .. 'model.grant("select", { on = "t", to = "nobody at all" })\n')
    assert.equal(1, found.status)
    assert.matches('role "nobody at all" does not exist', found.stderr)
    assert.matches("models.lua:3", found.stderr)
    assert.matches("Roles belong to the server", found.stderr)
    server.drop(url)
  end)
end)
