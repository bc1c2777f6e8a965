local op = require "moontide.op"
local operation = require "moontide.operation"

local count = 0

-- A complete registration under a name that no other spec uses.
local function registration(changes)
  count = count + 1
  local r = {
    name = "spec_operation_" .. count, summary = "For a spec",
    build = function(a) return { a = a } end,
    sql = function(o) return { "select " .. o.a, { sql = "select 2", rows = true } } end,
    inverse = function() return nil end, lock = function() return {} end, source = function() return "" end,
  }
  for key, change in pairs(changes or {}) do r[key] = change end
  return r
end

describe("operation.register", function()
  it("makes an operation that is built, asked and called like every other", function()
    local r = registration { transactional = function() return false end }
    operation.register(r)
    local o = operation.build(r.name, 1)
    assert.equal(r.name, o.kind)
    assert.truthy(o.where:find("operation_spec.lua:%d+$"))
    assert.same({ { sql = "select 1" }, { sql = "select 2", rows = true } }, operation.statements(o))
    assert.is_false(operation.transactional(o))
    local seen
    op.new({ run = function(_, given) seen = given end })[r.name](7)
    assert.equal(7, seen.a)
  end)

  it("names both registrants of a name that is taken", function()
    local r = registration { from = "plugin one" }
    operation.register(r)
    r.from = "plugin two"
    local _, problem = pcall(operation.register, r)
    assert.equal(('operation "%s" is already registered by plugin one'):format(r.name), problem.message)
    assert.equal("registered by plugin two", problem.detail)
  end)

  it("refuses to replace a built-in operation, and says where that is", function()
    local _, problem = pcall(operation.register, registration { name = "create_table" })
    assert.truthy(problem.message:find('operation "create_table" is already registered by .*object/table.lua:%d+'))
    assert.truthy(problem.detail:find("operation_spec.lua", 1, true))
  end)

  for _, case in ipairs {
    { "a name that is none", { name = "Create" }, 'invalid operation name "Create"' },
    { "a missing summary", { summary = 1 }, 'field "summary" must be a string, not number' },
    { "sql that is no function", { sql = "select 1" }, 'field "sql" must be a function, not string' },
    { "an unknown field", { sq = 1 }, 'unknown field "sq"' },
  } do
    it("refuses " .. case[1], function()
      local _, problem = pcall(operation.register, registration(case[2]))
      assert.truthy(problem.message:find(case[3], 1, true), problem.message)
    end)
  end

  it("asks for every field that is required", function()
    for _, field in ipairs { "summary", "build", "sql", "inverse", "lock", "source" } do
      local r = registration()
      r[field] = nil
      local ok, problem = pcall(operation.register, r)
      assert.is_false(ok)
      assert.truthy(problem.message:find('"' .. field .. '"', 1, true))
    end
  end)
end)

describe("operation.build", function()
  it("refuses an argument too many", function()
    local _, problem = pcall(operation.build, "rename_column", "t", "a", "b", {}, 5)
    assert.equal("rename_column: takes at most 4 arguments, got 5", problem.message)
    assert.equal("rename_column", problem.operation)
  end)

  it("places what undoes an operation where the operation is", function()
    local o = operation.build("rename_table", "a", "b")
    local undo = operation.inverse(o)[1]
    assert.truthy(o.where)
    assert.equal(o.where, undo.where)
  end)

  it("gives a reason where an operation cannot be undone", function()
    local r = registration()
    operation.register(r)
    local undone, reason = operation.inverse(operation.build(r.name, 1))
    assert.is_nil(undone)
    assert.equal(r.name .. " cannot be reversed", reason)
  end)
end)

describe("the op table", function()
  local sink = { run = function(_, o) return o.kind end, block = function(_, kind, fn) return kind, fn() end }

  it("answers what the sink answers", function()
    assert.equal("drop_table", op.new(sink).drop_table("t"))
  end)

  it("suggests the nearest operation for a misspelt one", function()
    local _, problem = pcall(function() return op.new(sink).creat_table end)
    assert.equal('unknown operation "creat_table"', problem.message)
    assert.equal("Did you mean op.create_table?", problem.hint)
  end)

  it("cannot be assigned to", function()
    assert.is_false(pcall(function() op.new(sink).create_table = 1 end))
  end)

  it("hands blocks to the sink", function()
    assert.same({ "autocommit", 5 }, { op.new(sink).autocommit(function() return 5 end) })
    local _, problem = pcall(op.new(sink).transaction, 1)
    assert.equal("transaction: expected a function, not number", problem.message)
  end)

  it("runs a value that was built before", function()
    assert.equal("drop_table", op.new(sink).invoke(operation.build("drop_table", "t")))
    assert.is_false(pcall(op.new(sink).invoke, {}))
  end)
end)
