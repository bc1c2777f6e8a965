-- docs/plugins.md is true: its files are written, its commands run, and what they print is what it shows.

local api = require "moontide.plugin.api"
local document = require "spec.support.document"
local shell = require "spec.support.shell"

describe("docs/plugins.md", function()
  it("shows what happens", function()
    local written, real = document.run "docs/plugins.md"
    assert.equal(written, real)
  end)

  it("has every registration point with an example, and every helper", function()
    local text = shell.read "docs/plugins.md"
    local points, helpers = api.names()
    for _, name in ipairs(points) do
      assert.matches("\n## moontide." .. name .. "\n", text, 1, true)
      assert.matches("\n *moontide%." .. name .. " ?[{(]", text)
    end
    for _, name in ipairs(helpers) do assert.matches("`moontide." .. name, text, 1, true) end
  end)
end)
