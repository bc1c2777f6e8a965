-- The pairs of schemas on the oldest and the newest version of the server; spec/pg has them on the machine's own, and
-- MOONTIDE_MAJOR sets another one.

require "moontide.op"
local journey = require "spec.support.journey"
local versions = require "spec.support.versions"

local only = tonumber(os.getenv "MOONTIDE_MAJOR")
local usual = { [13] = true, [18] = true }

describe("pairs of schemas lead there and back", function()
  versions.each(function(major)
    if not versions.available()[major] or not (only and only == major or not only and usual[major]) then return end
    for _, pair in ipairs(require "spec.support.schemapairs") do
      if major >= (pair.since or 13) then
        it(pair[1], function() assert.is_nil(journey.go(pair[2], pair[3], versions.cluster(major))) end)
      end
    end
  end)
end)
