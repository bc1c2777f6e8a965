local plan = require "moontide.plan"
local revisions = require "spec.support.revisions"

local graph = [[
  a1a1
  b1b1 < a1a1
  c1c1 (one) < b1b1
  c2c2 (two) < b1b1
  e1e1 ~ c2c2
]]

-- Lines of `heads | options | ids`.
local function parents(text, table_text)
  local map = revisions.map(text)
  for _, case in ipairs(revisions.cases(table_text)) do
    it(("new revision on %s %s has the parents %s"):format(table.unpack(case)), function()
      local ok, ids = pcall(plan.parents, map, revisions.names(case[1]), { splice = case[2] == "splice" })
      local message = case[3]:match("^!%s*(.*)$")
      if not message then return assert.equal(case[3], ok and revisions.ids(ids) or tostring(ids)) end
      assert.is_false(ok)
      assert.equal(message, ids.message)
    end)
  end
end

describe("plan.parents", function()
  parents(graph, [[
    head      |        | ! multiple heads are present
    heads     |        | c1c1 e1e1
    one@head  |        | c1c1
    two       |        | c2c2
    c1c1 c2c2 |        | c1c1 c2c2
    c1 c2     |        | c1c1 c2c2
    base      |        |
              |        |
    b1b1      |        | ! revision "b1b1" is not a head revision
    b1b1      | splice | b1b1
    c1c1 c1   |        | ! duplicate head revisions specified
    c1c1 b1b1 |        | ! revision "b1b1" is not a head revision
    nope      |        | ! can't locate revision identified by "nope"
    a:b       |        | ! range revision not allowed: "a:b"
    current   |        | ! "current" is not allowed here
  ]])
  parents("a\nb < a", "head | | b\nhead-1 | splice | a")
  parents("", "head | |\nheads | |")

  it("takes a head that another one depends on as a head of its own", function()
    local ok, problem = pcall(plan.parents, revisions.map "a\nb\nc < b ~ a", "head")
    assert.is_false(ok)
    assert.matches('"a", "c"', problem.detail)
  end)

  it("says how to start a branch where the parent is no head", function()
    local _, problem = pcall(plan.parents, revisions.map(graph), "b1b1")
    assert.matches("%-%-splice", problem.hint)
    assert.matches('"c1c1", "c2c2"', problem.detail)
  end)
end)

describe("plan.dependencies", function()
  local map = revisions.map(graph)

  it("keeps labels and completes identifiers", function()
    assert.same({ "one", "b1b1", "c2c2" }, plan.dependencies(map, { "one", "b1", "two@head" }))
  end)

  it("refuses the base and what is not there", function()
    assert.is_false(pcall(plan.dependencies, map, { "base" }))
    assert.is_false(pcall(plan.dependencies, map, { "zzzz" }))
  end)
end)
