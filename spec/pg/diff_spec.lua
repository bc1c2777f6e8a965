-- From A to B and back, for pairs of schemas: the calls of the comparison make the catalog of the one that of the
-- other, after which nothing differs.

local differ = require "moontide.diff"
local db = require "moontide.db"
local fact = require "moontide.fact"
local models = require "spec.support.models"
local operation = require "moontide.operation"
local server = require "spec.support.server"
local sets = require "moontide.fact.set"

local pairs_of = require "spec.support.schemapairs"

local function facts(url)
  local connection <close> = db.connect(url)
  return fact.read(connection)
end

local function run(url, calls)
  local connection <close> = db.connect(url)
  for _, entry in ipairs(calls) do
    for _, statement in ipairs(operation.statements(sets.operation(entry.call))) do
      local ok, problem = pcall(connection.exec, connection, statement.sql)
      if not ok then error(statement.sql .. "\n" .. problem.message .. "\n" .. (problem.detail or ""), 2) end
    end
  end
end

local function expect_change(from, to)
  local found = differ.new(facts(from), facts(to))
  assert.same({}, found:impossible())
  assert.truthy(#found.differences > 0)
  run(from, found:calls())
  assert.same({}, differ.new(facts(from), facts(to)).differences)
  assert.same(models.catalog(to), models.catalog(from))
end

describe("a comparison", function()
  for _, pair in ipairs(pairs_of) do
    it("leads there and back: " .. pair[1], function()
      local a, b, again = models.database(pair[2]), models.database(pair[3]), models.database(pair[2])
      expect_change(a, b)
      expect_change(b, again)
      for _, url in ipairs { a, b, again } do server.drop(url) end
    end)
  end

  it("sees no difference in the order of columns", function()
    local a, b = models.database "create table t (a int, b int)", models.database "create table t (b int, a int)"
    assert.same({}, differ.new(facts(a), facts(b)).differences)
    server.drop(a)
    server.drop(b)
  end)

  it("adds labels, which commits, before everything else", function()
    local a = models.database "create type e as enum ('a'); create view v as select 1 as x; create table t (a e, b int)"
    local b = models.database "create type e as enum ('a', 'b'); create table s (a int); create table t (a e)"
    local words = {}
    for i, entry in ipairs(differ.new(facts(a), facts(b)):calls()) do words[i] = entry.call[1] end
    assert.same({ "add_enum_value", "drop_view", "drop_column", "create_table" }, words)
    server.drop(a)
    server.drop(b)
  end)

  it("says what it cannot write", function()
    local a = models.database "create type c as (a int); create table t (a int) partition by range (a); \z
      create table u (x c[])"
    local b = models.database "create type c as (b int); create table t (a int) partition by list (a); \z
      create table u (x c[])"
    assert.equal(2, #differ.new(facts(a), facts(b)):impossible())
    local c = models.database "create domain x as int; create table t (a x)"
    local d = models.database "create type x as enum ('a'); create table t (a int)"
    assert.equal(1, #differ.new(facts(c), facts(d)):impossible())
    for _, url in ipairs { a, b, c, d } do server.drop(url) end
  end)
end)
