local version = require "moontide.plugin.version"

describe("a version", function()
  for text, is in pairs {
    ["1"] = true, ["1.2.3"] = true, ["0.1.0-beta"] = true, ["10.0rc1"] = true,
    [""] = false, ["v1"] = false, ["1."] = false, ["1..2"] = false, ["1.2-"] = false, ["one"] = false,
  } do
    it(('"%s" %s one'):format(text, is and "is" or "is not"), function() assert.equal(is, version.is(text)) end)
  end

  for _, case in ipairs {
    { "1.2", "1.10", -1 }, { "1.2", "1.2.0", 0 }, { "2", "1.9.9", 1 }, { "1.0-beta", "1.0", -1 },
    { "1.0-beta", "1.0-alpha", 1 }, { "1.0-beta", "0.9", 1 },
  } do
    it(("%s against %s"):format(case[1], case[2]), function()
      local order = version.compare(case[1], case[2])
      assert.equal(case[3], order == 0 and 0 or order < 0 and -1 or 1)
    end)
  end
end)

describe("a requirement", function()
  for _, case in ipairs {
    { ">= 1.2, < 2", "1.2", true }, { ">= 1.2, < 2", "2.0", false }, { ">= 1.2, < 2", "2.0-beta", true },
    { "1.2", "1.2.0", true }, { "== 1.2", "1.3", false }, { "", nil, true }, { "", "7", true }, { ">=0.1", nil, false },
    { ">1", "1", false }, { "<= 1", "1", true },
  } do
    it(('"%s" is%s met by %s'):format(case[1], case[3] and "" or " not", tostring(case[2])), function()
      assert.equal(case[3], version.meets(version.requirement("a", case[1]), case[2]))
    end)
  end

  it("that cannot be read is none", function()
    for _, text in ipairs { "~> 1", ">= one", "=> 1", ">=" } do assert.is_nil(version.requirement("a", text)) end
  end)
end)
