local pg = require "moontide.runtime.pg"
local server = require "spec.support.server"

describe("pg.array and held results", function()
  local conn
  setup(function() conn = pg.connect(server.database()) end)
  teardown(function() conn:close() end)

  local arrays = { [16] = 1000, [17] = 1001, [20] = 1016, [21] = 1005, [23] = 1007, [25] = 1009, [701] = 1022 }

  local function read_back(element, array)
    local sent = { oid = arrays[element], value = array:bytes(), binary = true }
    local result = conn:exec("SELECT $1::text AS t", { sent })
    return result[1].t
  end

  local function filled(element, values, count)
    local array = pg.array(element)
    for index = 1, count or #values do assert.is_true(array:add(values[index])) end
    return array
  end

  it("writes values that the server reads", function()
    for element, case in pairs {
      [16] = { { true, false }, "{t,f}" }, [17] = { { "a\0b", "" }, [[{"\\x610062","\\x"}]] },
      [20] = { { math.maxinteger, math.mininteger, -1 }, "{9223372036854775807,-9223372036854775808,-1}" },
      [21] = { { 32767, -32768 }, "{32767,-32768}" },
      [23] = { { 2147483647, -2147483648 }, "{2147483647,-2147483648}" },
      [25] = { { "é", "", "NULL", 'a"b' }, [[{é,"","NULL","a\"b"}]] },
      [701] = { { 0.1, -2, 1 / 0 }, "{0.1,-2,Infinity}" },
    } do
      assert.equal(case[2], read_back(element, filled(element, case[1])))
    end
    assert.equal("{1,NULL,3}", read_back(23, filled(23, { 1, nil, 3 }, 3)))
  end)

  it("does not take what is not of the type, and is as it was", function()
    for element, values in pairs {
      [16] = { 1, "t" }, [17] = { 1, {} }, [20] = { 1.5, "1" }, [21] = { 32768, -32769 }, [23] = { 2147483648 },
      [25] = { 1, true, "a\0b" }, [701] = { "1" }, [700] = { 1 },
    } do
      local array = pg.array(element)
      for _, value in ipairs(values) do assert.is_false(array:add(value)) end
      assert.equal(0, #array)
    end
  end)

  it("takes encoded elements, forgets the last one, and grows", function()
    local array = pg.array(25)
    for index = 1, 3000 do array:add(("x"):rep(index % 50)) end
    array:add "too many"
    array:trim(3001)
    assert.equal(3001, #array)
    array:trim(3000)
    assert.equal(3000, #array)
    array:raw(string.pack(">s4", "last"))
    local sent = { oid = 1009, value = array:bytes(), binary = true }
    assert.same({ n = 3001, l = 60 * 1225, last = "last" }, {
      n = conn:exec("SELECT cardinality($1) AS n", { sent })[1].n,
      l = conn:exec("SELECT sum(length(u)) - 4 AS l FROM unnest($1) u", { sent })[1].l,
      last = conn:exec("SELECT ($1)[3001] AS last", { sent })[1].last,
    })
  end)

  it("takes away the last element once, and never one before it", function()
    local array = filled(23, { 1, 2, 3 })
    array:trim(2)
    assert.error_matches(function() array:trim(1) end, "only the last element can be taken away")
    assert.error_matches(function() array:trim(-1) end, "is negative")
    assert.error_matches(function() pg.array(23):trim(-1) end, "is negative")
    array:trim(math.maxinteger)
    assert.equal("{1,2}", read_back(23, array))
    array:add(4)
    array:trim(2)
    assert.equal("{1,2}", read_back(23, array))
  end)

  it("is nothing any more once it is closed, which may be said again", function()
    local held <close> = conn:pipeline { { rows = "held", sql = "SELECT 1 AS n" } }[1]
    local array = filled(23, { 1 })
    array:close()
    for _, name in ipairs { "__close", "__gc" } do getmetatable(array)[name](array) end
    for _, call in ipairs {
      function() array:bytes() end, function() array:cell(held, 1, 1) end, function() array:add(1) end,
      function() array:raw "" end, function() array:trim(0) end, function() return #array end,
    } do
      assert.error_matches(call, "is closed")
    end
  end)

  it("keeps a result of a pipeline as it came", function()
    local held <close> = conn:pipeline { { rows = "held",
      sql = "SELECT i AS id, i::text || 'é' AS name, NULLIF(i, 2)::int8 AS n FROM generate_series(1, 3) i" } } [1]
    assert.equal(3, #held)
    assert.same({ id = 1, name = "1é", n = 1 }, held:row(1))
    assert.same({ name = "2é" }, held:row(2, 1))
    assert.equal("3é", held:cell(3, 2))
    assert.is_nil(held:cell(2, 3))
    local ids, names = pg.array(20), pg.array(25)
    for index = 1, 3 do
      ids:cell(held, index, 3)
      names:cell(held, index, 2)
    end
    assert.equal("{1,NULL,3}", read_back(20, ids))
    assert.equal("{1é,2é,3é}", read_back(25, names))
  end)

  it("says what is not there", function()
    local held = conn:pipeline { { rows = "held", sql = "SELECT 100000 AS n" } }[1]
    assert.error_matches(function() held:row(2) end, "there is no row 2")
    assert.error_matches(function() held:row(0) end, "there is no row 0")
    assert.error_matches(function() held:cell(1, 2) end, "there is no column 2")
    assert.error_matches(function() held:row(1, 2) end, "more than there are columns")
    assert.error_matches(function() pg.array(21):cell(held, 1, 1) end, "100000 is out of range")
    held:close()
    held:close()
    assert.error_matches(function() held:row(1) end, "is closed")
  end)
end)
