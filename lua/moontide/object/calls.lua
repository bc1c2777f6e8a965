--- Calls of operations as data, { name, argument, ... }: how what was read from the
--- catalog is kept until the downgrade of a change() function is derived.

local operation = require "moontide.operation"

local calls = {}

--- The place of the last argument of a call.
---@param call table
---@return integer
function calls.length(call)
  local last = 1
  for key in pairs(call) do last = math.max(last, key) end
  return last
end

--- The operations that calls describe.
---@param list table[]?
---@param into? moontide.Operation[]  where to append them
---@return moontide.Operation[]
function calls.operations(list, into)
  into = into or {}
  for _, call in ipairs(list or {}) do into[#into + 1] = operation.build(table.unpack(call, 1, calls.length(call))) end
  return into
end

return calls
