--- Going a number of steps along down_revision. A place is a node, or false for the base,
--- which lies below all of them.

local fault = require "moontide.fault"
local reach = require "moontide.graph.reach"
local words = require "moontide.graph.words"

local walk = {}

local function ambiguous(place, nodes, way)
  local what = place and ('Revision "%s" %s'):format(place.id, way) or "The base revisions are"
  fault.raise("revision", "ambiguous walk", {
    detail = ("%s %s."):format(what, words.list(words.ids(nodes), 10)),
    hint = "Name the revision itself, or the branch to follow as in LABEL@+1.",
  })
end

-- The place above; nil when there is none.
local function above(map, place, lineage)
  local nodes = place and place.children or map:pick(map.bases)
  if lineage then nodes = reach.within(nodes, lineage) end
  if nodes[2] then ambiguous(place, nodes, "branches into") end
  return nodes[1]
end

local function below(place)
  if not place then return nil end
  if place.down[2] then ambiguous(place, place.down, "merges") end
  return place.down[1] or false
end

--- The place some steps above or below another one; nil when the graph ends before.
---@param map moontide.Graph
---@param place moontide.graph.Node|false
---@param steps integer                  up when positive
---@param lineage? moontide.graph.Set    the branch to keep to on the way up
---@param clamp? boolean                 where the graph ends, stay there
---@return moontide.graph.Node|false|nil
function walk.go(map, place, steps, lineage, clamp)
  for _ = 1, math.abs(steps) do
    local next
    if steps > 0 then next = above(map, place, lineage) else next = below(place) end
    if next == nil then
      if clamp then return place end
      return nil
    end
    place = next
  end
  return place
end

return walk
