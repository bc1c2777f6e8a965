--- Backfills against one big UPDATE of the same table, and against the loop that people write: LIMIT and
--- OFFSET to read, one UPDATE a row. Every sample has a fresh copy of the table. Ratios are of speeds, so more
--- is better; the CPU is that of the server's processes. MOONTIDE_BENCH_ROWS makes the table smaller,
--- MOONTIDE_BENCH_ROUNDS says how often. Memory is measured on demand: `run.sh backfill-memory`.

local cli = require "spec.support.cli"
local samples = require "spec.bench.samples"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local sys = require "moontide.runtime.sys"
local tmp = require "spec.support.tmp"

local ROWS = math.tointeger(tonumber(os.getenv "MOONTIDE_BENCH_ROWS" or 1000000))
local ROUNDS = math.tointeger(tonumber(os.getenv "MOONTIDE_BENCH_ROUNDS" or 5))

local settings = {
  fsync = "on", synchronous_commit = "on", full_page_writes = "on", autovacuum = "off", jit = "off",
  shared_buffers = "1GB", max_wal_size = "16GB", checkpoint_timeout = "1h",
}

local table_sql = [[
CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL, name_norm text, v integer NOT NULL DEFAULT 0,
  created timestamptz NOT NULL DEFAULT now());
INSERT INTO t (id, name) SELECT i, 'Some   Name  of a  ROW ' || md5(i::text) FROM generate_series(1, %d) i;
VACUUM (ANALYZE, FREEZE) t]]

local new_name = [[lower(regexp_replace(name, '\s+', ' ', 'g'))]]

local in_sql = [[op.backfill { "norm", table = "t", set = { name_norm = sql %q }, lanes = %d, max_rows = %d }]]

local in_lua = [[op.backfill { "norm", table = "t", read = { "name" }, write = { "name_norm" },
  lanes = %d, max_rows = %d, each = function(row) return { name_norm = (row.name:gsub("%%s+", " "):lower()) } end }]]

-- The loop of docs/backfill.md, without the condition that makes it lose rows.
local naive = [[
local db = require("moontide.runtime.pg").connect(arg[1])
for offset = 0, tonumber(arg[2]) - 1, 1000 do
  db:exec "BEGIN"
  for _, row in ipairs(db:exec("SELECT id, name FROM t ORDER BY id LIMIT 1000 OFFSET " .. offset)) do
    db:exec("UPDATE t SET name_norm = $1 WHERE id = $2", { (row.name:gsub("%s+", " "):lower()), row.id })
  end
  db:exec "COMMIT"
end]]

local function project_of(body)
  return cli.project { ["migrations/versions/a1.lua"] = cli.revision("a1", nil, { upgrade = body }) } .. "/migrations"
end

local Bench = {}
Bench.__index = Bench

local function bench_of(rows)
  local self = setmetatable({ cluster = server.cluster { settings = settings } }, Bench)
  local url = self.cluster:database()
  for statement in table_sql:format(rows):gmatch "[^;]+" do server.sql(url, statement) end
  self.base = url:match "/(db%d+)%?"
  self.postmaster = assert(shell.read(self.cluster.dir .. "/postmaster.pid")):match "^%d+"
  return self
end

-- A template is copied file by file, so that each sample begins with the same pages.
function Bench:copy()
  self.cluster:sql "DROP DATABASE IF EXISTS copy WITH (FORCE)"
  local version = tonumber(self.cluster:sql "SHOW server_version_num")
  self.cluster:sql(("CREATE DATABASE copy TEMPLATE %s%s"):format(self.base,
    version >= 150000 and " STRATEGY file_copy" or ""))
  self.cluster:sql "CHECKPOINT"
  server.sql(self.cluster:url "copy", "SELECT sum(length(name)) FROM t")
  return self.cluster:url "copy"
end

-- The processes of the server that have ended count for the postmaster, whose children they were.
function Bench:cpu()
  local busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'copy'"
  while tonumber(self.cluster:sql(busy)) > 0 do sys.sleep(0.05) end
  sys.sleep(0.1)
  local fields = {}
  for field in shell.read(("/proc/%s/stat"):format(self.postmaster)):match("%) (.*)"):gmatch "%S+" do
    fields[#fields + 1] = field
  end
  return (fields[14] + fields[15]) / 100
end

-- Everything takes turns, each on a copy of its own; what must be so afterwards is checked.
function Bench:turns(taken, rounds, subjects)
  for _ = 1, rounds do
    for _, subject in ipairs(subjects) do
      local url = self:copy()
      taken:take(subject[1], subject[2](url), function() return self:cpu() end)
      local left = server.sql(url, ("SELECT count(*) FROM t WHERE name_norm IS DISTINCT FROM %s"):format(new_name))
      assert(left == "0", subject[1] .. ": rows left as they were: " .. left)
    end
  end
end

local function upgrade(body)
  local project = project_of(body)
  return function(url) return samples.moontide(project, "--url", url, "upgrade", "head") end
end

local function big_update(url)
  return { server.program "psql", "-X", "-q", "-d", url, "-c", "UPDATE t SET name_norm = " .. new_name }
end

local function lua_loop(rows)
  local path = tmp.name("naive")
  shell.write(path, naive)
  return function(url) return { cli.binary(), "lua", path, url, tostring(rows) } end
end

local function row(title, ours, theirs, aim)
  return { title = "backfill: " .. title, ours = ours, theirs = theirs or "UPDATE", aim = aim, speed = true }
end

local function chunks(taken)
  local bench = bench_of(ROWS)
  bench:turns(taken, ROUNDS, {
    { "UPDATE", big_update },
    { "sql 10k", upgrade(in_sql:format(new_name, 1, 10000)) }, { "sql 1k", upgrade(in_sql:format(new_name, 1, 1000)) },
    { "lua 1", upgrade(in_lua:format(1, 10000)) }, { "lua 2", upgrade(in_lua:format(2, 10000)) },
    { "sql 2", upgrade(in_sql:format(new_name, 2, 10000)) },
  })
  bench.cluster:remove()
  return {
    row("SQL, chunks of 10000", "sql 10k", nil, 0.95), row("SQL, chunks of 1000", "sql 1k", nil, 0.88),
    row("SQL, two lanes", "sql 2"), row("Lua, one lane", "lua 1", nil, 0.7), row("Lua, two lanes", "lua 2", nil, 1.0),
  }
end

-- Its time grows with the square of the rows, so a tenth of them is a sample that flatters it.
local function loop(taken)
  local rows = ROWS // 10
  local bench = bench_of(rows)
  bench:turns(taken, 2, {
    { "loop", lua_loop(rows) }, { "lua 1", upgrade(in_lua:format(1, 10000)) },
    { "lua 2", upgrade(in_lua:format(2, 10000)) },
  })
  bench.cluster:remove()
  return { row(("Lua, one lane, %d rows"):format(rows), "lua 1", "loop", 5),
    row(("Lua, two lanes, %d rows"):format(rows), "lua 2", "loop", 5) }
end

local function memory(taken)
  for name, rows in pairs { one = ROWS, five = 5 * ROWS } do
    local bench = bench_of(rows)
    bench:turns(taken, 1, { { name .. " sql", upgrade(in_sql:format(new_name, 2, 10000)) },
      { name .. " lua", upgrade(in_lua:format(2, 10000)) } })
    bench.cluster:remove()
  end
  local list = {}
  for index, mode in ipairs { "sql", "lua" } do
    list[index] = row(("%s, %d rows against %d"):format(mode, 5 * ROWS, ROWS), "five " .. mode, "one " .. mode)
    list[index].reference = "of fewer"
  end
  return list
end

return {
  { name = "backfill-update", run = chunks }, { name = "backfill-loop", run = loop },
  { name = "backfill-memory", run = memory, demand = true },
}
