--- How long to rest after a chunk: so many rows, or so much WAL, in a second, or a part
--- of the time that the chunk took. Time is given, so this is pure.

---@class moontide.BackfillPace
---@field due number           when the next chunk may begin
---@field wal_per_row number   bytes, as last measured
local Pace = {}
Pace.__index = Pace

local pace = {}

-- Bytes of WAL that a row is taken for until it was measured.
local presumed = 1000

--- What a profile stands for: a rest after each chunk, as a part of its time, and how long a chunk is to take.
pace.profiles = { fast = { rest = 0 }, normal = { rest = 0.1 }, gentle = { rest = 1, chunk_ms = 100 } }

---@return moontide.BackfillPace
function pace.new() return setmetatable({ due = 0, rows = 0, wal_per_row = presumed }, Pace) end

--- Note a chunk.
---@param rows integer
---@param now number      when it was committed
---@param seconds number  that it took
---@param limits { rows_per_s?: number, wal_mb_s?: number, rest?: number }
function Pace:count(rows, now, seconds, limits)
  self.rows = self.rows + rows
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
    self.wal_per_row = math.max((position - self.position) / self.rows, 1)
  end
  if not self.position or self.rows > 0 then self.position, self.rows = position, 0 end
end

return pace
