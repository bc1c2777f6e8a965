local cjson = require "cjson"
local fault = require "moontide.fault"
local json = require "moontide.sql.json"
local value = require "moontide.value"

describe("json.encode", function()
  -- name, document, text
  local cases = {
    { "strings", 'a"b\\\n', '"a\\"b\\\\\\n"' }, { "unicode", "é", '"é"' },
    { "integers", 9007199254740993, "9007199254740993" },
    { "floats", 0.1 + 0.2, "0.30000000000000004" }, { "whole floats", 2.0, "2.0" }, { "booleans", false, "false" },
    { "nothing", nil, "null" }, { "null", value.null, "null" }, { "cjson.null", cjson.null, "null" },
    { "lists", { 1, "a", value.null }, '[1,"a",null]' }, { "objects in order", { b = 1, a = 2, c = { d = {} } },
      '{"a":2,"b":1,"c":{"d":{}}}' },
    { "an empty table", {}, "{}" }, { "an empty array", value.array {}, "[]" },
    { "arrays in objects", { tags = value.array {}, more = value.array { 1, { 2 } } }, '{"more":[1,[2]],"tags":[]}' },
    { "documents in documents", { a = value.json { 1 } }, '{"a":[1]}' },
  }
  for _, case in ipairs(cases) do
    it("writes " .. case[1], function() assert.equal(case[3], json.encode(case[2])) end)
  end

  local loop = {}
  loop.loop = loop
  local wrong = {
    { "NaN", { 0 / 0 }, "JSON has no number NaN" }, { "infinity", { -1 / 0 }, "JSON has no number -Infinity" },
    { "mixed tables", { 1, a = 2 }, "a JSON value cannot be both a list and an object" },
    { "keys that are no strings", { [true] = 1 }, "a JSON object cannot have the key true" },
    { "functions", { print }, "a function cannot be written as JSON" },
    { "expressions", { value.sql "now()" }, "an SQL expression cannot be part of a JSON document" },
    { "bytes", value.bytea "a", "bytea cannot be part of a JSON document" },
    { "what contains itself", loop, "JSON value is nested too deeply (or contains itself)" },
  }
  for _, case in ipairs(wrong) do
    it("refuses " .. case[1], function()
      local ok, problem = pcall(json.encode, case[2])
      assert.is_false(ok)
      assert.is_true(fault.is(problem))
      assert.equal(case[3], problem.message)
    end)
  end

  it("reads what the server wrote without its nulls", function()
    assert.same({ a = { 1, { b = false } }, c = "x" }, json.document('{"a":[1,{"b":false,"d":null}],"c":"x","e":null}'))
  end)
end)
