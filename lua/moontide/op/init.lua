--- The `op` table that revision files see. Each call builds an operation and hands
--- it to a sink: one that executes, prints, or collects.

local caller = require "moontide.caller"
local fault = require "moontide.fault"
local operation = require "moontide.operation"
require "moontide.object"

---@class moontide.Sink
---@field run fun(self, o: moontide.Operation): any                        what the operation answers
---@field block? fun(self, kind: string, fn: function, o: moontide.Operation): any  "transaction" or "autocommit"

local op = {}

local function block(sink, kind)
  return function(fn)
    local where = caller.where()
    if type(fn) ~= "function" then
      fault.raise("operation", ("%s: expected a function, not %s"):format(kind, type(fn)),
        { where = where, operation = kind })
    end
    return sink:block(kind, fn, { kind = kind, where = where })
  end
end

local function invoke(sink)
  return function(o)
    if type(o) ~= "table" or not operation.get(o.kind) then
      fault.raise("operation", "invoke: expected an operation, not " .. type(o),
        { where = caller.where(), operation = "invoke" })
    end
    return sink:run(o)
  end
end

local function unknown(name)
  local suggest = require "moontide.suggest"
  local nearest = suggest.nearest(tostring(name), operation.names())
  fault.raise("operation", ('unknown operation "%s"'):format(tostring(name)), {
    where = caller.where(),
    hint = nearest and ('Did you mean op.%s?'):format(nearest) or "A plugin may be missing in env.lua.",
  })
end

local function verb(sink, name)
  return function(...) return sink:run(operation.build(name, ...)) end
end

--- The table of operations of a revision file, all of which end in one sink.
--- Operations registered later (by plugins) are seen too.
---@param sink moontide.Sink
---@return table op
function op.new(sink)
  local verbs = {
    transaction = block(sink, "transaction"), autocommit = block(sink, "autocommit"), invoke = invoke(sink),
  }
  local function index(_, name)
    if verbs[name] then return verbs[name] end
    if not operation.get(name) then unknown(name) end
    verbs[name] = verb(sink, name)
    return verbs[name]
  end
  local function newindex(_, name)
    fault.raise("operation", ('cannot assign op.%s'):format(tostring(name)),
      { where = caller.where(), hint = "A plugin adds operations by registering them." })
  end
  return setmetatable({}, { __index = index, __newindex = newindex, __name = "op" })
end

return op
