--- Strategies of backfills: each is a way to go through a table. It says which columns are the
--- key, where the next chunk ends and how the table is divided; what belongs to a chunk, what is
--- done and where it goes on is the same for all. Those that come with Moontide and those of
--- plugins are registered by the same call.

local fault = require "moontide.fault"
local registry = require "moontide.registry"

---@class moontide.BackfillStrategy
---@field name string
---@field summary string   one line
---@field choose fun(db: moontide.Db, o: table, leaf: moontide.BackfillLeaf, columns: table<string, table>)
---  decides how to go through a table: its fields strategy, key, unique, data, only, nulls and sweep
---@field last fun(leaf: moontide.BackfillLeaf): string   the query for the last key of a table
---@field probe fun(leaf: moontide.BackfillLeaf, after: string[]?, upto: string[]?, n: integer): string
---  the query for the key at which a chunk of n rows ends, and perhaps how many rows it has; none where fewer are left
---@field splits fun(db: moontide.Db, leaf: moontide.BackfillLeaf, last: string[], count: integer): string[][]
---  bounds before the last key, for so many ranges
---@field check? fun(leaf: moontide.BackfillLeaf, found: table[])  refuses what a probe has answered
---@field blame? fun(problem: moontide.Fault)  says of a failed probe whose it is
---@field strict? boolean   a row that was changed may be met again, so it must not match the condition any more
---@field address? boolean  the key is where a row is stored, which is the row as long as it is locked
---@field keyless? boolean  there is nothing to name by `key`
---@field plugin? boolean    it is a plugin's
---@field version? string   of the plugin
---@field from? string      who registers it

---@class moontide.BackfillStrategies: moontide.Registry
local strategy = registry.new {
  what = "backfill strategy", folder = "moontide.backfill.strategy", builtin = { "key", "physical" },
}

--- The strategy by which a table is gone through. Leaves are written down, so they have its name only.
---@param leaf moontide.BackfillLeaf
---@return moontide.BackfillStrategy
function strategy.of(leaf)
  return strategy.get(leaf.strategy) or fault.raise("operation",
    ('table %s is gone through by the strategy "%s", which is not there'):format(leaf.name, leaf.strategy),
    { final = true, hint = "Add the plugin that has it to plugins in env.lua again." })
end

return strategy
