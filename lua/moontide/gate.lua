--- The sink behind the `op` table of revision files. It passes operations on to
--- the run that is current, and refuses them while there is none: an operation at
--- the top of a file, or in a callback that outlived its revision, has nowhere to go.

local caller = require "moontide.caller"
local fault = require "moontide.fault"

---@class moontide.Gate : moontide.Sink
---@field sink? moontide.Sink
---@field rules? table
local Gate = {}
Gate.__index = Gate

local gate = {}

---@return moontide.Gate
---@param rules? table  naming rules for what operations create
function gate.new(rules) return setmetatable({ rules = rules }, Gate) end

local function refuse(o)
  fault.raise("operation", ("%s is called outside of upgrade(), downgrade() and change()"):format(o.kind), {
    where = o.where, operation = o.kind, hint = "Move the call into one of these functions.",
  })
end

local function apply_rules(rules, o)
  local ok, problem = pcall(require("moontide.naming").apply, rules, o)
  if ok then return end
  problem = gate.explain(problem)
  problem.where, problem.operation = o.where or problem.where, o.kind
  error(problem, 0)
end

---@param o moontide.Operation
---@return any
function Gate:run(o)
  if not self.sink then refuse(o) end
  if self.rules then apply_rules(self.rules, o) end
  return self.sink:run(o)
end

---@param kind string
---@param fn function
---@param o moontide.Operation
---@return any
function Gate:block(kind, fn, o)
  if not self.sink then refuse(o) end
  return self.sink:block(kind, fn, o)
end

--- Call a function while operations go to a sink.
---@param sink moontide.Sink
---@param fn function
---@return any
function Gate:through(sink, fn, ...)
  self.sink = sink
  local _ <close> = setmetatable({}, { __close = function() self.sink = nil end })
  return fn(...)
end

--- A message handler for code of the user's: a fault stays itself, a plain Lua
--- error ("path:line: message") becomes one with its place.
---@param value any
---@return moontide.Fault
function gate.explain(value)
  if fault.is(value) then return fault.of(value) end
  local words = fault.words(value)
  local where, message = words:match("^(.-:%d+): (.*)$")
  return fault.new("revision", message or words, {
    where = where or caller.where(), traceback = debug.traceback("", 2):gsub("^%s+", ""),
  })
end

return gate
