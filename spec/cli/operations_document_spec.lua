-- docs/operations.md lists every operation once, with its arguments and what it does. MOONTIDE_GOLDEN=1 renews the rows
-- that are there; a new operation needs a row in the group where one would look for it.

local cli = require "spec.support.cli"
local lfs = require "lfs"
local shell = require "spec.support.shell"

local document = lfs.currentdir() .. "/docs/operations.md"

local function signatures()
  local known = {}
  for name, arguments in shell.read("lua/moontide/meta/op.lua"):gmatch("\nfunction op%.([%w_]+)(%b()) end") do
    known[name] = name .. arguments
  end
  return known
end

-- Of a program of its own: other specs have operations of theirs in this one.
local function summaries()
  local program = 'require "moontide.op" local o = require "moontide.operation" '
    .. 'for _, n in ipairs(o.names()) do print(n, o.get(n).summary) end'
  local known = {}
  for name, summary in cli.ok({ "lua", "-e", program }):gmatch("(%S+)\t([^\n]*)\n") do known[name] = summary end
  return known
end

-- Rows as they should be; the blocks are no operations of the registry and stay as written.
local function renewed(text, operations)
  local known, seen = signatures(), {}
  local now = text:gsub("| `([%w_]+)[^`]*` | [^\n]* |\n", function(name)
    seen[name] = (seen[name] or 0) + 1
    local summary = operations[name]
    return summary and ("| `%s` | %s |\n"):format(known[name] or name .. "(...)", summary) or nil
  end)
  return now, seen
end

describe("docs/operations.md", function()
  local text = shell.read(document)
  local operations = summaries()
  local now, seen = renewed(text, operations)

  it("has each operation once", function()
    assert.truthy(operations.create_table)
    for name in pairs(operations) do
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
