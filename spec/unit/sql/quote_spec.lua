local fault = require "moontide.fault"
local quote = require "moontide.sql.quote"

local function refusal(fn, ...)
  local ok, problem = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_true(fault.is(problem))
  assert.equal("operation", problem.kind)
  assert.matches("quote_spec%.lua:%d+$", problem.where)
  return problem
end

describe("quote.ident", function()
  local cases = {
    { "users", "users" }, { "_a1", "_a1" }, { "name", "name" }, { "type", "type" }, { "values_", "values_" },
    { "Users", '"Users"' }, { "1a", '"1a"' }, { "a b", '"a b"' }, { "a.b", '"a.b"' }, { "a$1", '"a$1"' },
    { 'a"b', '"a""b"' }, { '"', '""""' }, { "a;drop table x", '"a;drop table x"' }, { "é", '"é"' },
    { "a\nb", '"a\nb"' },
    -- reserved; type or function name; column name; reserved since 16; column name since 17
    { "order", '"order"' }, { "user", '"user"' }, { "left", '"left"' }, { "int", '"int"' },
    { "timestamp", '"timestamp"' },
    { "system_user", '"system_user"' }, { "json", '"json"' }, { "merge_action", '"merge_action"' },
  }
  for _, case in ipairs(cases) do
    it(("writes %q as %s"):format(case[1], case[2]), function() assert.equal(case[2], quote.ident(case[1])) end)
  end

  it("takes names of 63 bytes, and refuses longer ones with their size", function()
    assert.equal(("a"):rep(63), quote.ident(("a"):rep(63)))
    assert.matches("is too long: 64 bytes", refusal(quote.ident, ("é"):rep(32)).message)
  end)

  it("refuses what cannot be a name", function()
    assert.equal("a name must not be empty", refusal(quote.ident, "").message)
    assert.equal('name "a\\0b" contains a NUL byte', refusal(quote.ident, "a\0b").message)
    assert.equal("a name must be a string, not a nil", refusal(quote.ident, nil).message)
    assert.equal("a name must be a string, not a table", refusal(quote.ident, {}).message)
  end)
end)

describe("quote.qualified and quote.idents", function()
  it("quote each part by itself", function()
    assert.equal("users", quote.qualified(nil, "users"))
    assert.equal('app."order"', quote.qualified("app", "order"))
    assert.equal('"My App".users', quote.qualified("My App", "users"))
    assert.equal('a, "B", "c""d"', quote.idents { "a", "B", 'c"d' })
  end)
end)

describe("quote.literal", function()
  local cases = {
    { "", "''" }, { "a", "'a'" }, { "it's", "'it''s'" }, { "'", "''''" }, { "a\\b", "E'a\\\\b'" },
    { "\\'", "E'\\\\'''" }, { "a\nb", "'a\nb'" }, { "$1 -- /*", "'$1 -- /*'" }, { "é", "'é'" },
  }
  for _, case in ipairs(cases) do
    it(("writes %q as %s"):format(case[1], case[2]), function() assert.equal(case[2], quote.literal(case[1])) end)
  end

  it("refuses NUL bytes", function()
    local problem = refusal(quote.literal, "a\0b")
    assert.equal("a text value cannot contain a NUL byte", problem.message)
    assert.matches("bytea", problem.hint)
  end)
end)
