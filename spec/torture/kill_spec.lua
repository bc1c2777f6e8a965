local kill = require "spec.torture.kill"

local kills = tonumber(os.getenv("MOONTIDE_KILLS") or "40")
local seed = tonumber(os.getenv("MOONTIDE_SEED") or "") or os.time()

describe("runs killed at random instants", function()
  it("take every effect exactly once and end with the schema of an undisturbed run", function()
    local total = kill.run(kills, seed)
    local ways = {}
    for way, count in pairs(total.ways) do ways[#ways + 1] = way .. " " .. count end
    table.sort(ways)
    io.stderr:write(("\nseed %d: %d kills (%s) in %d rounds, %d of them stopped a run\n"):format(seed, total.kills,
      table.concat(ways, ", "), total.rounds, total.stopped))
    assert.same({}, total.errors)
    assert.is_true(total.kills >= kills)
  end)
end)
