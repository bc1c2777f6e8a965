local lfs = require "lfs"
local cli = require "spec.support.cli"
local server = require "spec.support.server"

-- The whole range runs in a few seconds too: sh spec/runtime/valgrind.sh failalloc
local step = tonumber(os.getenv("MOONTIDE_FAILALLOC_STEP")) or 7

describe("memory that runs out in the binding", function()
  local program = os.getenv("MOONTIDE_FAILALLOC") or cli.binary():gsub("[^/]+$", "spec/spec-failalloc")

  for _, mode in ipairs { "once", "forever" } do
    it("is given back and crashes nothing, failing " .. mode, function()
      assert(lfs.attributes(program), "missing " .. program .. "; build the target spec-failalloc")
      local ran = cli.run({ "spec/runtime/failalloc.lua", mode, tostring(step) },
        { program = { program }, env = { MOONTIDE_SPEC_URL = server.database() }, timeout = 600 })
      assert.equal("", ran.stderr)
      local points = ran.stdout:match("^(%d+) points, 0 bad\n$")
      assert.is_truthy(points, ran.stdout)
      assert.is_true(tonumber(points) > 300 / step)
      print(("memory ran out at %s points, failing %s"):format(points, mode))
    end)
  end
end)
