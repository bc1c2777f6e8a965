-- docs/configuration.md says what config/key.lua does.

local cli = require "spec.support.cli"
local config = require "moontide.config"
local key = require "moontide.config.key"
local shell = require "spec.support.shell"

local text = assert(shell.read "docs/configuration.md")

local rows = {}
for name, kind in text:gmatch("\n| `([%w_]+)` | ([^|]+) |") do rows[name] = kind end

local function written(value)
  if type(value) == "table" then return #value == 1 and ('"%s"'):format(value[1]) or "{}" end
  return type(value) == "string" and ('"%s"'):format(value) or tostring(value)
end

describe("docs/configuration.md", function()
  it("has every key, and no other", function()
    for name in pairs(key.known) do assert.truthy(rows[name], name .. " is not documented") end
    for name in pairs(rows) do assert.truthy(key.known[name], name .. " is documented and does not exist") end
  end)

  for name, entry in pairs(key.known) do
    if entry.default ~= nil then
      it("says the default of " .. name, function()
        local said = rows[name]:match("; `?(.-)`?%s*$")
        assert.equal(written(entry.default), said)
      end)
    end
  end

  local number = 0
  for example in text:gmatch("```lua\n(.-)```") do
    number = number + 1
    it("has examples that are right: " .. number, function()
      local folder = cli.project { ["migrations/env.lua"] = example }
      assert.is_table(config.load { config = folder .. "/migrations/env.lua" })
    end)
  end
  it("has examples", function() assert.truthy(number >= 6) end)
end)
