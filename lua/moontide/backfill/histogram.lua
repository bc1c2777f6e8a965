--- Bounds that divide the rows of a table into parts of about the same size: real values of the
--- first key column, from the statistics, or from a sample of a table that has none. Keys are
--- never interpolated, so gaps and skew do no harm.

local quote = require "moontide.sql.quote"

local histogram = {}

local statistics_sql = [[
SELECT b::text AS bound FROM (
  SELECT DISTINCT b FROM unnest((SELECT histogram_bounds::text::%s[] FROM pg_stats s
    WHERE format('%%I.%%I', s.schemaname, s.tablename) = %s AND s.attname = %s AND NOT s.inherited)) b
  WHERE b %s %s::%s) d ORDER BY b %s]]

local sample_sql = [[
SELECT b::text AS bound FROM (
  SELECT DISTINCT b FROM unnest((SELECT percentile_disc(array(SELECT i / 64.0 FROM generate_series(1, 63) i))
    WITHIN GROUP (ORDER BY k) FROM (SELECT %s AS k FROM ONLY %s TABLESAMPLE SYSTEM (%s)) s)) b
  WHERE b %s %s::%s) d ORDER BY b %s]]

local function bounds(result)
  local list = {}
  for index, row in ipairs(result) do list[index] = { row.bound } end
  return list
end

local function direction(key)
  if key.descending then return ">", "DESC" end
  return "<", "ASC"
end

local function from_statistics(db, leaf, last)
  local first, before, order = leaf.key[1], direction(leaf.key)
  return bounds(db:exec(statistics_sql:format(first.type, quote.literal(leaf.name), quote.literal(first.name),
    before, quote.literal(last[1]), first.type, order)))
end

-- About ten thousand rows are enough for bounds of equal ranges.
local function from_sample(db, leaf, last)
  local first, percent = leaf.key[1], math.min(100, math.max(0.01, 1e6 / leaf.rows))
  local before, order = direction(leaf.key)
  return bounds(db:exec(sample_sql:format(quote.ident(first.name), leaf.name, ("%.4f"):format(percent),
    before, quote.literal(last[1]), first.type, order)))
end

--- Every so many of a list of bounds, so that `count` ranges result.
---@param list string[][]
---@param count integer
---@return string[][]
function histogram.thinned(list, count)
  if #list < count then return list end
  local picked = {}
  for index = 1, count - 1 do picked[index] = list[index * #list // count] end
  return picked
end

--- Bounds before the last key, in the order of the key.
---@param db moontide.Db
---@param leaf moontide.BackfillLeaf
---@param last string[]
---@return string[][]
function histogram.bounds(db, leaf, last)
  local list = from_statistics(db, leaf, last)
  return #list > 0 and list or from_sample(db, leaf, last)
end

return histogram
