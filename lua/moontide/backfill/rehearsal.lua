--- A backfill in a dry run: a small table is changed as a whole in the transaction that
--- will be rolled back, so that what follows in the revision can be tried; of a large
--- one only a first chunk. Either way it says what a run would do.

local advice = require "moontide.backfill.advice"
local cjson = require "cjson"
local preflight = require "moontide.backfill.preflight"
local report = require "moontide.report"
local strategy = require "moontide.backfill.strategy"
local survey = require "moontide.backfill.survey"
local write = require "moontide.backfill.write"

local rehearsal = {}

-- Up to this many rows are changed; and the size of chunks: of the first one of a larger table, and of all that a
-- function is asked about.
local most, sample = 100000, 1000

local function spec_of(db, o, leaf)
  local columns
  if o.into then
    local map, names = survey.columns(db, leaf.oid)
    columns = {}
    for _, name in ipairs(names) do
      if not map[name].generated then columns[#columns + 1] = name end
    end
  end
  return setmetatable({ columns = columns }, { __index = o })
end

-- The end of the chunk behind a key, and how many rows it has; nil: it is the last one.
local function bound(db, leaf, after, last)
  local way = strategy.of(leaf)
  local result = db:exec(way.probe(leaf, after, last, sample))
  if way.check then way.check(leaf, result) end
  local found = result[1]
  if found and found.key then return cjson.decode(found.key), found.rows or sample end
end

local function key_words(leaf)
  local names = {}
  for index, column in ipairs(leaf.key) do names[index] = column.name end
  if leaf.own then names[#names] = ("%s in the order %s"):format(names[#names], leaf.strategy) end
  return table.concat(names, ", ")
end

local function say(o, leaf, changed, first)
  report.info(("backfill %s: %s by %s, about %d rows; %d rows of %s would change"):format(o.name, leaf.name,
    key_words(leaf), leaf.rows, changed, first and ("the first %d"):format(first) or "all"))
end

local function try_function(db, o, leaf, last)
  local spec = setmetatable({ leaves = { leaf } }, { __index = o })
  local lane = { pipeline = function(_, list) return db:pipeline(list) end }
  local transform, total = require("moontide.backfill.transform").new(spec, db), 0
  local after, first
  repeat
    local upto, rows = bound(db, leaf, after, last)
    local list, changed = transform:chunk({ lane = lane, leaf = leaf }, { after = after, upto = upto })
    if #list > 0 then db:pipeline(list) end
    after, first, total = upto, rows, total + changed
  until not upto or leaf.rows > most
  say(o, leaf, total, first)
end

local function try_rows(db, o, leaf)
  local found = db:exec(strategy.of(leaf).last(leaf))[1]
  local last = found and cjson.decode(found.key)
  if o.write then return last and try_function(db, o, leaf, last) or nil end
  local upto, first
  if last and leaf.rows > most then upto, first = bound(db, leaf, nil, last) end
  local sql = write.plain(spec_of(db, o, leaf), leaf, { upto = upto })
  say(o, leaf, db:exec(sql)[1].changed, first)
end

--- Try a backfill.
---@param o table
---@param place moontide.JobPlace
function rehearsal.run(o, place)
  local leaves = survey.leaves(place.db, o)
  preflight.check(place.db, o, leaves)
  advice.give_before(place.db, o, leaves)
  for _, leaf in ipairs(leaves) do
    for _, way in ipairs { leaf, leaf.nulls } do try_rows(place.db, o, way) end
  end
end

return rehearsal
