--- Operations that are done in many transactions on connections of their own, in the
--- middle of a revision. The transaction that says in the journal that one has begun
--- registers its job as well, so a job that is there belongs to this attempt.

local fault = require "moontide.fault"

local errand = {}

--- Where an operation's job takes place.
---@param run moontide.Segments
---@return table
function errand.place(run)
  local transport = run.transport
  return {
    db = transport.db, connect = transport.connect, patience = transport.patience, pooled = transport.pooled,
    schema = run.history.schema,
    revision = run.revision, direction = run.direction, interrupted = run.journaled[run.number] ~= nil,
    recall = run.recall,
  }
end

--- Refuse a second job of the same name.
---@param run moontide.Segments
---@param o moontide.Operation
function errand.check_name(run, o)
  run.jobs = run.jobs or {}
  local key = o.kind .. "\0" .. o.name
  if run.jobs[key] then
    fault.raise("operation", ('there are two operations %s with the name "%s" in the revision'):format(o.kind, o.name),
      { where = o.where, operation = o.kind, hint = "Progress is kept by name; give each its own." })
  end
  run.jobs[key] = true
end

-- Functions of a job are called in the middle of its chunks, where operations have no place.
local function closed(run, o)
  local function refuse()
    fault.raise("operation", ('an operation is called in a function of %s "%s"'):format(o.kind, o.name),
      { where = o.where, operation = o.kind, hint = "Such a function only says what becomes of rows." })
  end
  run.run, run.block = refuse, refuse
  return setmetatable({}, { __close = function() run.run, run.block = nil, nil end })
end

-- A job asks the server much that is not in the revision; its failures belong to the operation all the same.
local function located(o, fn, ...)
  local results = table.pack(pcall(fn, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local problem = results[2]
  if fault.is(problem) then
    problem.where, problem.operation = problem.where or o.where, problem.operation or o.kind
  end
  error(problem, 0)
end

-- What a job has committed it finds again, so it survives the connection of the run.
local function resumable(...)
  local ok, problem = pcall(located, ...)
  if ok then return end
  problem = fault.of(problem)
  problem.resumes = problem.kind == "connection"
  error(problem, 0)
end

--- Run a job, or the rest of it.
---@param run moontide.Segments
---@param o moontide.Operation
---@param job table                      of the registration
---@param journal fun(state: string, more?: string[])  writes the journal row, in a transaction
function errand.run(run, o, job, journal)
  local place = errand.place(run)
  if not place.interrupted then journal("started", located(o, job.begin, o, place)) end
  run.transport:flush()
  local _ <close> = closed(run, o)
  resumable(o, job.run, o, place)
  journal "done"
end

--- A job that is not done here: its transaction only registers it.
---@param run moontide.Segments
---@param o moontide.Operation
---@param job table
function errand.leave(run, o, job)
  errand.check_name(run, o)
  if run.transport.dry then return errand.rehearse(run, o, job) end
  if job.left and not run.transport.offline and not run:replaying() then job.left(o) end
end

--- Try a job in a dry run.
---@param run moontide.Segments
---@param o moontide.Operation
---@param job table
function errand.rehearse(run, o, job)
  run:ensure_open()
  run.transport:flush()
  return located(o, job.rehearse, o, errand.place(run))
end

return errand
