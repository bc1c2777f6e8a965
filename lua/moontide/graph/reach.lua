--- What can be reached from some nodes of the revision graph. Every walk keeps
--- its own stack, so that a chain may be as long as it likes.

---@alias moontide.graph.Set table<moontide.graph.Node, true>

local reach = {}

--- All nodes that can be reached over one kind of edge, the given ones included.
---@param nodes moontide.graph.Node[]
---@param edge "down"|"parents"|"children"|"followers"
---@param seen? moontide.graph.Set  nodes not to enter; the answer is added to it
---@return moontide.graph.Set
function reach.from(nodes, edge, seen)
  seen = seen or {}
  local stack, top = table.move(nodes, 1, #nodes, 1, {}), #nodes
  while top > 0 do
    local node = stack[top]
    top = top - 1
    if not seen[node] then
      seen[node] = true
      for _, near in ipairs(node[edge]) do
        if not seen[near] then
          top = top + 1
          stack[top] = near
        end
      end
    end
  end
  return seen
end

--- The nodes and all they stand on; with dependencies unless told otherwise.
---@param nodes moontide.graph.Node[]
---@param plain? boolean  true: only through down_revision
---@return moontide.graph.Set
function reach.ancestors(nodes, plain)
  return reach.from(nodes, plain and "down" or "parents")
end

--- The nodes and all that stand on them; with dependents unless told otherwise.
---@param nodes moontide.graph.Node[]
---@param plain? boolean  true: only through down_revision
---@return moontide.graph.Set
function reach.descendants(nodes, plain)
  return reach.from(nodes, plain and "children" or "followers")
end

--- Ancestors and descendants together: the branch a node is on.
---@param nodes moontide.graph.Node[]
---@param plain? boolean
---@return moontide.graph.Set
function reach.lineage(nodes, plain)
  local set = reach.ancestors(nodes, plain)
  for node in pairs(reach.descendants(nodes, plain)) do set[node] = true end
  return set
end

--- The members of a list that are in a set, in the order of the list.
---@param nodes moontide.graph.Node[]
---@param set moontide.graph.Set
---@return moontide.graph.Node[]
function reach.within(nodes, set)
  local kept = {}
  for _, node in ipairs(nodes) do
    if set[node] then kept[#kept + 1] = node end
  end
  return kept
end

--- The members of a list that no other member stands on.
---@param nodes moontide.graph.Node[]
---@param plain? boolean
---@return moontide.graph.Node[]
function reach.tips(nodes, plain)
  local below, edge = {}, plain and "down" or "parents"
  for _, node in ipairs(nodes) do reach.from(node[edge], edge, below) end
  local tips = {}
  for _, node in ipairs(nodes) do
    if not below[node] then tips[#tips + 1] = node end
  end
  return tips
end

--- A set as a list in the order of the files.
---@param set moontide.graph.Set
---@return moontide.graph.Node[]
function reach.sorted(set)
  local list = {}
  for node in pairs(set) do list[#list + 1] = node end
  table.sort(list, function(a, b) return a.index < b.index end)
  return list
end

return reach
