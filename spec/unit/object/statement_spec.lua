require "moontide.object"
local operation = require "moontide.operation"
local value = require "moontide.value"

local null = value.null

local function refusal(...)
  local ok, problem = pcall(operation.build, ...)
  assert.is_false(ok)
  assert.matches("statement_spec%.lua:%d+$", problem.where)
  return problem
end

local function build_again(o)
  local env = { op = setmetatable({}, { __index = function(_, name)
    return function(...) return operation.build(name, ...) end
  end }), null = null, sql = value.sql, array = value.array, json = value.json, bytea = value.bytea, error = error }
  return load("return " .. operation.source(o), "=source", "t", env)()
end

describe("execute", function()
  it("splits its text, and sends parameters beside it", function()
    local o = operation.build("execute", "select 1; select ';'")
    assert.same({ { sql = "select 1" }, { sql = "select ';'" } }, operation.statements(o, {}))
    o = operation.build("execute", "select $1, $2, $3", 1, nil, value.bytea "a")
    assert.same({ { sql = "select $1, $2, $3", params = { n = 3, 1, nil, { type = "bytea", value = "a" } } } },
      operation.statements(o, {}))
  end)

  it("takes marked SQL", function()
    local o = operation.build("execute", value.sql "select 1")
    assert.same({ { sql = "select 1" } }, operation.statements(o, {}))
  end)

  it("takes $1 without a value where it is no parameter of the statement", function()
    assert.equal(1, #operation.statements(operation.build("execute", "prepare p as select $1"), {}))
  end)

  -- arguments, message
  local wrong = {
    { {}, "execute: the statement is missing" }, { { 5 }, "execute: the statement must be SQL text, not an integer" },
    { { " ; -- x" }, "execute: the SQL text holds no statement" },
    { { "select 1;\n commit" },
      "execute: COMMIT in line 2 of the SQL text would break the transaction of the revision" },
    { { "begin" }, "execute: BEGIN would break the transaction of the revision" },
    { { "savepoint a" }, "execute: SAVEPOINT would break the transaction of the revision" },
    { { "select 1; vacuum" }, "execute: VACUUM in line 1 of the SQL text cannot run inside a transaction" },
    { { "select $1; select $2", 1, 2 }, "execute: parameters need a single statement, not 2" },
    { { "select $1, $2", 1 }, "execute: the statement has 2 parameters, but 1 given" },
    { { "select 1", 1 }, "execute: the statement has 0 parameters, but 1 given" },
    { { "select $1", {} }, "execute: parameter $1: a plain Lua table is not a value" },
    { { "select $1", value.sql "now()" }, "execute: parameter $1: an SQL expression cannot be sent as data" },
    { { "select 'a" }, "execute: unterminated quoted string in line 1 of the SQL text" },
    { { "copy t from stdin" }, "execute: COPY FROM STDIN in line 1 of the SQL text" },
  }
  for _, case in ipairs(wrong) do
    it("refuses: " .. case[2], function()
      assert.equal(case[2], refusal("execute", table.unpack(case[1])).message)
    end)
  end

  it("knows what cannot be in a transaction", function()
    assert.is_false(operation.transactional(operation.build("execute", "-- x\nvacuum")))
    assert.is_true(operation.transactional(operation.build("execute", "select 1; select 2")))
  end)

  it("has no inverse, with a reason, and claims no lock", function()
    local o = operation.build("execute", "select 1")
    local inverse, reason = operation.inverse(o)
    assert.is_nil(inverse)
    assert.equal("what undoes an SQL statement is not known", reason)
    assert.same({}, operation.locks(o))
  end)

  it("is written as source that builds the same statements", function()
    for _, arguments in ipairs { { "select 1" }, { "select $1, $2", null, null }, { "select '$1';\nselect \"a\"" },
      { "select $1, $2, $3", "it's", value.array { 1, null }, 0.1 } } do
      local o = operation.build("execute", table.unpack(arguments))
      assert.same(operation.statements(o, { offline = true }), operation.statements(build_again(o), { offline = true }))
      assert.same(operation.statements(o, {}), operation.statements(build_again(o), {}))
    end
  end)
end)

describe("query, row and scalar", function()
  for _, name in ipairs { "query", "row", "scalar" } do
    it(name .. " reads by one statement", function()
      local o = operation.build(name, " select $1 ; ", "x")
      assert.is_true(operation.get(name).reads)
      assert.same({ { sql = "select $1", params = { n = 1, "x" }, rows = true } }, operation.statements(o, {}))
      assert.same("op." .. name .. '("select $1", "x")', operation.source(o))
    end)

    it(name .. " refuses what answers no rows", function()
      assert.equal(name .. ": a query is a single statement, not 2", refusal(name, "select 1; select 2").message)
      assert.equal(name .. ": VACUUM answers no rows", refusal(name, "vacuum").message)
      assert.matches("would break the transaction", refusal(name, "rollback").message)
    end)
  end
end)

describe("each", function()
  it("needs a function at the end", function()
    assert.equal("each: the last argument must be a function, not nothing", refusal("each").message)
    assert.equal("each: the last argument must be a function, not nothing", refusal("each", "select 1").message)
    assert.equal("each: the last argument must be a function, not number", refusal("each", "select $1", 1).message)
    assert.equal("each: the statement has 0 parameters, but 1 given", refusal("each", "select 1", 1, print).message)
  end)

  -- A server that has `rows` rows of its own.
  local function fake(rows)
    local log, at = {}, 0
    return log, function(entry)
      log[#log + 1] = entry.sql
      if not entry.sql:find("^FETCH") then return {} end
      local answer = table.move(rows, at + 1, math.min(at + 1000, #rows), 1, {})
      at = at + 1000
      return answer
    end
  end

  local function numbers(n)
    local list = {}
    for i = 1, n do list[i] = { i = i } end
    return list
  end

  it("fetches batches until one is short", function()
    for _, n in ipairs { 0, 1, 999, 1000, 1001, 2000 } do
      local log, ask = fake(numbers(n))
      local seen = 0
      local o = operation.build("each", "select i", function(row) seen = seen + row.i end)
      assert.equal(n, operation.get("each").read(o, ask))
      assert.equal(n * (n + 1) // 2, seen)
      assert.equal(2 + n // 1000 + 1, #log)
      assert.equal("DECLARE moontide_each_1 NO SCROLL CURSOR FOR select i", log[1])
      assert.equal("CLOSE moontide_each_1", log[#log])
    end
  end)

  it("closes its cursor when the function ends the loop or fails", function()
    for _, fn in ipairs { function() return false end, function() error("no", 0) end } do
      local log, ask = fake(numbers(5))
      pcall(operation.get("each").read, operation.build("each", "select i", fn), ask)
      assert.same({ "DECLARE moontide_each_1 NO SCROLL CURSOR FOR select i", "FETCH FORWARD 1000 FROM moontide_each_1",
        "CLOSE moontide_each_1" }, log)
    end
  end)
end)
