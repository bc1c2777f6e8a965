local copy = require "moontide.sql.copy"
local value = require "moontide.value"

describe("copy.statement", function()
  local cases = {
    { { nil, "t", nil, {} }, "COPY t FROM STDIN" },
    { { "app", "order", { "id", "User" }, {} }, 'COPY app."order" (id, "User") FROM STDIN' },
    { { nil, "t", nil, { format = "text", header = true } }, "COPY t FROM STDIN" },
    { { nil, "t", nil, { format = "csv", delimiter = ";", null = "\\N", quote = "'", encoding = "LATIN1" } },
      "COPY t FROM STDIN WITH (FORMAT csv, DELIMITER ';', NULL E'\\\\N', QUOTE '''', ENCODING 'LATIN1')" },
    { { nil, "t", nil, { format = "csv", escape = "\\" } }, "COPY t FROM STDIN WITH (FORMAT csv, ESCAPE E'\\\\')" },
  }
  for _, case in ipairs(cases) do
    it("writes " .. case[2], function() assert.equal(case[2], copy.statement(table.unpack(case[1], 1, 4))) end)
  end
end)

describe("copy.line", function()
  local cases = {
    { {}, "\\N\t\\N\n" }, { { a = "", b = value.null }, "\t\\N\n" }, { { a = 1, b = 0.5 }, "1\t0.5\n" },
    { { a = "x\ty\nz\r\\", b = "\\N" }, "x\\ty\\nz\\r\\\\\t\\\\N\n" }, { { a = true, b = "\\." }, "true\t\\\\.\n" },
    { { a = value.array { "\\" }, b = value.bytea "\0" }, '{"\\\\\\\\"}\t\\\\x00\n' },
  }
  for _, case in ipairs(cases) do
    it(("writes %q"):format(case[2]), function() assert.equal(case[2], copy.line(case[1], { "a", "b" })) end)
  end
end)

describe("copy.header", function()
  local csv = { format = "csv" }
  -- data, options, names, where the data behind begins
  local cases = {
    { "a,b\n1,2\n", csv, { "a", "b" }, 5 }, { "a\r\n", csv, { "a" }, 4 }, { "a\rb", csv, { "a" }, 3 },
    { '"a ""b""","c,\nd",e\n', csv, { 'a "b"', "c,\nd", "e" }, 20 }, { "\239\187\191a,b\n", csv, { "a", "b" }, 8 },
    { "a;'b'\n", { format = "csv", delimiter = ";", quote = "'" }, { "a", "b" }, 7 },
    { "'a\\'b'\n", { format = "csv", quote = "'", escape = "\\" }, { "a'b" }, 8 },
    { "a b\tc\n", {}, { "a b", "c" }, 7 }, { "a|b\n", { delimiter = "|" }, { "a", "b" }, 5 },
    { "a,b", csv }, { '"a\n', csv }, { "", csv },
  }
  for _, case in ipairs(cases) do
    it(("reads %q"):format(case[1]), function()
      local names, position = copy.header(case[1], case[2])
      assert.same(case[3], names)
      assert.equal(case[4], position)
    end)
  end
end)
