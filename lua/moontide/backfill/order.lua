--- The order in which a backfill goes through a table: chosen by its strategy, for all rows, and
--- where some have no place in it, in other ways for these and for sweeps.

local fault = require "moontide.fault"
local strategy = require "moontide.backfill.strategy"

local order = {}

--- Refuse a backfill.
---@param o table
---@param message string
---@param more? table
function order.refuse(o, message, more)
  more = more or {}
  more.where, more.operation = o.where, o.kind
  fault.raise("operation", ('backfill "%s": %s'):format(o.name, message), more)
end

--- Decide how to go through a table: its fields strategy, key, unique, data, only, nulls and sweep.
---@param db moontide.Db
---@param o table
---@param leaf moontide.BackfillLeaf
---@param columns table<string, table>
function order.choose(db, o, leaf, columns) strategy.get(o.order or "key").choose(db, o, leaf, columns) end

--- The ways through a table, for whoever has to know each.
---@param leaf moontide.BackfillLeaf
---@return moontide.BackfillLeaf[]
function order.variants(leaf)
  local list = { leaf }
  list[#list + 1] = leaf.nulls
  list[#list + 1] = leaf.sweep
  return list
end

--- The way through a table in a pass.
---@param leaf moontide.BackfillLeaf
---@param pass integer
---@return moontide.BackfillLeaf
function order.of_pass(leaf, pass)
  if pass == 1 then return leaf.nulls end
  return pass > 1 and leaf.sweep or leaf
end

return order
