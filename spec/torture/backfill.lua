--- Kills backfills at random instants and counts what was done: every row has a counter
--- that is raised by one, and a trigger that notes each time, so nothing may be lost and
--- nothing may happen twice. Run by hand for long:
---
---     MOONTIDE_KILLS=300 sh spec/run.sh spec/torture/backfill_spec.lua

local application = require "spec.torture.application"
local cli = require "spec.support.cli"
local server = require "spec.support.server"

local torture = {}

local function pause(seconds) require("moontide.runtime.sys").sleep(seconds) end

-- A table with gaps in its keys, and the trigger, which leaves out what the application does. `hits` counts that.
local tables = [[
CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL, v integer NOT NULL DEFAULT 0,
  hits integer NOT NULL DEFAULT 0);
INSERT INTO t SELECT g, 'row ' || g FROM generate_series(1, %d) g WHERE g %% 5 <> 0;
CREATE TABLE audit (id bigint NOT NULL, txid bigint NOT NULL);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN INSERT INTO audit VALUES (new.id, txid_current()); RETURN new; END';
CREATE TRIGGER note AFTER UPDATE ON t FOR EACH ROW WHEN (current_setting('app.backfill', true) = 'on')
  EXECUTE FUNCTION note();
ANALYZE t]]

local common = 'table = "t", max_rows = 200, lanes = 2, session = { ["app.backfill"] = "on" }, '

--- The options of op.backfill for each way of working.
torture.modes = {
  sql = common .. 'set = { v = sql "v + 1" }',
  lua = common .. 'read = { "id", "name", "v" }, write = { "v" }, each = function(row) '
    .. 'if row.name == "bad" then error "a bad row" end return { v = row.v + 1 } end',
}

--- Makes each chunk last, so that most kills hit one.
torture.slow = [[
CREATE FUNCTION rest() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN IF current_setting(''app.backfill'', true) = ''on'' THEN PERFORM pg_sleep(0.03); END IF; RETURN NULL; END';
CREATE TRIGGER rest AFTER UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION rest()]]

--- A table with a row for each key that is no multiple of five.
---@param url string
---@param rows integer  the highest key
function torture.fill(url, rows) server.sql(url, tables:format(rows)) end

--- A project whose one revision has the backfill between two operations.
---@param options string  of op.backfill
---@param plugin? string   the text of a plugin
---@return string folder
function torture.project(options, plugin)
  local body = ('  op.execute("CREATE TABLE before (id integer)")\n  op.backfill { "plus", %s }\n'
    .. '  op.execute("CREATE TABLE after (id integer)")'):format(options)
  return cli.project {
    ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = body }),
    ["migrations/env.lua"] = plugin and 'return { plugins = { "ways" } }',
    ["migrations/plugins/ways.lua"] = plugin,
  }
end

local ways = {}

function ways.client(process) process:signal "KILL" end

function ways.backend(_, state)
  pcall(server.sql, state.url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    .. "WHERE application_name LIKE 'moontide backfill%' AND datname = current_database() LIMIT 1")
end

-- A power failure, or what an administrator in a hurry does.
function ways.server(_, state)
  if math.random(2) == 1 then state.cluster:kill() else state.cluster:stop "immediate" end
  state.cluster:start()
end

local order = { "client", "client", "client", "client", "client", "backend", "client", "server" }

local upgrade, work, stay = { "upgrade", "heads" }, { "backfill", "work" }, { "backfill", "work", "--wait" }

-- Beside the upgrade, others that join in. What is left to the background is done by all alike.
local function start_all(state)
  local options, list = { cwd = state.folder, env = { DATABASE_URL = state.through } }, {}
  for number = 1, state.processes do
    local leader = state.background and stay or upgrade
    list[number] = cli.start(number == 1 and leader or work, options)
  end
  return list
end

-- What is struck in a chunk counts for more than what is just about to connect.
local function is_in_chunk(state, process)
  local ok, count = pcall(server.sql, state.url, ("SELECT count(*) FROM pg_stat_activity WHERE application_name "
    .. "LIKE 'moontide backfill %%%s' AND state <> 'idle' AND datname = current_database()"):format(
    process and ":" .. process.pid or ""))
  return ok and tonumber(count) > 0
end

local function note(state, way, process)
  local name = is_in_chunk(state, way == "client" and process or nil) and "amid" or "beside"
  state.kills = state.kills + 1
  state.tally[way], state.tally[name] = (state.tally[way] or 0) + 1, (state.tally[name] or 0) + 1
end

-- One time in four the start is struck, too. A pooler hides the names of connections.
local function wait_for_chunk(state, all)
  if math.random(4) == 1 or state.through ~= state.url then return end
  for _ = 1, 200 do
    if is_in_chunk(state) or all[1]:has_ended() then return end
    pause(0.02)
  end
end

-- One process after the other, until it is the upgrade's turn; what is done to the server all may survive.
local function strike(state, all)
  local way, number
  wait_for_chunk(state, all)
  repeat
    pause((0.05 + math.random() * 0.35) * (state.only == "server" and 3 or 1))
    way, number = state.only or order[math.random(#order)], math.random(#all)
    if not all[1]:has_ended() then
      note(state, way, all[number])
      ways[way](all[number], state)
    end
  until number == 1 and way == "client" or state.kills >= state.most or all[1]:has_ended()
end

local function is_done(state)
  return server.sql(state.url, "SELECT to_regclass('moontide.backfill') IS NOT NULL") == "t"
    and server.sql(state.url, "SELECT count(*) FROM moontide.backfill WHERE state = 'done'") == "1"
end

local function attempt(state, last)
  if state.writers then state.writers:keep_on() end
  local all = start_all(state)
  if not last then strike(state, all) end
  for _, process in ipairs(all) do
    local ran = process:wait(300)
    if last and ran.status ~= 0 then error("an undisturbed run failed:\n" .. ran.stderr) end
  end
  return is_done(state)
end

local checks = {
  { "rows that were not raised by one", "SELECT count(*) FROM t WHERE id % 5 <> 0 AND name <> 'bad' "
    .. "AND v <> 1 + 100 * hits" },
  { "rows of the application that were raised twice", "SELECT count(*) FROM t WHERE v - 100 * hits NOT IN (0, 1)" },
  { "rows noted twice", "SELECT count(*) FROM (SELECT id FROM audit GROUP BY id HAVING count(*) > 1) s" },
  { "rows missing in the notes",
    "SELECT count(*) FROM t WHERE v - 100 * hits = 1 AND id NOT IN (SELECT id FROM audit)" },
  { "rows that the ranges did not count",
    "SELECT (SELECT count(*) FROM audit) - sum(rows_changed) FROM moontide.backfill_range" },
  { "bad rows that were not put aside", "SELECT (SELECT count(*) FROM t WHERE name = 'bad') "
    .. "- (SELECT count(*) FROM moontide.backfill_error WHERE resolved_at IS NULL)" },
  { "bad rows that the ranges did not count", "SELECT (SELECT count(*) FROM t WHERE name = 'bad') "
    .. "- sum(rows_bad) FROM moontide.backfill_range" },
  { "journal rows", "SELECT count(*) FROM moontide.journal" },
  { "rows that name the revision", "SELECT count(*) - 1 FROM moontide.version" },
}

-- The server notices a bit later that a client is gone.
local function left_open(url)
  local open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    .. "AND pid <> pg_backend_pid() AND state LIKE '%in transaction%'"
  return not pcall(cli.eventually, "transactions to end", function() return server.sql(url, open) == "0" end)
end

--- What is wrong in a database whose backfill has come to its end.
---@param url string
---@return string[]
function torture.problems(url)
  local errors = left_open(url) and { "a transaction is left open" } or {}
  local list = {}
  for index, item in ipairs(checks) do list[index] = ("SELECT '%s', (%s)"):format(item[1], item[2]) end
  for line in server.sql(url, table.concat(list, " UNION ALL ")):gmatch "[^\n]+" do
    if not line:find "|0$" then errors[#errors + 1] = (line:gsub("|", ": ")) end
  end
  return errors
end

---@class spec.BackfillRound
---@field rows integer
---@field kills integer
---@field tally table<string, integer>     how often in which way
---@field processes? integer
---@field background? boolean              leave it to `moontide backfill work`
---@field writers? boolean                 an application goes on writing
---@field only? string                     one way to kill
---@field more? string                     options of op.backfill
---@field setup? string                    SQL, when the table is there
---@field plugin? string                   the text of a plugin
---@field through? fun(url: string): string

local function prepare(cluster, mode, options)
  local url = cluster:database()
  local text = torture.modes[mode] .. (options.background and ", background = true" or "") .. (options.more or "")
  local state = {
    cluster = cluster, url = url, through = options.through and options.through(url) or url, kills = 0,
    folder = torture.project(text, options.plugin), processes = options.processes or 1,
    most = options.kills,
  }
  state.tally, state.background, state.only = options.tally, options.background, options.only
  torture.fill(url, options.rows)
  if options.setup then server.sql(url, options.setup) end
  if options.writers then state.writers = application.new(url, options.rows) end
  if state.background then cli.ok("upgrade", { cwd = state.folder, env = { DATABASE_URL = state.through } }) end
  return state
end

--- One backfill, killed until it comes to its end or was killed often enough.
---@param cluster spec.Cluster
---@param mode string
---@param options spec.BackfillRound
---@return integer kills
---@return string[] errors
---@return table state
function torture.round(cluster, mode, options)
  local state = prepare(cluster, mode, options)
  while state.kills < options.kills do
    if attempt(state, false) then break end
  end
  attempt(state, true)
  local wrong = state.writers and state.writers:stop() or {}
  for _, problem in ipairs(torture.problems(state.url)) do wrong[#wrong + 1] = problem end
  return state.kills, wrong, state
end

return torture
