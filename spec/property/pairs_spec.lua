-- The pairs of schemas on the oldest and the newest version of the server in turn; spec/pg has them on the machine's
-- own, and MOONTIDE_MAJOR takes all of them on another one.

require "moontide.op"
local journey = require "spec.support.journey"
local versions = require "spec.support.versions"

local only = tonumber(os.getenv "MOONTIDE_MAJOR")
local turn = { [13] = 0, [18] = 1 }

describe("pairs of schemas lead there and back", function()
  versions.each(function(major)
    if not versions.available()[major] then return end
    for i, pair in ipairs(require "spec.support.schemapairs") do
      local is_due = only == major or not only and turn[major] == i % 2
      if is_due and major >= (pair.since or 13) then
        it(pair[1], function() assert.is_nil(journey.go(pair[2], pair[3], versions.cluster(major))) end)
      end
    end
  end)
end)
