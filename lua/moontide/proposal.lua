--- What autogenerate proposes, after the hooks of env.lua and of plugins had it in hand:
--- they drop operations, add some and change their fields. What they answer is read back
--- from its source, so that it is what the revision will do.

local equal = require "moontide.equal"
local fault = require "moontide.fault"
local gate = require "moontide.gate"
local operation = require "moontide.operation"
local value = require "moontide.value"

local proposal = {}

local function no_blocks(_, kind)
  fault.raise("operation", kind .. ": a generated revision has no blocks")
end

-- An `op` whose calls answer operations as values.
local function builder()
  return require("moontide.op").new { run = function(_, o) return o end, block = no_blocks }
end

local function refuse(hook, message, hint)
  fault.raise("config", "autogenerate: " .. message, { hint = hint,
    detail = "in the hook autogenerate of " .. hook.from })
end

-- The value that the revision will have of an operation.
local function read_back(o, op)
  local visible = { op = op, sql = value.sql, null = value.null, array = value.array, json = value.json,
    bytea = value.bytea }
  return assert(load("return " .. operation.source(o), "=operation", "t", visible))()
end

local function check(hook, o, op)
  if type(o) ~= "table" or not operation.get(o.kind) then
    refuse(hook, "an answer holds what is no operation", "Build them with event.op.create_index(...) and its like.")
  end
  local ok, again = xpcall(read_back, gate.explain, o, op)
  if not ok then refuse(hook, again.message, again.hint) end
  again.where = o.where
  if equal(again, o, "where") then return end
  refuse(hook, ("a field of %s was changed that cannot be written"):format(o.kind),
    "It would be read as: " .. operation.source(again))
end

local function check_list(hook, answer, op)
  if type(answer) ~= "table" then refuse(hook, "expected a list of operations, not a " .. type(answer)) end
  for key in pairs(answer) do
    if math.type(key) ~= "integer" or key < 1 or key > #answer then
      refuse(hook, "expected a list of operations, not one with the key " .. tostring(key),
        "Take operations out with table.remove, or answer a new list.")
    end
  end
  for _, o in ipairs(answer) do check(hook, o, op) end
end

local function ask(hook, list, event)
  local ok, answer = xpcall(hook.fn, gate.explain, list, event)
  if not ok then
    answer.detail = answer.detail or "in the hook autogenerate of " .. hook.from
    error(answer, 0)
  end
  if answer == nil then answer = list end
  check_list(hook, answer, event.op)
  return answer
end

--- The operations of one direction as the hooks want them, each after the other.
---@param config table
---@param list moontide.Operation[]
---@param direction "upgrade"|"downgrade"
---@param message? string  of the revision
---@return moontide.Operation[]
function proposal.of(config, list, direction, message)
  for _, hook in ipairs(config.hooks and config.hooks.autogenerate or {}) do
    local event = { hook = "autogenerate", direction = direction, message = message, op = builder() }
    list = ask(hook, list, event)
  end
  return list
end

return proposal
