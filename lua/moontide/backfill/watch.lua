--- Looks at the signals of a running backfill about once a second, on a connection of its
--- own, and stops its lanes while one of them is too high. What it cannot see it says once.

local failure = require "moontide.backfill.failure"
local fault = require "moontide.fault"
local gauge = require "moontide.backfill.gauge"
local identity = require "moontide.backfill.identity"
local knob = require "moontide.backfill.knob"
local notice = require "moontide.backfill.notice"
local obstacle = require "moontide.backfill.obstacle"
local orders = require "moontide.backfill.orders"
local quote = require "moontide.sql.quote"
local report = require "moontide.report"
local signal = require "moontide.backfill.signal"
local sys = require "moontide.runtime.sys"

---@class moontide.BackfillWatch
---@field run moontide.BackfillRun
---@field room number  bytes of WAL that may be written until a limit is reached
---@field states table<string, { gauge: moontide.Gauge, memory: table, at?: number, off?: boolean, reason?: string }>
local Watch = {}
Watch.__index = Watch

local watch = {}

-- Seconds between two looks, and between two notes of the same reason in the job's row.
local interval, note_interval = 1, 5

-- Behind this a query of a signal is given up.
local timeout = "SET statement_timeout = '5s'"

--- The watch over a run.
---@param run moontide.BackfillRun
---@return moontide.BackfillWatch
function watch.new(run) return setmetatable({ run = run, states = {} }, Watch) end

local function state_of(self, name)
  self.states[name] = self.states[name] or { gauge = gauge.new(), memory = {} }
  return self.states[name]
end

local function tables_of(run)
  local list = {}
  for index, leaf in ipairs(run.spec.leaves) do list[index] = leaf.oid end
  return list
end

-- What a signal is told.
local function context(self, state, limit, setting)
  return { limit = limit, setting = setting, tables = tables_of(self.run), memory = state.memory,
    workers = identity.pids(self.run.id) }
end

local function words_of(entry, value, limit, words)
  if limit == 0 then return words or entry.summary end
  local unit = entry.unit and " " .. entry.unit or ""
  return ("%s %.4g%s > %.4g%s"):format(words or entry.summary, value, unit, limit, unit)
end

-- A query that took too long, or met a lock, tells nothing.
local passing = { ["57014"] = true, ["55P03"] = true, ["40001"] = true, ["40P01"] = true }

local function is_own(entry) return entry.from == "moontide itself" end

local function blind(self, entry, state, problem)
  state.off = true
  report.warn(("backfill %s: signal %s is not watched"):format(self.run.o.name, entry.name),
    { detail = problem.message })
end

-- Of our own signals a failure is no reason to end; what the user gave has to work.
local function failed(self, entry, state, problem, setting)
  if not fault.is(problem) then problem = require("moontide.gate").explain(problem) end
  if problem.kind == "interrupted" or failure.is_lost(problem) then error(problem, 0) end
  if passing[problem.sqlstate] then return end
  if is_own(entry) and type(setting) ~= "string" and type(setting) ~= "function" then
    return blind(self, entry, state, problem)
  end
  problem.message = ('backfill "%s": signal %s: %s'):format(self.run.o.name, entry.name, problem.message)
  problem.where = problem.where or self.run.o.where
  error(problem, 0)
end

local function warn_once(self, state, reason)
  if state.warned then return end
  state.warned = true
  report.warn(("backfill %s: %s"):format(self.run.o.name, reason))
end

local function smaller(run)
  for _, lane in pairs(run.staff) do
    if lane.size then lane.size:halve(lane.size.rows) end
  end
end

local function take(self, entry, state, value, limit, words)
  if entry.wal and value then self.room = math.min(self.room, math.max(0, limit - value) * 1048576) end
  local was = state.gauge.high
  if not state.gauge:note(value, limit, entry.patience) then
    state.reason = nil
    return
  end
  if value and value > limit then state.reason = words_of(entry, value, limit, words) end
  if not was and entry.halves then smaller(self.run) end
end

local function sample(self, entry, query)
  local state = state_of(self, entry.name)
  local limit, setting = knob.limit(self.run, entry)
  if not limit or state.off then
    state.gauge, state.reason = gauge.new(), nil
    return
  end
  local now = sys.clock()
  if not entry.wal and state.at and now - state.at < (entry.every or interval) - 0.05 then return end
  state.at = now
  local ok, value, words = pcall(entry.sample, query, context(self, state, limit, setting))
  if not ok then return failed(self, entry, state, value, setting) end
  take(self, entry, state, value, limit, words)
  if entry.warns and not setting and state.reason then
    warn_once(self, state, state.reason)
    state.reason = nil
  end
end

local function reasons(self)
  local list = {}
  for _, name in ipairs(signal.names()) do
    local state = self.states[name]
    if state and state.reason then list[#list + 1] = state.reason end
  end
  return #list > 0 and table.concat(list, "; ") or nil
end

local function names_high(self)
  local list = {}
  for _, name in ipairs(signal.names()) do
    if self.states[name] and self.states[name].reason then list[#list + 1] = name end
  end
  return table.concat(list, " ")
end

-- The lanes stop by the field `throttled`; people see it in the job's row.
local function decide(self, query)
  local run, reason, names = self.run, reasons(self), names_high(self)
  local before = run.throttled
  run.throttled = reason
  if not reason and not before then return end
  local changed = names ~= self.names
  if reason and changed then notice.paused(run, reason) end
  if not reason then notice.resumed(run) end
  if changed or sys.clock() - self.noted > note_interval then
    self.names, self.noted = names, sys.clock()
    query(run.books:throttle_statement(run.id, reason))
  end
end

-- With synchronous_commit = off what was inserted is written later, and rows would seem to take no WAL.
local function learn_wal(self, query)
  if not knob.speed(self.run).wal_mb_s and self.room == math.huge then return end
  self.run.pace:learn(query("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint AS at")[1].at)
end

-- Lanes that are stopped do not read what people say to the job, which may be that they need not be.
local function take_orders(run, query)
  local row = query(run.books:standing_statement(run.id))[1]
  if not row or row.state == "abandoned" then orders.refuse(run.o) end
  orders.take(run, row.control)
end

--- Look once.
---@param query fun(sql: string): table
function Watch:look(query)
  if self.run.throttled then take_orders(self.run, query) end
  local pace = self.run.pace
  local unseen = pace.unseen
  self.room = math.huge
  for _, name in ipairs(signal.names()) do sample(self, signal.get(name), query) end
  learn_wal(self, query)
  pace:look(self.room, unseen)
  obstacle.look(self.run, query)
  decide(self, query)
end

local told = false

-- Without a role that sees what others do, most signals are silent, which looks like peace.
local function check_role(self, query)
  if told then return end
  local row = query("SELECT current_user AS role, pg_has_role('pg_read_all_stats', 'USAGE') AS sees")[1]
  if row.sees then return end
  local names = {}
  for _, name in ipairs(signal.names()) do
    local entry = signal.get(name)
    if entry.statistics and knob.limit(self.run, entry) then names[#names + 1] = name end
  end
  told = true
  if #names == 0 then return end
  report.warn(("backfill %s: role %s does not see what others do; not watched: %s"):format(self.run.o.name, row.role,
    table.concat(names, ", ")), { hint = ("GRANT pg_monitor TO %s makes them work."):format(quote.ident(row.role)) })
end

-- On the connection of the run, while no lane can use it.
local function look_at_once(self)
  self:look(function(sql) return self.run.db:exec(sql) end)
end

--- The look before the first chunk.
function Watch:begin()
  check_role(self, function(sql) return self.run.db:exec(sql) end)
  look_at_once(self)
end

local function connect(self, lane)
  lane.db = self.run.plain_connect()
  if self.run.pooled then return end
  lane.db:exec(timeout)
  lane.db:exec("SET application_name = " .. quote.literal("moontide backfill watch " .. self.run.id))
end

-- That the connection cannot be had, or is lost, is no reason to end: the lanes have their own.
local function look_again(self, lane)
  if not lane.db then connect(self, lane) end
  self:look(function(sql) return lane:pipeline({ { sql = sql, rows = true } })[1] end)
end

-- Until the next look is due.
local function doze(self, lane)
  local wakes = sys.clock() + interval
  repeat lane:sleep(0.1) until sys.clock() >= wakes or self.run.pace:is_due()
end

--- Look again and again, as long as lanes are at work.
---@param lane moontide.Lane
function Watch:attend(lane)
  while not self.run.finished and not self.run.crew.stopping do
    doze(self, lane)
    local ok, problem = pcall(look_again, self, lane)
    if not ok then
      problem = fault.of(problem)
      if problem.kind ~= "timeout" and not failure.is_lost(problem) then error(problem, 0) end
      if lane.db then lane.db:close() end
      lane.db = nil
      self.run.pace:look(math.huge)
      if self.run.throttled then look_at_once(self) end   -- or the lanes would stand still for ever
    end
  end
end

return watch
