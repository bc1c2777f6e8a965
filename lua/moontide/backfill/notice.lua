--- That a backfill waits, and why, and that it goes on: a line of the log, where there is
--- no terminal with a line of progress that shows it, and with --json an event.

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

return notice
