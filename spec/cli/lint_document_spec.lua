-- docs/lint.md is true: its files are written, its commands run, and what they print is what it shows.

local document = require "spec.support.document"
local lint = require "moontide.lint"
local shell = require "spec.support.shell"

describe("docs/lint.md", function()
  it("shows what happens", function()
    local written, real = document.run "docs/lint.md"
    assert.equal(written, real)
  end)

  it("has every rule with its level, in their order, and no other", function()
    local rows, rules = {}, {}
    for name, level in shell.read("docs/lint.md"):gmatch("\n| `([%l-]+)` | (%l+) | [^|]+ | [^|]+ |") do
      rows[#rows + 1] = name .. " " .. level
    end
    for index, name in ipairs(lint.builtin) do
      rules[index] = name .. " " .. require("moontide.lint.rule." .. name:gsub("-", "_")).level
    end
    assert.same(rules, rows)
  end)
end)
