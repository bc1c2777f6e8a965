--- The downgrade of a `change()` function: its operations, collected without being
--- run, each replaced by what undoes it, in reverse order.

local fault = require "moontide.fault"
local operation = require "moontide.operation"

local reversal = {}

local Collector = {}
Collector.__index = Collector

local function refuse(o, reason)
  fault.raise("operation", ("%s cannot be reversed"):format(o.kind), {
    where = o.where, operation = o.kind, detail = reason,
    hint = "Write upgrade() and downgrade() instead of change().",
  })
end

function Collector:run(o)
  if operation.get(o.kind).reads then
    refuse(o, "a function that reads data may do something else each time it is run")
  end
  self[#self + 1] = o
end

function Collector:block(kind, _, o)
  refuse({ kind = kind, where = o.where }, "a block holds code, not operations")
end

--- A sink that keeps the operations it receives, in order.
---@return moontide.Sink
function reversal.collector() return setmetatable({}, Collector) end

--- The operations that undo a list of operations, in the order to run them.
---@param operations moontide.Operation[]
---@return moontide.Operation[]
function reversal.of(operations)
  local reversed = {}
  for index = #operations, 1, -1 do
    local o = operations[index]
    local list, reason = operation.inverse(o)
    if not list then refuse(o, reason) end
    for _, undo in ipairs(list) do
      undo.where = undo.where or o.where
      reversed[#reversed + 1] = undo
    end
  end
  return reversed
end

return reversal
