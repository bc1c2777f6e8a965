local pg = require "moontide.runtime.pg"
local server = require "spec.support.server"

local url, conn

setup(function()
  url = server.database()
  conn = pg.connect(url)
end)
teardown(function() conn:close() end)

local function fault(...)
  local ok, problem = pcall(...)
  assert.is_false(ok)
  return problem
end

local function value(expression, params)
  return conn:exec(("select %s as v"):format(expression), params)[1].v
end

describe("values from the server", function()
  local cases = {
    { "null", nil },
    { "1::int2", 1 }, { "(-32768)::int2", -32768 }, { "2147483647::int4", 2147483647 },
    { "9223372036854775807::int8", math.maxinteger }, { "(-9223372036854775808)::int8", math.mininteger },
    { "4294967295::oid", 4294967295 },
    { "1.5::float4", 1.5 }, { "0.1::float8", 0.1 }, { "1e300::float8", 1e300 }, { "'-0'::float8", -0.0 },
    { "'Infinity'::float8", math.huge }, { "'-Infinity'::float4", -math.huge }, { "3::float8", 3.0 },
    { "true", true }, { "false", false },
    { "1.10::numeric", "1.10" }, { "12345678901234567890123.5", "12345678901234567890123.5" },
    { "'x'::text", "x" }, { "''::text", "" }, { "'ab'::char(4)", "ab  " }, { "'é'::varchar", "é" },
    { "'n'::name", "n" },
    { "'2020-01-02'::date", "2020-01-02" }, { "'2020-01-02 03:04:05.678'::timestamp", "2020-01-02 03:04:05.678" },
    { "'{\"a\":1}'::json", '{"a":1}' }, { "'{\"a\": 1}'::jsonb", '{"a": 1}' },
    { "array[1,null,3]", "{1,NULL,3}" }, { "row(1,'a')", "(1,a)" }, { "int4range(1,3)", "[1,3)" },
    { "'00000000-0000-0000-0000-000000000001'::uuid", "00000000-0000-0000-0000-000000000001" },
    { "'\\x'::bytea", "" }, { "'\\x00ff5c41'::bytea", "\0\255\\A" },
  }
  for _, case in ipairs(cases) do
    it("keep their meaning: " .. case[1], function()
      local v = value(case[1])
      assert.equal(case[2], v)
      assert.equal(math.type(case[2]), math.type(v))
    end)
  end

  it("keep not-a-number", function()
    local v = value("'NaN'::float8")
    assert.is_true(v ~= v)
  end)

  it("are the same bytes with the old output format of bytea", function()
    local bytes = {}
    for i = 0, 255 do bytes[#bytes + 1] = string.char(i) end
    bytes = table.concat(bytes):rep(3)
    conn:exec("set bytea_output = escape")
    local v = value("$1", { { type = "bytea", value = bytes } })
    conn:exec("reset bytea_output")
    assert.equal(bytes, v)
  end)

  it("may be of many megabytes", function()
    assert.equal(("x"):rep(8 << 20), value("repeat('x', 8 << 20)"))
    local bytes = ("\0\1\2\3"):rep(1 << 20)
    assert.equal(bytes, value("$1", { { type = "bytea", value = bytes } }))
  end)
end)

describe("a result", function()
  it("has rows, columns, the command and the count", function()
    local result = conn:exec("select n, n::text as t from generate_series(1, 3) n")
    assert.same({ { n = 1, t = "1" }, { n = 2, t = "2" }, { n = 3, t = "3" }, columns = { "n", "t" },
      command = "SELECT 3", affected = 3 }, result)
  end)

  it("has no rows but the command after a command", function()
    assert.same({ columns = {}, command = "CREATE TABLE" }, conn:exec("create table made (a int)"))
    assert.same({ columns = {}, command = "INSERT 0 2", affected = 2 }, conn:exec("insert into made values (1), (2)"))
    assert.same({ columns = {}, command = "" }, conn:exec(""))
  end)

  it("of 1,600 columns and of none", function()
    local list = {}
    for i = 1, 1600 do list[i] = ("%d as c%d"):format(i, i) end
    assert.equal(1600, conn:exec("select " .. table.concat(list, ","))[1].c1600)
    assert.same({ {}, {} }, { table.unpack(conn:exec("select from generate_series(1, 2)")) })
  end)

  it("says that a COMMIT was a rollback", function()
    conn:exec("begin")
    pcall(conn.exec, conn, "select 1/0")
    assert.equal("error", conn:status())
    assert.equal("ROLLBACK", conn:exec("commit").command)
    assert.equal("idle", conn:status())
  end)
end)

describe("parameters", function()
  local cases = {
    { "$1::int", 42, 42 }, { "$1::int8", math.mininteger, math.mininteger }, { "$1::bool", true, true },
    { "$1::bool", false, false }, { "$1::float8", 0.1, 0.1 }, { "$1::float8", 1e-310, 1e-310 },
    { "$1::float8", math.pi * 1e100, math.pi * 1e100 }, { "$1::float8", math.huge, math.huge },
    { "$1::float8", -math.huge, -math.huge }, { "$1::numeric", 0.1, "0.1" }, { "$1::text", "", "" },
    { "$1::text", "it's \\ \"q\"", "it's \\ \"q\"" }, { "$1", { oid = 23, value = "7" }, 7 },
    { "$1", { type = "bytea", value = "a\0b" }, "a\0b" },
    { "$1::bytea", { type = "bytea", value = "" }, "" }, { "$1::jsonb", '{"a": [1]}', '{"a": [1]}' },
    { "$1::int[]", "{1,2}", "{1,2}" },
  }
  for i, case in ipairs(cases) do
    it(("arrive as they are, case %d: %s"):format(i, case[1]), function()
      assert.equal(case[3], value(case[1], { case[2] }))
    end)
  end

  it("may be nil, counted by n", function()
    local row = conn:exec("select $1::int as a, $2::int as b, $3::text as c", { n = 3, nil, 2, nil })[1]
    assert.same({ b = 2 }, row)
    assert.is_nil(value("$1", { { type = "bytea" } }))
  end)

  it("may be many", function()
    local marks, list = {}, {}
    for i = 1, 5000 do marks[i], list[i] = ("$%d::int"):format(i), i end
    assert.equal(12502500, value(("(select sum(n) from unnest(array[%s]) n)"):format(table.concat(marks, ",")), list))
  end)

  local refused = {
    { { "a\0b" }, "parameter 1 contains a NUL byte" },
    { { 1, { oid = 25, value = "\0" } }, "parameter 2 contains a NUL byte" },
    { { print }, "parameter 1 is a function" },
    { { {} }, 'parameter 1 is a table without a known "type" or an "oid"' },
    { { { type = "bytea", value = 1 } }, 'parameter 1 has a "value" that is not a string' },
    { { n = 65536 }, "a statement cannot have 65536 parameters" },
    { { n = -1 }, "a statement cannot have -1 parameters" },
  }
  for _, case in ipairs(refused) do
    it("are refused when " .. case[2], function()
      local problem = fault(conn.exec, conn, "select $1", case[1])
      assert.equal("operation", problem.kind)
      assert.equal(case[2], problem.message)
      assert.equal("idle", conn:status())
    end)
  end

  it("may not make a statement with a NUL byte", function()
    assert.equal("statement contains a NUL byte", fault(conn.exec, conn, "select 1\0 + 1").message)
    assert.equal("statement contains a NUL byte", fault(conn.script, conn, "select 1\0").message)
    assert.equal("statement contains a NUL byte", fault(conn.prepare, conn, "p", "select 1\0").message)
    assert.equal("statement is not a string", fault(conn.exec, conn, 12).message)
  end)
end)

describe("a server error", function()
  it("carries what the server says", function()
    conn:exec("create table keyed (id int constraint keyed_key primary key, n int check (n > 0))")
    conn:exec("insert into keyed values (1, 1)")
    local problem = fault(conn.exec, conn, "insert into keyed values ($1, 1)", { 1 })
    assert.equal("server", problem.kind)
    assert.equal("23505", problem.sqlstate)
    assert.equal("ERROR", problem.severity)
    assert.equal('duplicate key value violates unique constraint "keyed_key"', problem.message)
    assert.equal("Key (id)=(1) already exists.", problem.detail)
    assert.same({ "public", "keyed", "keyed_key" }, { problem.schema, problem.table, problem.constraint })
    assert.equal("insert into keyed values ($1, 1)", problem.statement)
  end)

  it("counts the position in characters", function()
    local problem = fault(conn.exec, conn, "select 'ééé', nosuch")
    assert.equal("42703", problem.sqlstate)
    assert.equal(15, problem.position)
    assert.equal("integer", math.type(problem.position))
  end)

  it("tells about statements inside functions", function()
    local problem = fault(conn.exec, conn, "do $$ begin execute 'selec 1'; end $$")
    assert.equal("selec 1", problem.internal_query)
    assert.equal(1, problem.internal_position)
    assert.truthy(problem.context:find("PL/pgSQL"))
  end)

  it("carries hint, datatype and column where the server gives them", function()
    assert.truthy(fault(conn.exec, conn, "select nosuch(1)").hint)
    conn:exec("create domain positive as int constraint above check (value > 0)")
    local problem = fault(conn.exec, conn, "select (-1)::positive")
    assert.same({ "positive", "above" }, { problem.datatype, problem.constraint })
    conn:exec("create table filled (a int not null)")
    assert.equal("a", fault(conn.exec, conn, "insert into filled values (null)").column)
  end)

  it("refuses two statements in one exec", function()
    assert.equal("42601", fault(conn.exec, conn, "select 1; select 2").sqlstate)
  end)
end)

describe("notices", function()
  it("come with the result", function()
    local result = conn:exec("do $$ begin raise notice 'one' using hint = 'do'; raise warning 'two'; end $$")
    assert.equal(2, #result.notices)
    assert.same({ "NOTICE", "one", "do" },
      { result.notices[1].severity, result.notices[1].message, result.notices[1].hint })
    assert.same({ "WARNING", "two", "01000" },
      { result.notices[2].severity, result.notices[2].message, result.notices[2].sqlstate })
    assert.same({}, conn:notices())
    assert.is_nil(conn:exec("select 1").notices)
  end)

  it("wait in the connection after an error", function()
    fault(conn.exec, conn, "do $$ begin raise notice 'before'; raise exception 'stop'; end $$")
    assert.equal("before", conn:notices()[1].message)
    assert.same({}, conn:notices())
  end)

  it("are kept in bounded memory", function()
    local notices = conn:exec("do $$ begin for i in 1..5000 loop raise notice '%', i; end loop; end $$").notices
    assert.equal(1000, #notices)
    assert.equal(4000, notices.dropped)
  end)
end)

describe("conn:script", function()
  it("runs several statements and answers the last result", function()
    local sql = "create table s (a int); insert into s values (1), (2); select count(*) as n from s"
    assert.equal(2, conn:script(sql)[1].n)
  end)

  it("rolls all of them back at an error", function()
    assert.equal("22012", fault(conn.script, conn, "insert into s values (3); select 1/0; select 1").sqlstate)
    assert.equal(2, value("(select count(*) from s)"))
  end)

  it("refuses COPY", function()
    for _, sql in ipairs { "copy s from stdin", "copy s to stdout", "select 1; copy s from stdin; select 2" } do
      assert.equal("operation", fault(conn.script, conn, sql).kind)
      assert.equal("operation", fault(conn.exec, conn, "copy s from stdin").kind)
      assert.equal("idle", conn:status())
    end
  end)
end)

describe("prepared statements", function()
  it("run by name", function()
    conn:prepare("add", "select $1::int + $2::int as sum")
    assert.equal(5, conn:exec({ prepared = "add" }, { 2, 3 })[1].sum)
    assert.equal(7, conn:exec({ prepared = "add" }, { 3, 4 })[1].sum)
  end)

  it("have their text in errors", function()
    conn:prepare("divide", "select 1 / $1::int")
    assert.equal("select 1 / $1::int", fault(conn.exec, conn, { prepared = "divide" }, { 0 }).statement)
    assert.equal("26000", fault(conn.exec, conn, { prepared = "nosuch" }).sqlstate)
  end)
end)

describe("conn:status", function()
  it("follows the transaction", function()
    assert.equal("idle", conn:status())
    conn:exec("begin")
    assert.equal("transaction", conn:status())
    pcall(conn.exec, conn, "selec")
    assert.equal("error", conn:status())
    conn:exec("rollback")
    assert.equal("idle", conn:status())
  end)
end)

describe("a deadline", function()
  it("cancels the statement on the server", function()
    local problem = fault(conn.exec, conn, "select pg_sleep(30)", nil, { timeout = 0.1 })
    assert.equal("timeout", problem.kind)
    assert.equal("select pg_sleep(30)", problem.statement)
    assert.equal("idle", conn:status())
    assert.equal(1, value("1"))
  end)

  it("fails the transaction", function()
    conn:exec("begin")
    fault(conn.exec, conn, "select pg_sleep(30)", nil, { timeout = 0.1 })
    assert.equal("error", conn:status())
    conn:exec("rollback")
  end)

  it("holds while rows stream in", function()
    local sql = "select repeat('x', 1000) from generate_series(1, 100000000)"
    assert.equal("timeout", fault(conn.exec, conn, sql, nil, { timeout = 0.2 }).kind)
    assert.equal(1, value("1"))
  end)

  it("does not touch what is in time", function()
    assert.equal(1, conn:exec("select 1 as v", nil, { timeout = 30 })[1].v)
    assert.equal(2, value("2"))
  end)
end)

describe("a lost connection", function()
  it("is told with the server's reason, and stays lost", function()
    local victim <close> = pg.connect(url)
    conn:exec("select pg_terminate_backend($1)", { victim:pid() })
    local problem = fault(victim.exec, victim, "select 1")
    assert.equal("connection", problem.kind)
    assert.equal("57P01", problem.sqlstate)
    assert.equal("select 1", problem.statement)
    assert.equal("closed", victim:status())
    assert.equal("connection", fault(victim.exec, victim, "select 2").kind)
  end)

  it("is told when the server dies in the middle of a statement", function()
    local victim <close> = pg.connect(url)
    local problem = fault(victim.exec, victim, "select pg_terminate_backend(pg_backend_pid()), pg_sleep(5)")
    assert.equal("connection", problem.kind)
    assert.equal("closed", victim:status())
  end)
end)

describe("conn:cancel", function()
  it("reaches the server, also when there is nothing to cancel", function()
    assert.is_true(conn:cancel())
    assert.equal(1, value("1"))
  end)
end)

describe("a statement that is watched", function()
  it("calls the function until it ends", function()
    local ticks = 0
    local result = conn:exec("select 7 as v from pg_sleep(0.3)", nil,
      { every = 0.02, tick = function() ticks = ticks + 1 end })
    assert.equal(7, result[1].v)
    assert.is_true(ticks >= 2)
  end)

  it("is ended on the server by what the function raises", function()
    local problem = fault(conn.exec, conn, "select pg_sleep(60)", nil,
      { every = 0.02, tick = function() error({ kind = "mine" }, 0) end })
    assert.equal("mine", problem.kind)
    assert.equal("idle", conn:status())
    assert.equal(1, value "1")
  end)

  it("has its deadline all the same", function()
    local problem = fault(conn.exec, conn, "select pg_sleep(60)", nil,
      { timeout = 0.1, every = 0.02, tick = function() end })
    assert.equal("timeout", problem.kind)
    assert.equal(1, value "1")
  end)

  it("may watch by another connection", function()
    local other = pg.connect(url)
    local seen
    conn:exec("select pg_sleep(0.2)", nil, { every = 0.05, tick = function()
      seen = other:exec("select state from pg_stat_activity where pid = $1", { conn:pid() })[1].state
    end })
    other:close()
    assert.equal("active", seen)
  end)

  it("is refused with options that are none", function()
    for _, options in ipairs { { tick = 1 }, { tick = print, every = 0 }, { tick = print, every = "1" } } do
      assert.is_false(pcall(conn.exec, conn, "select 1", nil, options))
    end
    assert.equal(1, value "1")
  end)
end)
