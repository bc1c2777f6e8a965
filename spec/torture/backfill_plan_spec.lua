-- Chunks go by the index whatever the server knows of the table: how many pages are read
-- for a row neither depends on the statistics nor grows with the table. Larger ones:
-- MOONTIDE_ROWS=1000000 sh spec/run.sh spec/torture/backfill_plan_spec.lua

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local torture = require "spec.torture.backfill"

local rows = tonumber(os.getenv("MOONTIDE_ROWS") or "") or 10000

-- The state of the statistics when the backfill begins.
local states = {
  { "deleted", function(url, count)
    torture.fill(url, count)
    server.sql(url, "ALTER TABLE t SET (autovacuum_enabled = off); "
      .. "DELETE FROM pg_statistic WHERE starelid = 't'::regclass; "
      .. "UPDATE pg_class SET relpages = 0, reltuples = 0 WHERE oid IN ('t'::regclass, 't_pkey'::regclass)")
  end },
  { "of the table when it had hundred rows", function(url, count)
    torture.fill(url, 125)
    server.sql(url, ("ALTER TABLE t SET (autovacuum_enabled = off); INSERT INTO t "
      .. "SELECT g, 'row ' || g FROM generate_series(126, %d) g WHERE g %% 5 <> 0"):format(count))
  end },
}

local pages = "SELECT heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0) "
  .. "FROM pg_statio_user_tables WHERE relname = 't'"

-- What a piece of work reads. The server counts a little later than it works.
local function pages_read(url, work)
  os.execute "sleep 0.3"
  server.sql(url, "SELECT pg_stat_reset_single_table_counters(r) FROM (VALUES ('t'::regclass), ('t_pkey')) v (r)")
  work()
  local before, now
  repeat
    before = now
    os.execute "sleep 0.6"
    now = tonumber(server.sql(url, pages))
  until now == before
  return now
end

describe("the plan of a chunk", function()
  local function upgrade(url, mode)
    local options = torture.modes[mode]:gsub("max_rows = 200, lanes = 2", "max_rows = 500, lanes = 1")
    return cli.ok("upgrade", { cwd = torture.project(options), env = { DATABASE_URL = url }, timeout = 3600 })
  end

  -- For a row. The work begins with a table of so many keys.
  local function measure(count, prepare, work)
    local url = server.database()
    prepare(url, count)
    local read = pages_read(url, function() work(url) end)
    server.drop(url)
    return read / (count * 4 / 5)
  end

  local plain
  setup(function()
    plain = measure(rows, torture.fill, function(url) server.sql(url, "UPDATE t SET v = v + 1") end)
  end)

  for mode in pairs(torture.modes) do
    for _, state in ipairs(states) do
      it(("reads few pages, statistics %s: %s"):format(state[1], mode), function()
        local function work(url) return upgrade(url, mode) end
        local few, many = measure(rows, state[2], work), measure(4 * rows, state[2], work)
        io.stderr:write(("\n%s, statistics %s: %.1f pages a row of %d, %.1f of %d, %.1f of one UPDATE\n"):format(mode,
          state[1], few, rows, many, 4 * rows, plain))
        assert.is_true(many < 1.3 * few)
        assert.is_true(many < 2 * plain)
      end)
    end
  end
end)
