--- Kills backfills at random instants and counts what was done: every row has a counter
--- that is raised by one, and a trigger that notes each time, so nothing may be lost and
--- nothing may happen twice. Run by hand for long:
---
---     MOONTIDE_KILLS=300 sh spec/run.sh spec/torture/backfill_spec.lua

local cli = require "spec.support.cli"
local server = require "spec.support.server"

local torture = {}

local function pause(seconds) require("moontide.runtime.sys").sleep(seconds) end

-- A table with gaps in its keys, and the trigger.
local tables = [[
CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL, v integer NOT NULL DEFAULT 0);
INSERT INTO t SELECT g, 'row ' || g FROM generate_series(1, %d) g WHERE g %% 5 <> 0;
CREATE TABLE audit (id bigint NOT NULL, txid bigint NOT NULL);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN INSERT INTO audit VALUES (new.id, txid_current()); RETURN new; END';
CREATE TRIGGER note AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note();
ANALYZE t]]

--- The options of op.backfill for each way of working.
torture.modes = {
  sql = 'table = "t", set = { v = sql "v + 1" }, max_rows = 200, lanes = 2',
  lua = 'table = "t", read = { "id", "v" }, write = { "v" }, max_rows = 200, lanes = 2, '
    .. "each = function(row) return { v = row.v + 1 } end",
}

local function project(mode)
  local body = ('  op.execute("CREATE TABLE before (id integer)")\n  op.backfill { "plus", %s }\n'
    .. '  op.execute("CREATE TABLE after (id integer)")'):format(torture.modes[mode])
  return cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = body }) }
end

local ways = {}

function ways.client(process) process:signal "KILL" end

function ways.backend(_, url)
  pcall(server.sql, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    .. "WHERE application_name LIKE 'moontide backfill%' AND datname = current_database() LIMIT 1")
end

function ways.server(_, _, cluster)
  cluster:kill()
  cluster:start()
end

local order = { "client", "client", "client", "client", "client", "backend", "client", "server" }

-- Beside the upgrade, others that join in.
local function start_all(state)
  local options, list = { cwd = state.folder, env = { DATABASE_URL = state.url } }, {}
  list[1] = cli.start({ "upgrade", "heads" }, options)
  for number = 2, state.processes do list[number] = cli.start({ "backfill", "work" }, options) end
  return list
end

-- One process after the other, until it is the upgrade's turn or the server is struck.
local function strike(state, all)
  local way, number
  repeat
    pause(0.05 + math.random() * 0.35)
    way, number = order[math.random(#order)], math.random(#all)
    ways[way](all[number], state.url, state.cluster)
    state.kills = state.kills + 1
    state.tally[way] = (state.tally[way] or 0) + 1
  until number == 1 or way ~= "client"
end

local function attempt(state, last)
  local all = start_all(state)
  if not last then strike(state, all) end
  local good
  for number, process in ipairs(all) do
    local ran = process:wait(300)
    if last and ran.status ~= 0 then error("an undisturbed run failed:\n" .. ran.stderr) end
    if number == 1 then good = ran.status == 0 end
  end
  return good
end

local checks = {
  { "rows that were not raised by one", "SELECT count(*) FROM t WHERE v <> 1" },
  { "rows noted twice", "SELECT count(*) FROM (SELECT id FROM audit GROUP BY id HAVING count(*) > 1) s" },
  { "rows missing in the notes", "SELECT count(*) FROM t WHERE id NOT IN (SELECT id FROM audit)" },
  { "rows that the ranges did not count",
    "SELECT (SELECT count(*) FROM t) - sum(rows_changed) FROM moontide.backfill_range" },
  { "journal rows", "SELECT count(*) FROM moontide.journal" },
}

local function check(url)
  local errors = {}
  for _, item in ipairs(checks) do
    local count = server.sql(url, item[2])
    if count ~= "0" then errors[#errors + 1] = ("%s: %s"):format(item[1], count) end
  end
  return errors
end

--- One backfill, killed until it comes to its end or was killed often enough.
---@param cluster spec.Cluster
---@param mode string
---@param options { rows: integer, kills: integer, tally: table<string, integer>, processes?: integer }
---@return integer kills
---@return string[] errors
function torture.round(cluster, mode, options)
  local state = { cluster = cluster, url = cluster:database(), folder = project(mode), kills = 0 }
  state.tally, state.processes = options.tally, options.processes or 1
  server.sql(state.url, tables:format(options.rows))
  while state.kills < options.kills do
    if attempt(state, false) then break end
  end
  attempt(state, true)
  return state.kills, check(state.url)
end

return torture
