--- How long to rest after a chunk: so many rows, or so much WAL, in a second, or a part
--- of the time that the chunk took; and how much WAL may be written until somebody looks
--- at the server again. Time is given, so this is pure.

---@class moontide.BackfillPace
---@field due number           when the next chunk may begin
---@field wal_per_row number   bytes, as last measured
---@field measured? boolean
---@field unseen number        bytes of WAL since the last look, as presumed
---@field room number          bytes of WAL that there is room for until the next look
local Pace = {}
Pace.__index = Pace

local pace = {}

-- Bytes of WAL that a row is taken for until it was measured.
local presumed = 1000

--- What a profile stands for: a rest after each chunk, as a part of its time, and how long a chunk is to take.
pace.profiles = { fast = { rest = 0 }, normal = { rest = 0.1 }, gentle = { rest = 1, chunk_ms = 100 } }

---@return moontide.BackfillPace
function pace.new()
  return setmetatable({ due = 0, rows = 0, wal_per_row = presumed, unseen = 0, room = math.huge }, Pace)
end

--- Note a chunk.
---@param rows integer
---@param now number      when it was committed
---@param seconds number  that it took
---@param limits { rows_per_s?: number, wal_mb_s?: number, rest?: number }
function Pace:count(rows, now, seconds, limits)
  self.rows, self.unseen = self.rows + rows, self.unseen + rows * self.wal_per_row
  local budget = 0
  if limits.rows_per_s then budget = rows / limits.rows_per_s end
  if limits.wal_mb_s then budget = math.max(budget, rows * self.wal_per_row / (limits.wal_mb_s * 1048576)) end
  if budget > 0 then self.due = math.max(self.due, now - seconds) + budget end
  self.due = math.max(self.due, now + (limits.rest or 0) * seconds)
end

--- Learn how much WAL a row makes from where the server writes it. What others write counts as ours, so that all
--- of it together keeps to the budget.
---@param position integer  in bytes
function Pace:learn(position)
  if self.position and self.rows > 0 then
    self.wal_per_row, self.measured = math.max((position - self.position) / self.rows, 1), true
  end
  if not self.position or self.rows > 0 then self.position, self.rows = position, 0 end
end

--- Note a look at the server.
---@param room number  bytes of WAL until a limit is reached; math.huge: there is none
---@param unseen? number  what it had to find; chunks may have been committed meanwhile
function Pace:look(room, unseen) self.unseen, self.room = self.unseen - (unseen or self.unseen), room end

--- Whether another look is due before its time: half of the room is gone, or nobody knows yet how much a row takes.
---@return boolean
function Pace:is_due() return self.room < math.huge and self.unseen > (self.measured and self.room / 2 or 0) end

--- Whether there may be no room left for some rows more; nobody knows before the first ones were measured.
---@param rows integer
---@return boolean
function Pace:is_spent(rows)
  local more = self.unseen + rows * self.wal_per_row
  if self.measured then return more > self.room end
  return more > 0 and self.room < math.huge
end

return pace
