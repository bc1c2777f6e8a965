--- Revision files made ready for a run: their globals, the functions a step needs,
--- and for the downgrade of a change() function the operations that undo it.

local capture = require "moontide.capture"
local environment = require "moontide.environment"
local fault = require "moontide.fault"
local gate = require "moontide.gate"
local op = require "moontide.op"
local reversal = require "moontide.reversal"
local revision = require "moontide.revision"

local loading = {}

local function context_of(app, options)
  return {
    x = app:config().x, tag = options.tag, offline = options.offline or false, dry_run = options.dry or false,
    server_version = options.server_version,
  }
end

local function check_downgrade(rev, file)
  if type(file.downgrade) == "function" or type(file.change) == "function" then return end
  local reason, hint = revision.irreversible(rev)
  fault.raise("revision", ('revision "%s" cannot be downgraded: %s'):format(rev.id, reason),
    { where = rev.path .. ":1", hint = hint })
end

-- For the downgrade of a change() function its operations are collected and reversed
-- when the file is loaded, so that what cannot be reversed is refused before anything runs.
local function prepare_downgrade(step, file, sink, captured)
  check_downgrade(step.revision, file)
  if file.downgrade then return end
  local collector = reversal.collector()
  sink:through(collector, file.change)
  capture.restore(collector, captured(step.revision.id))
  file.reversed = reversal.of(collector)
end

---@class moontide.LoadOptions
---@field sink moontide.Gate           where operations go
---@field tag? string
---@field dry? boolean
---@field offline? boolean
---@field server_version? integer
---@field captured? fun(id: string): string?   what an upgrade stored for the downgrade of change()

--- A function that loads the file of a step.
---@param app moontide.App
---@param options moontide.LoadOptions
---@return fun(step: table): table
function loading.loader(app, options)
  local sink = options.sink
  local context = context_of(app, options)
  local scope = environment.running(app:config(), op.new(sink), context)
  local captured = options.captured or function() end
  return function(step)
    context.direction, context.revision = step.direction, step.revision.id
    local file = step.load and step.load(scope) or revision.load(step.revision, scope)
    if step.direction == "downgrade" then prepare_downgrade(step, file, sink, captured) end
    return file
  end
end

--- What earlier upgrades stored for the downgrades of change() functions, read when asked for.
---@param live moontide.Session
---@return fun(id: string): string?
function loading.captured(live)
  local known = {}
  return function(id)
    if known[id] == nil then
      local row = live.db:exec(live.history:captured_statement(id))[1]
      known[id] = row and row.operations or false
    end
    return known[id] or nil
  end
end

--- Do something with the file of a step; an error says which revision it is of.
---@param step table
---@param fn fun(step: table)
function loading.attempt(step, fn)
  local ok, problem = xpcall(fn, gate.explain, step)
  if ok then return end
  problem.revision = problem.revision or step.revision.id
  error(problem, 0)
end

--- Load every file of a plan once before anything runs: a syntax error in the last
--- one must not leave the first ones applied.
---@param steps table[]
---@param load fun(step: table): table
function loading.rehearse(steps, load)
  for _, step in ipairs(steps) do loading.attempt(step, load) end
end

return loading
