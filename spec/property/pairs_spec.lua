-- The pairs of schemas on every version of the server but the machine's own, which spec/pg has.

require "moontide.op"
local journey = require "spec.support.journey"
local versions = require "spec.support.versions"

local only = tonumber(os.getenv "MOONTIDE_MAJOR")

describe("pairs of schemas lead there and back", function()
  versions.each(function(major)
    local is_due = versions.available()[major] and (not only or only == major)
    for _, pair in ipairs(is_due and require "spec.support.schemapairs" or {}) do
      it(pair[1], function() assert.is_nil(journey.go(pair[2], pair[3], versions.cluster(major))) end)
    end
  end)
end)
