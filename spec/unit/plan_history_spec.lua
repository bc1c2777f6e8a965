local order = require "moontide.graph.order"
local plan = require "moontide.plan"
local range = require "moontide.plan.range"
local revisions = require "spec.support.revisions"

-- Lines of `range | revisions`, or `rows | range | revisions` where rows matter.
local function histories(text, table_text)
  local map = revisions.map(text)
  for _, case in ipairs(revisions.cases(table_text)) do
    local rows = case[3] and revisions.names(table.remove(case, 1))
    it(("history %s%s lists %s"):format(case[1], rows and " at {" .. table.concat(rows, " ") .. "}" or "", case[2]),
      function()
        local message = case[2]:match("^!%s*(.*)$")
        local ok, list = pcall(plan.history, map, case[1], rows)
        if not message then return assert.equal(case[2], ok and revisions.ids(list) or tostring(list)) end
        assert.is_false(ok)
        assert.equal("revision", list.kind)
        assert.truthy(list.message:find(message, 1, true), list.message)
      end)
  end
end

-- Lines of `upper | lower | revisions`, for ends of several revisions.
local function walks(text, table_text)
  local map = revisions.map(text)
  for _, case in ipairs(revisions.cases(table_text)) do
    it(("walks from %s to %s"):format(case[1], case[2]), function()
      local upper, lower = map:pick(revisions.names(case[1])), map:pick(revisions.names(case[2]))
      local message = case[3]:match("^!%s*(.*)$")
      local ok, list = pcall(range.walk, lower, upper, "the range")
      if not message then return assert.equal(case[3], ok and revisions.ids(list) or tostring(list)) end
      assert.is_false(ok)
      assert.truthy(list.detail:find(message, 1, true), list.detail)
    end)
  end
end

-- Lines of `rows | targets | revisions`: an upgrade, newest first.
local function upgrades(text, table_text)
  local map = revisions.map(text)
  for _, case in ipairs(revisions.cases(table_text)) do
    it(("upgrades {%s} to %s"):format(case[1], case[2]), function()
      local ok, steps = pcall(plan.upgrade, map, revisions.names(case[1]), revisions.names(case[2]))
      local message = case[3]:match("^!%s*(.*)$")
      if message then return assert.truthy(not ok and steps.message:find(message, 1, true), tostring(steps)) end
      local list = {}
      for i, step in ipairs(steps) do list[#steps + 1 - i] = step end
      assert.equal(case[3], revisions.ids(list))
    end)
  end
end

local function downgrades(text, table_text)
  local map = revisions.map(text)
  for _, case in ipairs(revisions.cases(table_text)) do
    it(("downgrades {%s} to %s"):format(case[1], case[2]), function()
      assert.equal(case[3], revisions.ids(plan.downgrade(map, revisions.names(case[1]), case[2])))
    end)
  end
end

describe("history of one line", function()
  histories("a\nb < a\nc < b", [[
    :        | c b a
    a:b      | b a
    :b       | b a
    a:       | c b a
    a:+2     | c b a
    a:+1     | b a
    :+2      | b a
    :+9      | c b a
    base:b   | b a
    c:c      | c
    -2:c     | c b a
    -1:c     | c b
    -5:c     | c b a
    -1:b     | b a
    -1:      | c b
    b-1:     | c b a
    a+1:     | c b
    a:c-1    | b a
    b:a      | ! requested range "b:a" does not refer to ancestor/descendant revisions along the same branch
    b:base   | ! does not refer to ancestor/descendant revisions along the same branch
    b        | ! history range requires [start]:[end], [start]:, or :[end], not "b"
    a:b:c    | ! invalid revision identifier
    x:       | ! can't locate revision identified by "x"
    a:-1     | ! relative revision -1 didn't produce 1 migrations
    +1:      | ! relative revision +1 didn't produce 1 migrations
    b | current:   | c b
    b | :current   | b a
    b | -1:current | b a
    b | -3:current | b a
    b | current:+1 | c b
    c | current:current | c
      | current:   | c b a
      | :current   |
      | current:current |
    gone | current: | ! can't locate revision identified by "gone"
    current: | ! "current" is not allowed here
  ]])

  it("lists everything without a range", function()
    assert.equal("c b a", revisions.ids(plan.history(revisions.map "a\nb < a\nc < b")))
    assert.equal("", revisions.ids(plan.history(revisions.map "")))
    assert.equal("", revisions.ids(plan.history(revisions.map "", "base:head")))
  end)
end)

describe("history of labelled branches", function()
  local graph = [[
    a (abranch)
    b < a
    somelongername < b
    c < somelongername
    d
    e (ebranch) < d
    someothername < e
    f < someothername
  ]]
  histories(graph, [[
    ebranch@base:  | f someothername e d
    abranch@base:  | c somelongername b a
    :ebranch@head  | f someothername e d
    :abranch@head  | c somelongername b a
    ebranch@head:  | f
    ebranch@d:     | f someothername e d
    e@base:        | f someothername e d
    c@base:        | c somelongername b a
    someoth@base:  | f someothername e d
    ebranch@-2:    | f someothername e
    :ebranch@+2    | e d
    ebranch@b:     | ! revision "b" is not a member of branch "ebranch"
    b | current:abranch@+1 | somelongername b
  ]])
end)

describe("history of a diamond", function()
  histories("a\nb1 < a\nb2 < a\nc < b1, b2\nd < c", [[
    a:d | d c b1 b2 a
    :   | d c b1 b2 a
    b1:d | d c b1
    -1:c | ! ambiguous walk
  ]])
end)

describe("history of a long and a short branch", function()
  histories("a\nb1 < a\nb2 < a\nc1 < b1\nd11 < c1\nd12 < c1", ": | b2 d11 d12 c1 b1 a")
end)

describe("history of several branches", function()
  local graph = [[
    a
    b1 < a
    b2 < a
    cb1 < b1
    cb2 < b2
    d1cb1 < cb1
    d2cb1 < cb1
    d1cb2 < cb2
    d2cb2 < cb2
    d3cb2 < cb2
    d1d2cb2 < d1cb2, d2cb2
  ]]
  walks(graph, [[
    d1d2cb2           | a     | d1d2cb2 d1cb2 d2cb2 cb2 b2 a
    d2cb2 d3cb2       | a     | d2cb2 d3cb2 cb2 b2 a
    d3cb2             | a     | d3cb2 cb2 b2 a
    d3cb2             |       | d3cb2 cb2 b2 a
    d3cb2 cb1         |       | cb1 b1 d3cb2 cb2 b2 a
    d1cb1 d2cb2 d3cb2 | b2    | d2cb2 d3cb2 cb2 b2
    d2cb2 d2cb2       | cb2   | d2cb2 cb2
    b1                | d1cb1 | ! Revision "d1cb1" is not an ancestor
    d2cb2             | b1    | ! Revision "b1" is not an ancestor
                      | d1cb1 | ! Revision "d1cb1" is not an ancestor
  ]])
end)

describe("history of branches that part and meet", function()
  local graph = [[
    a1
    a2 < a1
    a3 < a2
    b1 < a3
    b2 < a3
    cb1 < b1
    cb2 < b2
    db1 < cb1
    db2 < cb2
    e1b1 < db1
    fe1b1 < e1b1
    e2b1 < db1
    e2b2 < db2
    merge < e2b1, e2b2
  ]]
  walks(graph, [[
    merge fe1b1   | a3      | fe1b1 e1b1 merge e2b1 db1 cb1 b1 e2b2 db2 cb2 b2 a3
    merge         | a1      | merge e2b1 db1 cb1 b1 e2b2 db2 cb2 b2 a3 a2 a1
    merge         | b1      | merge e2b1 db1 cb1 b1
    merge         | a2      | merge e2b1 db1 cb1 b1 e2b2 db2 cb2 b2 a3 a2
    merge fe1b1   | a1      | fe1b1 e1b1 merge e2b1 db1 cb1 b1 e2b2 db2 cb2 b2 a3 a2 a1
    merge fe1b1   | cb1 cb2 | fe1b1 e1b1 merge e2b1 db1 cb1 e2b2 db2 cb2
    e2b1 b2 fe1b1 |         | b2 fe1b1 e1b1 e2b1 db1 cb1 b1 a3 a2 a1
    fe1b1         |         | fe1b1 e1b1 db1 cb1 b1 a3 a2 a1
  ]])
  upgrades(graph, [[
    db1     | merge        | merge e2b1 e2b2 db2 cb2 b2
    cb1 cb2 | merge fe1b1  | fe1b1 e1b1 merge e2b1 db1 e2b2 db2
            | db1 b2 fe1b1 | ! requested revision "fe1b1" overlaps with other requested revisions "db1"
  ]])
end)

describe("history of several roots", function()
  local graph = [[
    base1
    base2
    base3
    a1a < base1
    a1b < base1
    a2 < base2
    a3 < base3
    b1a < a1a
    b1b < a1b
    b2 < a2
    b3 < a3
    c2 < b2
    d2 < c2
    mergeb3d2 < b3, d2
  ]]
  histories(graph, [[
    :          | b1a a1a b1b a1b base1 mergeb3d2 b3 a3 base3 d2 c2 b2 a2 base2
    c2:        | mergeb3d2 d2 c2
    base3:b3   | b3 a3 base3
  ]])
  upgrades(graph, [[
    c2    | heads    | b1a a1a b1b a1b base1 mergeb3d2 b3 a3 base3 d2
    base3 | b3 b2    | b2 a2 base2 b3 a3
    a2 b2 | c2       | ! requested revision "b2" overlaps with other requested revisions "a2"
  ]])
end)

describe("history of roots with dependencies", function()
  local graph = [[
    base1 (b_1)
    a1a < base1
    a1b < base1
    b1a < a1a
    b1b < a1b ~ a3
    base2 (b_2)
    a2 < base2
    b2 < a2
    c2 < b2 ~ a3
    d2 < c2
    base3 (b_3)
    a3 < base3
    b3 < a3
  ]]
  histories(graph, [[
    :            | b1a a1a b1b a1b base1 d2 c2 b2 a2 base2 b3 a3 base3
    :b_2@head    | d2 c2 b2 a2 base2 a3 base3
    :b_3@head    | b3 a3 base3
    :b1b@head    | b1b a1b base1 a3 base3
    b_2@base:    | d2 c2 b2 a2 base2 a3 base3
    b_3@base:    | b3 a3 base3
    d2:b2        | ! does not refer
    d2:b3        | ! does not refer
  ]])
  downgrades(graph, [[
    b1a b1b d2 b3 | base     | b1a a1a b1b a1b base1 d2 c2 b2 a2 base2 b3 a3 base3
    d2            | b_2@base | d2 c2 b2 a2 base2
    b3            | base     | b3 a3 base3
    b1b           | b1b@base | b1b a1b base1
    b1a b1b d2 b3 | b_2@base | d2 c2 b2 a2 base2
    b1a b1b d2 b3 | b_3@base | b1b d2 c2 b3 a3 base3
  ]])

  it("has an effective head", function()
    local map = revisions.map(graph)
    assert.equal("b1a b1b d2 b3", revisions.ids(map.heads))
    assert.equal("b1a b1b d2 b3", revisions.ids(map.real_heads))
  end)
end)

describe("history of roots that depend on roots", function()
  histories([[
    base1 (b_1)
    a1 < base1
    b1 < a1
    c1 < b1
    base2 (b_2) ~ b_1
    a2 < base2
    b2 < a2
    c2 < b2
    d2 < c2
    base3 (b_3)
    a3 < base3
    b3 < a3
    c3 < b3 ~ b2
    d3 < c3
  ]], [[
    :         | c1 b1 a1 d2 c2 d3 c3 b3 a3 base3 b2 a2 base2 base1
    :b_2@head | d2 c2 b2 a2 base2 base1
    :b_3@head | d3 c3 b3 a3 base3 b2 a2 base2 base1
    :b_1@head | c1 b1 a1 base1
    b_1@base: | c1 b1 a1 base1
    b_2@base: | d2 c2 b2 a2 base2 base1
    b_3@base: | d3 c3 b3 a3 base3 b2 a2 base2 base1
  ]])
  histories("base1\na1 < base1\nb1 < a1\nc2 ~ a1\nc3 < c2", ": | b1 c3 c2 a1 base1")
end)

describe("history with names that begin alike", function()
  histories("user_foo\nuser < user_foo ~ user_foo", ": | user user_foo")
  histories("user_foo\nuser < user_foo", ": | user user_foo")
  histories("user_foo\nuser ~ user_foo", ": | user user_foo")
end)

describe("downgrade with dependencies an ancestor has already", function()
  local graph = [[
    a1
    a2 < a1
    a3 < a2
    b1
    b2 < b1 ~ a3
    b3 < b2
    b4 < b3 ~ a3
    b5 < b4 ~ b4
  ]]
  downgrades(graph, [[
    b4 | b1@base | b4 b3 b2 b1
    b5 | base    | b5 b4 b3 b2 b1 a3 a2 a1
    b5 | a2      | b5 b4 b3 b2 a3
  ]])
  upgrades(graph, "b1 | b5 | b5 b4 b3 b2 a3 a2 a1")
end)

describe("order", function()
  it("lists islands that no head leads to", function()
    local map = revisions.map "a\nb < a\nc < b\nd < c"
    local all = { [map:node "a"] = true, [map:node "c"] = true }
    assert.equal("c a", revisions.ids(order.sort(all, map:pick { "d" })))
  end)
end)
