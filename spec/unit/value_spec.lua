local cjson = require "cjson"
local fault = require "moontide.fault"
local value = require "moontide.value"

local array, bytea, json, null, sql = value.array, value.bytea, value.json, value.null, value.sql

local function refusal(fn, ...)
  local ok, problem = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_true(fault.is(problem))
  assert.equal("operation", problem.kind)
  assert.matches("value_spec%.lua:%d+$", problem.where)
  return problem
end

-- name, value, kind, literal, parameter, text
local cases = {
  { "a string", "it's", "string", "'it''s'", "it's", "it's" },
  { "a backslash", "a\\b", "string", "E'a\\\\b'", "a\\b", "a\\b" },
  { "an integer", 42, "integer", "42", 42, "42" },
  { "a negative integer", -1, "integer", "-1", -1, "-1" },
  { "the largest integer", math.maxinteger, "integer", "9223372036854775807", math.maxinteger, "9223372036854775807" },
  { "the smallest integer", math.mininteger, "integer", "'-9223372036854775808'::bigint", math.mininteger,
    "-9223372036854775808" },
  { "a float", 0.1, "float", "0.1", { oid = 1700, value = "0.1" }, "0.1" },
  { "a whole float", 3.0, "float", "3.0", { oid = 1700, value = "3.0" }, "3.0" },
  { "a large float", 1e300, "float", "1e+300", { oid = 1700, value = "1e+300" }, "1e+300" },
  { "a float of 17 digits", 0.1 + 0.2, "float", "0.30000000000000004", { oid = 1700, value = "0.30000000000000004" },
    "0.30000000000000004" },
  { "minus zero", -0.0, "float", "'-0.0'::float8", { oid = 701, value = "-0.0" }, "-0.0" },
  { "infinity", 1 / 0, "float", "'Infinity'::float8", { oid = 701, value = "Infinity" }, "Infinity" },
  { "minus infinity", -1 / 0, "float", "'-Infinity'::float8", { oid = 701, value = "-Infinity" }, "-Infinity" },
  { "no number", 0 / 0, "float", "'NaN'::float8", { oid = 701, value = "NaN" }, "NaN" },
  { "true", true, "boolean", "true", true, "true" },
  { "false", false, "boolean", "false", false, "false" },
  { "nil", nil, "null", "NULL", nil, nil },
  { "null", null, "null", "NULL", nil, nil },
  { "cjson.null", cjson.null, "null", "NULL", nil, nil },
  { "an array of integers", array { 1, 2 }, "array", "'{1,2}'", "{1,2}", "{1,2}" },
  { "an empty array", array {}, "array", "'{}'", "{}", "{}" },
  { "an array with NULL", array { "a", null, "NULL" }, "array", "'{\"a\",NULL,\"NULL\"}'", '{"a",NULL,"NULL"}',
    '{"a",NULL,"NULL"}' },
  { "a hostile array", array { 'a"b\\c', "{,}", "" }, "array", "E'{\"a\\\\\"b\\\\\\\\c\",\"{,}\",\"\"}'",
    '{"a\\"b\\\\c","{,}",""}', '{"a\\"b\\\\c","{,}",""}' },
  { "a nested array", array { { 1, 2 }, array { 3, 4 } }, "array", "'{{1,2},{3,4}}'", "{{1,2},{3,4}}",
    "{{1,2},{3,4}}" },
  { "an array with a type", array({ 1.5 }, "numeric(3,1)"), "array",
    "'{\"1.5\"}'::numeric(3,1)[]", '{"1.5"}', '{"1.5"}' },
  { "an array of booleans and bytes", array { true, bytea "\1" }, "array", "E'{true,\"\\\\\\\\x01\"}'",
    '{true,"\\\\x01"}', '{true,"\\\\x01"}' },
  { "a JSON object", json { b = { 1, null }, a = "x'y" }, "json", "'{\"a\":\"x''y\",\"b\":[1,null]}'",
    '{"a":"x\'y","b":[1,null]}', '{"a":"x\'y","b":[1,null]}' },
  { "a JSON null", json(null), "json", "'null'", "null", "null" },
  { "bytes", bytea "\0'\255", "bytea", "'\\x0027ff'::bytea", { type = "bytea", value = "\0'\255" }, "\\x0027ff" },
}

describe("value", function()
  for _, case in ipairs(cases) do
    it("writes " .. case[1], function()
      assert.equal(case[3], value.kind(case[2]))
      assert.equal(case[4], value.literal(case[2]))
      assert.same(case[5], value.param(case[2]))
      assert.equal(case[6], value.text(case[2]))
      assert.is_false(value.is_expression(case[2]))
    end)
  end

  it("pastes expressions, and refuses them as data", function()
    assert.equal("now()", value.literal(sql "now()"))
    assert.equal("ARRAY[1, now()]", value.literal(array { 1, sql "now()" }))
    assert.equal("ARRAY[ARRAY[now()], ARRAY['a']]::text[]", value.literal(array({ { sql "now()" }, { "a" } }, "text")))
    assert.is_true(value.is_expression(sql "now()"))
    assert.is_true(value.is_expression(array { { sql "now()" } }))
    assert.matches("cannot be sent as data", refusal(value.param, sql "now()").message)
    assert.matches("cannot be sent as data", refusal(value.text, array { sql "now()" }).message)
  end)

  it("says which constructor to use instead of a plain table", function()
    for _, write in ipairs { value.literal, value.param, value.text } do
      local problem = refusal(write, { 1, 2 })
      assert.equal("a plain Lua table is not a value", problem.message)
      assert.matches("array{...}", problem.hint, 1, true)
    end
  end)

  it("refuses what is no value", function()
    assert.equal("a function is not a value", refusal(value.literal, print).message)
    assert.equal("a userdata is not a value", refusal(value.param, io.stdout).message)
    assert.equal("a thread is not a value", refusal(value.text, coroutine.create(print)).message)
    assert.equal("a function is not a value", refusal(value.literal, array { print }).message)
  end)

  it("checks the arguments of its constructors", function()
    assert.equal("sql takes a string, not a nil", refusal(sql).message)
    assert.equal("an SQL expression must not be empty", refusal(sql, "  ").message)
    assert.equal("an SQL expression cannot contain a NUL byte", refusal(sql, "a\0").message)
    assert.equal("array takes a table, not a string", refusal(array, "a").message)
    assert.equal("an array takes a list of elements; it has the key a", refusal(array, { a = 1 }).message)
    assert.equal("an array takes a list of elements; it has the key a", refusal(array, { { a = 1 } }).message)
    assert.matches("^invalid type", refusal(array, { 1 }, "int; drop").message)
    assert.equal("bytea takes a string, not a number", refusal(bytea, 5).message)
  end)

  it("keeps holes of an array with a length", function()
    assert.equal("'{NULL,1,NULL}'", value.literal(array { n = 3, nil, 1 }))
  end)

  it("takes no notice of changes to the table an array was made of", function()
    local list = { 1, 2 }
    local made = array(list)
    list[1] = 9
    assert.equal("'{1,2}'", value.literal(made))
  end)

  it("writes megabytes", function()
    local text = ("a'\\\n"):rep(500000)
    assert.equal(2 + 1 + 6 * 500000, #value.literal(text))
    assert.equal(2 * 2000000 + 2, #value.text(bytea(text)))
  end)
end)
