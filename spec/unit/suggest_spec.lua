local suggest = require "moontide.suggest"

describe("suggest.distance", function()
  local cases = {
    { "", "", 0 }, { "", "abc", 3 }, { "abc", "", 3 }, { "abc", "abc", 0 }, { "abc", "abd", 1 }, { "abc", "ab", 1 },
    { "abc", "xabc", 1 }, { "ab", "ba", 1 }, { "abcd", "acbd", 1 }, { "kitten", "sitting", 3 }, { "ca", "abc", 3 },
  }
  for _, case in ipairs(cases) do
    it(("is %d between %q and %q"):format(case[3], case[1], case[2]), function()
      assert.equal(case[3], suggest.distance(case[1], case[2]))
    end)
  end
end)

describe("suggest.nearest", function()
  local keys = { "url", "schema", "models", "timezone", "lock_timeout", "lock_wait" }
  local cases = {
    { "shcema", "schema" }, { "SCHEMA", "schema" }, { "model", "models" }, { "lock_timout", "lock_timeout" },
    { "uri", "url" }, { "time_zone", "timezone" }, { "completely_different", nil }, { "xyz", nil }, { "", nil },
  }
  for _, case in ipairs(cases) do
    it(("of %q is %s"):format(case[1], tostring(case[2])), function()
      assert.equal(case[2], (suggest.nearest(case[1], keys)))
    end)
  end

  it("does not depend on the order of the list", function()
    assert.equal("bat", (suggest.nearest("xat", { "cat", "bat" })))
    assert.equal("bat", (suggest.nearest("xat", { "bat", "cat" })))
  end)

  it("prefers the longer of two equally near words", function()
    assert.equal("timestamptz", (suggest.nearest("timestampz", { "timestamp", "timestamptz" })))
  end)

  it("tells the distance", function()
    local _, distance = suggest.nearest("schemma", keys)
    assert.equal(1, distance)
  end)
end)
