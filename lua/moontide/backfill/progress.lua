--- What a running backfill says of itself: one line that is written over on a
--- terminal, a line every ten seconds in a log.

local count = require "moontide.count"
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
---@param state { rows_seen: integer }  where it is when this process begins
---@return moontide.BackfillProgress
function progress.new(name, state)
  local now = sys.clock()
  return setmetatable({
    name = name, started = now, shown = now, terminal = report.has_terminal(), measured = now, seen = state.rows_seen,
  }, Progress)
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
  local elapsed = now - self.measured
  if elapsed < 0.2 then return end
  local rate = (state.rows_seen - self.seen) / elapsed
  local weight = math.min(1, elapsed / 10)
  self.rate = (self.rate or rate) * (1 - weight) + rate * weight
  self.measured, self.seen = now, state.rows_seen
end

-- Where a job is, from 0 to 1. What is done is an estimate as well, so it is not complete before its state says so.
local function fraction_of(state)
  if state.state == "done" then return 1 end
  return math.min(state.est_done / math.max(state.est_rows, 1), 0.99)
end

--- How far a job is, in words.
---@param state { est_rows: integer, est_done: integer, rows_changed: integer, state?: string }
---@return string
function progress.words(state)
  if state.state == "planned" then return "not begun" end
  local words = ("%.0f%%, %d rows changed"):format(math.floor(fraction_of(state) * 100), state.rows_changed)
  if state.state == "done" then return words end
  return ("%s, about %d to go"):format(words, math.max(state.est_rows - state.est_done, 0))
end

--- A percentage from 0 to 100.
---@param state { est_rows: integer, est_done: integer, state?: string }
---@return integer
function progress.percent(state) return math.floor(fraction_of(state) * 100) end

-- A bar of some cells, which a narrow terminal goes without.
local function bar(fraction, cells)
  local full = math.floor(fraction * cells)
  return ("█"):rep(full) .. ("░"):rep(cells - full) .. " "
end

local function speed(self, state)
  if state.pause then return "paused: " .. state.pause end
  local rate, young = self.rate or 0, sys.clock() - self.started < 5
  local left = rate > 0 and not young and progress.clock((state.est_rows - state.est_done) / rate) or "-"
  return ("%s rows/s  ETA %s"):format(progress.short(rate), left)
end

-- The most important comes first, since the line is cut to the width of the terminal.
local function parts_of(self, state, cells)
  local fraction = fraction_of(state)
  local parts = { ("backfill %s %s%3.0f%% %s/%s"):format(self.name, cells > 0 and bar(fraction, cells) or "",
    math.floor(fraction * 100), progress.short(state.est_done), progress.short(state.est_rows)), speed(self, state) }
  if state.waits and not state.pause then parts[#parts + 1] = state.waits end
  parts[#parts + 1] = ("chunk %s"):format(progress.short(state.chunk_rows))
  if state.lanes then parts[#parts + 1] = count.of(state.lanes, "lane") end
  return parts
end

--- The line of a state.
---@param state { est_rows: integer, est_done: integer, rows_seen: integer, chunk_rows: integer, pause?: string,
---  waits?: string, lanes?: integer }
---@param width? integer  of the terminal
---@return string
function Progress:line(state, width)
  local plain = table.concat(parts_of(self, state, 0), "  ")
  if not width then return plain end
  local room = math.min(20, width - 2 - (utf8.len(plain) or #plain))
  if room >= 5 then return table.concat(parts_of(self, state, room), "  ") end
  local cut = #plain >= width and utf8.offset(plain, width)
  return cut and plain:sub(1, cut - 1) or plain
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
  if not self.terminal then return report.info(self:line(state)) end
  report.progress(self:line(state, sys.width(2) or 80))
end

--- The line at the end.
---@param state table
function Progress:finish(state)
  local elapsed = sys.clock() - self.started
  if self.terminal then report.progress_end() end
  local aside = state.rows_bad > 0 and (", %s put aside"):format(count.of(state.rows_bad, "row")) or ""
  report.info(("backfill %s: %s changed in %.1f s, %s%s"):format(self.name, count.of(state.rows_changed, "row"),
    elapsed, count.of(state.chunks, "chunk"), aside))
end

return progress
