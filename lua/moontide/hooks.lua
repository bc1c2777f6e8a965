--- Functions of env.lua and of plugins that are called around a run and around each revision.
---
--- before_upgrade, after_upgrade, before_downgrade, after_downgrade and on_error are
--- called outside of any transaction; before_revision and after_revision inside the
--- revision's own, with an `op` that takes part in it. What they are told is described
--- in meta/context.lua (moontide.HookEvent).

local fault = require "moontide.fault"
local gate = require "moontide.gate"
local op = require "moontide.op"

local hooks = {}

local function call_one(hook, name, event)
  local ok, problem = xpcall(hook.fn, gate.explain, event)
  if ok then return end
  problem.detail = problem.detail or ("in the hook %s of %s"):format(name, hook.from)
  error(problem, 0)
end

local function call(config, name, event)
  event.hook = name
  for _, hook in ipairs(config.hooks and config.hooks[name] or {}) do call_one(hook, name, event) end
end

local function event_of(direction, context)
  return { direction = direction, dry_run = context.dry or false, offline = context.offline or false }
end

--- The function that a run calls before and after each revision.
---@param config table
---@param door moontide.Gate  the sink of the run
---@param context table       { dry?, offline? }
---@return fun(name: string, step: table)
function hooks.of_steps(config, door, context)
  local operations
  return function(name, step)
    if not config.hooks then return end
    operations = operations or op.new(door)
    local event, rev = event_of(step.direction, context), step.revision
    event.revision, event.message, event.path, event.op = rev.id, rev.doc, rev.path, operations
    call(config, name, event)
  end
end

local function run_event(direction, context, steps)
  local event = event_of(direction, context)
  event.revisions = {}
  for index, step in ipairs(steps) do event.revisions[index] = step.revision.id end
  return event
end

-- The failure of the run is what the user must read, so one of the hook only joins it.
local function tell(config, direction, context, steps, problem)
  local event = run_event(direction, context, steps)
  event.error = require("moontide.report").fault_document(problem)
  local ok, second = pcall(call, config, "on_error", event)
  if ok then return end
  problem.detail = (problem.detail and problem.detail .. "\n" or "") .. "on_error failed too: " .. second.message
end

--- Do something that has steps, with the hooks of the run around it.
---@param config table
---@param direction "upgrade"|"downgrade"
---@param steps table[]
---@param context table  { dry?, offline? }
---@param run fun()
function hooks.around(config, direction, steps, context, run)
  if not config.hooks or #steps == 0 then return run() end
  call(config, "before_" .. direction, run_event(direction, context, steps))
  local ok, problem = xpcall(run, gate.explain)
  if not ok then
    tell(config, direction, context, steps, fault.of(problem))
    error(problem, 0)
  end
  call(config, "after_" .. direction, run_event(direction, context, steps))
end

return hooks
