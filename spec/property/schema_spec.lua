-- There and back between random schemas of all kinds. MOONTIDE_SEED sets the first seed, MOONTIDE_SEEDS how many there
-- are; the seed of a failure is in its name.

require "moontide.op"
local journey = require "spec.support.journey"
local schemas = require "spec.property.schemas"

local first = tonumber(os.getenv "MOONTIDE_SEED") or 1
local count = tonumber(os.getenv "MOONTIDE_SEEDS") or 6

describe("random schemas lead there and back", function()
  for seed = first, first + count - 1 do
    it("with seed " .. seed, function()
      local from, to = schemas.pair(seed)
      local impossible = journey.go(from, to)
      if impossible then print(("seed %d: %s"):format(seed, impossible)) end
    end)
  end
end)
