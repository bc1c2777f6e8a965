--- What follows from a failed chunk: it is tried again, smaller; the row that is to
--- blame is found and put aside; the connection is made anew; or the backfill stops.
--- Decided by SQLSTATE alone, since messages are in the server's language.

local blockers = require "moontide.blockers"
local fault = require "moontide.fault"
local report = require "moontide.report"
local rowfault = require "moontide.backfill.rowfault"
local strategy = require "moontide.backfill.strategy"
local tree = require "moontide.backfill.tree"
local sys = require "moontide.runtime.sys"

local failure = {}

local max_tries = 20

local transient = { ["40001"] = true, ["40P01"] = true, ["55P03"] = true, ["57014"] = true }

--- A commit that the server answered with a rollback, or a checkpoint that was not where it was left.
---@return moontide.Fault
function failure.rolled_back()
  return fault.new("server", "the chunk was rolled back by the server", { sqlstate = "40001" })
end

-- The disk, the memory or a file of the server: nothing that another try would mend.
local exhausted = { ["53100"] = true, ["53200"] = true, ["58030"] = true }

-- A server that became a standby, where the primary is another one now.
local read_only = "25006"

--- Whether a failure is that of the connection, or of the server behind it, and another connection may be better.
---@param problem moontide.Fault
---@return boolean
function failure.is_lost(problem)
  local sqlstate = problem.sqlstate or ""
  return problem.kind == "connection" or sqlstate:sub(1, 2) == "08" or sqlstate:find("^57P0") ~= nil
    or sqlstate == "25P03" or sqlstate == read_only
end

local function pause(self, seconds) self.lane:sleep(seconds * (0.5 + math.random() / 2)) end

-- Ctrl-C ends the waiting, without a connection.
local function reconnect(self)
  local deadline, attempt = sys.clock() + self.job.patience, 0
  self.lane.db:close()
  while not self.job:is_stopping() do
    local ok, db = pcall(self.job.connect)
    if ok then
      self.lane.db = db
      return
    end
    if fault.of(db).kind == "interrupted" then return self.job:stop() end
    if sys.clock() > deadline then error(db, 0) end
    attempt = attempt + 1
    pause(self, math.min(0.1 * 2 ^ attempt, 5))
  end
end

local function forget(self, problem)
  self.range, self.upto = nil, nil
  self.lane:forget()
  if problem.sqlstate == read_only then self.lane.db:close() end
  if self.lane.db:status() == "closed" then return reconnect(self) end
  self.lane.db:rollback()
end

local function say(self, problem, size)
  self.tries = self.tries + 1
  report.verbose(("%s, trying again with %d rows (%d of %d)"):format(problem.message, size, self.tries, max_tries))
end

local function give_up(self, problem)
  problem.where, problem.operation = self.job.o.where, "backfill"
  problem.pauses = exhausted[problem.sqlstate]
  local detail = self.job.obstacle and self.job.obstacle.words or blockers.describe(self.lane.db, self.job.o)
  problem.detail = problem.detail or detail
  error(problem, 0)
end

local function try_again(self, problem)
  self.size:halve(self.wanted or self.size.rows)
  self.lane.blocked = problem.sqlstate == "55P03"
  say(self, problem, self.size.rows)
  if self.tries > max_tries then give_up(self, problem) end
  pause(self, math.min(0.1 * 2 ^ math.min(self.tries, 7), 10))
end

-- The connection beside those of the lanes is not theirs to make anew.
local function go_on(self, problem)
  if self.job.db:status() == "closed" then error(problem, 0) end
  return try_again(self, problem)
end

-- Half of the rows each time, until the chunk is one row.
local function search(self, problem, upto)
  if self.wanted > 1 then
    self.size:halve(self.wanted)
    return
  end
  self.job:bad_row(self, problem, upto)
end

-- The query that looks for the end of a chunk is a strategy's: its mistakes are nobody's row.
local function blame_strategy(leaf, problem)
  local way = strategy.of(leaf)
  if way.blame then way.blame(problem) end
end

--- Go on after a failure, or raise it.
---@param self moontide.BackfillWorker
---@param problem moontide.Fault
function failure.recover(self, problem)
  local sent, index = self.lane.landing or {}, problem.index or 0
  local fenced = problem.sqlstate == "22012" and sent.fence == index
  local swallowed = rowfault.swallowed(problem, sent)
  local upto, range, leaf = self.upto, self.range, self.leaf
  local probed = sent.probe == index
  if sent.committed and index > sent.committed then upto = nil end
  forget(self, problem)
  if fenced then return end
  if probed then blame_strategy(leaf, problem) end
  if swallowed then problem = rowfault.explained(self.job:triggers_of(leaf), problem) end
  if problem.kind == "interrupted" then return self.job:stop() end
  if problem.final then error(problem, 0) end
  if failure.is_lost(problem) then return go_on(self, problem) end
  if transient[problem.sqlstate] then return try_again(self, problem) end
  if upto and rowfault.is(problem) then
    return search(self, problem, { upto = upto, range = range, leaf = leaf })
  end
  if problem.sqlstate == "42P01" and range and tree.find(self.job, leaf) then return end
  give_up(self, problem)
end

return failure
