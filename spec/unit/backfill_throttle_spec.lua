-- The pure parts of throttling: when a value is too high, how long to rest, hours of the day, settings.

local gauge = require "moontide.backfill.gauge"
local pace = require "moontide.backfill.pace"
local setting = require "moontide.backfill.setting"
local signal = require "moontide.backfill.signal"
local window = require "moontide.backfill.window"

local function notes(own, values, limit, patience)
  local list = {}
  for index, value in ipairs(values) do list[index] = own:note(value, limit, patience) and "high" or "low" end
  return table.concat(list, " ")
end

describe("backfill.gauge", function()
  it("is high from above the limit until well below it twice", function()
    assert.equal("low high high high high high low", notes(gauge.new(), { 10, 11, 9, 8, 9, 8, 8 }, 10))
  end)

  it("takes a limit of 0 as a switch, and can wait for a second sample", function()
    assert.equal("high high high high low", notes(gauge.new(), { 1, 0, 1, 0, 0 }, 0))
    assert.equal("low low low high high low", notes(gauge.new(), { 1, 0, 1, 1, 0, 0 }, 0, 2))
  end)
end)

describe("backfill.pace", function()
  it("keeps to rows in a second, the time of the chunk included", function()
    local own = pace.new()
    own:count(500, 100, 0.2, { rows_per_s = 1000 })
    assert.near(100.3, own.due, 1e-9)
    own:count(500, 100.1, 0.2, { rows_per_s = 1000 })   -- another lane
    assert.near(100.8, own.due, 1e-9)
  end)

  it("keeps to WAL in a second by what a row was found to make", function()
    local own = pace.new()
    own:learn(0)
    own:count(1000, 10, 0, {})
    own:learn(1048576)
    own:count(2000, 20, 0, { wal_mb_s = 4 })
    assert.near(20.5, own.due, 1e-6)
  end)

  it("rests a part of the time that the chunk took", function()
    local own = pace.new()
    own:count(500, 100, 0.4, { rest = pace.profiles.gentle.rest })
    assert.near(100.4, own.due, 1e-9)
    own:count(500, 200, 0.4, { rest = pace.profiles.fast.rest })
    assert.equal(200, own.due)
  end)
end)

describe("backfill.pace until the next look", function()
  it("has room for so much WAL, and wants a look when half of it is gone", function()
    local own = pace.new()
    own:learn(0)
    own:count(100, 1, 0, {})
    own:learn(100 * 2000)
    own:look(2000000)
    assert.same({ false, false, false }, { own:is_due(), own:is_spent(0), own:is_spent(1000) })
    own:count(600, 2, 0, {})
    assert.same({ true, false, true }, { own:is_due(), own:is_spent(400), own:is_spent(401) })
    own:count(600, 3, 0, {})
    assert.is_true(own:is_spent(0))
    own:look(2000000, 600 * 2000)   -- it has not seen the last chunk
    assert.same({ true, true }, { own:is_due(), own:is_spent(401) })
    own:look(math.huge)
    assert.same({ false, false }, { own:is_due(), own:is_spent(1e9) })
  end)

  it("wants a look at once as long as nothing was measured, where there is a limit", function()
    local own = pace.new()
    own:count(1, 1, 0, {})
    assert.is_false(own:is_due())
    own:look(1e9)
    assert.is_false(own:is_due())
    assert.same({ false, true }, { own:is_spent(0), own:is_spent(1) })
    own:count(1, 1, 0, {})
    assert.same({ true, true }, { own:is_due(), own:is_spent(0) })
  end)
end)

describe("the signal of VACUUM", function()
  it("has patience for ten minutes with one process, and no end of it against wraparound", function()
    local now, memory = require("moontide.runtime.sys").clock(), {}
    local function sample(pid, urgent)
      return (signal.get("vacuum").sample(function(sql)
        assert.truthy(sql:find("'{7,8}'::oid[]", 1, true), sql)
        return { { pid = pid, name = "t", phase = "scanning heap", urgent = urgent } }
      end, { tables = { 7, 8 }, memory = memory }))
    end
    assert.equal(1, sample(1, false))
    memory.since = now - 601
    assert.equal(0, sample(1, false))
    assert.equal(1, sample(1, true))
    assert.equal(1, sample(2, false))
  end)
end)

describe("backfill.window", function()
  it("reads hours, over midnight too, and a time zone", function()
    assert.same({ from = 1320, to = 360, zone = "Europe/Berlin" }, window.parse "22:00-06:00 Europe/Berlin")
    assert.same({ from = 0, to = 1440 }, window.parse "0:00 - 24:00")
    for _, wrong in ipairs { "22-6", "22:00", "25:00-01:00", "03:00-03:00", "22:60-01:00", "22:00-06:00 'x'" } do
      assert.is_nil(window.parse(wrong), wrong)
    end
  end)

  it("contains times of day", function()
    local night, day = window.parse "22:00-06:00", window.parse "08:30-17:00"
    local function inside(hours, now) return window.contains(hours, now) end
    assert.same({ true, true, false, false }, { inside(night, "23:10"), inside(night, "05:59"), inside(night, "06:00"),
      inside(night, "12:00") })
    assert.same({ true, false, false }, { inside(day, "08:30"), inside(day, "17:00"), inside(day, "02:00") })
  end)
end)

describe("backfill.setting", function()
  it("reads sizes, limits of signals, hours and profiles", function()
    assert.same({ lag = 16, vacuum = false, wal_mb_s = 20, profile = "gentle", window = "22:00-06:00", lag_s = 0.5 },
      setting.read { "lag=16", "vacuum=off", "wal_mb_s=20", "profile=gentle", "window=22:00-06:00", "lag_s=0.5" })
    assert.equal("wal_mb_s=20 lag=16 vacuum=off", setting.words { lag = 16.0, vacuum = false, wal_mb_s = 20.0 })
    assert.is_nil(setting.words { pause = "x" })
  end)

  for word, message in pairs {
    ["lagg=3"] = 'unknown setting "lagg"', ["lag=much"] = 'lag must be a number, "off" or "default", not "much"',
    ["throttle_sql=3"] = 'throttle_sql must be "off" or "default"', ["profile=slow"] = "profile must be fast",
    ["window=night"] = "window must be hours of the day", ["wal_mb_s=0"] = "wal_mb_s must be an integer from 1",
  } do
    it("refuses " .. word, function()
      local ok, problem = pcall(setting.read, { word })
      assert.is_false(ok)
      assert.equal("usage", problem.kind)
      assert.truthy(problem.message:find(message, 1, true), problem.message)
    end)
  end
end)

describe("backfill.signal", function()
  it("refuses a name that is taken or means a setting", function()
    for _, name in ipairs { "lag", "window", "chunk_ms" } do
      local ok, problem = pcall(signal.register, { name = name, summary = "x", sample = print, from = "somebody" })
      assert.is_false(ok)
      assert.truthy(problem.message:find("already registered by moontide itself", 1, true))
    end
  end)

  it("has a file for each that comes with Moontide", function()
    for _, name in ipairs(signal.builtin) do
      local entry = signal.get(name)
      assert.equal(name, entry.name)
      assert.equal("function", type(entry.sample))
    end
  end)
end)
