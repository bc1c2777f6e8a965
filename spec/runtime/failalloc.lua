-- What failalloc runs: the whole binding, against the server of MOONTIDE_SPEC_URL. Every part is protected on its own,
-- so that a part that ran out of memory is followed by the others, on the same connection.

local digest = require "moontide.runtime.digest"
local pg = require "moontide.runtime.pg"
local url = os.getenv("MOONTIDE_SPEC_URL")

local conn
local expected = "not enough memory"

local function part(f)
  local ok, problem = pcall(f)
  if not ok and type(problem) == "string" and not problem:find(expected, 1, true) then error(problem, 0) end
end

local function fails(...)
  assert(not pcall(...))
end

local columns = { "a", "b" }
local rows = { { a = 1, b = "x\ty" }, { a = 2, b = { type = "bytea", value = "\0" } }, { a = 3 }, { a = 4, b = 0.5 } }
local statements = { { sql = "begin" } }
for i = 2, 12 do
  statements[i] = { sql = "select $1::int as n, repeat('x', 2000) as t", params = { i }, rows = i % 2 == 0 }
end
statements[#statements + 1] = { sql = "do $$ begin raise notice 'in the pipeline'; end $$" }
statements[#statements + 1] = { sql = "commit" }
local wrong = { { sql = "select 1", rows = true }, { sql = "select 1/0" }, { sql = "select 2" } }
local slow = { { sql = "select pg_sleep(5)" }, { sql = "select 1" } }
local every = { n = 8, nil, true, 7, 0.1, "text", { type = "bytea", value = "\0\1" }, { oid = 25, value = "y" }, "z" }

arm() -- luacheck: globals arm

part(function() pg.keywords() end)
part(function() pg.parse(url) end)
part(function() fails(pg.parse, "postgres://u:p%zz@h") end)
part(function() fails(pg.connect, "host=/nonexistent") end)
part(function() pg.start(url)():close() end)
part(function() conn = pg.connect(url, { defaults = { application_name = "failalloc" } }) end)
if not conn then return end

part(function() conn:script("create temp table t (a int, b text); insert into t values (1, 'x'); select * from t") end)
part(function()
  conn:exec("select $1::int, $2::bool, $3::int, $4::float8, $5::text, $6::bytea, $7, $8", every)
end)
part(function() conn:exec("select n, n::text, '\\x00'::bytea, 0.5::float8 from generate_series(1, 20) n") end)
part(function() conn:exec("do $$ begin raise notice 'one' using hint = 'h'; raise warning 'two'; end $$") end)
part(function() fails(conn.exec, conn, "select nosuch") end)
part(function() fails(conn.exec, conn, "select $1", { "\0" }) end)
part(function() fails(conn.exec, conn, "do $$ begin raise notice 'n'; raise 'e'; end $$") end)
part(function() conn:notices() end)
part(function() fails(conn.exec, conn, "copy t from stdin") end)
part(function() fails(conn.exec, conn, "select pg_sleep(5)", nil, { timeout = 0.002 }) end)
part(function()
  conn:prepare("p", "select $1::int as n")
  conn:exec({ prepared = "p" }, { 1 })
end)
part(function() conn:pipeline(statements) end)
part(function() if conn:status() ~= "idle" then conn:exec("rollback") end end)
part(function() fails(conn.pipeline, conn, wrong) end)
part(function() fails(conn.pipeline, conn, slow, { timeout = 0.002 }) end)
part(function()
  local ticks = { every = 0.01, tick = function() return { tostring({}) } end }
  conn:exec("select pg_sleep(0.03)", nil, ticks)
  ticks.tick = function() error({ kind = "mine" }, 0) end
  fails(conn.exec, conn, "select pg_sleep(5)", nil, ticks)
end)
part(function()
  local more = { { sql = "select 1 as n", rows = true } }
  conn:launch(statements)
  conn:launch(more)
  while not pg.wait({ conn }, 0.01) do conn:status() end
  conn:land(statements)
  conn:land(more)
end)
part(function() if conn:status() ~= "idle" then conn:exec("rollback") end end)
part(function()
  conn:launch(wrong)
  pg.wait { conn }
  fails(conn.land, conn, wrong)
end)
part(function()
  local held <close> = conn:pipeline { { rows = "held", sql = "select i::int8 as n, 'x' || i as t "
    .. "from generate_series(1, 3) i" } }[1]
  local ids, texts = pg.array(20), pg.array(25)
  for row = 1, #held do
    ids:cell(held, row, 1)
    texts:add(held:row(row, 1).t)
  end
  texts:raw(string.pack(">s4", "last"))
  texts:trim(3)
  conn:exec("select $1::int8[], $2::text[]", { { oid = 1016, value = ids:bytes(), binary = true },
    { oid = 1009, value = texts:bytes(), binary = true } })
end)
part(function()
  local sum = digest.sum()
  sum:write("x")
  sum:rows(rows, columns)
  return sum:hex(), digest.sha256("x")
end)
part(function() for _ in conn:rows("select generate_series(1, 5) as n, 'x' as t") do conn:status() end end)
part(function()
  local step, _, _, rest <close> = conn:rows("select generate_series(1, 5) as n")
  step()
  rest:close()
end)
part(function() for _ in conn:rows("select 1 / (2 - n) from generate_series(1, 5) n") do conn:status() end end)
part(function()
  local copy <close> = conn:copy_in("copy t from stdin")
  copy:rows(rows, columns)
  copy:write("9\tnine\n")
  copy:finish()
end)
part(function()
  local copy <close> = conn:copy_in("copy t from stdin")
  copy:write("wrong\n")
  copy:finish()
end)
part(function() conn:copy_in("copy t from stdin"):abort("no") end)
part(function()
  local copy <close> = conn:copy_out("copy t to stdout")
  while copy:read() do conn:status() end
end)
collectgarbage()

-- Memory that ran out once must not have cost the connection.
part(function()
  collectgarbage()
  assert(conn:exec("select 42 as v")[1].v == 42, "the connection is out of step")
  conn:close()
end)
