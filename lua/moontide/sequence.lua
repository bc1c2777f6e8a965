--- Runs the steps of an online operation as segments of its revision.

local fault = require "moontide.fault"
local operation = require "moontide.operation"
local report = require "moontide.report"
local sys = require "moontide.runtime.sys"

local sequence = {}

-- How long a query that only makes a message better may take.
local patience = "10s"

local function bounded(run, sql)
  local transport = run.transport
  local ok, result = pcall(function()
    transport:open()
    transport:send { sql = ("SET LOCAL statement_timeout = '%s'"):format(patience) }
    return transport:read { sql = sql }
  end)
  transport:abort()
  return ok and result or nil
end

-- Seconds between two looks. Nothing is open meanwhile: a snapshot is what a concurrent build waits for.
local pause = 0.5

local function waiter()
  local said
  return function(why)
    if said ~= why then report.info(why) end
    said = why
    sys.sleep(pause)
  end
end

--- What recovering from an attempt may do.
---@param run moontide.Segments
---@param o moontide.Operation
---@return moontide.Attempt
function sequence.attempt(run, o)
  return {
    interrupted = run.journaled[run.number] ~= nil,
    query = function(sql) return run.transport:read { sql = sql, o = o } end,
    bounded = function(sql) return bounded(run, sql) end,
    wait = waiter(),
    alone = function(sql) run.transport:alone({ { sql = sql, o = o } }, run.carried) end,
  }
end

-- What helping with a failure fails at must not hide the failure.
local function help(run, o, step, problem)
  local transport = run.transport
  if not step.failed or problem.kind ~= "server" or problem.o ~= o or transport.offline then return end
  transport:abort()
  if transport:is_alive() then pcall(step.failed, step, problem, sequence.attempt(run, o)) end
end

local function helped(run, o, step, fn)
  local ok, problem = pcall(fn)
  if ok then return end
  problem = fault.of(problem)
  help(run, o, step, problem)
  error(problem, 0)
end

local function is_done(run, o, step)
  if not step.done or run.transport.offline then return false end
  run:ensure_open()
  return run.transport:read({ sql = step.done, o = o })[1].done
end

local function run_transaction(run, o, step, entries)
  for _, entry in ipairs(entries) do run:note(entry) end
  if run:replaying() then return run:check_replay() end
  helped(run, o, step, function()
    if not is_done(run, o, step) then
      for _, entry in ipairs(entries) do run:send(entry) end
    end
    run:commit_journaled()
  end)
end

local function run_alone(run, o, step, entries)
  helped(run, o, step, function() run:alone(o, entries, step) end)
end

local function entries_of(step, o)
  local entries = {}
  for index, sql in ipairs(step.statements) do entries[index] = { sql = sql, o = o, index = step.index } end
  return entries
end

local function run_step(run, o, step)
  run:commit_point()
  local entries = entries_of(step, o)
  if step.alone then return run_alone(run, o, step, entries) end
  run_transaction(run, o, step, entries)
  run:advance()
end

--- Run steps, each committed by itself.
---@param run moontide.Segments
---@param o moontide.Operation
---@param steps moontide.Step[]
function sequence.run(run, o, steps)
  for _, step in ipairs(steps) do
    if step.more then
      sequence.run(run, o, step.more(function(sql) return run:ask { sql = sql, o = o } end))
    elseif step.operation then
      run:run(step.operation)
    else
      run_step(run, o, step)
    end
  end
end

local function key_of(o)
  return o.table and (o.schema or "") .. "\0" .. o.table
end

--- Remember what an operation makes or takes away as a whole: nobody uses it while the revision runs.
---@param run moontide.Segments
---@param list moontide.Operation[]
---@param kind "create_table"|"drop_table"
function sequence.remember(run, list, kind)
  for _, o in ipairs(list) do
    if o.kind == kind then run.private[(o.schema or "") .. "\0" .. o.name] = true end
  end
end

local function copy_with(o, online)
  local copy = {}
  for key, field in pairs(o) do copy[key] = field end
  copy.online = online
  return copy
end

local function by_default(run, o)
  if not run.safe or o.online ~= nil or run.in_block and run.in_block.kind == "transaction" then return false end
  local online = operation.get(o.kind).online
  return online ~= nil and online(o) and not run.private[key_of(o) or ""]
end

--- The operation in the form it is run in: online where the project says so, and plainly in a dry run, which is one
--- transaction.
---@param run moontide.Segments
---@param o moontide.Operation
---@return moontide.Operation
function sequence.settle(run, o)
  sequence.remember(run, { o }, "create_table")
  if run.transport.dry then return o.online and copy_with(o, false) or o end
  return by_default(run, o) and copy_with(o, true) or o
end

return sequence
