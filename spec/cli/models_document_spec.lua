-- docs/models.md is true: its files are written, its commands run, and what they print is what it shows.

local document = require "spec.support.document"
local model = require "moontide.model"
local shell = require "spec.support.shell"

describe("docs/models.md", function()
  it("shows what happens", function()
    local written, real = document.run "docs/models.md"
    assert.equal(written, real)
  end)

  it("has everything that can be declared", function()
    local text = shell.read "docs/models.md"
    for _, name in ipairs(model.names()) do assert.truthy(text:find("`" .. name .. "`", 1, true), name) end
  end)
end)
