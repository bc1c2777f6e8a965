local serialize = require "moontide.serialize"

describe("serialize", function()
  local function round(value) return serialize.decode(serialize.encode(value)) end

  local values = {
    1, -7, 1.5, 1e300, 5e-324, math.huge, -math.huge, math.mininteger, math.maxinteger, true, false, "", "text",
    "a\0b\n\"\\'\r",
  }
  for _, value in ipairs(values) do
    it("keeps " .. ("%q"):format(value):gsub("%c", "."), function()
      assert.same(value, round(value))
      assert.equal(math.type(value), math.type(round(value)))
    end)
  end

  it("keeps every byte, in pure ASCII without control characters", function()
    local bytes = {}
    for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
    local text = table.concat(bytes)
    assert.equal(text, round(text))
    assert.is_nil(serialize.encode(text):find("[^\32-\126]"))
  end)

  it("keeps nested tables with names and positions", function()
    local value = { { id = 1, name = "a" }, { id = 2, ["with space"] = { true, [3] = 2.5 } } }
    assert.same(value, round(value))
  end)

  it("keeps expressions and NULL apart from text", function()
    local value = require "moontide.value"
    local kept = round { default = value.sql "now() -- \n 'x'", comment = value.null, text = "sql" }
    assert.same({ "sql", "now() -- \n 'x'" }, { value.kind(kept.default), kept.default.text })
    assert.equal(value.null, kept.comment)
    assert.equal("sql", kept.text)
  end)

  it("writes equal values as equal texts, however they were made", function()
    local forth, back = {}, {}
    for i = 1, 50 do forth["k" .. i], back["k" .. 51 - i] = i, 51 - i end
    assert.equal(serialize.encode(forth), serialize.encode(back))
  end)

  it("keeps a digit that follows an escaped byte", function()
    assert.equal("\1" .. "23", round("\1" .. "23"))
  end)

  it("runs nothing that a text could smuggle in", function()
    local texts = {
      "os", "(function() end)()", '("x"):rep(9)', "print", '{} .. {}', "a()", "#{}", "sql()", "sql(sql)",
    }
    for _, text in ipairs(texts) do
      assert.is_false(pcall(serialize.decode, text), text)
    end
  end)
end)
