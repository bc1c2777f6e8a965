--- The progress of a run: which steps are announced and settled, and what follows
--- from a failure. Statements of several revisions may be on their way at once, so
--- a failure belongs to the step whose statement it was, not to the one whose
--- function was being run.

local blockers = require "moontide.blockers"
local connecting = require "moontide.connecting"
local count = require "moontide.count"
local fault = require "moontide.fault"
local partial = require "moontide.partial"
local report = require "moontide.report"
local sys = require "moontide.runtime.sys"

---@class moontide.Flight
---@field steps table[]
---@field options moontide.RunOptions
---@field runs table<integer, moontide.Segments>
---@field announced integer   the last step that was announced
---@field done integer        the last step that is settled
---@field attempts integer    of the step that is being retried
local Flight = {}
Flight.__index = Flight

local flight = {}

--- Begin a run.
---@param steps table[]
---@param options moontide.RunOptions
---@param announce fun(step: table, options: moontide.RunOptions)
---@param on_step? fun(step: table)
---@return moontide.Flight
function flight.new(steps, options, announce, on_step)
  local self = setmetatable({
    steps = steps, options = options, runs = {}, announced = 0, done = 0, attempts = 0,
    announce = announce, on_step = on_step or function() end,
  }, Flight)
  if not options.transport.offline then
    options.transport.listener = {
      sending = function(index) self:announce_to(index) end, settled = function(index) self:settle_to(index) end,
    }
  end
  return self
end

function Flight:announce_to(index)
  while index and self.announced < index do
    self.announced = self.announced + 1
    self.announce(self.steps[self.announced], self.options)
  end
end

--- A step's function is about to be run. It is announced at once where nothing is
--- on its way before it; else when its statements are sent.
---@param index integer
function Flight:begin(index)
  if self.options.transport.offline or self.done == index - 1 then self:announce_to(index) end
end

function Flight:settle_to(index)
  self:announce_to(index)
  while self.done < index do
    self.done = self.done + 1
    self.runs[self.done] = nil
    self.on_step(self.steps[self.done])
  end
end

--- The version rows that a step begins with.
---@param index integer
---@return string[]
function Flight:rows_before(index)
  return index == 1 and self.options.rows or self.steps[index - 1].rows
end

local function list(ids) return table.concat(ids, ", ") end

local function at(rows) return #rows > 0 and "at " .. list(rows) or "empty" end

local function standing_of_joined(options)
  if options.transport.commits == 0 then
    return ("Nothing of this run was applied; the database is %s."):format(at(options.rows))
  end
  return "The run was committed up to a commit point; `moontide status` says where the database stands."
end

-- As the run counted them; as the journal says after a lost connection, or where the run did not come that far.
local function committed_segments(self, index, id)
  local done = partial.committed((self.options.journal or {})[id] or {})
  return math.max(done, self.runs[index] and self.runs[index].number - 1 or 0)
end

-- What an operation has committed by itself, in chunks, is a part of its revision that stands.
local function partly(self, index, id, stands)
  local done = self.steps[index].direction == "downgrade" and "reverted" or "applied"
  local segments = committed_segments(self, index, id)
  if segments == 0 and not stands then return nil end
  local counted = segments > 0 and ("%d of its segments %s committed%s"):format(segments, count.be(segments),
    stands and "." or "; the same command continues behind them.") or nil
  return ("Revision %s is partially %s: %s"):format(id, done, table.concat({ counted or stands,
    counted and stands }, " "))
end

-- What stands after a failure, in words: nothing is ever half recorded.
local function standing(self, index, stands)
  local options, id = self.options, self.steps[index].revision.id
  local done = self.steps[index].direction == "downgrade" and "reverted" or "applied"
  if options.transport.offline then return nil end
  if options.transport.dry then return "It was a dry run: nothing was changed." end
  local part = partly(self, index, id, stands)
  if part then return part end
  if options.transport.joined then return standing_of_joined(options) end
  return ("Nothing of revision %s was %s; the database is %s."):format(id, done, at(self:rows_before(index)))
end

-- The failed attempt goes into the log; a failure of that must not hide the first one.
local function log_failure(self, step, problem)
  local transport = self.options.transport
  if transport.offline or transport.dry or transport.db:status() ~= "idle" then return end
  pcall(transport.db.exec, transport.db, self.options.failure_statement(step, tostring(problem.message)))
end

local function give_up(self, problem, index)
  local step = self.steps[index]
  self:announce_to(index)
  problem.revision = problem.revision or step.revision.id
  log_failure(self, step, problem)
  local words = standing(self, index, problem.stands)
  problem.hint = problem.hint and words and problem.hint .. "\n" .. words or problem.hint or words
  error(problem, 0)
end

-- An error of the revision's own code leaves statements of earlier revisions waiting,
-- which come first. Theirs may be the failure then.
local function finish_earlier(self, problem, index)
  if problem.tag or self.options.transport.offline then return problem, problem.tag or index end
  local ok, earlier = pcall(self.options.transport.drop_current, self.options.transport)
  if ok or not earlier.tag or earlier.tag == index then return problem, index end
  return earlier, earlier.tag
end

local lock_not_available, deadlock, serialization = "55P03", "40P01", "40001"
local retried = { [lock_not_available] = true, [deadlock] = true, [serialization] = true }

-- Half a second growing to 30, with jitter, so that what queued behind us drains.
local function pause(attempt) sys.sleep(math.min(0.5 * 2 ^ (attempt - 1), 30) * (0.5 + math.random() / 2)) end

-- How long to look for the blockers to go before trying in any case: their locks need not conflict.
local longest_wait = 10

local function say_why(self, problem)
  local transport = self.options.transport
  report.warn(("%s, trying again (%d of %d)"):format(problem.message, self.attempts, self.options.retries), {
    where = problem.where, detail = blockers.describe(transport.db, problem.o),
  })
end

-- The whole revision is run again from its start; what it has committed is replayed.
local function retry(self, problem, index)
  self.attempts = (self.retrying == index and self.attempts or 0) + 1
  self.retrying = index
  if self.attempts > self.options.retries then return give_up(self, problem, index) end
  say_why(self, problem)
  pause(self.attempts)
  blockers.wait(self.options.transport.db, problem.o, longest_wait)
  self.options.transport:grow_timeout(self.attempts)
  self.options.reread(self.steps[index].revision.id)
  return index
end

-- A standby that became the primary may not have what was committed last.
local function refuse_less(self, problem, settled)
  local last = settled > 0 and "revision " .. self.steps[settled].revision.id or "the beginning of the run"
  problem.hint = ("The server has lost what it had committed behind %s. Run the command again; it continues there.")
    :format(last)
  error(problem, 0)
end

-- The revision is run again, which replays what is committed of it and finds its job.
local function resume(self, problem, index)
  self.returns = (self.returns or 0) + 1
  if self.returns > connecting.most then return give_up(self, problem, index) end
  report.warn("the connection was lost; the run goes on with another", { where = problem.where,
    detail = problem.message })
  return index
end

-- The connection broke: the server knows how far the run came. It is asked once the
-- transaction of the broken connection has ended, one way or the other.
local function look_up(self, problem, index)
  local ok, settled = pcall(self.options.reconnect)
  if not ok then
    local reason = fault.of(settled).message
    problem.detail = (problem.detail and problem.detail .. "\n" or "") .. "could not connect again: " .. reason
    problem.hint = "Run the command again when the server is back; it continues where this run stopped."
    self:announce_to(index)
    error(problem, 0)
  end
  if settled < self.done then refuse_less(self, problem, settled) end
  self:settle_to(settled)
  if settled >= index then
    report.warn(("the connection was lost; the server had committed up to revision %s")
      :format(self.steps[settled].revision.id), { detail = problem.message })
    return settled + 1
  end
  self.runs[settled + 1] = nil
  if problem.resumes then return resume(self, problem, settled + 1) end
  return give_up(self, problem, settled + 1)
end

-- A commit has an unknown end, and a job goes on where it was.
local function is_looked_up(self, problem)
  local transport = self.options.transport
  if problem.kind ~= "connection" or transport.dry then return false end
  return problem.in_commit or problem.resumes and not transport:is_alive()
end

-- Ctrl-C may come when all that was sent is done.
local function is_committed(self, index)
  local transport = self.options.transport
  return self.done >= index and not (transport.joined or transport.dry or transport.offline)
end

-- The step that the failure keeps from being run.
local function next_step(self, problem)
  if self.done < #self.steps then return self.done + 1 end
  problem.hint = ("Everything was applied; the database is %s."):format(at(self.steps[self.done].rows))
  error(problem, 0)
end

--- What follows from a failure: the step to go on with, or a fault for the user.
---@param problem moontide.Fault
---@param index integer  the step whose function was being run; one more than there are at the end
---@return integer
function Flight:recover(problem, index)
  problem = fault.of(problem)
  problem, index = finish_earlier(self, problem, math.min(index, #self.steps))
  local transport = self.options.transport
  transport:abort()
  if is_looked_up(self, problem) then return look_up(self, problem, index) end
  if is_committed(self, index) then index = next_step(self, problem) end
  if retried[problem.sqlstate] and not transport.dry and not transport.offline and not transport.joined then
    return retry(self, problem, index)
  end
  return give_up(self, problem, index)
end

return flight
