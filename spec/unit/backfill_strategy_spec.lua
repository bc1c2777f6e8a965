-- The SQL of bounds, both ways; and the names of strategies.

local boundary = require "moontide.backfill.boundary"
local fingerprint = require "moontide.backfill.fingerprint"
local histogram = require "moontide.backfill.histogram"
local key = require "moontide.backfill.key"
local strategy = require "moontide.backfill.strategy"

local function way(descending)
  return { { name = "day", type = "date" }, { name = "id", type = "bigint" }, descending = descending }
end

describe("bounds of a key", function()
  it("lie between two others, in either direction", function()
    assert.equal("t.day > '1'::date AND (t.day, t.id) <= ('2'::date, '7'::bigint)",
      key.between(way(), "t", { "1" }, { "2", "7" }))
    assert.equal("(t.day, t.id) < ('2'::date, '7'::bigint) AND t.day >= '1'::date",
      key.between(way(true), "t", { "2", "7" }, { "1" }))
    assert.equal("true", key.between(way(true), "t"))
    assert.equal("t.day = '1'::date", key.exact(way(true), "t", { "1" }))
  end)

  it("are sorted in either direction, and backwards", function()
    assert.equal("t.day, t.id", key.order(way(), "t"))
    assert.equal("t.day DESC, t.id DESC", key.order(way(), "t", true))
    assert.equal("t.day DESC, t.id DESC", key.order(way(true), "t"))
    assert.equal("t.day, t.id", key.order(way(true), "t", true))
  end)

  it("that expressions are, are before others where rows may lie between", function()
    assert.equal("t.day <= b.b1", key.upto(way(), "t", { "b.b1" }))
    assert.equal("(t.day, t.id) >= (b.b1, b.b2)", key.upto(way(true), "t", { "b.b1", "b.b2" }))
    -- A bound of one column takes all rows of its value, so the same value of a shorter one is no end before it.
    assert.equal("b.b1 < '5'::date", key.before(way(), { "b.b1" }, { "5", "9" }))
    assert.equal("b.b1 <= '5'::date", key.before(way(), { "b.b1", "b.b2" }, { "5" }))
    assert.equal("(b.b1, b.b2) > ('5'::date, '9'::bigint)", key.before(way(true), { "b.b1", "b.b2" }, { "5", "9" }))
    assert.equal("b.b1 >= '5'::date", key.before(way(true), { "b.b1", "b.b2" }, { "5" }))
  end)

  it("are thinned evenly", function()
    local list = { { "1" }, { "2" }, { "3" }, { "4" }, { "5" }, { "6" } }
    assert.same({ { "2" }, { "4" } }, histogram.thinned(list, 3))
    assert.same(list, histogram.thinned(list, 7))
    assert.same({}, histogram.thinned(list, 1))
  end)

  it("of a query are cast, so that a comment in it does no harm", function()
    local leaf = { name = "public.t", own = 1, key = way(true) }
    assert.equal("SELECT to_json(ARRAY[b1::text])::text AS key FROM (SELECT DISTINCT * FROM (SELECT b1::date AS b1 "
      .. "FROM (\nSELECT 1 -- so\n) s(b1)) s WHERE b1 > '5'::date) d ORDER BY b1 DESC",
      boundary.splits(leaf, { "5", "9" }, "SELECT 1 -- so"))
  end)
end)

describe("strategies", function()
  local ways = { name = "spec_way", summary = "x", from = 'plugin "spec" (a.lua:1)', version = "1.2" }

  it("have names, and those of plugins a version, which is a part of what a backfill does", function()
    strategy.register(ways)
    assert.equal("key physical", table.concat(strategy.names(), " ", 1, 2))
    assert.equal(ways, strategy.get "spec_way")
    assert.is_nil(strategy.get "nothing")
    assert.equal("physical", strategy.identity "physical")
    assert.equal("spec_way@1.2", strategy.identity "spec_way")
    local function of(order) return fingerprint { name = "x", table = "t", order = order } end
    local before = of "spec_way"
    ways.version = "1.3"
    assert.not_equal(before, of "spec_way")
    assert.equal(of "key", of "key")
  end)

  it("are refused where their names are taken, and missed where they are gone", function()
    local ok, problem = pcall(strategy.register, { name = "spec_way", from = "plugin b" })
    assert.is_false(ok)
    assert.equal('backfill strategy "spec_way" is already registered by plugin "spec" (a.lua:1)', problem.message)
    ok, problem = pcall(strategy.register, { name = "physical", from = "plugin b" })
    assert.is_false(ok)
    assert.matches("already registered by moontide itself", problem.message)
    ok, problem = pcall(strategy.of, { name = "public.t", strategy = "gone" })
    assert.is_false(ok)
    assert.equal('table public.t is gone through by the strategy "gone", which is not there', problem.message)
  end)
end)
