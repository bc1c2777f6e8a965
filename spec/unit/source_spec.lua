local source = require "moontide.source"
local value = require "moontide.value"

local sql, null, array, json, bytea = value.sql, value.null, value.array, value.json, value.bytea

describe("source.value", function()
  for _, case in ipairs {
    { "a", '"a"' },
    { 'say "hi"', "'say \"hi\"'" },
    { [["it's"]], [["\"it's\""]] },
    { "a\\b\tc\0", [["a\\b\tc\x00"]] },
    { "two\nlines", "[[\ntwo\nlines]]" },
    { "ends\n]]", "[=[\nends\n]]]=]" },
    { "\r\n", [["\r\n"]] },
    { "ä\255", [["\xc3\xa4\xff"]] },
    { "ä", '"ä"' },
    { 1, "1" }, { math.mininteger, "math.mininteger" }, { 1.0, "1.0" }, { 0.1, "0.1" }, { 1e300, "1e+300" },
    { 1 / 0, "math.huge" }, { true, "true" }, { null, "null" },
    { sql "now()", 'sql "now()"' },
    { array { 1, null, "x" }, 'array { 1, null, "x" }' },
    { array({}, "text"), 'array({}, "text")' },
    { json { a = 1 }, "json({ a = 1 })" },
    { bytea "\1", 'bytea "\\x01"' },
    { {}, "{}" },
    { { "a", 1, nullable = false, ["end"] = 1, ["a b"] = 2 },
      '{ "a", 1, nullable = false, ["a b"] = 2, ["end"] = 1 }' },
    { { existing = {}, zebra = 1, schema = "s", name = "n" },
      '{ name = "n", schema = "s", zebra = 1, existing = {} }' },
  } do
    it("writes " .. case[2]:gsub("%c", " "), function()
      assert.equal(case[2], source.value(case[1]))
    end)
  end

  it("reads back as the same string, whatever the bytes", function()
    for _, text in ipairs { "\0\1\2", "]]", "]=]\n]]", "\n", "\nfirst", "a\r\nb", ("x"):rep(300), "\\", "'\"",
      "\27[0m" } do
      assert.equal(text, load("return " .. source.string(text))())
    end
  end)

  it("gives every item of a long list of tables its line", function()
    local long = { { ("a"):rep(60) }, { ("b"):rep(60) } }
    assert.equal(("{\n  { \"%s\" },\n  { \"%s\" },\n}"):format(("a"):rep(60), ("b"):rep(60)), source.value(long))
  end)

  it("fills the lines of a long list of plain values", function()
    local text = source.value { ("a"):rep(50), ("b"):rep(30), ("c"):rep(30), schema = "s" }
    assert.equal(('{ "%s", "%s",\n  "%s", schema = "s" }'):format(("a"):rep(50), ("b"):rep(30), ("c"):rep(30)), text)
  end)
end)

describe("source.call", function()
  it("leaves out what is missing or empty at the end", function()
    assert.equal('op.x("a", nil, 1)', source.call("x", "a", nil, 1, nil, {}))
  end)

  it("keeps to 100 columns by breaking one table", function()
    local text = source.call("x", "name", { { ("a"):rep(50) }, { ("b"):rep(50) } }, { schema = "s" })
    assert.equal(('op.x("name", {\n  { "%s" },\n  { "%s" },\n}, { schema = "s" })')
      :format(("a"):rep(50), ("b"):rep(50)), text)
  end)
end)
