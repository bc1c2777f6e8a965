-- A backfill of five times the rows takes no more memory. The sizes in earnest:
-- MOONTIDE_ROWS=1000000 sh spec/run.sh spec/torture/backfill_memory_spec.lua

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local sys = require "moontide.runtime.sys"
local torture = require "spec.torture.backfill"

local rows = tonumber(os.getenv("MOONTIDE_ROWS") or "") or 20000

local tables = [[
CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL, v integer NOT NULL DEFAULT 0);
INSERT INTO t SELECT g, repeat('word ' || g, 4) FROM generate_series(1, %d) g;
ANALYZE t]]

-- The most memory that the process had, in KiB, as long as it is there to be asked. Pages of programs and libraries
-- are left out: as many of them are in memory as the system likes.
local function peak(process)
  local status = shell.read(("/proc/%d/status"):format(process.pid)) or ""
  local most, files = status:match("VmHWM:%s*(%d+)"), status:match("RssFile:%s*(%d+)")
  return most and files and tonumber(most) - tonumber(files)
end

local function watch(process)
  local most = 0
  while not process:has_ended() do
    most = math.max(most, peak(process) or 0)
    sys.sleep(0.002)
  end
  return most
end

describe("the memory of a backfill", function()
  -- As many chunks as a million rows have. With many more, garbage that is collected late is as much in both.
  local function measure(mode, count)
    local url = server.database()
    server.sql(url, tables:format(count))
    local options = torture.modes[mode]:gsub("max_rows = %d+", ("max_rows = %d"):format(rows // 100))
    local process = cli.start("upgrade", { cwd = torture.project(options), env = { DATABASE_URL = url } })
    local most = watch(process)
    local ran = process:wait(1)
    assert.equal(0, ran.status, ran.stderr)
    assert.equal(tostring(count), server.sql(url, "SELECT sum(v) FROM t"))
    server.drop(url)
    return most
  end

  for mode in pairs(torture.modes) do
    it("does not grow with the table: " .. mode, function()
      local few, many = measure(mode, rows), measure(mode, 5 * rows)
      io.stderr:write(("\n%s: %d KiB for %d rows, %d KiB for %d\n"):format(mode, few, rows, many, 5 * rows))
      assert.is_true(many <= 1.05 * few)
    end)
  end
end)
