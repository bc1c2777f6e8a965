--- What an upgrade destroys, listed before it runs, and the question whether to go on.
--- The functions of the revisions are called once without a database for it; what
--- follows a read of data cannot be known.

local ask = require "moontide.ask"
local fault = require "moontide.fault"
local gate = require "moontide.gate"
local operation = require "moontide.operation"
local report = require "moontide.report"
local sys = require "moontide.runtime.sys"

local confirm = {}

local stopped = {}

---@class moontide.Loss
---@field revision string
---@field where? string
---@field text string

local Collector = {}
Collector.__index = Collector

function Collector:add(o, text)
  self.losses[#self.losses + 1] = { revision = self.revision, where = o.where, text = text }
end

function Collector:run(o)
  if operation.get(o.kind).reads then
    self.unknown = o.where or "?"
    error(stopped, 0)
  end
  local text = operation.destructive(o)
  if text then self:add(o, text) end
end

function Collector:block(_, fn) return fn() end

local function collect_step(collector, step, run)
  collector.revision = step.revision.id
  local file = run.load(step)
  local ok, problem = xpcall(run.gate.through, function(problem)
    return problem == stopped and stopped or gate.explain(problem)
  end, run.gate, collector, file.upgrade or file.change)
  if ok or problem ~= stopped then return end -- what is wrong in a function is said when it is run
  table.insert(collector.unlisted, { revision = step.revision.id, where = collector.unknown })
end

--- What the steps of an upgrade destroy.
---@param steps table[]
---@param run moontide.RunOptions
---@return moontide.Loss[] losses
---@return { revision: string, where: string }[] unlisted  where a read hides what follows
function confirm.losses(steps, run)
  local collector = setmetatable({ losses = {}, unlisted = {} }, Collector)
  for _, step in ipairs(steps) do collect_step(collector, step, run) end
  return collector.losses, collector.unlisted
end

local function tell_unlisted(unlisted)
  for _, place in ipairs(unlisted) do
    report.warn(("revision %s reads data; what it destroys after that is not listed"):format(place.revision),
      { where = place.where })
  end
end

local function lines_of(losses)
  local lines = {}
  for index, loss in ipairs(losses) do
    lines[index] = ("%s: %s%s"):format(loss.revision, loss.text, loss.where and " (" .. loss.where .. ")" or "")
  end
  return table.concat(lines, "\n")
end

local function refuse(message, losses, hint)
  fault.raise("usage", message, { detail = lines_of(losses), hint = hint })
end

local function decide(app, losses, terminal)
  if not terminal then
    refuse("the upgrade destroys data, and there is no terminal to ask on", losses,
      'Say --yes to go ahead; confirm = "ask" in env.lua asks on a terminal only.')
  end
  report.warn("the upgrade destroys data", { detail = lines_of(losses) })
  if not ask.confirm(app, "go ahead") then fault.raise("usage", "nothing was done", { hint = "The answer was no." }) end
end

--- List what an upgrade destroys and ask, as `confirm` of env.lua says: "ask" where there is a terminal, "refuse"
--- without --yes where there is none, "never".
---@param app moontide.App
---@param steps table[]
---@param run moontide.RunOptions
function confirm.check(app, steps, run)
  local mode = app:config().confirm
  if mode == "never" or app.args.yes or run.transport.dry then return end
  local terminal = not report.is_json() and sys.isatty(0)
  if mode == "ask" and not terminal then return end
  local losses, unlisted = confirm.losses(steps, run)
  if #losses == 0 then return end
  tell_unlisted(unlisted)
  decide(app, losses, terminal)
end

return confirm
