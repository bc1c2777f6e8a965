--- Divides the keys of a table into ranges with about as many rows each, in the order and at
--- the bounds of the strategy of the table.

local cjson = require "cjson"
local strategy = require "moontide.backfill.strategy"

local division = {}

-- Fewer rows than this are one range.
local small = 20000

local function splits(db, leaf, last, count)
  if leaf.rows < small or count < 2 then return {} end
  return strategy.of(leaf).splits(db, leaf, last, count)
end

--- The ranges of one table: none when it is empty. The last ends at the last key there is now.
---@param db moontide.Db
---@param leaf moontide.BackfillLeaf
---@param count integer  how many are wanted
---@param pass? integer
---@return moontide.BackfillRange[]
function division.ranges(db, leaf, count, pass)
  local found = db:exec(strategy.of(leaf).last(leaf))[1]
  if not found then return {} end
  local last, list, lo = cjson.decode(found.key), {}, nil
  for _, bound in ipairs(splits(db, leaf, last, count)) do
    list[#list + 1] = { leaf = leaf.oid, lo = lo, hi = bound }
    lo = bound
  end
  list[#list + 1] = { leaf = leaf.oid, lo = lo, hi = last }
  for _, range in ipairs(list) do
    range.pass = pass or 0
    range.est_rows = range.pass > 0 and 0 or leaf.rows // #list   -- counted in pass 0
  end
  return list
end

--- Add the ranges of the first passes: those of the key, and where rows have none, theirs.
---@param list moontide.BackfillRange[]
---@param db moontide.Db
---@param leaf moontide.BackfillLeaf
---@param count integer
function division.add(list, db, leaf, count)
  for _, range in ipairs(division.ranges(db, leaf, count)) do list[#list + 1] = range end
  if not leaf.nulls then return end
  for _, range in ipairs(division.ranges(db, leaf.nulls, 1, 1)) do list[#list + 1] = range end
end

return division
