-- docs/online.md is true: its files are written, its commands run, and what they print is what it shows.

local document = require "spec.support.document"
local operation = require "moontide.operation"
local shell = require "spec.support.shell"
require "moontide.op"

describe("docs/online.md", function()
  it("shows what happens", function()
    local written, real = document.run "docs/online.md"
    assert.equal(written, real)
  end)

  it("has every operation with an online form", function()
    local text, count = shell.read "docs/online.md", 0
    for _, name in ipairs(operation.names()) do
      if operation.get(name).online then
        count = count + 1
        assert.truthy(text:find("\n| `" .. name .. "`", 1, true), name)
      end
    end
    assert.equal(10, count)
  end)
end)
