local revisions = require "spec.support.revisions"
local revspec = require "moontide.revspec"

local function flat(ast)
  if ast.kind == "range" then
    return ("%s : %s"):format(ast.lower and flat(ast.lower) or "-", ast.upper and flat(ast.upper) or "-")
  end
  return ("%s @ %s %s"):format(ast.branch or "-", ast.symbol or "-", ast.step or "-")
end

describe("revspec.parse", function()
  for _, case in ipairs {
    { "", "- @ base -" },
    { "  ", "- @ base -" },
    { "base", "- @ base -" },
    { "head", "- @ head -" },
    { "heads", "- @ heads -" },
    { "current", "- @ current -" },
    { "ae1", "- @ ae1 -" },
    { " ae1 ", "- @ ae1 -" },
    { "12345", "- @ 12345 -" },
    { "12345+2", "- @ 12345 2" },
    { "12345-2", "- @ 12345 -2" },
    { "v1.0", "- @ v1.0 -" },
    { "v1.0+1", "- @ v1.0 1" },
    { "é-1", "- @ é -1" },
    { "+2", "- @ - 2" },
    { "-2", "- @ - -2" },
    { "+0", "- @ - 0" },
    { "base+2", "- @ base 2" },
    { "head-1", "- @ head -1" },
    { "lab@head", "lab @ head -" },
    { "lab@base", "lab @ base -" },
    { "lab@ae1", "lab @ ae1 -" },
    { "lab@+1", "lab @ - 1" },
    { "lab@-1", "lab @ - -1" },
    { "lab@head-3", "lab @ head -3" },
    { "lab@base+3", "lab @ base 3" },
    { ":", "- : -" },
    { "a:", "- @ a - : -" },
    { ":b", "- : - @ b -" },
    { "a:b", "- @ a - : - @ b -" },
    { "-3:current", "- @ - -3 : - @ current -" },
    { "lab@base:lab@+2", "lab @ base - : lab @ - 2" },
    { "a : b", "- @ a - : - @ b -" },
  } do
    it(("reads %q"):format(case[1]), function() assert.equal(case[2], flat(revspec.parse(case[1]))) end)
  end

  for _, case in ipairs {
    { "a@b@c", '"@" at character 4' },
    { "@head", '"@" at character 1' },
    { "lab@", '"@" at character 4' },
    { "a:b:c", '":" at character 4' },
    { "a b", '"b" at character 3' },
    { "x+", '"+" at character 2' },
    { "+x", '"+" at character 1' },
    { "x+1y", '"y" at character 4' },
    { "x+1+1", '"+" at character 4' },
    { "--1", '"-" at character 1' },
    { "abc-1 junk", '"j" at character 7' },
  } do
    it(("refuses %q"):format(case[1]), function()
      local ok, problem = pcall(revspec.parse, case[1])
      assert.is_false(ok)
      assert.equal("revision", problem.kind)
      assert.equal(('invalid revision identifier "%s"'):format(case[1]), problem.message)
      assert.truthy(problem.detail:find(case[2], 1, true), problem.detail)
    end)
  end

  it("keeps the text of both ends of a range", function()
    local ast = revspec.parse "lab@base : -3"
    assert.same({ "lab@base", "-3" }, { ast.lower.text, ast.upper.text })
    assert.same({ true, "a", nil }, { revspec.ends "a:" })
    assert.same({ false }, { revspec.ends "a" })
  end)

  it("survives a step larger than any integer", function()
    assert.is_true(revspec.parse("+99999999999999999999999").step > 1000000)
  end)
end)

-- Lines of `identifier | revisions`, or of `identifier | ! message | in detail or hint`.
local function resolves(text, table_text, rows)
  local map = revisions.map(text)
  for _, case in ipairs(revisions.cases(table_text)) do
    it(("%s is %s"):format(case[1], case[2]), function()
      local ok, found = pcall(revspec.revisions, map, case[1], rows)
      local message = case[2]:match("^!%s*(.*)$")
      if not message then return assert.equal(case[2], ok and revisions.ids(found) or tostring(found)) end
      assert.is_false(ok)
      assert.equal("revision", found.kind)
      assert.equal(message, found.message)
      assert.truthy(((found.detail or "") .. (found.hint or "")):find(case[3], 1, true), found.detail)
    end)
  end
end

describe("identifiers of labelled branches", function()
  resolves([[
    a (abranch)
    b < a
    somelongername < b
    c < somelongername
    d
    e (ebranch) < d
    someothername < e
    f < someothername
  ]], [[
    a               | a
    base            |
    heads           | c f
    head            | ! multiple head revisions are present for given argument "head" | The heads are "c", "f".
    ebranch@head    | f
    abranch@head    | c
    abranch@heads   | c
    ebranch@base    |
    abranch         | a
    ebranch         | e
    ebr             | e
    ebranch@ebranch | e
    ebranch@d       | d
    ebranch@some    | someothername
    abranch@some    | somelongername
    somel           | somelongername
    e               | e
    e@d             | d
    someoth@d       | d
    ebranch@-2      | e
    ebranch@head-1  | someothername
    abranch@base+2  | b
    -1              | somelongername someothername
    a+1             | b
    a-1             |
    c-2             | b
    some            | ! multiple revisions start with "some" | "somelongername", "someothername"
    ebranch@b       | ! revision "b" is not a member of branch "ebranch" | ebranch@base
    abranch@d       | ! revision "d" is not a member of branch "abranch" | abranch@base
    ebranch@sos     | ! can't locate revision identified by "sos" | on branch "ebranch"
    abranch@qprstuv | ! can't locate revision identified by "qprstuv" | moontide history
    someothernane   | ! can't locate revision identified by "someothernane" | Perhaps you meant "someothername".
    x@d             | ! no such branch: "x" | A branch is named by
    ebranhc@d       | ! no such branch: "ebranhc" | Perhaps you meant "ebranch".
    x@base          | ! no such branch: "x" | A branch is named by
    x@-1            | ! no such branch: "x" | A branch is named by
    somelongernames | ! can't locate revision identified by "somelongernames" | "somelongername"
    a-2             | ! relative revision -2 didn't produce 2 migrations | "a-2"
    -9              | ! relative revision -9 didn't produce 9 migrations | "-9"
    c+1             | ! relative revision +1 didn't produce 1 migrations | "c+1"
    +1              | ! relative revision +1 didn't produce 1 migrations | for upgrade
    heads-1         | ! multiple head revisions are present for given argument "heads-1" | "c", "f"
    current         | ! "current" is not allowed here | history, show and edit
    a:b             | ! range revision not allowed: "a:b" | single revision
  ]])
end)

describe("identifiers relative to what is applied", function()
  resolves("a\nb < a\nc (lab) < b\nd < b", [[
    current     | c d
    lab@current | c
    current-1   | ! multiple head revisions are present for given argument "current-1" | "c", "d"
  ]], { "c", "d" })
  resolves("a\nb < a\nc < b", "current | b\ncurrent-1 | a\ncurrent+1 | c", { "b" })
  resolves("a\nb < a\nc < b", "current |\ncurrent+1 | a", {})
end)

describe("identifiers of digits", function()
  resolves("12345\n123456 < 12345\n98765 < 123456", [[
    12345   | 12345
    12345+1 | 123456
    9876    | 98765
    -1      | 123456
    1234    | ! multiple revisions start with "1234" | "12345", "123456"
  ]])
end)

describe("heads", function()
  resolves("", "head |\nheads |\nbase |")
  -- A head that another one depends on is reached with it.
  resolves("a\nb\nc < b ~ a", "head | c\nheads | c\na@head | a")
  resolves("a\nb1 (one) < a\nb2 (two) < a", [[
    one@head | b1
    a@heads  | b1 b2
    a@head   | ! multiple head revisions are present for given argument "a@head" | "b1", "b2"
  ]])
  resolves("a\nb < a\nc1 (c1branch) < b\nc2 < b\nd < c1, c2", "c1branch@head | d\nc1branch@heads | d")
end)

describe("revspec.revision", function()
  it("answers one revision, or nil for the base", function()
    local map = revisions.map "a\nb < a"
    assert.equal("b", revspec.revision(map, "head").id)
    assert.is_nil(revspec.revision(map, "base"))
    assert.is_nil(revspec.revision(map, "a-1"))
  end)

  it("refuses several", function()
    local ok, problem = pcall(revspec.revision, revisions.map "a\nb", "heads")
    assert.is_false(ok)
    assert.equal('multiple head revisions are present for given argument "heads"', problem.message)
  end)
end)
