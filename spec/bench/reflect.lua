--- `reflect`, and `check` with nothing to find, of many tables of ten columns, two indexes and a
--- foreign key each, against `pg_dump -s` of the same database.

local cli = require "spec.support.cli"
local lfs = require "lfs"
local pg = require "moontide.runtime.pg"
local samples = require "spec.bench.samples"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local statements = [[
CREATE TABLE t{n} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, email varchar(255),
  amount numeric(12, 2) DEFAULT 0 NOT NULL, active boolean DEFAULT true NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL, updated_at timestamptz, data jsonb, kind integer DEFAULT 1,
  parent_id bigint REFERENCES t{before} (id));
CREATE INDEX ix_t{n}_name ON t{n} (name);
CREATE UNIQUE INDEX ux_t{n}_email ON t{n} (email);
]]

local function fill(url, count)
  local parts = {}
  for n = 1, count do
    parts[n] = statements:gsub("{(%l+)}", { n = tostring(n), before = tostring(math.max(n - 1, 1)) })
  end
  local conn <close> = pg.connect(url)
  conn:script(table.concat(parts))
  conn:script "ANALYZE"
end

-- An environment whose models are what the database has.
local function environment(url)
  local path = tmp.folder("bench")
  lfs.mkdir(path .. "/versions")
  shell.write(path .. "/env.lua", 'return { models = "models.lua" }\n')
  shell.write(path .. "/models.lua", (cli.ok { "--config", path .. "/env.lua", "--url", url, "reflect" }))
  return path
end

local function row(command, count)
  local title = ("%s of %d tables"):format(command, count)
  return { title = title, ours = command, theirs = "pg_dump", reference = "pg_dump -s", aim = 1.0 }
end

local function measure(taken, count, rounds)
  local cluster = server.cluster { settings = { max_locks_per_transaction = "256" } }
  local url = cluster:database()
  fill(url, count)
  local path, dump = environment(url), { server.bin() .. "/pg_dump", "-s", "-d", url }
  taken:turns(rounds, {
    { "reflect", samples.moontide(path, "--url", url, "reflect") }, { "pg_dump", dump },
    { "check", samples.moontide(path, "--url", url, "check") },
  })
  cluster:remove()
  return { row("reflect", count), row("check", count) }
end

local cases = {}
for _, case in ipairs { { 300, 15 }, { 1000, 9 }, { 5000, 5 } } do
  local count, rounds = table.unpack(case)
  cases[#cases + 1] = { name = "reflect-" .. count, run = function(taken) return measure(taken, count, rounds) end }
end
return cases
