--- What people may do to a job: pause it, let it go on, end it, and change its settings
--- while it runs. All of it is a change of the job's row, which its workers read with each chunk.

local fault = require "moontide.fault"
local json = require "moontide.json"
local setting = require "moontide.backfill.setting"
local quote = require "moontide.sql.quote"

local control = {}

--- The settings that words such as "chunk_ms=100" ask for; `json.null` for one that is the file's again.
---@param words string[]
---@return table<string, any>
function control.settings(words) return setting.read(words) end

-- Changes the settings of a job that is not over, and answers its id.
local function change_statement(own, id, changes, more)
  return ("UPDATE %s SET control = jsonb_strip_nulls(control || %s::jsonb)%s WHERE id = %d "
    .. "AND state NOT IN ('done', 'abandoned') RETURNING id"):format(own.job, quote.literal(json.encode(changes)),
    more or "", id)
end

local function refuse_over(job)
  fault.raise("found", ('backfill "%s" is %s'):format(job.step, job.state == "done" and "done" or "cancelled"), {
    hint = job.state ~= "done" and ("`moontide backfill resume %s` lets it go on."):format(job.step) or nil,
  })
end

local function change(jobs, job, changes, more)
  if not jobs.db:exec(change_statement(jobs.books, job.id, changes, more))[1] then refuse_over(job) end
end

--- Change the settings of a job.
---@param jobs moontide.BackfillOverview
---@param job moontide.BackfillJob
---@param settings table
function control.set(jobs, job, settings) change(jobs, job, settings) end

--- Pause a job until it is resumed, whoever works on it and whenever they start.
---@param jobs moontide.BackfillOverview
---@param job moontide.BackfillJob
---@param reason? string
function control.pause(jobs, job, reason) change(jobs, job, { pause = reason or "by hand" }) end

local function refuse_busy(job)
  for _, item in ipairs(job.workers) do
    if item.lanes > 0 then
      fault.raise("found", ('backfill "%s" is being worked on'):format(job.step),
        { detail = "by " .. item.worker, hint = "Stop it there (Ctrl-C), or cancel the backfill, first." })
    end
  end
end

local function anew(jobs, job)
  refuse_busy(job)
  local own = jobs.books
  jobs.db:pipeline {
    { sql = "BEGIN" },
    { sql = ("UPDATE %s SET state = 'abandoned', reason = 'begun anew' WHERE id = %d"):format(own.job, job.id) },
    { sql = ("INSERT INTO %s (revision, step, direction, attempt, fingerprint, spec, state, control) "
      .. "SELECT revision, step, direction, attempt + 1, '', spec, 'planned', control - 'pause' FROM %s WHERE id = %d")
      :format(own.job, own.job, job.id) },
    { sql = "COMMIT" },
  }
end

-- A job that failed or was cancelled is one that was left: whoever comes next works on it.
local function go_on(jobs, job, accept)
  if accept then refuse_busy(job) end
  local sql = ("UPDATE %s SET control = control - 'pause', reason = NULL, error = NULL, state = CASE WHEN state IN "
    .. "('abandoned', 'failed') THEN CASE WHEN started_at IS NULL THEN 'planned' ELSE 'paused' END ELSE state END%s "
    .. "WHERE id = %d AND state <> 'done' RETURNING id"):format(jobs.books.job, accept and ", fingerprint = ''" or "",
    job.id)
  if not jobs.db:exec(sql)[1] then refuse_over(job) end
end

--- Let a job go on that was paused, cancelled or failed.
---@param jobs moontide.BackfillOverview
---@param job moontide.BackfillJob
---@param how { restart?: boolean, accept_edit?: boolean }
function control.resume(jobs, job, how)
  if job.state == "done" then refuse_over(job) end
  if how.restart then return anew(jobs, job) end
  go_on(jobs, job, how.accept_edit)
end

--- End a job: its workers stop at their next chunk. With `skip` it counts as done.
---@param jobs moontide.BackfillOverview
---@param job moontide.BackfillJob
---@param skip? boolean
function control.cancel(jobs, job, skip)
  local more = skip and ", state = 'done', reason = 'the rest was skipped', finished_at = clock_timestamp()"
    or ", state = 'abandoned', reason = 'cancelled'"
  if skip and job.state == "abandoned" then go_on(jobs, job) end
  change(jobs, job, { pause = json.null }, more)
end

return control
