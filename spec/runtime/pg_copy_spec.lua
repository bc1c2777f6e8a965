local pg = require "moontide.runtime.pg"
local server = require "spec.support.server"

local url, conn

setup(function()
  url = server.database()
  conn = pg.connect(url)
  conn:exec("create table t (a int8 primary key, b text, c bytea, d float8, e bool)")
end)
teardown(function() conn:close() end)
before_each(function()
  conn:exec("rollback")
  conn:exec("truncate t cascade")
end)

local function fault(...)
  local ok, problem = pcall(...)
  assert.is_false(ok)
  return problem
end

local function count()
  return conn:exec("select count(*) as n from t")[1].n
end

local into = "copy t (a, b, c, d, e) from stdin"
local columns = { "a", "b", "c", "d", "e" }

local function copy_rows(rows)
  local copy <close> = conn:copy_in(into)
  copy:rows(rows, columns)
  return copy:finish()
end

describe("copy:rows", function()
  local every = {}
  for i = 1, 255 do every[i] = string.char(i < 128 and i or 65) end
  local cases = {
    { a = 1 },
    { a = math.mininteger, b = "", c = { type = "bytea", value = "" }, d = 0.0, e = false },
    { a = math.maxinteger, b = "a\tb\nc\rd\\e\\N\\.", c = { type = "bytea", value = "\0\1\\\n\255" } },
    { a = 7, d = 0.1, e = true },
    { a = 2, b = "\\N", d = 1e308 },
    { a = 3, b = "\\.", d = math.huge },
    { a = 4, b = table.concat(every), d = -math.huge },
    { a = 5, b = "é\u{1F600}", d = 5e-324 },
    { a = 6, b = { oid = 25, value = "typed\t" }, c = { type = "bytea" } },
  }

  it("keeps every value", function()
    assert.equal(#cases, copy_rows(cases))
    for _, case in ipairs(cases) do
      local row = conn:exec("select * from t where a = $1", { case.a })[1]
      local b = type(case.b) == "table" and case.b.value or case.b
      assert.same({ a = case.a, b = b, c = case.c and case.c.value, d = case.d, e = case.e }, row)
    end
  end)

  it("knows how many bytes it was given", function()
    local copy <close> = conn:copy_in(into)
    assert.equal(0, copy:bytes())
    copy:rows({ { a = 1, b = "x\ty", e = true } }, columns)
    local row = "1\tx\\ty\t\\N\t\\N\tt\n"
    assert.equal(#row, copy:bytes())
    copy:write(row:gsub("1", "2", 1))
    copy:rows({ { a = 3, b = ("z"):rep(100000) } }, columns)
    assert.equal(2 * #row + #"3\t\t\\N\t\\N\t\\N\n" + 100000, copy:bytes())
    assert.equal(3, copy:finish())
    assert.equal(2 * #row + #"3\t\t\\N\t\\N\t\\N\n" + 100000, copy:bytes())
  end)

  it("takes rows in many calls, and values larger than its buffer", function()
    local text = ("x\ty"):rep(1 << 20)
    local copy <close> = conn:copy_in(into)
    copy:rows({}, columns)
    for i = 1, 5 do copy:rows({ { a = i, b = text, c = { type = "bytea", value = text } } }, columns) end
    assert.equal(5, copy:finish())
    for _, row in ipairs(conn:exec("select b = convert_from(c, 'UTF8') as same, length(b) as n from t")) do
      assert.same({ same = true, n = #text }, row)
    end
  end)

  it("takes 200,000 rows", function()
    local rows = {}
    for i = 1, 200000 do rows[i] = { a = i, b = "text " .. i, d = i / 3 } end
    assert.equal(200000, copy_rows(rows))
    local sums = conn:exec("select sum(a)::int8 as a, count(distinct b) as b from t")[1]
    assert.same({ a = 20000100000, b = 200000 }, sums)
  end)

  local refused = {
    { { a = 1, b = "x\0" }, 'row 2, column "b" contains a NUL byte', "b" },
    { { a = 1, b = { oid = 25, value = "\0" } }, 'row 2, column "b" contains a NUL byte', "b" },
    { { a = print }, 'row 2, column "a" has a type that cannot be stored', "a" },
    { { a = {} }, 'row 2, column "a" is a table without a known "type" or an "oid"', "a" },
    { { a = 1, c = { type = "bytea", value = 1 } }, 'row 2, column "c" has a "value" that is not a string', "c" },
  }
  for _, case in ipairs(refused) do
    it("names row and column: " .. case[2], function()
      local problem = fault(copy_rows, { { a = 9 }, case[1] })
      assert.equal("operation", problem.kind)
      assert.same({ case[2], 2, case[3] }, { problem.message, problem.row, problem.column })
      assert.equal("idle", conn:status())
      assert.equal(0, count())
    end)
  end

  it("refuses a row that is no table", function()
    assert.equal("row 1 is not a table", fault(copy_rows, { 1 }).message)
  end)

  it("lets nobody go on after half a row", function()
    local copy <close> = conn:copy_in(into)
    fault(copy.rows, copy, { { a = 1, b = "\0" } }, columns)
    for _, call in ipairs { "finish", "write", "rows" } do
      assert.equal("copy was left in the middle of a row", fault(copy[call], copy, "x", {}).message)
    end
  end)
end)

describe("a copy to the server", function()
  it("takes text", function()
    local copy <close> = conn:copy_in("copy t (a, b) from stdin (format csv)")
    copy:write("1,one\n2,")
    copy:write("two\n")
    assert.equal(2, copy:finish())
    assert.equal("two", conn:exec("select b from t where a = 2")[1].b)
  end)

  it("raises at its end what was wrong in the middle", function()
    local problem = fault(copy_rows, { { a = 1 }, { a = "x" }, { a = 3 } })
    assert.equal("server", problem.kind)
    assert.equal("22P02", problem.sqlstate)
    assert.equal(into, problem.statement)
    assert.equal('COPY t, line 2, column a: "x"', problem.context)
    assert.equal("idle", conn:status())
    assert.equal(0, count())
  end)

  it("raises a duplicate key, and what is only known at the end", function()
    assert.equal("23505", fault(copy_rows, { { a = 1 }, { a = 1 } }).sqlstate)
    local copy <close> = conn:copy_in("copy t (a, b) from stdin (format csv)")
    copy:write('1,"open')
    assert.equal("22P04", fault(copy.finish, copy).sqlstate)
  end)

  it("raises a constraint that is checked at commit", function()
    conn:exec("create table child (a int8 references t)")
    local copy <close> = conn:copy_in("copy child from stdin")
    copy:write("7\n")
    assert.equal("23503", fault(copy.finish, copy).sqlstate)
  end)

  it("survives an early error under much data", function()
    local copy <close> = conn:copy_in(into)
    copy:write("wrong\n")
    local problem = fault(function()
      for _ = 1, 50 do copy:write(("1\t\\N\t\\N\t1\tt\n"):rep(20000)) end
      copy:finish()
    end)
    assert.equal("22P02", problem.sqlstate)
    assert.equal("idle", conn:status())
  end)

  it("is forgotten when aborted, with the reason in the server's error", function()
    local copy = conn:copy_in(into)
    copy:write("1\t\\N\t\\N\t1\tt\n")
    copy:abort("changed my mind")
    assert.equal("copy is finished", fault(copy.write, copy, "x").message)
    assert.equal(0, count())
    assert.equal("idle", conn:status())
  end)

  it("is aborted when it is closed or collected", function()
    do
      local copy <close> = conn:copy_in(into)
      copy:rows({ { a = 1 } }, columns)
    end
    assert.equal(0, count())
    do
      local copy = conn:copy_in(into)
      copy:rows({ { a = 1 } }, columns)
    end
    collectgarbage()
    collectgarbage()
    assert.equal(0, count())
  end)

  it("fails the transaction when it is aborted", function()
    conn:exec("begin")
    conn:copy_in(into):abort()
    assert.equal("error", conn:status())
  end)

  it("has the connection to itself", function()
    local copy <close> = conn:copy_in(into)
    assert.truthy(fault(conn.exec, conn, "select 1").message:find("in use"))
    copy:finish()
    conn:exec("select 1")
  end)

  it("is finished once", function()
    local copy <close> = conn:copy_in(into)
    assert.equal(0, copy:finish())
    assert.equal("copy is finished", fault(copy.finish, copy).message)
  end)

  it("tells that the connection was lost", function()
    for _, size in ipairs { 1, 2000000 } do
      local victim <close> = pg.connect(url)
      local copy <close> = victim:copy_in(into)
      conn:exec("select pg_terminate_backend($1)", { victim:pid() })
      local problem = fault(function()
        for i = 1, size do copy:rows({ { a = i, b = "some text" } }, columns) end
        copy:finish()
      end)
      assert.equal("connection", problem.kind)
      assert.equal(into, problem.statement)
      assert.equal("closed", victim:status())
    end
  end)
end)

describe("a copy from the server", function()
  it("gives lines, then nil", function()
    local copy <close> = conn:copy_out("copy (select n, null, E'a\\tb' from generate_series(1, 2) n) to stdout")
    assert.equal("1\t\\N\ta\\tb\n", copy:read())
    assert.equal("2\t\\N\ta\\tb\n", copy:read())
    assert.is_nil(copy:read())
    assert.equal("copy is finished", fault(copy.read, copy).message)
    conn:exec("select 1")
  end)

  it("gives much", function()
    local copy <close> = conn:copy_out("copy (select n, repeat('x', 100) from generate_series(1, 200000) n) to stdout")
    local lines, bytes = 0, 0
    for line in function() return copy:read() end do lines, bytes = lines + 1, bytes + #line end
    assert.equal(200000, lines)
    assert.equal(200000 * 102 + 1088895, bytes)
  end)

  it("raises an error in the middle", function()
    local copy <close> = conn:copy_out("copy (select 1 / (3 - n) from generate_series(1, 5) n) to stdout")
    assert.equal("0\n", copy:read())
    local problem = fault(function() while copy:read() do end end)
    assert.equal("22012", problem.sqlstate)
    conn:exec("select 1")
  end)

  it("can be left early, also in a transaction", function()
    local sql = "copy (select generate_series(1, %d)) to stdout"
    do
      local copy <close> = conn:copy_out(sql:format(100000000))
      copy:read()
    end
    assert.equal("idle", conn:status())
    conn:exec("begin")
    do
      local copy <close> = conn:copy_out(sql:format(100000))
      copy:read()
    end
    assert.equal("transaction", conn:status())
  end)

  it("tells that the connection was lost", function()
    local victim <close> = pg.connect(url)
    local copy <close> = victim:copy_out("copy (select generate_series(1, 10000000)) to stdout")
    copy:read()
    conn:exec("select pg_terminate_backend($1)", { victim:pid() })
    assert.equal("connection", fault(function() while copy:read() do end end).kind)
    assert.equal("closed", victim:status())
  end)
end)

describe("what is not a copy", function()
  it("is refused", function()
    assert.equal("42601", fault(conn.copy_in, conn, "copy from").sqlstate)
    assert.equal("statement is not a copy from the client", fault(conn.copy_in, conn, "select 1").message)
    assert.equal("statement is not a copy to the client", fault(conn.copy_out, conn, "select 1").message)
    assert.equal("operation", fault(conn.copy_out, conn, into).kind)
    assert.equal("operation", fault(conn.copy_in, conn, "copy t to stdout").kind)
    assert.equal("statement contains a NUL byte", fault(conn.copy_in, conn, "copy t from stdin\0").message)
    assert.equal("idle", conn:status())
  end)

  it("has no other direction", function()
    local copy <close> = conn:copy_in(into)
    assert.truthy(tostring(fault(copy.read, copy)):find("not a copy from the server"))
    copy:finish()
    local back <close> = conn:copy_out("copy t to stdout")
    assert.truthy(tostring(fault(back.write, back, "x")):find("not a copy to the server"))
  end)
end)
