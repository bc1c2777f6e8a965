--- Functions of rows that plugins give a name, for `each` and `each_chunk` of op.backfill.

local caller = require "moontide.caller"
local fault = require "moontide.fault"
local sorted_keys = require "moontide.sorted_keys"

---@class moontide.BackfillTransform
---@field name string
---@field summary string
---@field each? fun(row: table): table?
---@field each_chunk? fun(rows: table[]): table[]
---@field version? string  of the plugin
---@field from string

local named = {}

local registered = {}

--- Add a transform. The name must be free.
---@param entry moontide.BackfillTransform
function named.register(entry)
  local earlier = registered[entry.name]
  if earlier then
    fault.raise("config", ('backfill transform "%s" is already registered by %s'):format(entry.name, earlier.from),
      { where = caller.where(), detail = "registered by " .. entry.from })
  end
  registered[entry.name] = entry
end

--- The transform of a name, or nil, and the nearest name there is.
---@param name string
---@return moontide.BackfillTransform? entry
---@return string? nearest
function named.get(name)
  if registered[name] then return registered[name] end
  return nil, require("moontide.suggest").nearest(name, sorted_keys(registered))
end

--- What it is called in a fingerprint: a half-done backfill goes on only with the same version.
---@param entry moontide.BackfillTransform
---@return string
function named.identity(entry) return entry.name .. "@" .. (entry.version or "0") end

return named
