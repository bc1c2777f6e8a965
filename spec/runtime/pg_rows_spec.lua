local pg = require "moontide.runtime.pg"
local server = require "spec.support.server"

local url, conn

setup(function()
  url = server.database()
  conn = pg.connect(url)
end)
teardown(function() conn:close() end)
after_each(function() conn:exec("rollback") end)

local function fault(...)
  local ok, problem = pcall(...)
  assert.is_false(ok)
  return problem
end

local million = "select n, n::text as t from generate_series(1, 1000000) n"

describe("conn:rows", function()
  it("gives one row at a time, with parameters and NULLs", function()
    local seen = {}
    for row in conn:rows("select n, nullif(n, 2) as m from generate_series(1, $1::int) n", { 3 }) do
      seen[#seen + 1] = row
    end
    assert.same({ { n = 1, m = 1 }, { n = 2 }, { n = 3, m = 3 } }, seen)
    assert.equal("idle", conn:status())
  end)

  it("gives nothing for no rows and for statements without rows", function()
    for _, sql in ipairs { "select 1 where false", "create temporary table made (a int)", "" } do
      for _ in conn:rows(sql) do error("there is no row") end
    end
    assert.equal("idle", conn:status())
  end)

  it("runs prepared statements", function()
    conn:prepare("three", "select generate_series(1, $1::int) as n")
    local sum = 0
    for row in conn:rows({ prepared = "three" }, { 3 }) do sum = sum + row.n end
    assert.equal(6, sum)
  end)

  it("reads a million rows in constant memory", function()
    local function status(field)
      collectgarbage() -- how much garbage may lie about depends on the specs before
      local file <close> = assert(io.open("/proc/self/status"))
      return tonumber(file:read("a"):match(field .. ":%s*(%d+)"))
    end
    -- The address sanitizer, known by its terabytes of address space, holds back what is freed.
    if status("VmSize") > 1 << 30 then return pending("memory cannot be measured under the address sanitizer") end
    local settled, most, count = nil, 0, 0
    for row in conn:rows(million) do
      count = count + 1
      if row.n == 300000 then settled = status("VmRSS") end
      if row.n > 300000 and row.n % 20000 == 0 then most = math.max(most, status("VmRSS")) end
    end
    assert.equal(1000000, count)
    assert.is_true(most - settled < 4000, most - settled .. " kB")
  end)

  it("has the connection to itself until it is done", function()
    for _ in conn:rows("select 1") do
      local problem = fault(conn.exec, conn, "select 1")
      assert.equal("operation", problem.kind)
      assert.truthy(problem.message:find("in use"))
    end
    conn:exec("select 1")
  end)

  it("stays at its end", function()
    local step, _, _, rows = conn:rows("select 1 as n")
    assert.equal(1, step().n)
    assert.is_nil(step())
    assert.is_nil(step())
    rows:close()
    rows:close()
    assert.is_nil(step())
  end)
end)

describe("leaving an iteration", function()
  it("frees the connection", function()
    for row in conn:rows("select generate_series(1, 100000000) as n") do
      if row.n == 3 then break end
    end
    assert.equal("idle", conn:status())
    assert.equal(1, conn:exec("select 1 as v")[1].v)
  end)

  it("by an error frees the connection", function()
    assert.equal("mine", fault(function()
      for _ in conn:rows(million) do error("mine", 0) end
    end))
    assert.equal("idle", conn:status())
  end)

  it("does not fail a transaction", function()
    conn:exec("begin")
    for row in conn:rows("select generate_series(1, 100000) as n") do
      if row.n == 3 then break end
    end
    assert.equal("transaction", conn:status())
    assert.equal(1, conn:exec("select 1 as v")[1].v)
  end)

  it("without closing is made good by the collector", function()
    do
      local step = conn:rows("select generate_series(1, 100000000) as n")
      step()
    end
    collectgarbage()
    collectgarbage()
    assert.equal("idle", conn:status())
    conn:exec("select 1")
  end)
end)

describe("errors of an iteration", function()
  it("come at the row where they happen", function()
    local seen = {}
    local problem = fault(function()
      for row in conn:rows("select 12 / (3 - n) as q from generate_series(1, 5) n") do seen[#seen + 1] = row.q end
    end)
    assert.same({ 6, 12 }, seen)
    assert.equal("22012", problem.sqlstate)
    assert.equal("select 12 / (3 - n) as q from generate_series(1, 5) n", problem.statement)
    assert.equal("idle", conn:status())
  end)

  it("come with the first step when the statement is wrong", function()
    local step = conn:rows("selec 1")
    assert.equal("42601", fault(step).sqlstate)
    assert.is_nil(step())
    conn:exec("select 1")
  end)

  it("tell that the connection was lost", function()
    local victim <close> = pg.connect(url)
    local problem = fault(function()
      for row in victim:rows("select n, repeat('x', 100) from generate_series(1, 10000000) n") do
        if row.n == 1 then conn:exec("select pg_terminate_backend($1)", { victim:pid() }) end
      end
    end)
    assert.equal("connection", problem.kind)
    assert.equal("closed", victim:status())
  end)

  it("refuse a COPY", function()
    assert.equal("operation", fault(conn.rows, conn, "copy (select 1) to stdout").kind)
    conn:prepare("hidden", "/* /* nested */ */ copy (select 1) to stdout")
    local step = conn:rows { prepared = "hidden" }
    assert.equal("operation", fault(step).kind)
    conn:exec("select 1")
  end)
end)
