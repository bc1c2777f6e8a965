-- What is said of a long load by COPY, with a clock of the spec's own.

local feed = require "moontide.feed"
local haul = require "moontide.haul"
local report = require "moontide.report"

describe("haul", function()
  local lines, now, info
  before_each(function()
    lines, now, info = {}, 100, report.info
    report.info = function(text) lines[#lines + 1] = text end
  end)
  after_each(function() report.info = info end)

  local function clock() return now end

  local function load(source, o)
    local watch <close> = haul.new(o, clock)
    local taken, bytes = {}, 0
    local function take(item, size) taken[#taken + 1], bytes = item, bytes + size end
    local server = { rows = function(_, list) take(#list, #list * 1024) end,
      write = function(_, chunk) take(chunk, #chunk) end, bytes = function() return bytes end }
    watch:attend(server)
    feed.into(source, server, watch)
    watch:finish(4321)
    return taken
  end

  local function chunks(text, count, seconds)
    return function()
      if count == 0 then return nil end
      count, now = count - 1, now + seconds
      return text
    end
  end

  it("says nothing of a short one", function()
    assert.equal(9, #load({ chunks = chunks("1\n2\n", 9, 1) }, { table = "t" }))
    assert.same({}, lines)
  end)

  it("says every ten seconds how many rows and bytes there are, how fast they go, and what it was", function()
    load({ chunks = chunks(("x"):rep(1048574) .. "\n\n", 25, 1) }, { table = "t" })
    assert.same({ "load t: 20 rows  10.0 MB  2 rows/s  1.0 MB/s", "load t: 40 rows  20.0 MB  2 rows/s  1.0 MB/s",
      "load t: 4321 rows, 25.0 MB in 25.0 s" }, lines)
  end)

  it("counts lines of CSV, where a row may have several", function()
    load({ chunks = chunks('"a\nb"\n', 10, 1) }, { table = "t", format = "csv" })
    assert.equal("load t: 20 lines  0.0 MB  2 lines/s  0.0 MB/s", lines[1])
  end)

  it("counts the rows of a list, and what they are on their way", function()
    local rows = setmetatable({}, { __index = function(_, index) now = now + 1 / 128 return { id = index } end,
      __len = function() return 4321 end })
    load({ rows = rows, columns = { "id" } }, { table = "t" })
    assert.same({ "load t: 2000 rows  2.0 MB  128 rows/s  0.1 MB/s",
      "load t: 4000 rows  3.9 MB  128 rows/s  0.1 MB/s", "load t: 4321 rows, 4.2 MB in 33.8 s" }, lines)
  end)
end)
