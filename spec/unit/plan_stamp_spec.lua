local plan = require "moontide.plan"
local plans = require "spec.support.plans"
local revisions = require "spec.support.revisions"

describe("stamp on branches", function()
  plans.cases(it, [[
    a
    b < a
    c1 (c1branch) < b
    d1 < c1
    c2 (c2branch) < b
    d2 < c2
  ]], [[
    d1 c2 | stamp b             | -d1 c2>b | b
    d1 c2 | stamp c1branch@base | -d1      | c2
    d1 c2 | stamp c2branch@head | c2>d2    | d1 d2
    d1 c2 | stamp base          | -d1 -c2  |
    d1 c2 | stamp d1            |          | c2 d1
    d1 c2 | stamp d1 c2         |          | c2 d1
    d1 c2 | stamp heads         | c2>d2    | d1 d2
          | stamp d1            | +d1      | d1
          | stamp base          |          |
    d1    | stamp d2            | +d2      | d1 d2
    b     | stamp d1 d2         | b>d1 +d2 | d1 d2
    d1 d2 | stamp c1 c2         | d1>c1 d2>c2 | c1 c2
    d1 d2 | stamp a             | -d1 d2>a | a
    d2    | stamp d2-1          | d2>c2    | c2
    a     | stamp head          | ! multiple heads are present
    a     | stamp b@head        | ! multiple heads are present
    a     | stamp c1 b          | ! requested revision "c1" overlaps with other requested revisions "b"
    a     | stamp nope          | ! can't locate revision identified by "nope"
    gone  | stamp a             | ! can't locate revision identified by "gone"
    gone  | purge a             | -gone +a | a
    gone d1 | purge d1 d2       | -gone -d1 +d1 +d2 | d1 d2
    gone  | purge base          | -gone    |
  ]])
end)

describe("stamp across merges", function()
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
    e     | stamp c2            | e>c2     | c2
    e     | stamp a             | e>a      | a
    c2    | stamp e             | c2>e     | e
    b     | stamp e             | b>e      | e
    d1 c2 | stamp c2branch@head | -d1 c2>f | f
    d1 c2 | stamp e             | -d1 c2>e | e
    f     | stamp base          | -f       |
  ]])
end)

describe("stamp on independent roots", function()
  plans.cases(it, [[
    a1
    b1 < a1
    a2
    b2 < a2
  ]], [[
          | stamp heads   | +b1 +b2 | b1 b2
    b1 b2 | stamp heads   |         | b1 b2
          | stamp b1@head | +b1     | b1
    b1 b2 | stamp b1@base | -b1     | b2
    b1 b2 | stamp a1      | b1>a1   | a1 b2
  ]])
end)

describe("stamp on three heads", function()
  plans.cases(it, [[
    a
    b < a
    c < b
    d < b
    e < d
    f < d
  ]], [[
      | stamp heads | +c +e +f   | c e f
    b | stamp c e f | b>c +e +f  | c e f
    b | stamp heads | b>c +e +f  | c e f
    a | stamp e f   | a>e +f     | e f
  ]])
end)

describe("stamp", function()
  it("names the revision it sets, and where from", function()
    local steps = plan.stamp(revisions.map "a\nb < a", { "a" }, "b")
    assert.equal("b", steps[1].revision.id)
    assert.same({ "stamp", { "a" }, { "b" } }, { steps[1].direction, steps[1].from, steps[1].to })
  end)
end)
