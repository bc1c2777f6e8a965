--- Runs the steps of a plan: each revision's function, its transactions, its version
--- and log rows. What a step is comes from `plan`; where statements go is the
--- transport's affair, so executing, printing and rehearsing are one path.

local capture = require "moontide.capture"
local fault = require "moontide.fault"
local report = require "moontide.report"
local segment = require "moontide.segment"
local gate = require "moontide.gate"

---@class moontide.RunOptions
---@field transport moontide.Transport
---@field history moontide.History
---@field lock? moontide.Lock
---@field journal? table<string, table[]>  journal rows of partially applied revisions
---@field rows string[]                    version rows before the first step
---@field gate moontide.Gate              where the operations of revision files arrive
---@field load fun(step: table): table     the revision's environment, with the functions that the step needs
---@field checksum fun(revision: table): string
---@field log { host?: string, version: string }
---@field autocommit? boolean             every operation commits by itself
---@field hook fun(name: string, step: table)   calls the project's hook of that name, if it has one

local runner = {}

local function changed_meanwhile()
  return fault.new("lock", "the version table changed while the run was going on", {
    hint = "Another runner is at work, or the rows were edited by hand. "
      .. "See `moontide current`, then run the command again.",
  })
end

-- What every transaction of a run begins with: nobody else is running, and the
-- version rows are what the plan assumed.
local function guards_of(options, rows)
  return function()
    if options.transport.offline or not options.lock then return {} end
    return {
      { sql = options.lock:fence_statement(), refused = changed_meanwhile },
      { sql = options.history:expect_statement(rows), refused = changed_meanwhile },
    }
  end
end

local function log_entry(step, options, outcome, message)
  return {
    revision = step.revision.id, direction = step.direction, outcome = outcome, error = message,
    checksum = options.checksum(step.revision), message = step.revision.doc,
    host = not options.transport.offline and options.log.host or nil, version = options.log.version,
  }
end

-- Version rows, then the log row: the last statements of a step's last transaction.
local function records(step, options, run)
  local entries = {}
  local online = not options.transport.offline
  for _, change in ipairs(step.changes) do
    table.insert(entries, { sql = options.history:change_statement(change, online), refused = changed_meanwhile })
  end
  if step.revision then
    table.insert(entries, { sql = options.history:log_statement(log_entry(step, options, "done")) })
  end
  for _, sql in ipairs(online and run and capture.statements(step, options.history, run) or {}) do
    table.insert(entries, { sql = sql })
  end
  return entries
end

local function ids(list) return table.concat(list, ", ") end

--- The line that announces a step: `Running upgrade a, b -> c, doc`.
---@param step table
---@return string
function runner.title(step)
  local doc = step.revision and step.revision.doc
  return ("Running %s %s -> %s%s"):format(step.direction, ids(step.from), ids(step.to),
    doc and doc ~= "" and ", " .. doc or "")
end

local function announce(step, options)
  if options.transport.comment then
    options.transport:comment(("Running %s %s -> %s"):format(step.direction, ids(step.from), ids(step.to)))
  end
  report.info(runner.title(step))
end

-- The function of the file that the step asks for. A change() is run through a sink
-- that keeps what its downgrade will need.
local function call_file(step, file, run, options)
  if file[step.direction] then return options.gate:through(run, file[step.direction]) end
  if step.direction == "upgrade" then return options.gate:through(capture.sink(run), file.change) end
  run.releases = true
  for _, o in ipairs(file.reversed) do run:run(o) end
end

local function check_verified(step, answer)
  if answer ~= false then return end
  fault.raise("revision", ('verify() of revision "%s" answered false'):format(step.revision.id),
    { where = step.revision.path .. ":1" })
end

-- Everything of the user's that belongs to a revision, in its last transaction at the latest.
local function call(step, file, run, options)
  options.gate:through(run, options.hook, "before_revision", step)
  call_file(step, file, run, options)
  if step.direction == "upgrade" and file.verify and not options.transport.offline then
    check_verified(step, options.gate:through(run, file.verify))
  end
  options.gate:through(run, options.hook, "after_revision", step)
end

local function explain(problem, step)
  problem = fault.of(problem)
  problem.revision = problem.revision or step.revision.id
  return problem
end

local function at(rows) return #rows > 0 and "at " .. ids(rows) or "empty" end

local function standing_of_joined(options)
  if options.transport.commits == 0 then
    return ("Nothing of this run was applied; the database is %s."):format(at(options.rows))
  end
  return "The run was committed up to a commit point; `moontide status` says where the database stands."
end

-- What stands after a failure, in words: nothing is ever half recorded.
local function where_it_stands(run, options, step, rows)
  if options.transport.offline then return nil end
  if options.transport.dry then return "It was a dry run: nothing was changed." end
  if run and run:is_partial() then
    return ("Revision %s is partially applied: %d of its segments are committed; "
      .. "the same command continues behind them."):format(step.revision.id, run.number - 1)
  end
  if options.transport.joined then return standing_of_joined(options) end
  return ("Nothing of revision %s was applied; the database is %s."):format(step.revision.id, at(rows))
end

-- The failed attempt goes into the log; a failure of that must not hide the first one.
local function log_failure(step, options, problem)
  if options.transport.offline or options.transport.dry then return end
  local db = options.transport.db
  if db:status() ~= "idle" then return end
  pcall(db.exec, db, options.history:log_statement(log_entry(step, options, "failed", tostring(problem.message))))
end

local function fail(problem, run, step, options, rows)
  problem = explain(problem, step)
  options.transport:abort()
  log_failure(step, options, problem)
  local standing = where_it_stands(run, options, step, rows)
  problem.hint = problem.hint and standing and problem.hint .. "\n" .. standing or problem.hint or standing
  error(problem, 0)
end

local function new_run(step, options, rows)
  return segment.new {
    transport = options.transport, history = options.history, revision = step.revision.id,
    direction = step.direction, guards = guards_of(options, rows), autocommit = options.autocommit,
    journal = (options.journal or {})[step.revision.id],
  }
end

local function run_revision(step, options, rows)
  local run = new_run(step, options, rows)
  local function body()
    call(step, options.load(step), run, options)
    run:finish(records(step, options, run))
  end
  local ok, problem = xpcall(body, gate.explain)
  if not ok then fail(problem, run, step, options, rows) end
end

--- Move the version rows by the steps of a stamp, in one transaction; nothing is run.
---@param steps table[]
---@param options moontide.RunOptions
function runner.stamp(steps, options)
  local transport = options.transport
  transport:open()
  for _, entry in ipairs(guards_of(options, options.rows)()) do transport:send(entry) end
  for _, step in ipairs(steps) do
    announce(step, options)
    for _, entry in ipairs(records(step, options)) do transport:send(entry) end
  end
  transport:close()
end

--- Run steps one after the other. A failure raises; the steps before it stay done.
---@param steps table[]  as `plan` makes them
---@param options moontide.RunOptions
---@param on_step? fun(step: table)  called after each
function runner.run(steps, options, on_step)
  local rows = options.rows
  for _, step in ipairs(steps) do
    announce(step, options)
    run_revision(step, options, rows)
    rows = step.rows
    if on_step then on_step(step) end
  end
  options.transport:complete()
end

return runner
