--- `moontide backfill`: what backfills there are, how far they are, and a word in how they go on.

local control = require "moontide.backfill.control"
local count = require "moontide.count"
local fault = require "moontide.fault"
local json = require "moontide.json"
local listing = require "moontide.backfill.listing"
local overview = require "moontide.backfill.overview"
local report = require "moontide.report"

local backfill = { name = "backfill", summary = "show and steer the backfills of large tables, or work on one" }

backfill.description = [[list               all backfills (the default)
status [STEP]      one in detail: its ranges, workers and errors
pause STEP         its workers stop after their chunk and wait; --reason TEXT
resume STEP        it goes on; --restart from the beginning, --accept-edit with the file as it is now
work [STEP]        works on it, beside other processes and machines; --lanes N, --wait
retry STEP         tries the rows again that were put aside
cancel STEP        its workers stop for good; --skip: it counts as done
set STEP NAME=N    changes its size, speed, lanes or the limit of a signal while it runs]]

function backfill.options(command)
  command:argument("action", "what to do"):args("?"):choices {
    "list", "status", "pause", "resume", "work", "retry", "cancel", "set",
  }
  command:argument("step", "the name of the backfill"):args("?"):argname("STEP")
  command:argument("settings", "with set: chunk_ms=N, max_rows=N, rows_per_s=N, wal_mb_s=N, lanes=N, profile=NAME, "
    .. "window=HOURS, the limit of a signal as in lag=N; NAME=off, NAME=default"):args("*")
    :argname("NAME=N")
  command:option("--revision", "the revision, where several have a backfill of this name"):argname("REV")
  command:option("--reason", "with pause: what the workers say meanwhile"):argname("TEXT")
  command:option("--lanes", "with work: connections of this process"):argname("N")
  command:flag("--wait", "with work: stay until the backfill is done")
  command:flag("--restart", "with resume: do all of it again")
  command:flag("--accept-edit", "with resume: do the rest as the edited file says")
  command:flag("--skip", "with cancel: the rest is not done, and the revision goes on")
end

local function open(app)
  return overview.open(app:connect(), app:config().schema)
end

local function needed(args)
  if args.step then return args.step end
  fault.raise("usage", ("backfill %s needs the name of a backfill"):format(args.action),
    { hint = "`moontide backfill list` shows them." })
end

-- The actions after which the job is shown as it is then.
local function answer(jobs, job, text)
  local now = jobs:find(job.step, job.revision)
  if report.is_json() then return report.json(listing.document(now)) end
  report.info(text)
end

local actions = {}

function actions.list(app)
  local jobs = open(app):jobs()
  if report.is_json() then return report.json { backfills = listing.documents(jobs) } end
  for _, job in ipairs(jobs) do report.out(listing.line(job)) end
  if #jobs == 0 then report.info "there are no backfills" end
end

-- Without a name: the one that is not done, or the last one.
local function chosen(jobs, args)
  if args.step then return jobs:find(args.step, args.revision) end
  local list = jobs:open_jobs()
  if #list == 0 then list = jobs:jobs() end
  return list[#list]
end

function actions.status(app, args)
  local jobs = open(app)
  local job = chosen(jobs, args)
  if not job then fault.raise("found", "there are no backfills") end
  local more = { ranges = jobs:ranges(job.id), errors = jobs:errors(job.id, 20) }
  if report.is_json() then return report.json(listing.detail_document(job, more)) end
  listing.detail(job, more)
end

function actions.pause(app, args)
  local jobs = open(app)
  local job = jobs:find(needed(args), args.revision)
  control.pause(jobs, job, args.reason)
  answer(jobs, job, ("backfill %s is paused; `moontide backfill resume %s` lets it go on"):format(job.step, job.step))
end

-- Where nobody works on it any more, somebody has to begin.
local function way_on(job)
  for _, item in ipairs(job.workers) do
    if item.lanes > 0 then return "" end
  end
  return ("; `moontide %s` works on it"):format(job.background and "backfill work " .. job.step or job.direction)
end

function actions.resume(app, args)
  local jobs = open(app)
  local job = jobs:find(needed(args), args.revision)
  control.resume(jobs, job, args)
  answer(jobs, job, ("backfill %s %s%s"):format(job.step, args.restart and "begins anew" or "goes on", way_on(job)))
end

function actions.cancel(app, args)
  local jobs = open(app)
  local job = jobs:find(needed(args), args.revision)
  control.cancel(jobs, job, args.skip)
  answer(jobs, job, ("backfill %s %s after %d rows"):format(job.step, args.skip and "counts as done" or "is cancelled",
    job.rows_changed))
end

function actions.set(app, args)
  app:config()   -- plugins have signals of their own
  local step, settings = needed(args), control.settings(args.settings)
  local jobs = open(app)
  local job = jobs:find(step, args.revision)
  control.set(jobs, job, settings)
  answer(jobs, job, ("backfill %s: %s from the next chunk on"):format(job.step, table.concat(args.settings, " ")))
end

local function lanes_of(args)
  if not args.lanes then return nil end
  return control.settings({ "lanes=" .. args.lanes }).lanes
end

function actions.work(app, args)
  local joining = require "moontide.backfill.joining"
  local lanes = lanes_of(args)
  if lanes == json.null then lanes = nil end
  return joining.work(app, open(app), { step = args.step, revision = args.revision, lanes = lanes, wait = args.wait })
end

local function say_row(leaf, key, ok)
  report.info(("%s (%s): %s"):format(leaf, table.concat(key, ", "), ok and "changed" or "failed again"))
end

function actions.retry(app, args)
  local step, jobs = needed(args), open(app)
  local job = jobs:find(step, args.revision)
  local result = require("moontide.backfill.joining").retry(app, jobs, job, say_row)
  if report.is_json() then
    report.json(result)
  elseif result.tried == 0 then
    report.info(("nothing to do: no rows of backfill %s are put aside"):format(step))
  else
    report.info(("backfill %s: %s tried, %d changed, %d failed again"):format(step, count.of(result.tried, "row"),
      result.resolved, result.left))
  end
  return result.left > 0 and 1 or 0
end

local needs = {
  settings = "set", reason = "pause", lanes = "work", wait = "work", restart = "resume", accept_edit = "resume",
  skip = "cancel",
}

local function check_options(args)
  for name, action in pairs(needs) do
    local given = args[name]
    if given and args.action ~= action and not (type(given) == "table" and #given == 0) then
      local word = name == "settings" and args.settings[1] or "--" .. name:gsub("_", "-")
      fault.raise("usage", ('"%s" is only for backfill %s'):format(word, action))
    end
  end
end

-- What a role may not do with the bookkeeping somebody else has to allow.
local function refuse(app, problem)
  if problem.sqlstate ~= "42501" or problem.hint then error(problem, 0) end
  local schema = require("moontide.sql.quote").ident(app:config().schema)
  if (problem.statement or ""):find(schema .. ".", 1, true) then
    problem.hint = ("To look at backfills a role needs USAGE on schema %s and SELECT on its tables, "
      .. "to steer them UPDATE and INSERT as well."):format(schema)
  end
  error(problem, 0)
end

function backfill.run(app, args)
  args.action = args.action or "list"
  check_options(args)
  local ok, result = xpcall(actions[args.action], require("moontide.gate").explain, app, args)
  if not ok then refuse(app, result) end
  return result
end

return backfill
