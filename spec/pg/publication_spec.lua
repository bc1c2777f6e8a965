-- Publications in models: what PostgreSQL 15 added, and `check` in a database that has them.

require "moontide.op"
local cli = require "spec.support.cli"
local db = require "moontide.db"
local journey = require "spec.support.journey"
local models = require "spec.support.models"
local server = require "spec.support.server"

local quiet = "set client_min_messages = error;\n"

local function version()
  local url = server.database()
  local connection <close> = db.connect(url)
  return connection:server_version()
end

describe("publications of models", function()
  it("say columns, conditions and whole schemas", function()
    if version() < 150000 then return end
    local tables = "create schema app; create table t (a int primary key, b int, c text); create table u (a int);\n"
    assert.is_nil(journey.go(quiet .. tables .. [[create publication p for table t (a, b) where (b > 1);
create publication q for table u]], quiet .. tables:gsub("b int", "b bigint") .. [[
create publication p for table t (a, b, c) where (b > 2), u where (a < 5);
create publication q for tables in schema app]]))
  end)

  it("are compared in the database that has them", function()
    local url = models.database(quiet .. "create table t (id bigint primary key); create publication p for table t")
    local folder = cli.project { ["migrations/env.lua"] = 'return { models = "models.lua" }\n' }
    local reflected = cli.run({ "--url", url, "reflect" }, { cwd = folder }).stdout
    require("spec.support.shell").write(folder .. "/migrations/models.lua", reflected)
    assert.equal(0, cli.run({ "--url", url, "check" }, { cwd = folder }).status)
    local changed = reflected:gsub('publication%("p".*$',
      'publication("p", { tables = { "t" }, publish = { "insert" } })')
    require("spec.support.shell").write(folder .. "/migrations/models.lua", changed)
    local found = cli.run({ "--url", url, "check" }, { cwd = folder })
    assert.equal(1, found.status)
    assert.matches("~ publication p\n", found.stdout, 1, true)
    assert.matches('op.alter_publication("p", {', found.stdout, 1, true)
    server.drop(url)
  end)
end)
