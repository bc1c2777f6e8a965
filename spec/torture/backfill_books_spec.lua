-- However many chunks there are, the tables of the bookkeeping stay small: each checkpoint takes the place of the one
-- before. Also while somebody's old snapshot keeps all of them. More chunks: MOONTIDE_CHUNKS=10000

local cjson = require "cjson"
local cli = require "spec.support.cli"
local server = require "spec.support.server"
local torture = require "spec.torture.backfill"

local chunks = tonumber(os.getenv("MOONTIDE_CHUNKS") or "2000")
local rows = math.max(20000, chunks)   -- fewer would be one range

describe("the books of a backfill of many chunks", function()
  local cluster, url
  -- An ANALYZE of autovacuum has a snapshot as well.
  setup(function() cluster = server.cluster { settings = { autovacuum = "off" } } end)
  teardown(function() cluster:remove() end)
  before_each(function()
    url = cluster:database()
    torture.fill(url, rows * 5 // 4)
  end)
  after_each(function()
    server.sql(cluster:url(), ("DROP DATABASE %s WITH (FORCE)"):format(url:match "/([^/?]+)%?"))
  end)

  local function sql(text) return server.sql(url, text) end

  local function run()
    local options = torture.modes.sql:gsub("max_rows = 200", ("max_rows = %d, chunk_ms = 60000"):format(rows // chunks))
    cli.ok("upgrade", { cwd = torture.project(options), env = { DATABASE_URL = url }, timeout = 600 })
    assert.same({}, torture.problems(url))
    return tonumber(sql "SELECT sum(chunks) FROM moontide.backfill_range")
  end

  local function cost(condition)
    local plan = cjson.decode(sql("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT no FROM moontide.backfill_range "
      .. "WHERE backfill_id = 1 AND " .. condition))[1]
    return ("reads %d pages in %.2f ms"):format(plan.Plan["Shared Hit Blocks"] + plan.Plan["Shared Read Blocks"],
      plan["Execution Time"])
  end

  local function pages()
    return tonumber(sql "SELECT pg_relation_size('moontide.backfill_range') / current_setting('block_size')::integer")
  end

  -- Where the other lane, or a look at the server, has its snapshot for longer than usual, a checkpoint or two go to
  -- another page.
  it("is about one page for eight ranges", function()
    local done = run()
    local ranges = tonumber(sql "SELECT count(*) FROM moontide.backfill_range")
    assert.truthy(done >= chunks)
    cli.eventually("the server counts the checkpoints", function()
      return tonumber(sql "SELECT n_tup_upd FROM pg_stat_all_tables WHERE relname = 'backfill_range'") >= done
    end)
    local cold = tonumber(sql [[SELECT n_tup_upd - n_tup_hot_upd FROM pg_stat_all_tables
      WHERE relname = 'backfill_range']])
    io.stderr:write(("\n%d chunks, %d ranges: %d pages, %d checkpoints were not HOT\n"):format(done, ranges, pages(),
      cold))
    assert.truthy(pages() <= 2 * math.ceil(ranges / 8))
    assert.truthy(cold <= done // 100)
  end)

  it("grow little where an old snapshot keeps all of it", function()
    local old = cli.start({ "-XAtq", "-d", url, "-c", "SET application_name = 'old'", "-c",
      "BEGIN ISOLATION LEVEL REPEATABLE READ", "-c", "SELECT pg_sleep(600)" },
      { program = { server.program "psql" } })
    cli.eventually("the snapshot", function()
      return sql [[SELECT count(*) FROM pg_stat_activity WHERE application_name = 'old'
        AND wait_event = 'PgSleep']] == "1"
    end)
    local done = run()
    local size = pages()
    io.stderr:write(("\n%d chunks with an old snapshot: %d pages; a claim that finds nothing %s, a fence %s\n"):format(
      done, size, cost "NOT done ORDER BY no LIMIT 1 FOR UPDATE SKIP LOCKED", cost "no = 4 FOR UPDATE NOWAIT"))
    assert.truthy(size * 8192 < 10 * 1024 * 1024 * math.max(1, chunks / 10000))
    old:signal "KILL"
    old:wait()
  end)
end)
