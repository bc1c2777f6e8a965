--- What a backfill does, in a few characters: a job that is half done goes on only with
--- the same. How fast it goes may change.

local digest = require "moontide.runtime.digest"
local serialize = require "moontide.serialize"
local strategy = require "moontide.backfill.strategy"

local essential = { "name", "table", "schema", "set", "condition", "delete", "into", "key", "order", "read", "write" }

-- A function by its code, without the names and lines that do not change what it does.
local functions = { "each", "each_chunk" }

---@param o table
---@return string
return function(o)
  local fields = {}
  for _, name in ipairs(essential) do fields[name] = o[name] end
  if o.order then fields.order = strategy.identity(o.order) end
  for _, name in ipairs(functions) do
    local known = o.named and o.named[name]
    if o[name] then fields[name] = known or digest.sha256(string.dump(o[name], true)) end
  end
  return digest.sha256(serialize.encode(fields))
end
