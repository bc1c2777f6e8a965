local graph = require "moontide.graph"
local plan = require "moontide.plan"
local plans = require "spec.support.plans"
local revisions = require "spec.support.revisions"

describe("upgrade and downgrade of one line", function()
  plans.cases(it, [[
    e6239818bb3a
    548bbb905360 < e6239818bb3a
    b7ea43dc85e4 < 548bbb905360
    1bbe33445780 < b7ea43dc85e4
    3975fb1a0125 < 1bbe33445780
  ]], [[
                 | down base         |                           |
    e6239818bb3a | down e6239818bb3a |                           | e6239818bb3a
    3975fb1a0125 | down 3975fb1a0125 |                           | 3975fb1a0125
    b7ea43dc85e4 | up 3975fb1a0125   | 1bbe33445780 3975fb1a0125 | 3975fb1a0125
    b7ea43dc85e4 | up head           | 1bbe33445780 3975fb1a0125 | 3975fb1a0125
    b7ea43dc85e4 | up heads          | 1bbe33445780 3975fb1a0125 | 3975fb1a0125
                 | up b7ea43dc85e4   | e6239818bb3a 548bbb905360 b7ea43dc85e4 | b7ea43dc85e4
                 | up b7ea           | e6239818bb3a 548bbb905360 b7ea43dc85e4 | b7ea43dc85e4
                 | up b              | e6239818bb3a 548bbb905360 b7ea43dc85e4 | b7ea43dc85e4
    3975fb1a0125 | up b7ea43dc85e4   |                           | 3975fb1a0125
    3975fb1a0125 | up head           |                           | 3975fb1a0125
    3975fb1a0125 | up base           |                           | 3975fb1a0125
    e6239818bb3a | up +2             | 548bbb905360 b7ea43dc85e4 | b7ea43dc85e4
    e6239818bb3a | up +1             | 548bbb905360              | 548bbb905360
    548bbb905360 | up +3             | b7ea43dc85e4 1bbe33445780 3975fb1a0125 | 3975fb1a0125
    e6239818bb3a | up 548bbb905360+2 | 548bbb905360 b7ea43dc85e4 1bbe33445780 | 1bbe33445780
    e6239818bb3a | up 1bbe33445780-2 | 548bbb905360              | 548bbb905360
    e6239818bb3a | up head-1         | 548bbb905360 b7ea43dc85e4 1bbe33445780 | 1bbe33445780
    e6239818bb3a | up head-9         | ! relative revision -9 didn't produce 9 migrations
    548bbb905360 | up -2             | ! relative revision -2 didn't produce 2 migrations
    548bbb905360 | up +5             | ! relative revision +5 didn't produce 5 migrations
    548bbb905360 | up base-1         | ! relative revision -1 didn't produce 1 migrations
    548bbb905360 | up b7ea43dc85e4+7 | ! relative revision +7 didn't produce 7 migrations
    548bbb905360 | up nope           | ! can't locate revision identified by "nope"
    548bbb905360 | up a:b            | ! range revision not allowed
    548bbb905360 | up current        | ! "current" is not allowed here
    gone         | up head           | ! can't locate revision identified by "gone"
    548b         | up head           | ! can't locate revision identified by "548b"
    3975fb1a0125 | down b7ea43dc85e4 | 3975fb1a0125 1bbe33445780 | b7ea43dc85e4
    b7ea43dc85e4 | down base         | b7ea43dc85e4 548bbb905360 e6239818bb3a |
    b7ea43dc85e4 | down              | b7ea43dc85e4 548bbb905360 e6239818bb3a |
    b7ea43dc85e4 | down -1           | b7ea43dc85e4              | 548bbb905360
    3975fb1a0125 | down -3           | 3975fb1a0125 1bbe33445780 b7ea43dc85e4 | 548bbb905360
    1bbe33445780 | down e6239818bb3a+2 | 1bbe33445780            | b7ea43dc85e4
    1bbe33445780 | down b7ea43dc85e4-2 | 1bbe33445780 b7ea43dc85e4 548bbb905360 | e6239818bb3a
    e6239818bb3a | down -1           | e6239818bb3a              |
                 | down -1           | ! relative revision -1 didn't produce 1 migrations
    548bbb905360 | down -5           | ! relative revision -5 didn't produce 5 migrations
    548bbb905360 | down +2           | ! relative revision +2 didn't produce 2 migrations
    548bbb905360 | down 548b-7       | ! relative revision -7 didn't produce 7 migrations
                 | down 548          | ! destination "548" is not a valid downgrade target from current head(s)
    548bbb905360 | down b7ea         | ! destination "b7ea" is not a valid downgrade target from current head(s)
    gone         | down base         | ! can't locate revision identified by "gone"
  ]])
end)

local branched = [[
  a
  b < a
  c1 (c1branch) < b
  d1 < c1
  c2 (c2branch) < b
  d2 < c2
]]

describe("upgrade and downgrade of branches", function()
  plans.cases(it, branched, [[
    b     | up d1               | c1{c1} d1{d1}     | d1
    a     | up d1 d2            | b c2 d2 c1 d1     | d1 d2
    a     | up heads            | b c2 d2 c1 d1     | d1 d2
          | up heads            | a{a} b{b} c2{c2} d2{d2} c1{c1,d2} d1{d1,d2} | d1 d2
    a     | up d1 d1            | b c1 d1           | d1
    a     | up c1 d1            | ! requested revision "d1" overlaps with other requested revisions "c1"
    a     | up head             | ! multiple head revisions are present for given argument "head"
    a     | up head-1           | ! multiple head revisions are present for given argument "head-1"
    a     | up c1branch@head    | b c1 d1           | d1
    a     | up d2@head          | b c2 d2           | d2
    a     | up b@head           | ! multiple head revisions are present for given argument "b@head"
    a     | up b@heads          | b c2 d2 c1 d1     | d1 d2
    a     | up c1branch@d2      | ! revision "d2" is not a member of branch "c1branch"
    a     | up nobranch@d2      | ! no such branch: "nobranch"
    d1 b  | up heads            | ! requested revision "d1" overlaps with other requested revisions "b"
    d1 d2 | down a              | d1{c1,d2} c1{d2} d2{c2} c2{b} b{a} | a
    b     | up c2branch@head-1  | c2                | c2
    d2 d1 | down base+2         | d1 c1 d2 c2       | b
    d2 d1 | down c2branch@base+2| d2 c2             | d1
    d2 d1 | down c2             | d2                | c2 d1
    d2 d1 | down c2branch@base+3| d2                | c2 d1
    d2 d1 | down -1             | d1                | c1 d2
    c2 d1 | down -1             | c2                | d1
    c1 d2 | down -1             | c1                | d2
    d1 d2 | down c1branch@-1    | d1                | c1 d2
    d1 d2 | down c2branch@-2    | d2 c2             | d1
    d1 d2 | down b@-1           | ! ambiguous downgrade from multiple current revisions
    d1    | down c2branch@-1    | ! relative revision -1 didn't produce 1 migrations
    d2 c1 | down d2-1           | d2                | c1 c2
    c1 d2 | down d2-1           | d2                | c1 c2
    c1 d2 | down c1branch@b     | c1                | d2
    c1 d2 | down c2branch@b     | d2 c2             | c1
    d1 d2 | down c2@b           | d2 c2             | d1
    d1 d2 | down d1@b           | d1 c1             | d2
    d1 d2 | down c1branch@head-1| d1                | c1 d2
    d1 d2 | down a@b            | ! not a valid downgrade target from current heads
    d1    | down d2             | ! destination "d2" is not a valid downgrade target from current head(s)
    d1 d2 | down c1branch@c2    | ! revision "c2" is not a member of branch "c1branch"
    d1 d2 | down base           | d1 c1 d2 c2 b a   |
    c1    | up c2branch@+1      | c2                | c1 c2
    d1    | up c2branch@+2      | c2 d2             | d1 d2
    c1    | up c2branch@+3      | ! relative revision +3 didn't produce 3 migrations
    c1 c2 | up c2branch@+1      | d2                | c1 d2
    c1 c2 | up +1               | ! ambiguous upgrade from multiple current revisions
    b     | up +1               | ! ambiguous walk
    b     | up b+1              | ! ambiguous walk
    b     | up c1branch@+1      | c1                | c1
    b     | up c1branch@b+2     | c1 d1             | d1
          | up base+1           | a                 | a
          | up +1               | a                 | a
          | up c2branch@base+3  | a b c2            | c2
    a     | down -1             | a                 |
          | down -1             | ! relative revision -1 didn't produce 1 migrations
    d1 c2 | down c2             |                   | c2 d1
    d1 c2 | down d1             |                   | c2 d1
    c1 c2 | up c1branch@head    | d1                | c2 d1
  ]])

  it("warns when -1 could mean several rows, and takes the first in sorted order", function()
    local steps = plan.downgrade(revisions.map(branched), { "d2", "d1" }, "-1")
    assert.equal("downgrade -1 from multiple heads is ambiguous", steps.warnings[1].message)
    assert.matches('"d1" is taken', steps.warnings[1].detail)
    assert.matches("d1@%-1", steps.warnings[1].hint)
  end)

  it("says where a step comes from and where it leads, dependencies left out", function()
    local steps = plan.upgrade(revisions.map "a\nb\nm < a, b\nn < m ~ x\nx", {}, "n")
    local last, merge = steps[#steps], steps[#steps - 1]
    assert.same({ { "m" }, { "n" } }, { last.from, last.to })
    assert.same({ { "a", "b" }, { "m" } }, { merge.from, merge.to })
    assert.same({ { kind = "delete", id = "m" }, { kind = "update", from = "x", to = "n" } }, last.changes)
  end)
end)

describe("a branch from a mergepoint", function()
  plans.cases(it, [[
    a1
    b1 < a1
    c1 < b1
    a2
    b2 < a2
    c2 < b2
    d1 < c1, c2
    d2 < c2
  ]], [[
    d2 b1 | up d1   | c1 d1               | d1 d2
    d2 d1 | down b1 | d1{c1,d2} c1{b1,d2} | b1 d2
    d1    | down d1-1 | ! ambiguous walk
    d1    | down -1 | ! ambiguous walk
  ]])
end)

describe("a branch from a mergepoint of three", function()
  plans.cases(it, [[
    a1
    b1 < a1
    c1 < b1
    a2
    b2 < a2
    c2 < b2
    a3
    b3 < a3
    c3 < b3
    d1 < c1, c2, c3
    d2 < c2
    d3 < c3
  ]], [[
    d3 d2 b1 | up d1   | c1 d1    | d1 d2 d3
    d3 d2 d1 | down b1 | d1 c1    | b1 d2 d3
    d3 b2 b1 | up d1   | c2 c1 d1 | d1 d3
    d3 d1    | up d2   | d2       | d1 d2 d3
  ]])
end)

describe("two merges of the same branches", function()
  plans.cases(it, [[
    a
    b1 < a
    b2 < a
    b3 < a
    c1 < b1, b2, b3
    c2 < b1, b2, b3
    d1 < c1
    d2 < c2
  ]], [[
    a       | up b3    | b3             | b3
    b3      | up b1    | b1             | b1 b3
    b1 b3   | up b2    | b2             | b1 b2 b3
    b1 b2 b3| up c2    | c2             | c2
    c2      | up d2    | d2             | d2
    d2      | up c1    | c1             | c1 d2
    c1 d2   | up d1    | d1             | d1 d2
    d1 d2   | down a   | d1{c1,d2} c1{d2} d2{c2} c2{b1,b2,b3} b1{b2,b3} b2{b3} b3{a} | a
  ]])
end)

describe("two merges that share one branch", function()
  plans.cases(it, [[
    a
    b1 < a
    b2 < a
    b3 < a
    c1 < b1, b2
    c2 < b2, b3
    d1 < c1
    d2 < c2
  ]], [[
    a       | up b2    | b2   | b2
    b2      | up b3    | b3   | b2 b3
    b2 b3   | up c2 d2 | ! overlaps
    b2 b3   | up d2    | c2{c2} d2{d2} | d2
    d2      | up b1    | b1   | b1 d2
    b1 d2   | up d1    | c1{c1,d2} d1{d1,d2} | d1 d2
    d1 d2   | down c1  | d1   | c1 d2
    c1 d2   | down b1  | c1   | b1 d2
  ]])
end)

describe("a merge in the middle of the line", function()
  plans.cases(it, [[
    a
    b < a
    c1 < b
    d1 < c1
    c2 (c2branch) < b
    d2 < c2
    e < d1, d2
    f < e
  ]], [[
    b | up f   | c2{c2} d2{d2} c1{c1,d2} d1{d1,d2} e{e} f{f}   | f
    f | down b | f{e} e{d1,d2} d1{c1,d2} c1{d2} d2{c2} c2{b}   | b
    f | down c2branch@b | f e d2 c2                            | d1
    c1| up c2branch@+1 | c2                                    | c1 c2
  ]])
end)

describe("independent roots", function()
  plans.cases(it, [[
    a1
    b1 < a1
    a2
    b2 < a2
  ]], [[
          | up heads   | a2 b2 a1 b1 | b1 b2
          | up b1      | a1 b1       | b1
    b1    | up b2      | a2 b2       | b1 b2
          | up +1      | ! ambiguous walk
    b1    | up a2@+1   | a2          | a2 b1
    b1 b2 | down base  | b1 a1 b2 a2 |
    b1 b2 | down b1@base | b1 a1     | b2
    b1 b2 | down a2    | b2          | a2 b1
    b1 b2 | down a2@-2 | b2 a2       | b1
  ]])
end)

describe("planning", function()
  it("does not slow down with the square of the length", function()
    local list = { { id = "r1", down = {} }, { id = "s1", down = {} } }
    for i = 2, 5000 do
      list[#list + 1] = { id = "r" .. i, down = { "r" .. i - 1 } }
      list[#list + 1] = { id = "s" .. i, down = { "s" .. i - 1 } }
    end
    local map, start = graph.new(list), os.clock()
    assert.equal(10000, #plan.upgrade(map, {}, "heads"))
    assert.equal(10000, #plan.downgrade(map, { "r5000", "s5000" }, "base"))
    assert.is_true(os.clock() - start < 5)
  end)
end)
