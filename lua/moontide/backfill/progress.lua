--- What a running backfill says of itself: one line that is written over on a
--- terminal, a line every ten seconds in a log.

local report = require "moontide.report"
local sys = require "moontide.runtime.sys"

---@class moontide.BackfillProgress
---@field name string
local Progress = {}
Progress.__index = Progress

local progress = {}

local log_interval, terminal_interval = 10, 0.5

--- Progress of a job.
---@param name string
---@return moontide.BackfillProgress
function progress.new(name)
  local now = sys.clock()
  return setmetatable({ name = name, started = now, shown = now, terminal = report.has_terminal() }, Progress)
end

--- A number as people write it: 950, 12k, 4.3M.
---@param number number
---@return string
function progress.short(number)
  if number >= 1e7 then return ("%.0fM"):format(number / 1e6) end
  if number >= 1e6 then return ("%.1fM"):format(number / 1e6) end
  if number >= 1e4 then return ("%.0fk"):format(number / 1e3) end
  return ("%.0f"):format(number)
end

--- Seconds as 0:27 or 1:02:03.
---@param seconds number
---@return string
function progress.clock(seconds)
  seconds = math.ceil(seconds)
  if seconds >= 3600 then return ("%d:%02d:%02d"):format(seconds // 3600, seconds % 3600 // 60, seconds % 60) end
  return ("%d:%02d"):format(seconds // 60, seconds % 60)
end

-- Rows a second over about the last half minute.
local function learn_rate(self, state, now)
  local elapsed = now - (self.measured or self.started)
  if elapsed < 0.2 then return end
  local rate = (state.rows_seen - (self.seen or state.rows_seen)) / elapsed
  local weight = self.rate and math.min(1, elapsed / 10) or 1
  if self.seen then self.rate = (self.rate or rate) * (1 - weight) + rate * weight end
  self.measured, self.seen = now, state.rows_seen
end

--- The line of a state.
---@param state { est_rows: integer, est_done: integer, rows_seen: integer, chunk_rows: integer, pause?: string }
---@return string
function Progress:line(state)
  local total = math.max(state.est_rows, 1)
  local fraction = math.min(state.est_done / total, 1)
  local parts = { ("backfill %s %3.0f%% %s/%s"):format(self.name, math.floor(fraction * 100),
    progress.short(state.est_done), progress.short(state.est_rows)) }
  if state.pause then
    parts[#parts + 1] = "paused: " .. state.pause
  else
    local rate = self.rate or 0
    parts[#parts + 1] = ("%s rows/s"):format(progress.short(rate))
    local young = sys.clock() - self.started < 5
    parts[#parts + 1] = "ETA " .. (rate > 0 and not young and progress.clock((total - state.est_done) / rate) or "-")
  end
  parts[#parts + 1] = ("chunk %s"):format(progress.short(state.chunk_rows))
  return table.concat(parts, "  ")
end

--- Whether it is time to say something.
---@return boolean
function Progress:due()
  return sys.clock() - self.shown >= (self.terminal and terminal_interval or log_interval)
end

--- Say it.
---@param state table
function Progress:show(state)
  local now = sys.clock()
  learn_rate(self, state, now)
  self.shown = now
  if self.terminal then report.progress(self:line(state)) else report.info(self:line(state)) end
end

--- The line at the end.
---@param state table
function Progress:finish(state)
  local elapsed = sys.clock() - self.started
  if self.terminal then report.progress_end() end
  report.info(("backfill %s: %d rows changed in %.1f s, %d chunks%s"):format(self.name, state.rows_changed, elapsed,
    state.chunks, state.rows_bad > 0 and (", %d rows put aside"):format(state.rows_bad) or ""))
end

return progress
