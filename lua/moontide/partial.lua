--- Revisions that are partially applied or reverted, and what must not happen
--- around them: a downgrade would take away what a partial upgrade stands on, an
--- upgrade would build on what is partially reverted. Pure.

local count = require "moontide.count"
local fault = require "moontide.fault"

local partial = {}

local words = { upgrade = "applied", downgrade = "reverted" }

local function refuse(rev, direction)
  fault.raise("revision", ('revision "%s" is partially %s'):format(rev.id, words[direction]), {
    where = rev.path, revision = rev.id,
    hint = ("`moontide repair finish %s` runs the rest of its %s; `moontide repair abandon %s` forgets it."):format(
      rev.id, direction, rev.id),
  })
end

local function touches(steps, set)
  for _, step in ipairs(steps) do
    if step.revision and set[step.revision.id] then return true end
  end
  return false
end

local function is_in_the_way(graph, id, direction, steps)
  if direction == "downgrade" then return touches(steps, graph:ancestors { id }) end
  return #steps == 0 or touches(steps, graph:descendants { id })
end

--- Refuse steps of one direction near a revision that was stopped in the other one.
---@param graph moontide.Graph
---@param direction "upgrade"|"downgrade"
---@param steps moontide.plan.Step[]
---@param journal table<string, moontide.JournalRow[]>
function partial.check(graph, direction, steps, journal)
  for id, rows in pairs(journal) do
    local rev, other = graph:get(id), rows[1].direction
    if rev and other ~= direction and is_in_the_way(graph, id, direction, steps) then refuse(rev, other) end
  end
end

local function mentions(steps, set)
  for _, step in ipairs(steps) do
    for _, change in ipairs(step.changes) do
      if set[change.id] or set[change.from] or set[change.to] then return true end
    end
  end
  return false
end

--- The partial revisions that the version rows pass when they are set by hand.
---@param graph moontide.Graph
---@param steps moontide.plan.Step[]  of a stamp
---@param journal table<string, moontide.JournalRow[]>
---@return string[] ids
function partial.passed(graph, steps, journal)
  local ids = {}
  for id in pairs(journal) do
    local rev, set = graph:get(id), { [id] = true }
    for near in pairs(rev and graph:ancestors { id } or {}) do set[near] = true end
    for near in pairs(rev and graph:descendants { id } or {}) do set[near] = true end
    if mentions(steps, set) then ids[#ids + 1] = id end
  end
  table.sort(ids)
  return ids
end

--- How many segments of a revision are committed; one that was begun may be the last row.
---@param rows moontide.JournalRow[]
---@return integer
function partial.committed(rows)
  local done = 0
  for _, row in ipairs(rows) do done = done + (row.state == "done" and 1 or 0) end
  return done
end

--- The same in words: "2 segments of its upgrade are committed".
---@param segments integer
---@param direction string
---@return string
function partial.words(segments, direction)
  return ("%s of its %s %s committed"):format(segments > 0 and count.of(segments, "segment") or "no segment", direction,
    count.be(math.max(segments, 1)))
end

return partial
