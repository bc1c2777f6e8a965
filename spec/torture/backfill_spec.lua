local server = require "spec.support.server"
local torture = require "spec.torture.backfill"

local kills = tonumber(os.getenv("MOONTIDE_KILLS") or "24")
local seed = tonumber(os.getenv("MOONTIDE_SEED") or "") or os.time()

describe("backfills killed at random instants", function()
  local cluster
  setup(function()
    math.randomseed(seed)
    cluster = server.cluster { settings = { synchronous_commit = "on", full_page_writes = "on" } }
  end)
  teardown(function() cluster:remove() end)

  local function torment(mode, processes)
    local total, tally = 0, {}
    repeat
      local spent, errors = torture.round(cluster, mode,
        { rows = 200000, kills = 12, tally = tally, processes = processes })
      total = total + spent
      assert.same({}, errors)
    until total >= kills
    io.stderr:write(("\nseed %d, %s, %d processes: %d kills (client %d, backend %d, server %d)\n"):format(seed, mode,
      processes, total, tally.client or 0, tally.backend or 0, tally.server or 0))
  end

  for mode in pairs(torture.modes) do
    for _, processes in ipairs { 1, 3 } do
      it(("change every row exactly once: %s, %d processes"):format(mode, processes), function()
        torment(mode, processes)
      end)
    end
  end
end)
