--- Work on backfills that another process began, or that a revision has left to the
--- background: what they do is taken from the revision's file.

local connecting = require "moontide.connecting"
local fault = require "moontide.fault"
local job = require "moontide.backfill.job"
local json = require "moontide.json"
local loading = require "moontide.loading"
local lock = require "moontide.lock"
local recall = require "moontide.recall"
local report = require "moontide.report"
local serialize = require "moontide.serialize"

local joining = {}

local function revision_of(app, row)
  local rev = app:graph():get(row.revision)
  if rev then return rev end
  fault.raise("graph", ('backfill "%s" is of revision "%s", which no file has'):format(row.step, row.revision),
    { hint = "What is done with the rows is in the file; take the same version of it as where it was begun." })
end

-- A background job knows what its revision had read; of a revision that is still running the journal does.
local function answers_of(live, row)
  local told = serialize.decode(row.spec).told
  if told then return serialize.decode(told) end
  return recall.journaled(live:journal(row.revision) or {}, row.direction)
end

--- The operation of a job.
---@param app moontide.App
---@param row table
---@return table
function joining.operation(app, row)
  local live, rev = app:look(), revision_of(app, row)
  local wanted = { direction = row.direction, revision = rev, server_version = live.db:server_version(),
    history = live.history, captured = loading.captured(live) }
  local found = recall.find(app, wanted, answers_of(live, row), function(o)
    return o.kind == "backfill" and o.name == row.step
  end)
  if found then return found end
  fault.raise("revision", ('there is no backfill "%s" in the %s of revision "%s"'):format(row.step, row.direction,
    rev.id), { where = rev.path, hint = "It was there when the revision was run; restore the file." })
end

local function is_pooled(app, db)
  return db:exec(lock.new(app:look().history.version):pooled_statement(db))[1].pooled
end

-- As in the transactions of a run.
local function set_path(app, db)
  local path = app:config().search_path
  if path then db:exec("SET search_path = " .. require("moontide.transport.settings").search_path(path)) end
end

---@class moontide.WorkOptions
---@field step? string
---@field revision? string
---@field lanes? integer
---@field wait? boolean

local function place_of(app, db, row, options)
  return {
    db = db, connect = function() return connecting.connect(app:config()) end,
    patience = connecting.patience(app:config()), pooled = is_pooled(app, db),
    schema = app:config().schema, revision = row.revision, direction = row.direction, interrupted = true,
    row = row, lanes = options.lanes, leaves = not options.wait,
  }
end

local function outcome_of(run)
  if not run then return "done" end
  return run:run() and "done" or "left"
end

-- A server that took the place of another may not have what that one had last.
local function refuse_gone(row)
  fault.raise("found", ('backfill "%s" is not in the database any more'):format(row.step),
    { hint = ("`moontide %s` of its revision begins it."):format(row.direction) })
end

local function one(app, jobs, row, options)
  local found, o = pcall(joining.operation, app, row)
  set_path(app, jobs.db)
  local now = jobs.db:exec(jobs.books:job_statement(row.id))[1]
  if not now then refuse_gone(row) end
  -- What its revision had read is forgotten when the revision is done, and so is the job then.
  if now.state == "done" then return "done" end
  if not found then error(o, 0) end
  return outcome_of(job.open(o, place_of(app, jobs.db, now, options)))
end

--- Work on a job until it is done, or until nothing of it is free. A server that was lost is waited for.
---@param app moontide.App
---@param jobs moontide.BackfillOverview
---@param row table
---@param options moontide.WorkOptions
---@return "done"|"left"
function joining.one(app, jobs, row, options)
  for attempt = 0, connecting.most do
    local ok, result = pcall(one, app, jobs, row, options)
    if ok then return result end
    result = fault.of(result)
    if result.kind ~= "connection" or jobs.db:status() ~= "closed" or attempt == connecting.most then
      error(result, 0)
    end
    report.warn(("the connection was lost; backfill %s goes on with another"):format(row.step),
      { detail = result.message })
    jobs.db = app:reconnect()
  end
end

--- Try the rows of a job again that were put aside.
---@param app moontide.App
---@param jobs moontide.BackfillOverview
---@param row table
---@param each fun(leaf: string, key: string[], ok: boolean)
---@return moontide.RetryResult
function joining.retry(app, jobs, row, each)
  local o = joining.operation(app, row)
  set_path(app, jobs.db)
  return require("moontide.backfill.retry").run(o, place_of(app, jobs.db, row, {}), each)
end

local function refuse_failed(row)
  report.warn(('backfill "%s" has failed'):format(row.step), {
    detail = row.error, hint = ("`moontide backfill work %s` tries again."):format(row.step),
  })
end

-- Without a name everything that is open, except what failed: that needs somebody's word.
local function chosen(jobs, options)
  if options.step then return { jobs:find(options.step, options.revision) } end
  local list = {}
  for _, row in ipairs(jobs:open_jobs()) do
    if row.state == "failed" then refuse_failed(row) else list[#list + 1] = row end
  end
  return list
end

local function say_nothing(list, options)
  if #list == 0 then report.info "nothing to do: there are no open backfills" end
  if options.step and list[1].state == "done" then
    report.info(("nothing to do: backfill %s is done"):format(options.step))
  end
end

--- Work on what there is.
---@param app moontide.App
---@param jobs moontide.BackfillOverview
---@param options moontide.WorkOptions
function joining.work(app, jobs, options)
  local list, documents = chosen(jobs, options), json.array {}
  say_nothing(list, options)
  for _, row in ipairs(list) do
    local outcome = row.state == "done" and "done" or joining.one(app, jobs, row, options)
    documents[#documents + 1] = { step = row.step, revision = row.revision, outcome = outcome }
  end
  if report.is_json() then report.json { worked = documents } end
end

return joining
