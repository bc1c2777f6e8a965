require "moontide.object"
local operation = require "moontide.operation"
local value = require "moontide.value"

local null, sql = value.null, value.sql

local function refusal(...)
  local ok, problem = pcall(operation.build, ...)
  assert.is_false(ok)
  assert.matches("data_spec%.lua:%d+$", problem.where)
  return problem
end

local function texts(o, ctx)
  local list = {}
  for i, statement in ipairs(operation.statements(o, ctx)) do list[i] = statement.sql end
  return list
end

local function repeated(row, times)
  local list = {}
  for i = 1, times do list[i] = row end
  return list
end

describe("bulk_insert", function()
  -- arguments, statements
  local cases = {
    { { "t", { { a = 1 } } }, { "INSERT INTO t (a) OVERRIDING SYSTEM VALUE VALUES ('1')" } },
    { { "order", { { b = "it's", a = true } }, { schema = "My App" } },
      { "INSERT INTO \"My App\".\"order\" (a, b) OVERRIDING SYSTEM VALUE VALUES ('true', 'it''s')" } },
    { { "t", { { a = 1 }, { b = null }, { b = sql "now()" } } },
      { "INSERT INTO t (a, b) OVERRIDING SYSTEM VALUE VALUES\n"
        .. "  ('1', DEFAULT),\n  (DEFAULT, NULL),\n  (DEFAULT, now())" } },
    { { "t", { { b = 1, a = 2 } }, { columns = { "b", "a", "c" } } },
      { "INSERT INTO t (b, a) OVERRIDING SYSTEM VALUE VALUES ('1', '2')" } },
    { { "t", { {}, {} } }, { "INSERT INTO t DEFAULT VALUES", "INSERT INTO t DEFAULT VALUES" } },
    { { "t", {} }, {} },
  }
  for i, case in ipairs(cases) do
    it("writes statement " .. i, function()
      local o = operation.build("bulk_insert", table.unpack(case[1]))
      assert.same(case[2], texts(o, {}))
      assert.same(case[2], texts(o, { offline = true }))
    end)
  end

  it("takes COPY for more than 100 rows with the same keys and without expressions", function()
    local row = { b = "x", a = 0.5, c = value.array { 1 }, d = null }
    local statements = operation.statements(operation.build("bulk_insert", "t", repeated(row, 101)), {})
    assert.equal(1, #statements)
    assert.equal("COPY t (a, b, c, d) FROM STDIN", statements[1].sql)
    assert.same({ "a", "b", "c", "d" }, statements[1].copy.columns)
    assert.equal(101, #statements[1].copy.rows)
    assert.same({ a = "0.5", b = "x", c = "{1}" }, statements[1].copy.rows[101])
  end)

  it("takes INSERTs of 1000 rows otherwise", function()
    local mixed = repeated({ a = 1 }, 2500)
    mixed[7] = { b = 1 }
    local expression = repeated({ a = 1 }, 2500)
    expression[2500] = { a = sql "now()" }
    for _, rows in ipairs { mixed, expression } do
      local o = operation.build("bulk_insert", "t", rows)
      assert.equal(3, #operation.statements(o, {}))
      assert.is_nil(operation.statements(o, {})[1].copy)
    end
    assert.is_nil(operation.statements(operation.build("bulk_insert", "t", repeated({ a = 1 }, 100)), {})[1].copy)
  end)

  -- arguments, message
  local wrong = {
    { {}, "bulk_insert: the table name is missing" },
    { { "t" }, "bulk_insert: the list of rows is missing" },
    { { "t", "rows" }, "bulk_insert: the list of rows must be a list of tables { column = value }, not a string" },
    { { "t", { a = 1 } }, "bulk_insert: the list of rows must be a list; it has the key a" },
    { { "t", { 5 } }, "bulk_insert: row 1 must be a table { column = value }, not an integer" },
    { { "t", { { a = 1 }, { 1 } } }, "bulk_insert: row 2 has the key 1; a row is a table { column = value }" },
    { { "t", { { a = {} } } }, 'bulk_insert: row 1, column "a": a plain Lua table is not a value' },
    { { "t", { { a = print } } }, 'bulk_insert: row 1, column "a": a function is not a value' },
    { { "t", { { a = 1 } }, { columns = { "b" } } },
      'bulk_insert: row 1 has the column "a", which is not one of the columns given' },
    { { "t", { { [""] = 1 } } }, "bulk_insert: a column name: a name must not be empty" },
    { { "t", {}, { colums = {} } }, 'bulk_insert: unknown option "colums"' },
  }
  for _, case in ipairs(wrong) do
    it("refuses: " .. case[2], function()
      assert.equal(case[2], refusal("bulk_insert", table.unpack(case[1])).message)
    end)
  end

  it("locks as any INSERT, has no inverse, and is written as its rows", function()
    local o = operation.build("bulk_insert", "t", { { a = 1, b = null } }, { schema = "s" })
    assert.same({ { relation = "s.t", mode = "ROW EXCLUSIVE" } }, operation.locks(o))
    local inverse, reason = operation.inverse(o)
    assert.is_nil(inverse)
    assert.matches("which rows to delete again", reason)
    assert.equal('op.bulk_insert("t", { { a = 1, b = null } }, { schema = "s" })', operation.source(o))
    assert.equal('op.bulk_insert("t", {})', operation.source(operation.build("bulk_insert", "t", {})))
  end)
end)

describe("copy_from", function()
  local function data(o)
    local statement = operation.statements(o, {})[1]
    local parts = {}
    for chunk in statement.copy.chunks do parts[#parts + 1] = chunk end
    return statement.sql, table.concat(parts)
  end

  it("sends lines as they are, the header aside", function()
    local o = operation.build("copy_from", "t", { "a,b", "1,2", "3,4\n" }, { format = "csv", header = true })
    for _ = 1, 2 do
      local text, sent = data(o)
      assert.equal("COPY t (a, b) FROM STDIN WITH (FORMAT csv)", text)
      assert.equal("1,2\n3,4\n", sent)
    end
  end)

  it("encodes the rows of a function", function()
    local rows = { { a = 1 }, { b = "x\ty" }, { a = null, b = true } }
    local i = 0
    local o = operation.build("copy_from", "t", function() i = i + 1 return rows[i] end, { columns = { "b", "a" } })
    local text, sent = data(o)
    assert.equal("COPY t (b, a) FROM STDIN", text)
    assert.equal("\\N\t1\nx\\ty\t\\N\ntrue\t\\N\n", sent)
  end)

  it("cuts the rows of a function into chunks", function()
    local i, chunks = 0, 0
    local o = operation.build("copy_from", "t", function()
      i = i + 1
      return i <= 5000 and { a = ("x"):rep(99) } or nil
    end, { columns = { "a" } })
    for chunk in operation.statements(o, {})[1].copy.chunks do
      chunks = chunks + 1
      assert.is_true(#chunk < 70000)
    end
    assert.equal(8, chunks)
  end)

  it("refuses wrong rows of a function with their number", function()
    for message, row in pairs {
      ['row 1, column "a": a plain Lua table is not a value'] = { a = {} },
      ['row 1, column "a": COPY takes no SQL expressions'] = { a = sql "now()" },
      ['row 1 has the column "b", which is not one of the columns given'] = { b = 1 },
      ["row 1 must be a table { column = value }, not a string"] = "x",
    } do
      local o = operation.build("copy_from", "t", function() return row end, { columns = { "a" } })
      local _, problem = pcall(data, o)
      assert.equal(message, problem.message)
    end
  end)

  local function rows() end

  -- arguments, message
  local wrong = {
    { { "t", rows }, 'copy_from: rows from a function need the option "columns"' },
    { { "t", rows, { columns = { "a" }, format = "csv" } },
      'copy_from: option "format" has no meaning for rows from a function' },
    { { "t", 5 }, "copy_from: the source must be a path, a function or a list of lines, not an integer" },
    { { "t", { 5 } }, "copy_from: line 1 must be a string, not an integer" },
    { { "t", "f", { format = "binary" } }, 'copy_from: option "format" cannot be "binary"' },
    { { "t", "f", { delimiter = "::" } }, 'copy_from: option "delimiter" must be a single one-byte character' },
    { { "t", "f", { quote = "'" } }, 'copy_from: option "quote" needs format = "csv"' },
    { { "t", "f", { headr = true } }, 'copy_from: unknown option "headr"' },
  }
  for _, case in ipairs(wrong) do
    it("refuses: " .. case[2], function()
      assert.equal(case[2], refusal("copy_from", table.unpack(case[1])).message)
    end)
  end

  it("refuses a file that is not there, and data without a header", function()
    local function problem(...)
      local _, found = pcall(operation.statements, operation.build("copy_from", ...), { directory = "/nowhere" })
      return found.message
    end
    assert.equal('could not open file "/nowhere/a.csv" for copy_from: No such file or directory', problem("t", "a.csv"))
    assert.equal('could not open file "/a.csv" for copy_from: No such file or directory', problem("t", "/a.csv"))
    assert.equal("the header line names \"a\" twice", problem("t", { "a,a" }, { format = "csv", header = true }))
    assert.equal("the header line 1: a name must not be empty", problem("t", {}, { format = "csv", header = true }))
  end)

  it("locks as any INSERT, has no inverse, and is written as its arguments", function()
    local o = operation.build("copy_from", "t", "a.csv", { schema = "s", format = "csv", header = true })
    assert.same({ { relation = "s.t", mode = "ROW EXCLUSIVE" } }, operation.locks(o))
    assert.is_nil((operation.inverse(o)))
    local source = operation.source(o)
    for _, part in ipairs { '^op%.copy_from%("t", "a%.csv", {', 'schema = "s"', 'format = "csv"', "header = true" } do
      assert.matches(part, source)
    end
    o = operation.build("copy_from", "t", rows, { columns = { "a" } })
    assert.matches('^op%.copy_from%("t", function%(%) error%(.*end, { columns = { "a" } }%)$', operation.source(o))
  end)
end)
