local plan = require "moontide.plan"
local plans = require "spec.support.plans"
local revisions = require "spec.support.revisions"

describe("a dependency on another branch", function()
  plans.cases(it, [[
    a1 (lib1)
    b1 < a1
    c1 < b1
    a2
    b2 < a2
    c2 < b2 ~ c1
    d1 < c1
    e1 < d1
    f1 < e1
  ]], [[
    c2 d1 | down c1    | d1                              | c2
    c2    | down c1    | ! destination "c1" is not a valid downgrade target from current head(s)
    c2 d1 | down d1-1  | d1                              | c2
    c2 f1 | down c1    | f1 e1 d1                        | c2
    a2    | up c2      | a1{a1,a2} b1{a2,b1} c1{a2,c1} b2{b2,c1} c2{c2} | c2
    c2    | up f1      | d1{c2,d1} e1{c2,e1} f1{c2,f1}   | c2 f1
    c2    | down b1    | c2{b2,c1} c1{b1,b2}             | b1 b2
    c2    | down b2    | c2                              | b2 c1
    c2    | down base  | c2 b2 a2 c1 b1 a1               |
    c2    | down lib1@base | c2 c1 b1 a1                 | b2
    c2    | down lib1@-1 | c2 c1                         | b1 b2
    e1 c2 | stamp b1   | -e1 c2>b1                       | b1
  ]])
end)

describe("a dependency named by a label", function()
  plans.cases(it, [[
    a1 (lib1)
    b1 < a1
    c1 (c1lib) < b1
    a2
    b2 < a2
    c2 < b2 ~ c1lib
    d1 < c1
    e1 < d1
    f1 < e1
  ]], [[
    a2 | up c2    | a1 b1 c1 b2 c2 | c2
    a2 | up c1lib | a1 b1 c1       | a2 c1
  ]])
end)

describe("one revision that depends on three branches", function()
  plans.cases(it, [[
    a1
    a2
    a3
    amerge < a1, a2, a3
    b1
    b2
    bmerge < b1, b2
    c1
    c2
    c3
    cmerge < c1, c2, c3
    d1 ~ a3, b2, c1
  ]], [[
    amerge bmerge cmerge d1 | down b2      | bmerge | amerge b1 cmerge d1
    amerge d1 b1 cmerge     | down d1@base | d1     | amerge b1 b2 cmerge
    amerge b1 b2 cmerge     | down base    | amerge a1 b1 b2 cmerge c1 a2 a3 c2 c3 |
  ]])
end)

describe("branches that depend on each other in turn", function()
  plans.cases(it, [[
    a1
    a2 < a1
    b1
    b2 < b1 ~ a2
    b3 < b2
    a3 < a2 ~ b1
  ]], [[
    a3 b2 | down b1  | b2       | a3
    a2 b1 | up heads | a3{a3} b2{a3,b2} b3{a3,b3} | a3 b3
    b3    | up a3    | a3       | a3 b3
    a3    | down a2  | a3       | a2 b1
  ]])
end)

describe("a dependency on the own parent", function()
  plans.cases(it, "a1\na2 < a1 ~ a1", [[
       | up a2   | a1 a2 | a2
    a2 | down a1 | a2    | a1
  ]])
end)

describe("a dependency that an ancestor has already", function()
  plans.cases(it, [[
    a1
    a2 < a1
    a3 < a2
    b1
    b2 < b1 ~ a3
    b3 < b2
    b4 < b3 ~ a3
  ]], [[
    b4 | down b3 | b4 | b3
       | up b4   | a1 a2 a3 b1 b2 b3 b4 | b4
  ]])
end)

describe("a merge of a revision and its dependency", function()
  plans.cases(it, [[
    a1
    b1 ~ a1
    bmerge < a1, b1
  ]], [[
    a1     | up b1     | b1     | b1
    b1     | up bmerge | bmerge | bmerge
    bmerge | down a1   | bmerge | b1
    bmerge | down b1   | bmerge | b1
  ]])
end)

describe("branches of which one depends on the other", function()
  plans.cases(it, [[
    a
    b < a
    c1 (c1branch) < b
    d1 < c1
    c2 (c2branch) < b
    d2 < c2 ~ c1
  ]], [[
    d1 d2 | down c2branch@b | d2 c2    | d1
    d1 d2 | down c1branch@b | d1 d2 c1 | c2
  ]])
end)

describe("an effective head", function()
  local graph = [[
    y1 (y)
    x1 (x)
    y2 < y1 ~ x1
    x2 < x1
  ]]
  plans.cases(it, graph, [[
    x2 y2 | down x@-1 | x2    | y2
    y2    | down x@-1 | y2 x1 | y1
    y2    | down y@-1 | y2    | x1 y1
  ]])
  plans.cases(it, graph, "x1 y2 | down x@-1 | y2 x1 | y1", { loose = true })
  plans.cases(it, "y1\nx1\ny2 < y1 ~ x1", "| up head | x1 y1 y2 | y2")

  it("is shown as current although it has no row", function()
    local map = revisions.map "y1\nx1\ny2 < y1 ~ x1"
    assert.equal("x1 y2", revisions.ids(plan.current(map, { "y2" })))
    assert.equal("y1 x1", revisions.ids(plan.current(map, { "x1", "y1" })))
    assert.equal("", revisions.ids(plan.current(map, {})))
  end)
end)

-- A parent that another parent stands on gets no row of its own when a merge is taken back.
describe("a merge with a parent below another parent", function()
  plans.cases(it, [[
    a
    b < a
    m < b, a
    z
  ]], [[
    m z | down m-1   | ! ambiguous walk
    m z | down b     | m{b,z} | b z
    m z | down a     | m{b,z} b{a,z} | a z
      b | up m       | m      | m
  ]])
end)
