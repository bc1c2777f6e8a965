local fault = require "moontide.fault"
local graph = require "moontide.graph"
local revisions = require "spec.support.revisions"

local function problem_of(text)
  local ok, problem = pcall(revisions.map, text)
  assert.is_false(ok)
  assert.is_true(fault.is(problem), tostring(problem))
  assert.equal("graph", problem.kind)
  return problem
end

describe("a graph is refused", function()
  for name, case in pairs {
    ["with two files for one id"] = { "a\nb < a\na", 'revision "a" is present more than once',
      "versions/01_a.lua", "versions/03_a.lua" },
    ["with a missing parent"] = { "a\nb < c", 'revision "c" referenced from "b" is not present', "versions/02_b.lua",
      "down_revision" },
    ["with a misspelt parent"] = { "abcdef\nb < abcedf", 'revision "abcedf" referenced from "b" is not present',
      'Perhaps you meant "abcdef".' },
    ["with a missing dependency"] = { "a\nb < a ~ zzz", 'revision "zzz" referenced from "b" is not present',
      "versions/02_b.lua", "depends_on" },
    ["with a misspelt label as dependency"] = { "a (library)\nb ~ libary",
      'revision "libary" referenced from "b" is not present', 'Perhaps you meant "library".' },
    ["with a dependency on the beginning of an id"] = { "abcdef\nb ~ abc",
      'revision "abc" referenced from "b" is not present' },
    ["with a label as parent"] = { "a (lab)\nb < lab", 'revision "lab" referenced from "b" is not present' },
    ["with a revision on itself"] = { "a < a", 'self-loop is detected in revision "a"', "versions/01_a.lua" },
    ["with a base on itself"] = { "a < a\nb < a\nc < b", 'self-loop is detected in revision "a"' },
    ["with a head on itself"] = { "a\nb < a\nc < b, c", 'self-loop is detected in revision "c"' },
    ["with a branchpoint on itself"] = { "a\nb < a, b\nc1 < b\nc2 < b", 'self-loop is detected in revision "b"' },
    ["with a mergepoint on itself"] = { "a\nb1 < a\nb2 < a\nc < b1, b2, c", 'self-loop is detected in revision "c"' },
    ["with a dependency on itself"] = { "a ~ a", 'dependency self-loop is detected in revision "a"' },
    ["with a base that depends on itself"] = { "a ~ a\nb < a", 'dependency self-loop is detected in revision "a"' },
    ["with a head that depends on itself"] = { "a\nb < a ~ b", 'dependency self-loop is detected in revision "b"' },
    ["with a dependency on its own label"] = { "a (lab) ~ lab", 'dependency self-loop is detected in revision "a"' },
    ["with a cycle"] = { "a < c\nb < a\nc < b", 'cycle is detected in revisions "a", "c", "b"',
      '"a" (versions/01_a.lua) comes after "c"\n"c" (versions/03_c.lua) comes after "b"' },
    ["with a cycle beside a line"] = { "a < c\nb < a\nc < b\nd\ne < d",
      'cycle is detected in revisions "a", "c", "b"' },
    ["with a cycle below a line"] = { "a < c\nb < a\nc < b\nd < c\ne < d",
      'cycle is detected in revisions "a", "c", "b"' },
    ["with a cycle above a line"] = { "a\nb < a\nc < b, e\nd < c\ne < d",
      'cycle is detected in revisions "c", "e", "d"' },
    ["with a line above a cycle in front"] = { "e < d\nd < c\na < c\nb < a\nc < b",
      'cycle is detected in revisions "c", "b", "a"' },
    ["with a dependency cycle"] = { "a ~ c\nb < a\nc < b", 'dependency cycle is detected in revisions "a", "c", "b"' },
    ["with a dependency cycle beside a line"] = { "a ~ c\nb < a\nc < b\nd\ne < d",
      'dependency cycle is detected in revisions "a", "c", "b"' },
    ["with a dependency cycle below a line"] = { "a ~ c\nb < a\nc < b\nd < c\ne < d",
      'dependency cycle is detected in revisions "a", "c", "b"' },
    ["with a dependency cycle above a line"] = { "a\nb < a\nc < b ~ e\nd < c\ne < d",
      'dependency cycle is detected in revisions "c", "e", "d"' },
    ["with a label twice"] = { "a\nb < a\nc (xy1) < b\nd\ne (xy1) < d",
      'branch name "xy1" in revision "e" is already used by revision "c"', "versions/03_c.lua", "versions/05_e.lua" },
    ["with a label that is an id"] = { "a\nb (a) < a",
      'branch name "a" in revision "b" is already the identifier of revision "a"' },
    ["with a label that is its own id"] = { "a (a)", 'branch name "a" in revision "a" is already the identifier' },
  } do
    it(name, function()
      local problem = problem_of(case[1])
      assert.truthy(problem.message:find(case[2], 1, true) == 1, problem.message)
      local rest = (problem.detail or "") .. "\n" .. (problem.hint or "")
      for i = 3, #case do assert.truthy(rest:find(case[i], 1, true), rest) end
    end)
  end

  for _, id in ipairs { "a@b", "a-b", "a+b", "a:b", "a b", "a\nb" } do
    it(("with the id %q"):format(id), function()
      local ok, problem = pcall(graph.new, { { id = id, down = {}, path = "versions/x.lua" } })
      assert.is_false(ok)
      assert.equal("graph", problem.kind)
      assert.truthy(problem.message:find(('characters "%s" are not allowed'):format(id:sub(2, 2)), 1, true))
      assert.truthy(problem.detail:find("versions/x.lua", 1, true))
    end)
  end

  it("naming each forbidden character once, sorted", function()
    local _, problem = pcall(graph.new, { { id = "-x@y-z", down = {} } })
    assert.equal('characters "-", "@" are not allowed in revision identifier "-x@y-z"', problem.message)
  end)

  for _, id in ipairs { "head", "heads", "base", "current" } do
    it("with the reserved name " .. id, function()
      assert.equal(('"%s" is reserved and cannot be a revision identifier'):format(id), problem_of(id).message)
      assert.equal(('"%s" is reserved and cannot be a branch label'):format(id), problem_of("a (" .. id .. ")").message)
    end)
  end

  it("with an empty id or label", function()
    local _, problem = pcall(graph.new, { { id = "", down = {} } })
    assert.equal("empty revision identifier", problem.message)
    _, problem = pcall(graph.new, { { id = "a", down = {}, labels = { "" } } })
    assert.equal("empty branch label", problem.message)
  end)
end)

describe("a graph", function()
  it("knows heads, real heads, bases, branchpoints and mergepoints in the order of the files", function()
    local map = revisions.map [[
      a
      b1 < a
      b2 < a
      c < b1, b2
      x
      y
      z < y ~ x
    ]]
    assert.same({ "c", "x", "z" }, map.heads)
    assert.same({ "c", "z" }, map.real_heads)
    assert.same({ "a", "x", "y" }, map.bases)
    assert.same({ "a" }, map.branchpoints)
    assert.same({ "c" }, map.mergepoints)
    assert.is_true(map:is_head "x")
    assert.is_false(map:is_real_head "x")
  end)

  it("may be empty", function()
    local map = graph.new {}
    assert.same({}, map.heads)
    assert.same({}, map:walk())
    assert.is_nil(map:get "a")
  end)

  it("does not need parents to come first, or any optional field", function()
    local map = graph.new { { id = "b", down = { "a" } }, { id = "a", down = {} } }
    assert.same({ "b" }, map.heads)
    assert.same({ "b" }, map:children "a")
  end)

  it("answers neighbours", function()
    local map = revisions.map "a\nb < a\nc < a\nd (lib)\ne < b ~ lib"
    assert.equal("a", map:get("a").id)
    assert.same({ "b", "c" }, map:children "a")
    assert.same({ "b", "d" }, map:parents "e")
    assert.same({ "d" }, map:dependencies "e")
  end)

  it("counts a parent or dependency that is listed twice once", function()
    local map = revisions.map "a\nb < a, a\nc < b ~ a, a"
    assert.same({ "b" }, map:children "a")
    assert.same({ "b", "a" }, map:parents "c")
    assert.same({}, map.mergepoints)
  end)

  it("leaves out dependencies that an ancestor has", function()
    local map = revisions.map "a1\na2 < a1\na3 < a2\nb1\nb2 < b1 ~ a3\nb3 < b2\nb4 < b3 ~ a3\nb5 < b4 ~ b4"
    assert.same({ "b1", "a3" }, map:parents "b2")
    assert.same({ "a3" }, map:dependencies "b4")
    assert.same({ "b3" }, map:parents "b4")
    assert.same({ "b4" }, map:parents "b5")
  end)

  it("answers ancestors and descendants, with dependencies or without", function()
    local map = revisions.map "a\nb < a\nx\ny < x ~ b\nz < y"
    assert.same({ a = true, b = true, x = true, y = true }, map:ancestors { "y" })
    assert.same({ x = true, y = true }, map:ancestors({ "y" }, { deps = false }))
    assert.same({ b = true, y = true, z = true }, map:descendants { "b" })
    assert.same({ b = true }, map:descendants({ "b" }, { deps = false }))
    assert.same({ a = true, b = true, x = true }, map:ancestors({ "b", "x" }))
  end)

  it("gives labels to descendants, and to ancestors down to where branches part or meet", function()
    local map = revisions.map [[
      a
      b < a
      c1 < b
      d1 (one) < c1
      e1 < d1
      c2 (two) < b
      m < e1, c2
    ]]
    local labels = {}
    for _, node in ipairs(map.nodes) do labels[node.id] = table.concat(map:labels(node.id), " ") end
    assert.same({ a = "", b = "", c1 = "one", d1 = "one", e1 = "one", c2 = "two", m = "one two" }, labels)
  end)

  it("gives labels down to the base of a branch of its own", function()
    local map = revisions.map "d\ne (ebranch) < d\nf < e"
    assert.same({ "ebranch" }, map:labels "d")
    assert.same({ "ebranch" }, map:labels "f")
  end)

  it("does not touch the revisions it was made of", function()
    local list = revisions.parse "a (lab)\nb < a ~ lab"
    graph.new(list)
    assert.same(revisions.parse "a (lab)\nb < a ~ lab", list)
  end)
end)

describe("a large graph", function()
  local function chain(n)
    local list = {}
    for i = 1, n do list[i] = { id = "r" .. i, down = i > 1 and { "r" .. i - 1 } or {} } end
    return list
  end

  it("may be a hundred thousand revisions deep", function()
    local map = graph.new(chain(100000))
    assert.equal("r100000", map:walk()[1].id)
  end)

  it("may have a cycle of a hundred thousand", function()
    local list = chain(100000)
    list[1].down = { "r100000" }
    local ok, problem = pcall(graph.new, list)
    assert.is_false(ok)
    assert.matches("and 99990 more$", problem.message)
  end)

  it("takes a moment for ten thousand branches of one revision", function()
    local list, start = chain(1), os.clock()
    for i = 1, 10000 do list[#list + 1] = { id = "b" .. i, down = { "r1" } } end
    assert.equal(10001, #graph.new(list):walk())
    assert.is_true(os.clock() - start < 2)
  end)

  it("takes a moment for thousands of merges and dependencies", function()
    local list, start = chain(1), os.clock()
    for i = 1, 3000 do
      local last = list[#list].id
      list[#list + 1] = { id = "a" .. i, down = { last } }
      list[#list + 1] = { id = "b" .. i, down = { last }, deps = { "r1" } }
      list[#list + 1] = { id = "m" .. i, down = { "a" .. i, "b" .. i }, deps = { "r1" } }
    end
    assert.equal(9001, #graph.new(list):walk())
    assert.is_true(os.clock() - start < 2)
  end)
end)
