-- Another server: MOONTIDE_SERVER=13; crashes of it: MOONTIDE_CRASHES=20; other tables: MOONTIDE_ROWS=50000
local pooler = require "spec.support.pooler"
local server = require "spec.support.server"
local torture = require "spec.torture.backfill"
local versions = require "spec.support.versions"

-- A short run takes a fifth of the rows.
local kills = tonumber(os.getenv("MOONTIDE_KILLS") or "8")
local few = math.max(1, kills // 8)
local crashes = tonumber(os.getenv("MOONTIDE_CRASHES") or "") or few
local unit = tonumber(os.getenv("MOONTIDE_ROWS") or "") or os.getenv("MOONTIDE_KILLS") and 100000 or 20000
local seed = tonumber(os.getenv("MOONTIDE_SEED") or "") or os.time()

describe("backfills killed at random instants", function()
  local cluster, front
  setup(function()
    math.randomseed(seed)
    local bin = versions.available()[tonumber(os.getenv "MOONTIDE_SERVER" or "0")] or nil
    cluster = server.cluster {
      tcp = true, bin = bin, settings = { full_page_writes = "on", deadlock_timeout = "30ms" },
    }
  end)
  teardown(function()
    if front then front:stop() end
    cluster:remove()
  end)

  local function say(name, mode, total, tally)
    io.stderr:write(("\nseed %d, %s, %s: %d kills (client %d, backend %d, server %d), %d of them in a chunk\n"):format(
      seed, mode, name, total, tally.client or 0, tally.backend or 0, tally.server or 0, tally.amid or 0))
  end

  -- Rounds of at most 12 kills until there were enough.
  local function torment(name, mode, wanted, options, look)
    local total, tally = 0, {}
    repeat
      options.kills, options.tally, options.rows = math.min(12, wanted - total), tally, options.rows or 2 * unit
      local spent, errors, state = torture.round(cluster, mode, options)
      total = total + spent
      assert.same({}, errors)
      if look then look(state) end
      server.sql(cluster:url(), ("DROP DATABASE %s WITH (FORCE)"):format(state.url:match("/([^/?]+)%?")))
    until total >= wanted
    say(name, mode, total, tally)
  end

  for mode in pairs(torture.modes) do
    for _, processes in ipairs { 1, 3 } do
      it(("change every row exactly once: %s, %d processes"):format(mode, processes), function()
        torment(processes .. " processes", mode, kills, { processes = processes, setup = torture.slow })
      end)
    end

    it("change every row exactly once in the background: " .. mode, function()
      torment("3 processes in the background", mode, few, { processes = 3, background = true })
    end)

    it("lose nothing of an application that writes: " .. mode, function()
      torment("2 processes beside an application", mode, few, { processes = 2, writers = true, rows = unit // 2 },
        function(state)
          io.stderr:write("\nthe application: " .. state.writers:counts() .. "\n")
        end)
    end)

    it("put seven bad rows aside, once: " .. mode, function()
      torment("2 processes, bad rows", mode, few, {
        processes = 2, more = ', on_error = "quarantine"', rows = unit,
        setup = "UPDATE t SET name = 'bad' WHERE id IN (1, 2, 1999, 4001, 17777, 17778, 19999); "
          .. "ALTER TABLE t ADD CHECK (name <> 'bad' OR v = 0)",
      })
    end)

    it("change every row exactly once by a strategy of a plugin: " .. mode, function()
      torment("2 processes, value by value", mode, 4, {
        processes = 2, rows = unit, more = ', key = "tenant", order = "by_value", on_error = "quarantine"',
        setup = "ALTER TABLE t ADD tenant bigint NOT NULL DEFAULT 0; UPDATE t SET tenant = id % 37; "
          .. "CREATE INDEX ON t (tenant, id); UPDATE t SET name = 'bad' WHERE id IN (1, 1999, 4001); "
          .. "ALTER TABLE t ADD CHECK (name <> 'bad' OR v = 0); ANALYZE t",
        plugin = [[return function(moontide)
          moontide.backfill_strategy { name = "by_value", summary = "one value after the other",
            choose = function(of) return { key = of.key, descending = true } end,
            probe = function(way)
              return "SELECT " .. way.key[1] .. " FROM " .. way.from .. " WHERE " .. way.rest .. " ORDER BY "
                .. way.order .. " LIMIT 1"
            end }
        end]],
      })
    end)

    it("change every row exactly once behind a transaction pooler: " .. mode, function()
      if not pooler.is_there() then return pending("pgbouncer is not installed") end
      front = front or pooler.start(cluster)
      torment("2 processes, pooled", mode, few, {
        processes = 2, rows = unit, through = function(url) return front:through(url) end,
      })
    end)
  end

  for mode in pairs(torture.modes) do
    it("survive crashes of the server that lose what was committed last: " .. mode, function()
      torment("2 processes, crashes", mode, crashes, { only = "server", processes = 2, setup = torture.slow })
    end)
  end
end)
