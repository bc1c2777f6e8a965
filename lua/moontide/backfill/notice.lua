--- That a backfill waits, and why, and that it goes on: a line of the log, where there is
--- no terminal with a line of progress that shows it, and with --json an event. And
--- that it is done, with what it has made of the disk.

local growth = require "moontide.backfill.growth"
local quote = require "moontide.sql.quote"
local report = require "moontide.report"

local notice = {}

local function tell(run, state, reason, words)
  if report.is_json() then
    report.json { event = "backfill", step = run.o.name, state = state, reason = reason }
  end
  if not report.has_terminal() then report.info(("backfill %s: %s"):format(run.o.name, words)) end
end

--- Say that a backfill is paused.
---@param run moontide.BackfillRun
---@param reason string
function notice.paused(run, reason) tell(run, "paused", reason, "paused: " .. reason) end

--- Say that it goes on.
---@param run moontide.BackfillRun
function notice.resumed(run) tell(run, "running", nil, "goes on") end

local function done_document(run, tally, grown)
  return {
    event = "backfill", step = run.o.name, state = "done", rows_changed = tally.rows_changed, rows_bad = tally.rows_bad,
    chunks = tally.chunks, bytes_before = grown.before, bytes_after = grown.after, wal_bytes = grown.wal,
  }
end

--- Say that it is done.
---@param run moontide.BackfillRun
---@param tally { rows_changed: integer, rows_bad: integer, chunks: integer }
function notice.done(run, tally)
  local grown = growth.of(run)
  if report.is_json() then report.json(done_document(run, tally, grown or {})) end
  local words = grown and growth.words(quote.qualified(run.o.schema, run.o.table), grown)
  if words then report.info(("backfill %s: %s"):format(run.o.name, words)) end
end

--- Say who is in the way of a chunk; other chunks go on.
---@param run moontide.BackfillRun
---@param words string
function notice.waits(run, words)
  if report.has_terminal() then return end
  report.info(("backfill %s: a chunk waits for a lock of %s"):format(run.o.name, (words:gsub("\n", "; "))))
end

return notice
