local equal = require "moontide.equal"
local value = require "moontide.value"

describe("equal", function()
  it("looks into tables", function()
    assert.is_true(equal({ 1, { a = "x" } }, { 1, { a = "x" } }))
    assert.is_false(equal({ 1, { a = "x" } }, { 1, { a = "y" } }))
    assert.is_false(equal({ a = 1 }, { a = 1, b = 2 }))
    assert.is_false(equal({ a = 1, b = 2 }, { a = 1 }))
    assert.is_false(equal({}, "x"))
  end)

  it("tells an expression from a text, an integer from a float, and false from nothing", function()
    assert.is_true(equal(value.sql "now()", value.sql "now()"))
    assert.is_false(equal({ text = "now()" }, value.sql "now()"))
    assert.is_false(equal("now()", value.sql "now()"))
    assert.is_false(equal(1, 1.0))
    assert.is_false(equal({ a = false }, {}))
    assert.is_false(equal({}, { a = false }))
  end)

  it("passes over one field at the top", function()
    assert.is_true(equal({ a = 1, where = "x:1" }, { a = 1 }, "where"))
    assert.is_false(equal({ a = { where = "x:1" } }, { a = {} }, "where"))
  end)
end)
