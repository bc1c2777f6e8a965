local number = require "moontide.sql.number"

describe("number.float", function()
  local cases = {
    { 0.1, "0.1" }, { 1.0, "1.0" }, { -0.0, "-0.0" }, { 1e15, "1e+15" }, { 123456789012345.0, "123456789012345.0" },
    { 5e-324, "4.94065645841247e-324" }, { 1 / 3, "0.3333333333333333" }, { 0.1 + 0.2, "0.30000000000000004" },
    { 1 / 0, "Infinity" }, { -1 / 0, "-Infinity" }, { 0 / 0, "NaN" },
  }
  for _, case in ipairs(cases) do
    it("writes " .. case[2], function() assert.equal(case[2], number.float(case[1])) end)
  end

  it("writes text that reads back to the same float", function()
    math.randomseed(3)
    for _ = 1, 20000 do
      local float = string.unpack("d", string.pack("j", math.random(0)))
      if number.is_finite(float) then assert.equal(float, tonumber(number.float(float))) end
    end
  end)
end)
