--- What people and other processes say to a running backfill, through its row in the
--- tables: pause, go on, other settings, stop. Every chunk reads it.

local cjson = require "cjson"
local fault = require "moontide.fault"
local notice = require "moontide.backfill.notice"

local orders = {}

-- Seconds between two looks at the row of a job that is paused.
local pause_interval = 0.3

--- Take the live settings of a job.
---@param run moontide.BackfillRun
---@param text string  JSON
function orders.take(run, text)
  if text ~= run.control_text then run.control, run.control_text = cjson.decode(text), text end
end

--- Refuse to work on a job that was cancelled.
---@param o table
function orders.refuse(o)
  fault.raise("operation", ('backfill "%s" was cancelled'):format(o.name), {
    final = true, settled = true, where = o.where, operation = o.kind,
    hint = ("What was done stays. `moontide backfill resume %s` lets it go on, with --restart from the beginning; "
      .. "then run the command again."):format(o.name),
  })
end

local function failed(run, row)
  fault.raise("operation", ('backfill "%s" failed in another process'):format(run.o.name),
    { final = true, settled = true, where = run.o.where, detail = row.error })
end

-- Reasons to wait are told once; a terminal shows them in the line of the progress.
local function wait(run, reason)
  if run.pause == reason then return end
  run.pause = reason
  notice.paused(run, reason)
end

--- Why the job is paused by hand.
---@param control table
---@return string? reason
function orders.reason(control)
  if not control.pause then return nil end
  return type(control.pause) == "string" and control.pause or "by hand"
end

-- A job that is paused without somebody's word was left by a process that was stopped; it goes on with us.
local function heed(run, lane, row)
  if not row or row.state == "abandoned" then orders.refuse(run.o) end
  if row.state == "failed" then failed(run, row) end
  if row.state == "done" then
    run.finished = true
    return true
  end
  orders.take(run, row.control)
  local reason = orders.reason(run.control)
  if reason then return wait(run, reason) end
  if run.throttled then return end
  if row.state == "paused" then
    lane:pipeline { { sql = run.books:state_statement(run.id, "running") } }
  end
  return true
end

--- Wait until the job may go on. Raises when it was cancelled.
---@param run moontide.BackfillRun
---@param lane moontide.Lane
function orders.wait(run, lane)
  local function look()
    return lane:pipeline({ { rows = true, sql = run.books:standing_statement(run.id) } })[1][1]
  end
  while not run.crew.stopping and not heed(run, lane, look()) do lane:sleep(pause_interval) end
  if run.pause and not run.crew.stopping then
    notice.resumed(run)
    run.pause = nil
  end
end

return orders
