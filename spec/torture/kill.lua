--- Kills runs at random instants and looks at what is left. Run by hand for long:
---
---     sh spec/run.sh spec/torture --kills 500        (or: MOONTIDE_KILLS=500 sh spec/run.sh spec/torture)
---
--- A run is `moontide upgrade heads` (or `downgrade base`) on a project of random
--- revisions. The client is killed, or a server process is, or the whole server,
--- and the same command is started again, until it has come to its end. Then every
--- effect must be there exactly once, the schema must be that of an undisturbed
--- run, and the journal must be empty.

local cli = require "spec.support.cli"
local project = require "spec.torture.project"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local kill = {}

local function prepare(cluster)
  local url = cluster:database()
  server.sql(url, "CREATE TABLE effects (label text); CREATE SEQUENCE counter")
  return url
end

local function schema(url)
  local text = shell.capture(shell.join { server.bin() .. "/pg_dump", "-s", "-N", "moontide", "-d", url })
  return (text:gsub("\n\\[%a]+[^\n]*", ""))
end

local function counts(url)
  local found = {}
  for line in server.sql(url, "SELECT label || '=' || count(*) FROM effects GROUP BY label"):gmatch("[^\n]+") do
    local label, count = line:match("^(.*)=(%d+)$")
    found[label] = tonumber(count)
  end
  return found
end

local function clock() return require("moontide.runtime.sys").clock() end

local function pause(seconds) require("moontide.runtime.sys").sleep(seconds) end

local ways = {}

function ways.client(process) process:signal "KILL" end

-- One server process, as an administrator or the out-of-memory killer would.
function ways.backend(_, cluster, url)
  pcall(server.sql, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    .. "WHERE application_name = 'moontide' AND datname = current_database()")
  return cluster
end

function ways.server(_, cluster)
  cluster:kill()
  cluster:start()
end

local order = { "client", "client", "client", "client", "backend", "server" }

-- One attempt; answers whether the command came to its end.
local function attempt(state, command, allowed)
  local process = cli.start(command, { cwd = state.folder, env = { DATABASE_URL = state.url } })
  if not allowed then
    local ran = process:wait(120)
    if ran.status ~= 0 then error("an undisturbed run failed:\n" .. ran.stderr) end
    return true
  end
  pause(state.random(0, 1000) / 1000 * state.duration * 0.8)
  local way = order[state.random(1, #order)]
  ways[way](process, state.cluster, state.url)
  state.tally[way] = (state.tally[way] or 0) + 1
  local ran = process:wait(120)
  if ran.status ~= 0 then state.stopped = state.stopped + 1 end
  return ran.status == 0
end

local function check_once(labels, found, errors)
  for _, label in ipairs(labels) do
    if found[label] ~= 1 then errors[#errors + 1] = ("%s took effect %d times"):format(label, found[label] or 0) end
  end
end

local function check(state, reference, labels)
  local errors = {}
  check_once(labels, counts(state.url), errors)
  if server.sql(state.url, "SELECT count(*) FROM moontide.journal") ~= "0" then
    errors[#errors + 1] = "journal rows remain"
  end
  if schema(state.url) ~= reference then errors[#errors + 1] = "the schema differs from that of an undisturbed run" end
  return errors
end

local function until_done(state, command, kills)
  local done, left = false, kills
  while not done do
    done = attempt(state, command, left > 0)
    left = left - 1
  end
  return kills - math.max(left, 0)
end

local function measure(state, command)
  local started = clock()
  attempt(state, command, false)
  return clock() - started
end

local function round(cluster, random, tally, kills)
  local folder, effects = project.write(random(6, 14), random)
  local state = {
    cluster = cluster, folder = folder, random = random, tally = tally, stopped = 0, url = prepare(cluster),
  }
  local empty = schema(state.url)
  state.duration = measure(state, { "upgrade", "heads" })
  local full = schema(state.url)
  state.url = prepare(cluster)
  local spent = until_done(state, { "upgrade", "heads" }, kills)
  local errors = check(state, full, effects.up)
  spent = spent + until_done(state, { "downgrade", "base" }, kills)
  for _, problem in ipairs(check(state, empty, effects.down)) do errors[#errors + 1] = problem end
  return spent, state.stopped, errors
end

--- Kill a number of runs.
---@param kills integer
---@param seed integer
---@return { kills: integer, stopped: integer, rounds: integer, ways: table<string, integer>, errors: string[] }
function kill.run(kills, seed)
  math.randomseed(seed)
  -- What is committed must survive the server being killed, as in earnest.
  local cluster = server.cluster { settings = { synchronous_commit = "on", full_page_writes = "on" } }
  local tally, total = {}, { kills = 0, stopped = 0, rounds = 0, errors = {} }
  while total.kills < kills and #total.errors == 0 do
    local spent, stopped, errors = round(cluster, math.random, tally, 15)
    total.kills, total.stopped, total.rounds = total.kills + spent, total.stopped + stopped, total.rounds + 1
    total.errors = errors
  end
  total.ways = tally
  cluster:remove()
  return total
end

return kill
