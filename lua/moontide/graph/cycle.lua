--- Cycles among revisions, found and told with their actual path.

local fault = require "moontide.fault"
local words = require "moontide.graph.words"

local cycle = {}

-- Take away what stands on nothing, again and again. What is left stands on a cycle.
local function take_away(nodes, below, above)
  local missing, ready = {}, {}
  for _, node in ipairs(nodes) do
    missing[node] = #node[below]
    if missing[node] == 0 then ready[#ready + 1] = node end
  end
  local done = 0
  while done < #ready do
    done = done + 1
    local node = ready[done]
    missing[node] = nil
    for _, next in ipairs(node[above]) do
      missing[next] = missing[next] - 1
      if missing[next] == 0 then ready[#ready + 1] = next end
    end
  end
  return done < #nodes and missing or nil, ready
end

-- Everything left has something left below it, so walking down must come round.
local function path(nodes, left, below)
  local node
  for _, first in ipairs(nodes) do
    if left[first] then node = first break end
  end
  local trail, place = {}, {}
  while not place[node] do
    trail[#trail + 1], place[node] = node, #trail + 1
    for _, lower in ipairs(node[below]) do
      if left[lower] then node = lower break end
    end
  end
  return table.move(trail, place[node], #trail, 1, {})
end

local function tell(trail)
  local lines = {}
  for i, node in ipairs(trail) do
    local lower = trail[i % #trail + 1]
    lines[i] = ('%s comes after "%s"'):format(words.place(node.revision), lower.id)
  end
  return table.concat(lines, "\n")
end

local function raise(name, trail, hint)
  fault.raise("graph", ("%s is detected in revisions %s"):format(name, words.list(words.ids(trail), 10)), {
    detail = tell(trail),
    hint = hint,
    revision = trail[1].id,
  })
end

local checks = {
  { "cycle", "down", "children", "Correct down_revision in one of these files." },
  { "dependency cycle", "requires", "followers", "Correct down_revision or depends_on in one of these files." },
}

--- Refuse a graph that has a cycle, through down_revision alone or with dependencies;
--- otherwise answer the nodes in an order in which each stands on earlier ones only.
---@param nodes moontide.graph.Node[]
---@return moontide.graph.Node[]
function cycle.refuse(nodes)
  local left, sorted = take_away(nodes, "requires", "followers")
  if not left then return sorted end
  for _, check in ipairs(checks) do
    local name, below, above, hint = table.unpack(check)
    left = take_away(nodes, below, above)
    if left then raise(name, path(nodes, left, below), hint) end
  end
end

return cycle
