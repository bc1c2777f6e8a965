--- Calls of operations as data, { name, argument, ... }: how what was read from the
--- catalog is kept until the downgrade of a change() function is derived.

local operation = require "moontide.operation"

local calls = {}

local function arguments_of(call)
  local last = 1
  for key in pairs(call) do last = math.max(last, key) end
  return table.unpack(call, 1, last)
end

--- The operations that calls describe.
---@param list table[]?
---@param into? moontide.Operation[]  where to append them
---@return moontide.Operation[]
function calls.operations(list, into)
  into = into or {}
  for _, call in ipairs(list or {}) do into[#into + 1] = operation.build(arguments_of(call)) end
  return into
end

return calls
