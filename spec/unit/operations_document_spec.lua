-- docs/operations.md lists every operation once, with its arguments and what it does. MOONTIDE_GOLDEN=1 renews the rows
-- that are there; a new operation needs a row in the group where one would look for it.

require "moontide.op"
local lfs = require "lfs"
local operation = require "moontide.operation"
local shell = require "spec.support.shell"

local document = lfs.currentdir() .. "/docs/operations.md"

local function signatures()
  local known = {}
  for name, arguments in shell.read("lua/moontide/meta/op.lua"):gmatch("\nfunction op%.([%w_]+)(%b()) end") do
    known[name] = name .. arguments
  end
  return known
end

-- Rows as they should be; the blocks are no operations of the registry and stay as written.
local function renewed(text)
  local known, seen = signatures(), {}
  local now = text:gsub("| `([%w_]+)[^`]*` | [^\n]* |\n", function(name)
    seen[name] = (seen[name] or 0) + 1
    local found = operation.get(name)
    return found and ("| `%s` | %s |\n"):format(known[name] or name .. "(...)", found.summary) or nil
  end)
  return now, seen
end

describe("docs/operations.md", function()
  local text = shell.read(document)
  local now, seen = renewed(text)

  it("has each operation once", function()
    for _, name in ipairs(operation.names()) do
      assert(seen[name] == 1, ("the operation %s is there %d times"):format(name, seen[name] or 0))
    end
  end)

  it("has no row of what is no operation", function()
    local op = signatures()
    for name in pairs(seen) do assert(op[name], "there is no operation " .. name) end
  end)

  it("says what the descriptions for editors say", function()
    if os.getenv("MOONTIDE_GOLDEN") == "1" then return shell.write(document, now) end
    assert.equal(now, text)
  end)
end)
