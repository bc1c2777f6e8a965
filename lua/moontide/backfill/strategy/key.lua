--- By the order of a key: of columns that the user names, else of the primary key, a unique index,
--- or another index of NOT NULL columns; else, where the condition makes that safe, as rows are stored.

local choice = require "moontide.backfill.choice"
local histogram = require "moontide.backfill.histogram"
local index = require "moontide.backfill.index"
local key = require "moontide.backfill.key"
local physical = require "moontide.backfill.strategy.physical"
local quote = require "moontide.sql.quote"
local report = require "moontide.report"

local skew_sql = [[
SELECT (most_common_freqs[1] * %d)::bigint AS rows FROM pg_stats s
WHERE format('%%I.%%I', s.schemaname, s.tablename) = %s AND s.attname = %s AND NOT s.inherited]]

-- About how many rows have the most frequent value of a key that is not unique: all of them are one chunk.
local function ties(db, leaf)
  if leaf.unique or #leaf.key > 1 then return 0 end
  local row = db:exec(skew_sql:format(leaf.rows, quote.literal(leaf.name), quote.literal(leaf.key[1].name)))[1]
  return row and row.rows or 0
end

local function warn_of_ties(o, leaf, most)
  local message = "backfill %s: about %d rows of %s have the same %s, which makes them one chunk"
  report.warn(message:format(o.name, most, leaf.name, leaf.key[1].name),
    { hint = "A `where` that changed rows do not match lets them be divided." })
end

local function find(db, o, leaf)
  local best = index.list(db, leaf)[1]
  if not best then return physical.choose(db, o, leaf) end
  leaf.key, leaf.unique = best.key, best.unique
  local most = ties(db, leaf)
  if most <= 4 * o.max_rows then return end
  if o.condition or o.delete then return physical.choose(db, o, leaf) end
  warn_of_ties(o, leaf, most)
end

local function choose(db, o, leaf, columns)
  leaf.strategy = "key"
  if o.key then choice.take(db, o, leaf, columns, o.key) else find(db, o, leaf) end
end

local function splits(db, leaf, last, count)
  return histogram.thinned(histogram.bounds(db, leaf, last), count)
end

---@type moontide.BackfillStrategy
return {
  name = "key", summary = "in the order of a key", choose = choose, last = key.last, probe = key.probe,
  splits = splits,
}
