local order = require "moontide.plugin.order"
local version = require "moontide.plugin.version"

-- "b 1.0: a >= 1, c" as a plugin.
local function plugin(text)
  local head, rest = text:match("^([^:]+):?(.*)$")
  local name, number = head:match("^(%S+)%s*(%S*)")
  local requires = {}
  for item in rest:gmatch("[^,]+") do
    local other, conditions = item:match("^%s*(%S+)(.*)$")
    requires[#requires + 1] = version.requirement(other, conditions)
  end
  return { name = name, version = number ~= "" and number or nil, requires = requires, path = name .. ".lua" }
end

local function sorted(...)
  local list = {}
  for index, text in ipairs { ... } do list[index] = plugin(text) end
  local names = {}
  for index, one in ipairs(order.sort(list, "0.1.0")) do names[index] = one.name end
  return table.concat(names, " ")
end

local function problem(...)
  local ok, answer = pcall(sorted, ...)
  assert.is_false(ok)
  assert.equal("config", answer.kind)
  return answer
end

describe("plugins", function()
  it("come as they are listed", function() assert.equal("c a b", sorted("c", "a", "b")) end)

  it("come after those they require", function()
    assert.equal("d c a b", sorted("a: c", "b", "c: d", "d"))
  end)

  it("may require the program itself", function()
    assert.equal("a", sorted("a: moontide >= 0.1"))
    assert.equal('plugin "a" requires moontide >= 9, but this is moontide 0.1.0', problem("a: moontide >= 9").message)
  end)

  it("must have what they require", function()
    local answer = problem("a: audid", "audit")
    assert.equal('plugin "a" requires the plugin "audid", which is not there', answer.message)
    assert.equal('Did you mean "audit"?', answer.hint)
    assert.equal("a.lua", answer.where)
  end)

  it("must have it in the version they require", function()
    assert.equal('plugin "b" requires a >= 1.2, but this is a 1.1', problem("a 1.1", "b: a >= 1.2").message)
    assert.equal('"a" does not say its version.', problem("a", "b: a >= 1.2").hint)
  end)

  it("cannot require each other", function()
    local answer = problem("x", "a: b", "b: c", "c: a")
    assert.equal('plugin "c" requires itself', answer.message)
    assert.equal("a -> b -> c -> a", answer.detail)
  end)

  it("have different names", function()
    assert.equal('plugin "a" is listed twice', problem("a", "b", "a").message)
  end)
end)
