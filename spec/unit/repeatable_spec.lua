local fault = require "moontide.fault"
local repeatable = require "moontide.repeatable"

local function objects(texts)
  local list = {}
  for name, text in pairs(texts) do list[#list + 1] = repeatable.new(name, "r/" .. name, text) end
  return list
end

local function names(list)
  local words = {}
  for index, object in ipairs(list) do words[index] = object.name end
  return table.concat(words, " ")
end

describe("repeatable", function()
  it("reads the head of a file", function()
    local object = repeatable.new("v/a.sql", "p",
      "\239\187\191-- Words.\r\n-- requires: b,  c/d.sql\r\n--- requires: e\nselect 1;\n-- requires: f")
    assert.equal("repeatable/v/a.sql", object.id)
    assert.equal("Words.", object.doc)
    assert.same({ "b", "c/d.sql", "e" }, object.requires)
    assert.equal("", repeatable.new("a", "p", "-- upgrade\n-- not me\n").doc)
  end)

  it("orders by requirements, else by name", function()
    local list = objects { ["a.sql"] = "-- requires: z", ["b.lua"] = "", ["z.sql"] = "-- requires: y", ["y.lua"] = "" }
    assert.equal("y.lua z.sql a.sql b.lua", names(repeatable.order(list)))
  end)

  it("prefers the whole name to one without its ending", function()
    local list = objects { ["a"] = "", ["a.sql"] = "", ["a.lua"] = "" }
    assert.equal("a.lua", repeatable.find(list, "a.lua").name)
    assert.equal("a", repeatable.find(list, "a").name)
    assert.is_nil(repeatable.find(list, "b"))
  end)

  it("tells a cycle with its path, and suggests a name", function()
    local ok, problem = pcall(repeatable.order,
      objects { ["a.sql"] = "-- requires: b", ["b.sql"] = "-- requires: c", ["c.sql"] = "-- requires: b" })
    assert.is_false(ok)
    assert.equal("repeatable objects require each other: b.sql -> c.sql -> b.sql", problem.message)
    ok, problem = pcall(repeatable.order, objects { ["a.sql"] = "-- requires: view", ["views.sql"] = "" })
    assert.is_true(not ok and fault.is(problem))
    assert.equal('Did you mean "views"?', problem.hint)
  end)

  local texts = { ["a.sql"] = "", ["b.sql"] = "-- requires: a", ["c.sql"] = "-- requires: b", ["d.sql"] = "" }

  local function rows(changes)
    local map = {}
    for name, text in pairs(texts) do
      map[name] = { checksum = repeatable.new(name, "p", text).checksum, current = true }
    end
    for name, row in pairs(changes) do map[name] = row or nil end
    return map
  end

  -- what differs from the files, what is applied
  local cases = {
    { {}, "" }, { { ["d.sql"] = false }, "d.sql" }, { { ["c.sql"] = { checksum = "x", current = true } }, "c.sql" },
    { { ["a.sql"] = { checksum = "x", current = true } }, "a.sql b.sql c.sql" },
    { { ["d.sql"] = { checksum = repeatable.new("d", "p", "").checksum, current = false } }, "d.sql" },
  }
  for _, case in ipairs(cases) do
    it(("applies %q"):format(case[2]), function()
      assert.equal(case[2], names(repeatable.due(repeatable.order(objects(texts)), rows(case[1]))))
    end)
  end

  it("finds what is built on an object", function()
    local list = repeatable.order(objects(texts))
    assert.equal("b.sql c.sql", names(repeatable.built_on(list, list[1])))
    assert.equal("", names(repeatable.built_on(list, list[4])))
  end)
end)
