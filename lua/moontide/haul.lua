--- How far a COPY to the server is. It takes what is loaded, beside the server, and counts: on a terminal
--- a line that is written over, in a log a line every ten seconds of a long load.

local report = require "moontide.report"
local sys = require "moontide.runtime.sys"

---@class moontide.Haul
---@field name string     of the table
---@field unit string     what is counted
---@field count integer
---@field copy? moontide.pg.CopyIn  the copy, which knows how many bytes there are
local Haul = {}
Haul.__index = Haul

local haul = {}

local log_interval, terminal_interval = 10, 0.5

--- Watch a load.
---@param o { table: string, format?: string }  a field of CSV may hold line feeds, so there lines are counted
---@param clock? fun(): number
---@return moontide.Haul
function haul.new(o, clock)
  clock = clock or sys.clock
  local terminal = report.has_terminal()
  return setmetatable({
    name = o.table, unit = o.format == "csv" and "lines" or "rows", count = 0, clock = clock,
    started = clock(), next = clock() + (terminal and terminal_interval or log_interval), terminal = terminal,
  }, Haul)
end

local function short(number) return require("moontide.backfill.progress").short(number) end

local function megabytes(bytes) return ("%.1f MB"):format(bytes / 1048576) end

--- How far it is, in words.
---@return string
function Haul:words()
  local seconds, bytes = math.max(self.clock() - self.started, 0.001), self.copy:bytes()
  return ("load %s: %s %s  %s  %s %s/s  %s/s"):format(self.name, short(self.count), self.unit, megabytes(bytes),
    short(self.count / seconds), self.unit, megabytes(bytes / seconds))
end

local function show(self)
  self.next = self.clock() + (self.terminal and terminal_interval or log_interval)
  self.shown = true
  if not self.terminal then return report.info(self:words()) end
  report.progress(self:words():sub(1, (sys.width(2) or 80) - 1))
end

local function note(self, count)
  self.count = self.count + count
  if self.clock() >= self.next then show(self) end
end

--- Watch the copy, which takes everything before this does.
---@param copy moontide.pg.CopyIn
function Haul:attend(copy) self.copy = copy end

--- Take rows.
---@param list table[]
function Haul:rows(list) note(self, #list) end

local function line_feeds(text)
  local count, at = 0, text:find("\n", 1, true)
  while at do count, at = count + 1, text:find("\n", at + 1, true) end
  return count
end

--- Take a piece of the data.
---@param chunk string
function Haul:write(chunk) note(self, line_feeds(chunk)) end

--- The line at the end of a load that was shown.
---@param affected integer  the rows that the server has counted
function Haul:finish(affected)
  if not self.shown then return end
  self:close()
  report.info(("load %s: %d rows, %s in %.1f s"):format(self.name, affected, megabytes(self.copy:bytes()),
    self.clock() - self.started))
end

--- Take the line away, whatever became of the load.
function Haul:close()
  if self.shown and self.terminal then report.progress_end() end
end
Haul.__close = Haul.close

return haul
