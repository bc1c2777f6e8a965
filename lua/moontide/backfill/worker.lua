--- One lane of a backfill: takes ranges nobody works on and goes through them chunk by
--- chunk. A chunk is a transaction that changes rows and moves the checkpoint of its
--- range, so nothing is lost or done twice wherever it stops. After any failure the
--- range is read again: what the server has committed is what happened.

local cjson = require "cjson"
local failure = require "moontide.backfill.failure"
local passes = require "moontide.backfill.passes"
local quarantine = require "moontide.backfill.quarantine"
local session = require "moontide.backfill.session"
local size = require "moontide.backfill.size"
local strategy = require "moontide.backfill.strategy"
local sys = require "moontide.runtime.sys"

---@class moontide.BackfillWorker
---@field lane moontide.Lane
---@field job moontide.BackfillRun
---@field size moontide.ChunkSize
---@field range? moontide.BackfillRange
---@field rested number      seconds since the last chunk
---@field upto? string[]    the end of the chunk that is open; nil: none is
---@field wanted integer    so many rows it was to have
---@field asked integer     so many the one after it is to have
---@field seen integer      so many it has, as far as is known
---@field probe? integer    the place in a pipeline of the statement that looks for the end of the next chunk
local Worker = {}
Worker.__index = Worker

local worker = {}

--- A worker on a connection.
---@param lane moontide.Lane
---@param job moontide.BackfillRun
---@param number integer  of the lane, from 1
---@return moontide.BackfillWorker
function worker.new(lane, job, number)
  return setmetatable({
    lane = lane, job = job, number = number, tries = 0, rested = 0, size = size.new(job:limits()),
  }, Worker)
end

local function list_of(text) return text and cjson.decode(text) end

local function range_of(row)
  return {
    no = row.no, leaf = row.leaf, pass = row.pass, lo = list_of(row.lo), hi = list_of(row.hi), cur = list_of(row.cur),
    est_rows = row.est_rows, chunk_rows = row.chunk_rows,
  }
end

-- The start of a transaction. A setting of the session would be somebody else's next behind a pooler.
local function begin(self, list)
  list[#list + 1] = { sql = "BEGIN" }
  if self.job.pooled then list[#list + 1] = { sql = self.job.settings_sql } end
end

local going = { running = true, sweeping = true }

local function may_go(self, standing)
  return going[standing.state] and self.job:obey(standing.control, self.size)
end

local function wait_for_go(self)
  self.lane:pipeline { { sql = "ROLLBACK" } }
  self.job:wait_for_go(self.lane)
  return true
end

local function take(self, row)
  local before, transform = self.leaf, self.job.transform
  self.range, self.leaf = range_of(row), self.job:leaf(row.leaf, row.pass)
  self.size:inherit(row.chunk_rows)
  if transform and self.leaf ~= before then transform:presume(self.size, self.leaf) end
end

local function claim(self)
  local list = {}
  begin(self, list)
  list[#list + 1] = { sql = self.job.books:claim_statement(self.job.id), rows = true }
  list[#list + 1] = { sql = self.job.books:open_statement(self.job.id), rows = true }
  list[#list + 1] = { sql = self.job.books:standing_statement(self.job.id), rows = true }
  local results = self.lane:pipeline(list)
  local row = results[#list - 2][1]
  if row and not may_go(self, results[#list][1]) then return wait_for_go(self) end
  self.job.finished = not row and results[#list - 1][1].open == 0 and not passes.next(self.job)
  if row then
    take(self, row)
  else
    self.lane:pipeline { { sql = "COMMIT" } }
  end
  return row ~= nil
end

local function position(range) return range.cur or range.lo end

local function add_probe(self, list, range)
  self.asked = self.size.rows
  local sql = strategy.of(self.leaf).probe(self.leaf, position(range), range.hi, self.asked)
  list[#list + 1] = { rows = true, sql = sql }
  list.probe = #list
end

-- What the probe found is the end of the next chunk; nothing found is the end of the range.
local function take_probe(self, result)
  self.wanted = self.asked
  local way, row = strategy.of(self.leaf), result[1] or {}
  if way.check then way.check(self.leaf, result) end
  self.found, self.seen = row.key ~= nil or row.rows ~= nil, row.rows or self.wanted
  self.upto = list_of(row.key) or self.range.hi
end

-- The statements that open a chunk; the list has the places of those with answers.
local function add_opening(self, list, range)
  begin(self, list)
  list[#list + 1] = session.fence(self.job, range)
  list.fence = #list
  add_probe(self, list, range)
end

-- The job may have been paused or cancelled, or its settings changed.
local function take_opening(self, list, results)
  local control = results[list.fence][1].control
  take_probe(self, results[list.probe])
  if control and self.job:obey(control, self.size) then return end
  self.upto = nil
  self.lane:pipeline { { sql = "ROLLBACK" } }
  self.job:wait_for_go(self.lane)
end

local function open(self)
  local list = {}
  add_opening(self, list, self.range)
  take_opening(self, list, self.lane:pipeline(list))
end

-- Where a row that still matches could be met again it is an error, which says so by its value.
local function strict(still)
  return ("CASE WHEN %s > 0 THEN (%s || ' rows match the condition of the backfill still after they were changed')"
    .. "::bigint ELSE 0 END"):format(still, still)
end

-- The checkpoint that a chunk leaves, in words of the books.
local function checkpoint_of(self, upto, seen, more)
  local done = table.concat(upto, "\0") == table.concat(self.range.hi, "\0")
  local point = { to = upto, done = done, seen = seen, busy_ms = self.busy_ms or 0, chunk_rows = self.size.rows }
  for name, item in pairs(more or {}) do point[name] = item end
  return function(changed, still)
    if still and strategy.of(self.leaf).strict then still = strict(still) end
    point.changed, point.still, point.seen = changed, still, self.found and point.seen or changed
    return self.job.books:checkpoint(self.job.id, self.range, point)
  end, done
end

--- The statement that moves the checkpoint by itself.
---@param upto string[]
---@param seen integer
---@param changed integer
---@param more? table
---@return string
function Worker:checkpoint_statement(upto, seen, changed, more)
  local still = changed > 0 and "coalesce(current_setting('moontide.backfill_still', true), '0')::bigint" or "0"
  local assignments, condition = checkpoint_of(self, upto, seen, more)(tostring(changed), still)
  return ("UPDATE %s SET %s WHERE %s"):format(self.job.books.range, assignments, condition)
end

--- Open a transaction on a range that was left after a failure.
---@param range moontide.BackfillRange
function Worker:open_on(range)
  local list = {}
  begin(self, list)
  list[#list + 1] = session.fence(self.job, range)
  list.fence = #list
  self.lane:pipeline(list)
end

--- The statement that moves the checkpoint of such a range.
---@param range moontide.BackfillRange
---@param upto string[]
---@param more table
---@return string
function Worker:checkpoint_on(range, upto, more)
  self.range, self.found = range, true
  local sql = self:checkpoint_statement(upto, more.seen, more.changed, more)
  self.range = nil
  return sql
end

-- After the commit the range is where the chunk ended.
local function advance(self, upto, done)
  self.range.cur = upto
  self.upto = nil
  self.tries, self.lane.blocked = 0, nil
  if done then self.range = nil end
end

local function note_time(self, started, rows)
  self.busy_ms = (sys.clock() - started + self.rested) * 1000 // 1 | 0
  self.rested = 0
  self.size:note(rows, (sys.clock() - started) * 1000)
end

-- The next chunk is opened in the same round trip, unless the range ends here or there is a reason to pause.
local function send(self, list, upto, done)
  list[#list + 1] = { sql = "COMMIT" }
  list.committed = #list
  local going_on = not done and not self.job:has_pause_ahead(self.wanted)
  if going_on then add_opening(self, list, setmetatable({ cur = upto }, { __index = self.range })) end
  local results = self.lane:pipeline(list)
  if results[list.committed].command ~= "COMMIT" then error(failure.rolled_back(), 0) end
  return results, going_on
end

local function finish_chunk(self, list, upto, done, started, changed_of)
  local seen = self.seen
  local results, going_on = send(self, list, upto, done)
  self.job:count(changed_of(results), seen, sys.clock() - started)
  note_time(self, started, seen)
  advance(self, upto, done)
  if going_on then take_opening(self, list, results) end
end

-- A chunk in SQL: one round trip.
local function sql_chunk(self, started)
  local upto = self.upto
  local checkpoint, done = checkpoint_of(self, upto, self.seen)
  local chunk = { after = position(self.range), upto = upto }
  local list = { { rows = true, sql = self.job.write.chunk(self.job.spec, self.leaf, chunk, checkpoint,
    self.job.books.range) } }
  finish_chunk(self, list, upto, done, started, function(results)
    if not results[1][1] then error(failure.rolled_back(), 0) end
    return results[1][1].changed
  end)
end

-- Rows that the function could not change, next to those that it could.
local function put_aside(self, list, rows)
  local statements, new = quarantine.statements(self.job, self.lane, rows)
  table.move(statements, 1, #statements, #list + 1, list)
  return { bad = new }
end

-- A chunk that goes through Lua: one round trip more, to read the rows.
local function lua_chunk(self, started)
  local upto = self.upto
  self.found = self.found or false
  local list, changed, seen, bad = self.job.transform:chunk(self, { after = position(self.range), upto = upto })
  local more = bad and put_aside(self, list, bad)
  list[#list + 1] = { sql = self:checkpoint_statement(upto, seen, changed, more) }
  local _, done = checkpoint_of(self, upto, seen)
  finish_chunk(self, list, upto, done, started, function() return changed end)
end

local function chunk(self)
  if not self.upto then open(self) end
  if not self.upto then return end
  return (self.job.transform and lua_chunk or sql_chunk)(self, sys.clock())
end

-- The rest after a chunk is a part of the time it takes; a pause of the whole backfill is not.
local function rest(self, seconds)
  if not self.job.throttled then self.rested = self.rested + seconds end
  self.lane:sleep(seconds)
end

-- One step of the lane: a range to work on, or a chunk of it.
local function step(self)
  local aside = self.aside
  self.aside = nil
  if aside then return quarantine.put(self, aside) end
  if self.range then
    local pause = not self.upto and self.job:must_pause()
    if pause then return rest(self, pause) end
    return chunk(self)
  end
  if self.job.throttled then return self.lane:sleep(self.job:must_pause()) end
  if not claim(self) and self.job:has_open() and self.job:nothing_free(self.lane) then self.over = true end
  if self.range and not self.upto then
    local list = {}
    add_probe(self, list, self.range)
    take_probe(self, self.lane:pipeline(list)[1])
  end
end

local function explain(problem) return require("moontide.gate").explain(problem) end

-- A lane that is too many ends where it has committed.
local function goes_on(self)
  return not self.over and self.job:has_open() and not self.job:is_stopping()
    and self.number <= self.job:wanted_lanes()
end

--- Work until nothing is left to do.
function Worker:run()
  while goes_on(self) do
    local ok, problem = xpcall(step, explain, self)
    if not ok then failure.recover(self, problem) end
  end
  if self.upto then self.lane:pipeline { { sql = "ROLLBACK" } } end
end

return worker
