local db = require "moontide.db"
local execute = require "moontide.transport.execute"
local lfs = require "lfs"
local op = require "moontide.op"
local segment = require "moontide.segment"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"
local value = require "moontide.value"

local null, sql = value.null, value.sql

local connection, directory

setup(function()
  connection = db.connect(server.database())
  directory = tmp.folder()
  connection.conn:script [[
    create table users (id bigint generated always as identity primary key, name text default 'nobody', age int,
      tags text[], doc jsonb, photo bytea, score float8, at timestamptz default now());
    create table events (id int, body text);
  ]]
end)
teardown(function() connection:close() end)
before_each(function() connection.conn:script("rollback; truncate users, events restart identity") end)

-- Run a function as a revision's upgrade.
local function run(fn)
  local transport = execute.new { db = connection, settings = {} }
  transport.ctx.directory = directory
  local sink = segment.new {
    transport = transport, guards = function() return {} end, revision = "r", direction = "upgrade", history = {},
  }
  local ok, problem = pcall(function()
    fn(op.new(sink))
    sink:finish {}
  end)
  if ok then return end
  transport:abort()
  error(problem, 0)
end

local function failure(fn)
  local ok, problem = pcall(run, fn)
  assert.is_false(ok)
  return problem
end

local function read(query)
  return connection.conn:exec(query)
end

describe("op.execute", function()
  it("takes parameters of every kind", function()
    run(function(o)
      o.execute("insert into users (name, age, tags, doc, photo, score) values ($1, $2, $3, $4, $5, $6)", "it's",
        5, value.array { "a", null }, value.json { k = { 1 } }, value.bytea "\0\1", 0.25)
      o.execute("insert into users (name, age) values ($1, $2)", nil, null)
    end)
    local rows = read("select name, age, tags::text, doc::text, photo, score from users order by id")
    local first = { name = "it's", age = 5, tags = "{a,NULL}", doc = '{"k": [1]}', photo = "\0\1", score = 0.25 }
    assert.same(first, rows[1])
    assert.same({}, rows[2])
  end)

  it("runs several statements", function()
    run(function(o)
      o.execute("insert into events values (1, ';'); -- one\n insert into events values (2, $$;$$);")
    end)
    assert.equal(2, read("select count(*) as n from events")[1].n)
  end)

  it("names the line of the caller and the statement that failed", function()
    local problem = failure(function(o) o.execute("select 1; select 1/0; select 2") end)
    assert.equal("22012", problem.sqlstate)
    assert.equal("select 1/0", problem.statement)
    assert.matches("data_spec%.lua:%d+$", problem.where)
  end)

  it("suggests the type that a misspelt one is meant to be", function()
    assert.equal("Did you mean varchar?", failure(function(o) o.execute("create table x (a varchr(5))") end).hint)
    assert.is_nil(failure(function(o) o.execute("create table x (a mood)") end).hint)
  end)

  local offline = {
    { "update t set a = $1 where b = '$1'", { 5 }, "update t set a = 5 where b = '$1'" },
    { "select 5 -$1, $2, $3", { -3, "a'b", null }, "select 5 - (-3), 'a''b', NULL" },
    { "select $1::text, $2", { value.array { 1 }, value.json { a = 1 } }, "select '{1}'::text, '{\"a\":1}'" },
  }
  for _, case in ipairs(offline) do
    it("writes parameters into the statement offline: " .. case[1], function()
      local operation = require "moontide.operation"
      local o = operation.build("execute", case[1], table.unpack(case[2]))
      assert.equal(case[3], operation.statements(o, { offline = true })[1].sql)
    end)
  end
end)

-- What psql makes of the printed script must be what the run makes of the revision.
describe("an offline script", function()
  local body = [[
    op.execute("insert into events values ($1, $2)", -1, "f -- ; \\ '")
    op.bulk_insert("events", { { id = 2, body = "x'\\\n" }, { id = 3 } })
    op.copy_from("events", "events.txt")
    op.copy_from("events", { 'id,body', '6,"d', 'e;"' }, { format = "csv", header = true })
  ]]

  it("loads the same rows as the run", function()
    shell.write(directory .. "/events.txt", "4\ta\\tb\n5\t\\N")
    run(function(o) load(body, "=body", "t", { op = o })() end)
    local query = "select json_agg(e order by id)::text as it from events e"
    local expected = read(query)[1].it
    connection.conn:script("truncate events")
    shell.write(directory .. "/offline.lua", ([[
      local transport = require("moontide.transport.print").new { directory = %q }
      local sink = require("moontide.segment").new { transport = transport, guards = function() return {} end,
        revision = "r", direction = "upgrade", history = {} }
      local op = require("moontide.op").new(sink)
      %s
      sink:finish {}]]):format(directory, body))
    local binary = os.getenv("MOONTIDE_BINARY")
    shell.capture(("%s lua %s > %s"):format(shell.quote(binary), shell.quote(directory .. "/offline.lua"),
      shell.quote(directory .. "/offline.sql")))
    shell.capture(shell.join { server.program "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", connection.url, "-f",
      directory .. "/offline.sql" })
    assert.equal(expected, read(query)[1].it)
  end)
end)

describe("op.query, op.row and op.scalar", function()
  it("answer rows with their types", function()
    run(function(o)
      o.bulk_insert("users", { { name = "a", age = 1 }, { name = "b" } })
      local rows = o.query("select name, age from users where id <= $1 order by id", 2)
      assert.equal(2, #rows)
      assert.same({ name = "a", age = 1 }, rows[1])
      assert.same({ name = "b" }, rows[2])
      assert.same({ "name", "age" }, rows.columns)
      assert.same({ age = 1 }, o.row("select age from users order by id"))
      assert.is_nil(o.row("select age from users where false"))
      assert.equal(2, o.scalar("select count(*) from users"))
      assert.is_nil(o.scalar("select age from users where name = 'b'"))
      assert.is_nil(o.scalar("select age from users where false"))
      assert.equal(1, #o.query("delete from users where name = $1 returning id", "a"))
    end)
    assert.equal(1, read("select count(*) as n from users")[1].n)
  end)

  it("refuse a scalar of several columns", function()
    assert.equal("the query answers 2 columns, not one",
      failure(function(o) o.scalar("select 1 as a, 2 as b") end).message)
  end)
end)

describe("op.each", function()
  it("lets other operations run in its loop, however many rows there are", function()
    run(function(o)
      o.execute("insert into events select n, 'x' || n from generate_series(1, 2500) n")
      local sum = 0
      local count = o.each("select id, body from events where id > $1 order by id", 10, function(row)
        sum = sum + row.id
        if row.id % 500 == 0 then o.execute("insert into users (name) values ($1)", row.body) end
      end)
      assert.equal(2490, count)
      assert.equal(2500 * 2501 // 2 - 55, sum)
    end)
    local names = read("select string_agg(name, ',' order by id) as it from users")[1].it
    assert.equal("x500,x1000,x1500,x2000,x2500", names)
  end)

  it("ends when the function returns false, and can be nested", function()
    run(function(o)
      local pairs_seen = {}
      for _ = 1, 2 do
        o.each("values (1), (2), (3)", function(outer)
          o.each("values (1), (2), (3)", function(inner)
            pairs_seen[#pairs_seen + 1] = outer.column1 * 10 + inner.column1
            return inner.column1 < 2
          end)
          return outer.column1 < 2
        end)
      end
      assert.same({ 11, 12, 21, 22, 11, 12, 21, 22 }, pairs_seen)
    end)
  end)

  it("can be used again after an error in the loop was caught", function()
    run(function(o)
      assert.is_false(pcall(o.each, "select 1 as a", function() error("no") end))
      assert.equal(1, o.each("select 1 as a", function() end))
    end)
  end)

  it("takes statements that change data, and ones no cursor can have", function()
    run(function(o)
      local ids = {}
      o.each("insert into events values (1, 'a'), (2, 'b') returning id", function(row) ids[#ids + 1] = row.id end)
      o.each("with gone as (delete from events returning id) select id from gone order by id", function(row)
        ids[#ids + 1] = row.id
      end)
      o.each("show work_mem", function(row) ids[#ids + 1] = type(row.work_mem) end)
      assert.same({ 1, 2, 1, 2, "string" }, ids)
    end)
  end)
end)

-- The same rows few and many times: everything but the numbers must come out the same.
local function spread(rows, times)
  local list = {}
  for _ = 1, times do
    for _, row in ipairs(rows) do list[#list + 1] = row end
  end
  return list
end

describe("op.bulk_insert", function()
  local cases = {
    { "strings", { { name = "a\tb\n\\'" }, { name = "\\N" }, { name = "" }, { name = "\\." } } },
    { "null", { { name = null, age = null } } },
    { "numbers", { { age = 5, score = 0.1 }, { age = -1, score = -0.0 }, { age = 0, score = 1e300 } } },
    { "arrays, documents and bytes", { { tags = value.array { "a\t", null, "\\" }, doc = value.json { a = { "\\\n" } },
      photo = value.bytea "\0\9\10\\\255" } } },
    { "booleans in a text column", { { name = true } } },
    { "identity columns", { { id = 1000, name = "a" } }, true },
  }
  for _, case in ipairs(cases) do
    it(("stores %s the same way, few or many"):format(case[1]), function()
      local query = "select name, age, tags::text, doc::text, photo, score from users order by id"
      run(function(o) o.bulk_insert("users", case[2]) end)
      local few = read(query)
      if case[3] then return assert.equal(1000, read("select id from users")[1].id) end
      connection.conn:script("truncate users restart identity")
      run(function(o) o.bulk_insert("users", spread(case[2], 200)) end)
      local many = read(query)
      assert.equal(#few * 200, #many)
      for i, row in ipairs(many) do assert.same(few[(i - 1) % #few + 1], row) end
    end)
  end

  it("refuses wrong data the same way, few or many", function()
    for _, row in ipairs { { age = "x" }, { age = true }, { age = 1.5 }, { score = "a" } } do
      local few = failure(function(o) o.bulk_insert("users", { row }) end)
      local many = failure(function(o) o.bulk_insert("users", spread({ row }, 200)) end)
      assert.equal(few.sqlstate, many.sqlstate)
      assert.equal(few.message, many.message)
    end
  end)

  it("keeps the order of rows, and gives absent keys their defaults, few or many", function()
    for _, times in ipairs { 1, 700 } do
      connection.conn:script("truncate users restart identity")
      run(function(o) o.bulk_insert("users", spread({ { name = "a" }, { age = 2 }, { name = null }, {} }, times)) end)
      local rows = read("select name, age, at is not null as dated from users order by id")
      assert.equal(4 * times, #rows)
      for i = 0, times - 1 do
        assert.same({ name = "a", dated = true }, rows[4 * i + 1])
        assert.same({ name = "nobody", age = 2, dated = true }, rows[4 * i + 2])
        assert.same({ dated = true }, rows[4 * i + 3])
        assert.same({ name = "nobody", dated = true }, rows[4 * i + 4])
      end
    end
  end)

  it("takes expressions, rows without columns, and no rows", function()
    run(function(o)
      o.bulk_insert("users", { { name = sql "upper('a')" } })
      o.bulk_insert("users", spread({ { name = sql "upper('b')" } }, 150))
      o.bulk_insert("users", { {}, {} })
      o.bulk_insert("users", {})
    end)
    assert.equal("A1,B150,nobody2", read([[select string_agg(name || n, ',' order by name collate "C") as it
      from (select name, count(*) as n from users group by 1) x]])[1].it)
  end)

  it("sends many rows by COPY and few as one statement", function()
    local operation = require "moontide.operation"
    local function statements(times, ctx)
      local rows = spread({ { id = 1, body = "x" } }, times)
      return operation.statements(operation.build("bulk_insert", "events", rows), ctx)
    end
    assert.is_nil(statements(100, {})[1].copy)
    assert.equal(101, #statements(101, {})[1].copy.rows)
    assert.equal(3, #statements(2500, { offline = true }))
    for _, statement in ipairs(statements(2500, { offline = true })) do assert.is_nil(statement.copy) end
  end)
end)

describe("op.copy_from", function()
  local function write(name, text)
    shell.write(directory .. "/" .. name, text)
    return name
  end

  local function events()
    return read("select string_agg(id || ':' || coalesce(body, '<null>'), '|' order by id) as it from events")[1].it
  end

  it("loads a text file relative to the environment", function()
    write("events.txt", "1\ta b\n2\t\\N\n3\tx\\ty\n")
    run(function(o) o.copy_from("events", "events.txt") end)
    assert.equal("1:a b|2:<null>|3:x\ty", events())
  end)

  it("loads CSV by the columns its header names", function()
    write("events.csv", '\239\187\191body,"id"\r\n"a,""b""\nc",1\r\n,2\r\n"",3\r\n')
    run(function(o) o.copy_from("events", "events.csv", { format = "csv", header = true }) end)
    assert.equal('1:a,"b"\nc|2:<null>|3:', events())
  end)

  it("takes the columns given instead of those of the header, and the options of COPY", function()
    write("odd.csv", "x;y\n1;'it''s'\n2;-\n")
    run(function(o)
      o.copy_from("events", directory .. "/odd.csv", { schema = "public", columns = { "id", "body" }, format = "csv",
        header = true, delimiter = ";", quote = "'", null = "-" })
    end)
    assert.equal("1:it's|2:<null>", events())
  end)

  it("converts from the encoding of the file", function()
    write("latin1.txt", "1\t\233\n")
    run(function(o) o.copy_from("events", "latin1.txt", { encoding = "LATIN1" }) end)
    assert.equal("1:é", events())
  end)

  it("loads rows from a function, in constant memory", function()
    local n, sizes = 0, {}
    run(function(o)
      o.copy_from("events", function()
        n = n + 1
        if n % 45000 == 0 then
          collectgarbage()
          collectgarbage() -- what has a finalizer is gone after the second time
          sizes[#sizes + 1] = collectgarbage("count")
        end
        if n <= 100000 then return { id = n, body = n % 2 == 0 and ("x"):rep(50) or nil } end
      end, { columns = { "body", "id" } })
    end)
    assert.is_true(math.abs(sizes[2] - sizes[1]) < 512)
    assert.same({ n = 100000, filled = 50000 }, read("select count(*) as n, count(body) as filled from events")[1])
  end)

  it("loads lines", function()
    run(function(o) o.copy_from("events", { "id,body", "1,a\n", "2,b" }, { format = "csv", header = true }) end)
    assert.equal("1:a|2:b", events())
  end)

  it("refuses a file that is not there before anything is sent", function()
    local problem = failure(function(o) o.copy_from("events", "nowhere.csv") end)
    assert.equal("file", problem.kind)
    assert.equal(('could not open file "%s/nowhere.csv" for copy_from: No such file or directory'):format(directory),
      problem.message)
    assert.matches("data_spec%.lua:%d+$", problem.where)
  end)

  it("names the row that is wrong, and loads nothing", function()
    local n = 0
    local problem = failure(function(o)
      o.copy_from("events", function() n = n + 1 return { id = n, [n == 3 and "typo" or "body"] = "x" } end,
        { columns = { "id", "body" } })
    end)
    assert.equal('row 3 has the column "typo", which is not one of the columns given', problem.message)
    assert.is_nil(events())
    assert.equal("idle", connection:status())
  end)

  it("reports the server's view of wrong data", function()
    local problem = failure(function(o) o.copy_from("events", { "x\ty" }) end)
    assert.equal("22P02", problem.sqlstate)
    assert.matches("COPY events, line 1", problem.context)
  end)

  it("leaves no file open", function()
    write("open.txt", "1\ta\n")
    local function count()
      local n = 0
      for _ in lfs.dir("/proc/self/fd") do n = n + 1 end
      return n
    end
    local before = count()
    run(function(o) o.copy_from("events", "open.txt") end)
    assert.equal(before, count())
  end)
end)
