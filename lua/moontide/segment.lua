--- The run of one revision, in one direction: the sink its operations go to, and
--- the transactions they end up in. Usually that is one transaction. An operation
--- that cannot be in one is a commit point: what came before is committed with a
--- row in the journal, the operation is run alone, and a new transaction begins.
---
--- When an earlier run stopped in between, the revision's function is run again:
--- statements of journaled segments are not sent but compared with the journal by
--- their digest, reads in them answer what they answered then, and sending begins
--- at the first segment that is not in the journal.

local answers = require "moontide.answers"
local block = require "moontide.block"
local carried = require "moontide.carried"
local digest = require "moontide.runtime.digest"
local errand = require "moontide.errand"
local fault = require "moontide.fault"
local feed = require "moontide.feed"
local imprint = require "moontide.imprint"
local loop = require "moontide.loop"
local operation = require "moontide.operation"
local sequence = require "moontide.sequence"

---@class moontide.Segments : moontide.Sink
---@field transport moontide.Transport
---@field history moontide.History
---@field revision string
---@field direction string
---@field number integer          the current segment, from 1
---@field touched boolean         the current segment holds something
---@field imprint moontide.Imprint  of the current segment so far
---@field unripe boolean          the current segment made something that can be used only after a commit
---@field journaled table<integer, table>
---@field safe boolean            operations are run online where they can be
---@field carried moontide.Carried     what the revision has set for the session
---@field in_block? moontide.Block     the block of the revision that is being run
---@field in_hook? boolean        a hook is being run, not the revision
---@field private table<string, true>  tables that nobody else uses while the revision runs
local Segments = {}
Segments.__index = Segments

local segment = {}

-- The last statement of a segment is kept for messages, up to this many bytes.
local max_statement = 500

local function by_number(rows, direction)
  local map = {}
  for _, row in ipairs(rows or {}) do
    if row.direction == direction then map[row.segment] = row end
  end
  return map
end

---@class moontide.SegmentOptions
---@field transport moontide.Transport
---@field history moontide.History
---@field revision string
---@field direction "upgrade"|"downgrade"
---@field guards fun(): moontide.Entry[]   what every transaction begins with
---@field autocommit? boolean   every operation commits by itself
---@field safe? boolean         operations are run online where they can be
---@field journal? moontide.JournalRow[]   of an earlier run of this revision that stopped

--- Start the run of a revision.
---@param options moontide.SegmentOptions
---@return moontide.Segments
function segment.new(options)
  local run = setmetatable({
    transport = options.transport, history = options.history, guards = options.guards,
    revision = options.revision, direction = options.direction, number = 0, loops = 0,
    journaled = by_number(options.journal, options.direction), carried = carried.new(options.transport.pooled),
    autocommit = options.autocommit or false, safe = options.safe or false, private = {},
    recall = options.recall, told = {}, told_bytes = 0,
  }, Segments)
  run.tell = function() return answers.told(run) end
  run:advance()
  return run
end

function Segments:advance()
  self.number = self.number + 1
  self.touched, self.imprint, self.opened, self.unripe = false, imprint.new(), false, false
  answers.begin(self)
end

-- Whether an earlier run has finished the current segment.
function Segments:replaying()
  local row = self.journaled[self.number]
  return row ~= nil and row.state == "done"
end

function Segments:note(entry)
  self.touched, self.last = true, entry.sql
  self.imprint:note(entry)
end

function Segments:ensure_open()
  if self.opened or self:replaying() then return end
  self.opened = true
  self:begin()
end

-- The beginning of each transaction.
function Segments:begin()
  self.transport:open()
  for _, entry in ipairs(self.guards()) do self.transport:send(entry) end
  for _, entry in ipairs(self.carried:resume()) do self.transport:send(entry) end
end

function Segments:reset_settings()
  local statements = self.carried:finish(self.transport.offline)
  for _, sql in ipairs(statements) do self:send { sql = sql } end
  if statements[1] then self.transport:renew() end
end

function Segments:send(entry)
  self:ensure_open()
  if not self:replaying() then self.transport:send(entry) end
end

local function replayed_read(self)
  return answers.again(self) or self:refuse_edited()
end

--- Run a statement that is read, or answer it from the journal.
---@param entry moontide.Entry
---@return table result
function Segments:ask(entry)
  self:note(entry)
  loop.count(self, entry.sql)
  if self:replaying() then return replayed_read(self) end
  self:ensure_open()
  local answer = self.transport:read(entry)
  answers.keep(self, answer)
  return answer
end

-- The steps of an operation that is run as a sequence of segments.
local function steps_of(self, o, registration)
  if not registration.expand or self.transport.dry then return nil end
  local function ask(sql) return self:ask { sql = sql, o = o } end
  return registration.expand(o, self.transport.ctx, not self.transport.offline and ask or nil)
end

local function entries_of(self, o)
  local ctx = self.transport.ctx
  ctx.revision, ctx.direction, ctx.schema = self.revision, self.direction, self.history.schema
  ctx.told, ctx.in_hook = self.tell, self.in_hook
  local entries = operation.statements(o, ctx)
  for _, entry in ipairs(entries) do entry.o = o end
  return entries
end

-- The rows are fed to a checksum as well, or to nothing else where they are there already.
local function load_rows(self, entry)
  self:note(entry)
  self:ensure_open()
  local sum = digest.sum()
  entry.copy.sum = sum
  if self:replaying() then feed.into(entry.copy, sum) else self.transport:copy(entry) end
  self.imprint:load(sum)
end

-- In op.autocommit, what can be a transaction is one, together with its journal row, and so
-- takes effect exactly once; only what cannot, or what commits by itself, is run without.
local function stands_alone(self, o, registration)
  if not operation.transactional(o) then return true end
  return self.autocommit and registration.commits ~= nil and registration.commits(o)
end

-- What can be used only after a commit is committed as late as possible: most often it
-- is the last thing in its revision, and that stays one transaction.
local function ripen(self, o, registration)
  local more = registration.after_commit ~= nil and registration.after_commit(o)
  if self.unripe and not more and not self.transport.dry then self:commit_point() end
  self.unripe = more
end

-- The operation with what it has to read before its statements can be told; a replay answers from the journal.
local function prepared(self, o, registration)
  local knows = self.transport.answers
  if not registration.prepare or self.transport.offline and not (knows and knows(o)) then return o end
  local fields = registration.prepare(o, function(sql) return self:ask { sql = sql, rows = true, o = o } end,
    self.history.schema)
  if not fields then return o end
  local copy = {}
  for key, field in pairs(o) do copy[key] = field end
  for key, field in pairs(fields) do copy[key] = field end
  return copy
end

--- Know of operations that will come: what they take away is used by nobody any more.
---@param operations moontide.Operation[]
function Segments:foresee(operations) sequence.remember(self, operations, "drop_table") end

-- Only after it was sent: a transaction that begins with it is not told of it twice.
local function learned(self, entry, answer)
  self.carried:note(entry, not self:replaying())
  return answer
end

--- Receive an operation of the revision.
---@param o moontide.Operation
---@return any answer  rows, for an operation that reads
function Segments:run(o)
  local registration = operation.get(o.kind)
  if self.failure then error(self.failure, 0) end
  block.check(self)
  o = sequence.settle(self, o)
  ripen(self, o, registration)
  local steps = steps_of(self, o, registration)
  if steps then return sequence.run(self, o, steps) end
  if registration.read then
    return registration.read(o, function(entry)
      entry.o = o
      return learned(self, entry, self:ask(entry))
    end)
  end
  o = prepared(self, o, registration)
  local entries = entries_of(self, o)
  if stands_alone(self, o, registration) then return self:alone(o, entries) end
  if registration.job then errand.leave(self, o, registration.job) end
  for _, entry in ipairs(entries) do
    if entry.copy then load_rows(self, entry) else self:note(entry) self:send(entry) end
    learned(self, entry)
  end
  if self.autocommit then self:commit_point() end
end

-- Cut between characters: half of one would not be valid text.
local function clipped(text)
  if #text <= max_statement then return text end
  return text:sub(1, utf8.offset(text, 0, max_statement) - 1)
end

-- What is in the journal, and what the file has in its place.
local function difference(self, row, kind)
  if kind == "rows" then return "; the rows that it loaded are others now" end
  if not row or not row.statement then return "" end
  local now = self.last and self.last ~= row.statement and clipped(self.last)
  return "; it ended with: " .. row.statement .. (now and "\nthe file has: " .. now or "")
end

--- Refuse to go on where the committed part and the file are not the same.
---@param kind? "statements"|"rows"  what differs
function Segments:refuse_edited(kind)
  local row = self.journaled[self.number]
  fault.raise("revision", ('revision "%s" was edited after a part of it had been applied'):format(self.revision), {
    detail = ("segment %d of its %s is committed and differs from the file now%s"):format(self.number, self.direction,
      difference(self, row, kind)),
    hint = "Restore the part that was applied; what follows it may be changed freely.",
  })
end

local function journal_row(self, state, statement)
  return self.history:journal_statement {
    revision = self.revision, direction = self.direction, segment = self.number, state = state,
    digest = self.imprint:text(), statement = clipped(statement),
    reads = answers.text(self),
  }
end

--- Refuse to go on unless the current segment is what the journal says of it.
function Segments:check_replay()
  local kind = self.imprint:difference(self.journaled[self.number].digest)
  if kind then self:refuse_edited(kind) end
end

--- Commit the current segment together with its row in the journal.
function Segments:commit_journaled()
  answers.check(self)
  if not self.transport.offline then
    for _, sql in ipairs(self.carried:pause()) do self:send { sql = sql } end
    self:send { sql = journal_row(self, "done", self.last) }
  end
  self.transport:close()
end

--- End the current segment before a commit point.
function Segments:commit_point()
  if not self.touched then return end
  loop.check(self)
  if self:replaying() then self:check_replay() else self:commit_journaled() end
  self:advance()
end

local function journal_alone(self, state, entries, more)
  if self.transport.offline or self.transport.dry then return end
  self:begin()
  for _, sql in ipairs(self.carried:pause()) do self.transport:send { sql = sql } end
  for _, sql in ipairs(more or {}) do self.transport:send { sql = sql } end
  self.transport:send { sql = journal_row(self, state, entries[#entries].sql) }
  self.transport:close()
end

-- Statements that lead from what an interrupted attempt left to a clean start; nil when the
-- attempt turns out to have been completed.
local function recovered(self, o, step)
  local recover = (step or operation.get(o.kind)).recover
  if self.transport.offline or self.transport.dry or not recover then return {} end
  return recover(step or o, sequence.attempt(self, o))
end

local function run_alone(self, o, entries, step)
  local job = not self.transport.offline and operation.get(o.kind).job
  if job then
    return errand.run(self, o, job, function(state, more) journal_alone(self, state, entries, more) end)
  end
  journal_alone(self, "started", entries)
  local first = recovered(self, o, step)
  if first then
    for _, sql in ipairs(first) do self.transport:alone({ { sql = sql, o = o } }, self.carried) end
    self.transport:alone(entries, self.carried)
  end
  journal_alone(self, "done", entries)
end

-- In a dry run everything is in the one transaction: what can be run in another form there, is.
local function rehearse(self, o)
  local job = operation.get(o.kind).job
  if job then return errand.rehearse(self, o, job) end
  local instead = operation.get(o.kind).inside
  if not instead then return self.transport:skip(o) end
  for _, entry in ipairs(entries_of(self, instead(o))) do self:send(entry) end
end

--- Run an operation that cannot be in a transaction.
---@param o moontide.Operation
---@param entries moontide.Entry[]
---@param step? moontide.Step  of which the entries are, when the operation has several
function Segments:alone(o, entries, step)
  if operation.get(o.kind).job then errand.check_name(self, o) end
  if self.transport.dry then return rehearse(self, o) end
  self:commit_point()
  for _, entry in ipairs(entries) do self:note(entry) end
  if self:replaying() then self:check_replay() else run_alone(self, o, entries, step) end
  self:advance()
end

--- Run a block of a revision that marks commit points.
---@param kind "transaction"|"autocommit"
---@param fn function
---@param o moontide.Operation
function Segments:block(kind, fn, o) return block.run(self, kind, fn, o) end

--- Whether anything of this revision was committed before its last transaction.
---@return boolean
function Segments:is_partial() return self.number > 1 or next(self.journaled) ~= nil end

--- The function of the revision is over: refuse where more of it is committed than that.
function Segments:end_replay()
  if self:replaying() and self.touched then
    self:check_replay()
    self:advance()
  end
  if self:replaying() then self:refuse_edited() end
end

--- End the revision: the statements that record it join its last transaction.
---@param entries moontide.Entry[]
function Segments:finish(entries)
  if self.failure then error(self.failure, 0) end
  block.check_ended(self)
  if self.unripe and self.transport.joined then self:commit_point() end
  self:end_replay()
  self:ensure_open()
  self:reset_settings()
  for _, entry in ipairs(entries) do self:send(entry) end
  if self:is_partial() and not self.transport.offline then
    self:send { sql = self.history:forget_statement(self.revision) }
  end
  self.transport:settle()
end

return segment
