local gate = require "moontide.gate"

local function sink(answers)
  return { run = function(_, o) answers[#answers + 1] = o return "answer" end }
end

describe("gate", function()
  it("passes operations to the sink of the moment", function()
    local seen, door = {}, gate.new()
    local answer = door:through(sink(seen), function() return door:run { kind = "execute" } end)
    assert.equal("answer", answer)
    assert.equal("execute", seen[1].kind)
  end)

  it("refuses an operation while nothing runs", function()
    local door = gate.new()
    local ok, problem = pcall(door.run, door, { kind = "execute", where = "a.lua:3" })
    assert.is_false(ok)
    assert.equal("a.lua:3", problem.where)
    assert.matches("outside of upgrade%(%)", problem.message)
  end)

  it("is closed again after an error", function()
    local door = gate.new()
    pcall(door.through, door, sink {}, function() error("no") end)
    assert.is_false(pcall(door.run, door, { kind = "execute" }))
  end)

  it("makes a fault with its place of a plain Lua error", function()
    local problem = gate.explain("versions/a.lua:12: boom")
    assert.equal("revision", problem.kind)
    assert.equal("versions/a.lua:12", problem.where)
    assert.equal("boom", problem.message)
  end)

  it("has words and a place for whatever was raised", function()
    local function explained(value) return select(2, xpcall(error, gate.explain, value)) end
    for text, value in pairs { ["error with a table"] = {}, ["no place"] = "no place", ["true"] = true } do
      local problem = explained(value)
      assert.equal(text, problem.message)
      assert.matches("gate_spec.lua:%d+$", problem.where)
    end
    assert.equal("error without a message", explained(nil).message)
    assert.equal("in words", explained(setmetatable({}, { __tostring = function() return "in words" end })).message)
  end)

  it("leaves faults as they are", function()
    local problem = { kind = "server", message = "m" }
    assert.equal(problem, gate.explain(problem))
  end)
end)
