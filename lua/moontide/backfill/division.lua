--- Divides the keys of a table into ranges with about as many rows each. The bounds
--- are real values of the first key column: from the statistics, or from a sample of a
--- table that has none. Keys are never interpolated, so gaps and skew do no harm.

local key = require "moontide.backfill.key"
local quote = require "moontide.sql.quote"

local division = {}

-- Fewer rows than this are one range.
local small = 20000

local histogram_sql = [[
SELECT b::text AS bound FROM (
  SELECT DISTINCT b FROM unnest((SELECT histogram_bounds::text::%s[] FROM pg_stats s
    WHERE format('%%I.%%I', s.schemaname, s.tablename) = %s AND s.attname = %s AND NOT s.inherited)) b
  WHERE b < %s::%s) d ORDER BY b]]

local sample_sql = [[
SELECT b::text AS bound FROM (
  SELECT DISTINCT b FROM unnest((SELECT percentile_disc(array(SELECT i / 64.0 FROM generate_series(1, 63) i))
    WITHIN GROUP (ORDER BY k) FROM (SELECT %s AS k FROM ONLY %s TABLESAMPLE SYSTEM (%s)) s)) b
  WHERE b < %s::%s) d ORDER BY b]]

local function bounds(result)
  local list = {}
  for index, row in ipairs(result) do list[index] = row.bound end
  return list
end

local function from_statistics(db, leaf, last)
  local first = leaf.key[1]
  return bounds(db:exec(histogram_sql:format(first.type, quote.literal(leaf.name), quote.literal(first.name),
    quote.literal(last[1]), first.type)))
end

-- About ten thousand rows are enough for bounds of equal ranges.
local function from_sample(db, leaf, last)
  local first, percent = leaf.key[1], math.min(100, math.max(0.01, 1e6 / leaf.rows))
  return bounds(db:exec(sample_sql:format(quote.ident(first.name), leaf.name, ("%.4f"):format(percent),
    quote.literal(last[1]), first.type)))
end

-- Every so many of the bounds, so that `count` ranges result.
local function thinned(list, count)
  if #list < count then return list end
  local picked = {}
  for index = 1, count - 1 do picked[index] = list[index * #list // count] end
  return picked
end

-- Addresses are divided evenly.
local function blocks(last, count)
  local total, list = math.tointeger(last[1]:match("%((%d+),")), {}
  for index = 1, math.min(count, total) - 1 do list[index] = ("(%d,0)"):format(total * index // count) end
  return list
end

local function splits(db, leaf, last, count)
  if leaf.rows < small or count < 2 then return {} end
  if leaf.physical then return blocks(last, count) end
  local list = from_statistics(db, leaf, last)
  if #list == 0 then list = from_sample(db, leaf, last) end
  return thinned(list, count)
end

--- The ranges of one table: none when it is empty. The last ends at the last key there is now.
---@param db moontide.Db
---@param leaf moontide.BackfillLeaf
---@param count integer  how many are wanted
---@param pass? integer
---@return moontide.BackfillRange[]
function division.ranges(db, leaf, count, pass)
  local found = db:exec(key.last(leaf))[1]
  if not found then return {} end
  local last, list, lo = require("cjson").decode(found.key), {}, nil
  for _, bound in ipairs(splits(db, leaf, last, count)) do
    list[#list + 1] = { leaf = leaf.oid, lo = lo, hi = { bound } }
    lo = { bound }
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
