local digest = require "moontide.runtime.digest"

describe("digest.sha256", function()
  it("agrees with the published vectors", function()
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", digest.sha256(""))
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", digest.sha256("abc"))
    assert.equal("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
      digest.sha256(("a"):rep(1000000)))
  end)

  it("takes every byte, NUL included", function()
    assert.equal("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", digest.sha256("\0"))
    assert.not_equal(digest.sha256("a\0b"), digest.sha256("a\0c"))
  end)

  it("refuses what is no string", function()
    assert.error_matches(function() digest.sha256(nil) end, "string expected")
  end)
end)

describe("digest.sum", function()
  local function sum_of(...)
    local sum = digest.sum()
    for _, piece in ipairs { ... } do sum:write(piece) end
    return sum:hex()
  end

  it("is that of the whole, however it was cut", function()
    assert.equal(digest.sha256 "", digest.sum():hex())
    assert.equal(digest.sha256 "a\0bc", sum_of("a\0", "", "bc"))
    assert.equal(digest.sha256(("x"):rep(100000)), sum_of(("x"):rep(65536), ("x"):rep(34464)))
  end)

  it("can be asked in between", function()
    local sum = digest.sum()
    sum:write "a"
    assert.equal(digest.sha256 "a", sum:hex())
    sum:write "b"
    assert.equal(digest.sha256 "ab", sum:hex())
  end)

  local function rows_of(list, columns)
    local sum = digest.sum()
    sum:rows(list, columns or { "a", "b" })
    return sum:hex()
  end

  it("of rows tells every difference of them", function()
    local seen = {}
    for index, list in ipairs {
      {}, { {} }, { {}, {} }, { { a = 1 } }, { { b = 1 } }, { { a = "1" } }, { { a = 1.0 } }, { { a = 1, b = 2 } },
      { { a = 2, b = 1 } }, { { a = "x", b = "" } }, { { a = "", b = "x" } }, { { a = true } }, { { a = false } },
      { { a = "s", b = "s" } }, { { a = "ss" } }, { { a = 1 }, { a = 2 } }, { { a = 2 }, { a = 1 } },
    } do
      local hex = rows_of(list)
      assert.is_nil(seen[hex], index)
      seen[hex] = true
    end
    assert.equal(rows_of { { a = 1, b = "x" } }, rows_of({ { a = 1, b = "x", c = 3 } }))
  end)

  it("of rows tells every difference of tables in them, and takes them as COPY does", function()
    local seen = {}
    for index, given in ipairs {
      { type = "bytea", value = "x" }, { type = "bytea", value = "y" }, { oid = 25, value = "x" },
      { oid = 25, value = "y" }, { oid = 25 }, { value = "x" }, {}, false,
    } do
      local hex = rows_of { { a = given } }
      assert.is_nil(seen[hex], index)
      seen[hex] = true
    end
    assert.equal(rows_of { { a = "x" } }, rows_of { { a = { oid = 3802, value = "x" } } })
    assert.equal(rows_of { {} }, rows_of { { a = { type = "bytea" } } })
    assert.not_equal(rows_of { {} }, rows_of { { a = print } })
  end)

  it("refuses what are no rows", function()
    local _, problem = pcall(rows_of, { 1 })
    assert.equal("row 1 is not a table", problem.message)
    assert.has_error(function() digest.sum():rows() end)
    assert.has_error(function() digest.sum().write(io.stdout, "x") end)
  end)
end)
