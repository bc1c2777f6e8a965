--- Runs the steps of a plan: each revision's function, its transactions, its version
--- and log rows. What a step is comes from `plan`; where statements go is the
--- transport's affair, so executing, printing and rehearsing are one path.

local capture = require "moontide.capture"
local fault = require "moontide.fault"
local flights = require "moontide.flight"
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
---@field log { host?: string, version: string, run?: string }
---@field autocommit? boolean             every operation commits by itself
---@field safe? boolean                   operations are run online where they can be
---@field retries integer                 how often a revision is tried again that could not get a lock
---@field reread fun(id: string)          reads the journal rows of a revision again
---@field reconnect fun(): integer, string[]  connects again; how many steps this run has settled, the version rows
---@field failure_statement? fun(step: table, message: string): string
---@field recall? fun(row: table): table   the operation of a job that another revision has begun
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
    run = not options.transport.offline and options.log.run or nil,
  }
end

-- A revision of several transactions began with the first of them.
local function done_entry(step, options, run)
  local entry = log_entry(step, options, "done")
  local is_long = run and not options.transport.offline and (run:is_partial() or run.unripe)
  if is_long then entry.started = options.history:start_of(entry.revision, entry.direction) end
  return entry
end

local opposite = { upgrade = "downgrade", downgrade = "upgrade" }

-- Only a file that says so can have left something to the background, which its way back ends.
local function mentions_background(step)
  return (step.revision.text or ""):find("background", 1, true) ~= nil
end

-- Version rows, then the log row: the last statements of a step's last transaction.
local function records(step, options, run)
  local entries = {}
  local online = not options.transport.offline
  for _, change in ipairs(step.changes) do
    table.insert(entries, { sql = options.history:change_statement(change, online), refused = changed_meanwhile })
  end
  if step.revision then
    table.insert(entries, { sql = options.history:log_statement(done_entry(step, options, run)) })
  end
  if online and run and mentions_background(step) then
    local own = require("moontide.backfill.books").open(options.history.schema)
    table.insert(entries, { sql = own:revert_statement(step.revision.id, opposite[step.direction]) })
  end
  for _, sql in ipairs(step.records and step.records(options.history) or {}) do
    table.insert(entries, { sql = sql })
  end
  for _, sql in ipairs(online and run and capture.statements(step, options.history, run) or {}) do
    table.insert(entries, { sql = sql })
  end
  return entries
end

local function ids(list) return table.concat(list, ", ") end

local function short_title(step)
  return step.title or ("Running %s %s -> %s"):format(step.direction, ids(step.from), ids(step.to))
end

--- The line that announces a step: `Running upgrade a, b -> c, doc`.
---@param step table
---@return string
function runner.title(step)
  local doc = step.revision and step.revision.doc
  return short_title(step) .. (doc and doc ~= "" and ", " .. doc or "")
end

local function announce(step, options)
  if options.transport.comment then
    options.transport:comment(short_title(step))
  end
  if not options.transport.silent then report.info(runner.title(step)) end
end

-- The function of the file that the step asks for. A change() is run through a sink
-- that keeps what its downgrade will need.
local function call_file(step, file, run, options)
  if file[step.direction] then return options.gate:through(run, file[step.direction]) end
  if step.direction == "upgrade" then return options.gate:through(capture.sink(run), file.change) end
  run.releases = true
  run:foresee(file.reversed)
  for _, o in ipairs(file.reversed) do run:run(o) end
end

local function check_verified(step, answer)
  if answer ~= false then return end
  fault.raise("revision", ('verify() of revision "%s" answered false'):format(step.revision.id),
    { where = step.revision.path .. ":1" })
end

--- Run a revision's function for the operations in it, and nothing else of it.
---@param step table            { direction }
---@param file table            its functions
---@param run moontide.Segments
---@param door moontide.Gate
function runner.call(step, file, run, door) call_file(step, file, run, { gate = door }) end

local function call_hook(name, step, run, options)
  run.in_hook = true
  options.gate:through(run, options.hook, name, step)
  run.in_hook = false
end

-- Everything of the user's that belongs to a revision, in its last transaction at the latest.
local function call(step, file, run, options)
  call_hook("before_revision", step, run, options)
  call_file(step, file, run, options)
  if step.direction == "upgrade" and file.verify and not options.transport.offline then
    check_verified(step, options.gate:through(run, file.verify))
  end
  call_hook("after_revision", step, run, options)
end

local function new_run(flight, index)
  local options, step = flight.options, flight.steps[index]
  return segment.new {
    transport = options.transport, history = options.history, revision = step.revision.id,
    direction = step.direction, guards = guards_of(options, flight:rows_before(index)), autocommit = options.autocommit,
    safe = options.safe, journal = (options.journal or {})[step.revision.id], recall = options.recall,
  }
end

local function run_step(flight, index)
  local step, options = flight.steps[index], flight.options
  options.transport.tag = index
  flight:begin(index)
  local run = new_run(flight, index)
  flight.runs[index] = run
  call(step, options.load(step), run, options)
  run:finish(records(step, options, run))
end

-- A transport on which nothing arrives: the committed part of a revision ends where
-- it is asked for.
local Nowhere = { offline = false, dry = false, ctx = { offline = false } }
Nowhere.__index = Nowhere

function Nowhere:open() fault.raise("reached", "the committed part ends here") end
Nowhere.flush = Nowhere.open

--- Compare what is committed of a partially applied revision with its file. Nothing
--- is run; a difference raises.
---@param step table                     { direction, revision }
---@param journal moontide.JournalRow[]
---@param options { gate: moontide.Gate, load: fun(step: table): table, history: moontide.History,
---  hook: fun(name: string, step: table) }
function runner.replay(step, journal, options)
  local run = segment.new {
    transport = setmetatable({ ctx = { offline = false, server_version = options.server_version } }, Nowhere),
    revision = step.revision.id, direction = step.direction, journal = journal,
    guards = function() return {} end, history = options.history, safe = options.safe, autocommit = options.autocommit,
  }
  local rest = { gate = options.gate, transport = run.transport, hook = options.hook }
  local ok, problem = xpcall(call, gate.explain, step, options.load(step), run, rest)
  if not ok and problem.kind ~= "reached" then error(problem, 0) end
  if ok then run:end_replay() end
end

local function send_stamp(steps, options)
  local transport = options.transport
  transport:open()
  for _, entry in ipairs(guards_of(options, options.rows)()) do transport:send(entry) end
  for _, step in ipairs(steps) do
    announce(step, options)
    for _, entry in ipairs(records(step, options)) do transport:send(entry) end
  end
  transport:close()
end

-- The connection broke in the commit: the server knows whether it took place. Rows that are as they should be
-- are enough, for a step that only removes rows has none in the log.
local function look_up_stamp(steps, options, problem)
  local ok, settled, rows = pcall(options.reconnect)
  if not ok then
    problem.detail = "could not connect again: " .. fault.of(settled).message
    problem.hint = "Run the command again when the server is back."
    error(problem, 0)
  end
  local wanted = steps[#steps].rows
  if settled == 0 and table.concat(rows, " ") ~= table.concat(wanted, " ") then
    problem.hint = ("Nothing was stamped; the database is %s."):format(#rows > 0 and "at " .. ids(rows) or "empty")
    error(problem, 0)
  end
  report.warn("the connection was lost; the server had committed", { detail = problem.message })
end

--- Move the version rows by the steps of a stamp, in one transaction; nothing is run.
---@param steps table[]
---@param options moontide.RunOptions
---@param on_step? fun(step: table)  called for each, once all are committed
function runner.stamp(steps, options, on_step)
  local ok, problem = pcall(send_stamp, steps, options)
  if not ok then
    problem = fault.of(problem)
    if not problem.in_commit then error(problem, 0) end
    look_up_stamp(steps, options, problem)
  end
  for _, step in ipairs(on_step and steps or {}) do on_step(step) end
end

--- Run steps one after the other. A failure raises; the steps before it stay done.
--- A step whose statements nobody reads may travel in one round trip with the next
--- ones; what is announced, committed, logged and reported is the same as one by one.
---@param steps table[]  as `plan` makes them
---@param options moontide.RunOptions
---@param on_step? fun(step: table)  called after each
function runner.run(steps, options, on_step)
  options.failure_statement = function(step, message)
    return options.history:log_statement(log_entry(step, options, "failed", message))
  end
  local flight = flights.new(steps, options, announce, on_step)
  local index = 1
  while index <= #steps + 1 do
    local ok, problem
    if index <= #steps then ok, problem = xpcall(run_step, gate.explain, flight, index)
    else ok, problem = xpcall(options.transport.complete, gate.explain, options.transport) end
    index = ok and index + 1 or flight:recover(problem, index)
  end
end

return runner
