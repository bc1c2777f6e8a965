local pg = require "moontide.runtime.pg"
local server = require "spec.support.server"

local url, conn

setup(function()
  url = server.database()
  conn = pg.connect(url)
  conn:exec("create table t (a int primary key, b text)")
end)
teardown(function() conn:close() end)
before_each(function() conn:exec("truncate t cascade") end)

local function fault(...)
  local ok, problem = pcall(...)
  assert.is_false(ok)
  return problem
end

local function count()
  return conn:exec("select count(*) as n from t")[1].n
end

local function inserts(n, text)
  local list = {}
  for i = 1, n do list[i] = { sql = "insert into t values ($1, $2)", params = { n = 2, i, text } } end
  return list
end

describe("conn:pipeline", function()
  it("answers one result for each statement, with rows where they are wanted", function()
    local results = conn:pipeline {
      { sql = "insert into t values ($1, $2), (2, $3)", params = { n = 3, 1, nil, "x" } },
      { sql = "select a, b from t order by a", rows = true },
      { sql = "select a, b from t order by a" },
      { sql = "set application_name to pipeline" },
      { sql = "" },
    }
    assert.same({
      { command = "INSERT 0 2", affected = 2 },
      { { a = 1 }, { a = 2, b = "x" }, columns = { "a", "b" }, command = "SELECT 2", affected = 2 },
      { command = "SELECT 2", affected = 2 },
      { command = "SET" },
      { command = "" },
    }, results)
    assert.equal("idle", conn:status())
  end)

  it("does nothing for an empty list", function()
    assert.same({}, conn:pipeline {})
    assert.equal("idle", conn:status())
  end)

  it("runs prepared statements", function()
    conn:prepare("put", "insert into t values ($1, 'p')")
    local results = conn:pipeline {
      { prepared = "put", params = { 1 } }, { prepared = "put", params = { 2 } },
      { sql = "select count(*) as n from t", rows = true },
    }
    assert.equal(2, results[3][1].n)
    local problem = fault(conn.pipeline, conn, { { sql = "select 1" }, { prepared = "put", params = { 1 } } })
    assert.equal("insert into t values ($1, 'p')", problem.statement)
    assert.same({ "23505", 2 }, { problem.sqlstate, problem.index })
  end)

  it("gives each result its own notices", function()
    local results = conn:pipeline {
      { sql = "select 1" }, { sql = "do $$ begin raise notice 'one'; end $$" }, { sql = "drop table if exists nosuch" },
    }
    assert.is_nil(results[1].notices)
    assert.equal("one", results[2].notices[1].message)
    assert.equal('table "nosuch" does not exist, skipping', results[3].notices[1].message)
  end)

  it("runs as one transaction when there is no other", function()
    local list = inserts(10)
    list[11] = { sql = "select 1/0" }
    assert.equal(11, fault(conn.pipeline, conn, list).index)
    assert.equal(0, count())
    assert.equal("idle", conn:status())
  end)

  it("leaves a transaction that it began in the state error", function()
    local list = { { sql = "begin" }, { sql = "insert into t values (1)" }, { sql = "insert into nosuch values (1)" },
      { sql = "insert into t values (2)" }, { sql = "commit" } }
    local problem = fault(conn.pipeline, conn, list)
    assert.equal("server", problem.kind)
    assert.equal("42P01", problem.sqlstate)
    assert.equal(13, problem.position)
    assert.equal(3, problem.index)
    assert.equal("insert into nosuch values (1)", problem.statement)
    assert.equal("error", conn:status())
    assert.equal("ROLLBACK", conn:exec("commit").command)
    assert.equal(0, count())
  end)

  it("shows that a COMMIT was a rollback", function()
    conn:exec("begin")
    pcall(conn.exec, conn, "select 1/0")
    assert.equal("ROLLBACK", conn:pipeline({ { sql = "commit" } })[1].command)
  end)

  it("raises a constraint that is checked at COMMIT, with the index of the COMMIT", function()
    conn:exec("create table d (a int references t deferrable initially deferred)")
    local problem = fault(conn.pipeline, conn, { { sql = "begin" }, { sql = "insert into d values (1)" },
      { sql = "commit" } })
    assert.same({ "23503", 3, "commit" }, { problem.sqlstate, problem.index, problem.statement })
    assert.equal("idle", conn:status())
  end)

  it("finds the statement that failed in the first, a middle and the last batch", function()
    for _, index in ipairs { 1, 499, 500, 501, 1700, 3000 } do
      local list = inserts(3000)
      list[index] = { sql = "select 1/0 -- " .. index }
      local problem = fault(conn.pipeline, conn, list)
      assert.equal(index, problem.index)
      assert.equal("select 1/0 -- " .. index, problem.statement)
      assert.equal("idle", conn:status())
      assert.equal(0, count())
    end
  end)
end)

describe("what a pipeline refuses before it sends anything", function()
  local cases = {
    { { sql = "copy t from stdin" }, "COPY cannot move data through this call" },
    { { sql = " -- c\n /* d */ CoPy (select 1) to STDOUT" }, "COPY cannot move data through this call" },
    { { sql = "select 1\0" }, "statement contains a NUL byte" },
    { { sql = "select $1", params = { "\0" } }, "parameter 1 contains a NUL byte" },
    { { sql = 1 }, "statement is not a string" },
    { {}, "statement is not a string" },
    { "select 1", "statement is not a table" },
  }
  for _, case in ipairs(cases) do
    it(case[2], function()
      local problem = fault(conn.pipeline, conn, { { sql = "insert into t values (1)" }, case[1] })
      assert.equal("operation", problem.kind)
      assert.equal(case[2], problem.message)
      assert.equal(2, problem.index)
      assert.equal(0, count())
      assert.equal("idle", conn:status())
    end)
  end

  it("but not what only looks like COPY", function()
    conn:exec("create table copying (stdin int)")
    local results = conn:pipeline { { sql = "select stdin from copying" }, { sql = "copy t to program 'true'" } }
    assert.equal("COPY 0", results[2].command)
  end)

  it("recovers from a prepared COPY, which it cannot see", function()
    conn:exec("select 1")
    local other <close> = pg.connect(url)
    other:prepare("hidden", "/* a /* nested */ comment */ copy t from stdin")
    local problem = fault(other.pipeline, other, { { prepared = "hidden" }, { sql = "select 1" } })
    assert.is_string(problem.kind)
    assert.is_true(other:status() == "idle" or other:status() == "closed")
  end)
end)

describe("a long pipeline", function()
  it("of 100,000 statements gets through", function()
    local results = conn:pipeline(inserts(100000, "some text"), { timeout = 60 })
    assert.equal(100000, #results)
    assert.equal(100000, count())
  end)

  it("with megabyte parameters and megabyte results gets through", function()
    local list, text = {}, ("x"):rep(1 << 20)
    for i = 1, 60 do
      list[i] = { sql = "select $1::text || repeat('y', 1 << 20) as v", params = { text }, rows = i % 20 == 0 }
    end
    local results = conn:pipeline(list, { timeout = 60 })
    assert.equal(2 << 20, #results[60][1].v)
    assert.same({ command = "SELECT 1", affected = 1 }, results[1])
  end)

  it("does not keep rows that nobody wants", function()
    local function status(field)
      local file <close> = assert(io.open("/proc/self/status"))
      return tonumber(file:read("a"):match(field .. ":%s*(%d+)"))
    end
    local function peak() return status("VmHWM") end
    -- The address sanitizer, known by its terabytes of address space, holds back what is freed.
    if status("VmSize") > 1 << 30 then return pending("memory cannot be measured under the address sanitizer") end
    conn:pipeline { { sql = "select repeat('x', 1000) from generate_series(1, 1000)" } }
    local before = peak()
    local results = conn:pipeline {
      { sql = "select repeat('x', 1000) from generate_series(1, 200000)" },
      { sql = "select repeat('x', 100000000 / 1000) from generate_series(1, 1000)" },
    }
    assert.equal(200000, results[1].affected)
    assert.is_true(peak() - before < 20000, peak() - before .. " kB")
  end)
end)

describe("a pipeline that is stopped", function()
  it("names the statement that was running at the deadline", function()
    local list = inserts(10)
    list[7] = { sql = "select pg_sleep(30)" }
    local problem = fault(conn.pipeline, conn, list, { timeout = 0.2 })
    assert.same({ "timeout", 7, "select pg_sleep(30)" }, { problem.kind, problem.index, problem.statement })
    assert.equal("idle", conn:status())
    assert.equal(0, count())
  end)

  it("leaves the transaction in the state error", function()
    local list = { { sql = "begin" }, { sql = "select pg_sleep(30)" } }
    local problem = fault(conn.pipeline, conn, list, { timeout = 0.1 })
    assert.equal("timeout", problem.kind)
    assert.equal("error", conn:status())
    conn:exec("rollback")
  end)

  it("rolls back what was done when not everything was sent", function()
    local list = inserts(200000, ("x"):rep(100))
    list[150000] = { sql = "select pg_sleep(30)" }
    assert.equal("timeout", fault(conn.pipeline, conn, list, { timeout = 0.3 }).kind)
    assert.equal("idle", conn:status())
    assert.equal(0, count())
  end)

  it("tells with its index that the connection was lost", function()
    local victim <close> = pg.connect(url)
    local problem = fault(victim.pipeline, victim, { { sql = "select 1" },
      { sql = "select pg_terminate_backend(pg_backend_pid()), pg_sleep(5)" }, { sql = "select 2" } })
    assert.same({ "connection", 2, "57P01" }, { problem.kind, problem.index, problem.sqlstate })
    assert.equal("closed", victim:status())
  end)

  it("tells that the connection was lost before it began", function()
    local victim <close> = pg.connect(url)
    conn:exec("select pg_terminate_backend($1)", { victim:pid() })
    assert.equal("connection", fault(victim.pipeline, victim, inserts(5000, ("x"):rep(1000))).kind)
    assert.equal("closed", victim:status())
  end)
end)

describe("conn:launch", function()
  local function list(...)
    local statements = {}
    for index, sql in ipairs { ... } do statements[index] = { sql = sql, rows = true } end
    return statements
  end

  local function land(statements)
    assert.equal(1, pg.wait({ conn }, 60))
    return conn:land(statements)
  end

  it("sends lists behind one another, which are landed in their order", function()
    local first, none = list("begin", "insert into t values (1, 'a')", "select pg_sleep(0.05)"), {}
    local second, third = list("insert into t values (2, 'b')"), list("select count(*) as n from t", "commit")
    for _, statements in ipairs { first, second, none, third } do conn:launch(statements) end
    assert.equal("INSERT 0 1", land(first)[2].command)
    assert.equal("INSERT 0 1", land(second)[1].command)
    assert.same({}, conn:land(none))
    assert.equal("active", conn:status())
    local results = land(third)
    assert.equal(2, results[1][1].n)
    assert.equal("COMMIT", results[2].command)
    assert.equal("idle", conn:status())
    assert.equal(2, count())
  end)

  it("ends what was launched behind a list that fails", function()
    local first, second = list("begin", "select 1/0"), list("insert into t values (1, 'a')", "commit")
    conn:launch(first)
    conn:launch(second)
    assert.equal("22012", fault(land, first).sqlstate)
    assert.equal("error", conn:status())
    assert.equal("nothing was launched on the connection", fault(conn.land, conn, second).message)
    conn:exec "rollback"
    assert.equal(0, count())
  end)

  it("names the statement of the list that fails", function()
    local first, second = list("begin", "select 1", "select 2"), list("select 3", "select 1/0", "select 4")
    conn:launch(first)
    conn:launch(second)
    land(first)
    local problem = fault(land, second)
    assert.equal(2, problem.index)
    assert.equal("select 1/0", problem.statement)
    assert.equal("error", conn:status())
    conn:exec "rollback"
  end)

  it("is stopped by whatever else the connection is used for", function()
    conn:launch(list("begin", "insert into t values (1, 'a')", "select pg_sleep(60)"))
    conn:launch(list "commit")
    assert.equal(1, conn:exec("select 1 as n")[1].n)
    assert.equal(0, count())
    conn:launch(list "select 5 as n")
    conn:launch(list "select 6 as n")
    conn:close()
    conn = pg.connect(url)
  end)

  it("takes more than the buffers hold", function()
    local long, lists = ("x"):rep(100000), {}
    for number = 1, 40 do
      lists[number] = { { sql = "select $1 as text", params = { long }, rows = true } }
      conn:launch(lists[number])
    end
    for number = 1, 40 do assert.equal(#long, #land(lists[number])[1][1].text) end
    assert.equal("idle", conn:status())
  end)
end)
