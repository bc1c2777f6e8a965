--- What people may do to a job: pause it, let it go on, end it, and change its settings
--- while it runs. All of it is a change of the job's row, which its workers read with each chunk.

local fault = require "moontide.fault"
local json = require "moontide.json"
local quote = require "moontide.sql.quote"

local control = {}

---@alias moontide.BackfillSettings { chunk_ms?: integer, max_rows?: integer, rows_per_s?: integer, lanes?: integer }

local limits = { chunk_ms = 3600000, max_rows = 1000000, rows_per_s = 1000000000, lanes = 32 }

local function refuse(message, hint) fault.raise("usage", message, { hint = hint }) end

local function setting_of(word)
  local name, text = word:match("^([%w_]+)=(.*)$")
  if not name then
    refuse(('"%s" is not a setting'):format(word), "Write name=value, as in chunk_ms=100.")
  end
  if limits[name] then return name, text end
  local near = require("moontide.suggest").nearest(name, { "chunk_ms", "max_rows", "rows_per_s", "lanes" })
  refuse(('unknown setting "%s"'):format(name), near and ('Did you mean "%s"?'):format(near)
    or "The settings are chunk_ms, max_rows, rows_per_s and lanes.")
end

local function number_of(name, text)
  local number = math.tointeger(tonumber(text:match("^%d+$")))
  if number and number >= 1 and number <= limits[name] then return number end
  refuse(('%s must be an integer from 1 to %d, or "default", not "%s"'):format(name, limits[name], text))
end

--- The settings that words such as "chunk_ms=100" ask for; `json.null` for one that is the file's again.
---@param words string[]
---@return table<string, any>
function control.settings(words)
  if #words == 0 then refuse("backfill set needs settings", "Write name=value, as in chunk_ms=100 lanes=4.") end
  local settings = {}
  for _, word in ipairs(words) do
    local name, text = setting_of(word)
    settings[name] = text == "default" and json.null or number_of(name, text)
  end
  return settings
end

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
