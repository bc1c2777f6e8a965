--- How many rows a chunk has: so many that it takes the wanted time. Locks are held for
--- as long as a chunk takes, so that time is also the longest that others wait for them. Pure.

---@class moontide.ChunkSize
---@field rows integer    for the next chunk
---@field chunk_ms number the wanted time
---@field max_rows integer
---@field ceiling? number after an error: not more than this
local Size = {}
Size.__index = Size

local size = {}

-- What an older chunk counts for, against the one after it.
local memory = 0.75

--- A size to begin with.
---@param options { chunk_ms: number, max_rows: integer, rows?: integer }
---@return moontide.ChunkSize
function size.new(options)
  return setmetatable({
    chunk_ms = options.chunk_ms, max_rows = options.max_rows, rows = math.min(options.rows or 500, options.max_rows),
    average_rows = 0, average_ms = 0,
  }, Size)
end

local function clamp(number, low, high) return math.max(low, math.min(number, high)) end

-- A chunk that took far too long is an alarm; else the averages decide, in steps of at most a factor of two.
local function wanted(self, rows, ms)
  if ms > 2 * self.chunk_ms then return rows * self.chunk_ms / ms end
  local want = self.average_rows / math.max(self.average_ms, 0.01) * self.chunk_ms
  if math.abs(want - self.rows) <= 0.1 * self.rows then return self.rows end
  return clamp(want, self.rows / 2, self.rows * 2)
end

local function settle(self, rows)
  rows = math.min(rows, self.ceiling or math.huge, self.max_rows)
  if self.budget and self.row_bytes then rows = math.min(rows, self.budget / math.max(self.row_bytes, 1)) end
  self.rows = math.max(1, rows // 1 | 0)
end

--- Begin with the size that another worker ended with, unless this one knows better.
---@param rows integer?
function Size:inherit(rows)
  if rows and self.average_rows == 0 and not self.ceiling then settle(self, rows) end
end

--- Learn from a chunk that went well.
---@param rows integer  how many it was to have
---@param ms number     how long it took
function Size:note(rows, ms)
  self.average_rows = memory * self.average_rows + rows
  self.average_ms = memory * self.average_ms + ms
  if self.ceiling then
    self.ceiling = self.ceiling * 1.5
    if self.ceiling >= self.max_rows then self.ceiling = nil end
  end
  settle(self, wanted(self, rows, ms))
end

--- Learn how wide rows are; a chunk is not to hold more than `budget` bytes.
---@param row_bytes number
---@param budget number
function Size:widen(row_bytes, budget)
  self.row_bytes, self.budget = row_bytes, budget
  settle(self, self.rows)
end

--- Learn from a chunk that failed: half as many rows, and more only step by step.
---@param rows integer
function Size:halve(rows)
  self.ceiling = math.max(1, rows / 2)
  settle(self, self.ceiling)
end

return size
