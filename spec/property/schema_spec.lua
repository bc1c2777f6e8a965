-- There and back between random schemas of all kinds. MOONTIDE_SEED sets the first seed, MOONTIDE_SEEDS how many there
-- are, MOONTIDE_MAJOR the version of the server; the seed of a failure is in its name.

require "moontide.op"
local journey = require "spec.support.journey"
local schemas = require "spec.property.schemas"
local versions = require "spec.support.versions"

local first = tonumber(os.getenv "MOONTIDE_SEED") or 1
local count = tonumber(os.getenv "MOONTIDE_SEEDS") or 4
local only = tonumber(os.getenv "MOONTIDE_MAJOR")

local function lead(seed, major)
  local from, to = schemas.pair(seed)
  local impossible = journey.go(from, to, versions.cluster(major))
  if impossible then print(("seed %d: %s"):format(seed, impossible)) end
end

describe("random schemas lead there and back", function()
  versions.each(function(major)
    local is_own = not versions.available()[major]
    local seeds = (only or is_own) and count or math.max(1, count // 4)
    for seed = first, first + (only and only ~= major and 0 or seeds) - 1 do
      it("with seed " .. seed, function() lead(seed, major) end)
    end
  end)
end)
