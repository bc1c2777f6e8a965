--- The revision graph: which revision stands on which. Pure: revision values in, a map out
--- that answers questions about them and is never changed.
---
--- A revision stands on its `down_revision` and on what it `depends_on`. A *head* is no
--- revision's down_revision; a *real head* is no revision's dependency either; a head that is
--- not real is an *effective head*, implied by the revisions that depend on it.

local build = require "moontide.graph.build"
local order = require "moontide.graph.order"
local reach = require "moontide.graph.reach"
local words = require "moontide.graph.words"

local graph = {}

---@class moontide.Graph
---@field nodes moontide.graph.Node[]                    in the order of the files
---@field by_id table<string, moontide.graph.Node>
---@field by_label table<string, moontide.graph.Node>    the revision that declares the label
---@field heads string[]        in the order of the files, like the lists below
---@field real_heads string[]
---@field bases string[]
---@field branchpoints string[] more than one child
---@field mergepoints string[]  more than one down_revision
local Graph = {}
Graph.__index = Graph

local function ids_where(nodes, test)
  local ids = {}
  for _, node in ipairs(nodes) do
    if test(node) then ids[#ids + 1] = node.id end
  end
  return ids
end

local lists = {
  heads = function(node) return #node.children == 0 end,
  real_heads = function(node) return #node.followers == 0 end,
  bases = function(node) return #node.down == 0 end,
  branchpoints = function(node) return #node.children > 1 end,
  mergepoints = function(node) return #node.down > 1 end,
}

--- Build the graph. Raises a fault of kind "graph" when the revisions contradict each other.
---@param revisions moontide.Revision[]  in the order of the files, which decides ties
---@return moontide.Graph
function graph.new(revisions)
  local map = setmetatable({}, Graph)
  build.link(map, revisions)
  for name, test in pairs(lists) do map[name] = ids_where(map.nodes, test) end
  return map
end

--- The revision with exactly this id.
---@param id string
---@return moontide.Revision?
function Graph:get(id)
  local node = self.by_id[id]
  return node and node.revision
end

--- The node of an id, with its neighbours.
---@param id string
---@return moontide.graph.Node?
function Graph:node(id)
  return self.by_id[id]
end

--- The nodes of ids, all of which must be known.
---@param ids string[]
---@return moontide.graph.Node[]
function Graph:pick(ids)
  local nodes = {}
  for i, id in ipairs(ids) do nodes[i] = assert(self.by_id[id], "an unknown revision id") end
  return nodes
end

--- The revisions whose down_revision it is, in the order of the files.
---@param id string
---@return string[]
function Graph:children(id)
  return words.ids(self.by_id[id].children)
end

--- What it stands on directly: down_revision, then dependencies no ancestor already has.
---@param id string
---@return string[]
function Graph:parents(id)
  return words.ids(self.by_id[id].parents)
end

--- The ids it depends on, labels resolved.
---@param id string
---@return string[]
function Graph:dependencies(id)
  return words.ids(self.by_id[id].deps)
end

--- The labels of the branch it is on, sorted: its own, and those of its relatives.
---@param id string
---@return string[]
function Graph:labels(id)
  local labels = {}
  for label in pairs(self.by_id[id].labels) do labels[#labels + 1] = label end
  table.sort(labels)
  return labels
end

--- Whether no revision has it as its down_revision.
---@param id string
---@return boolean
function Graph:is_head(id)
  return lists.heads(self.by_id[id])
end

--- Whether no revision has it as its down_revision or dependency.
---@param id string
---@return boolean
function Graph:is_real_head(id)
  return lists.real_heads(self.by_id[id])
end

local function as_ids(set)
  local ids = {}
  for node in pairs(set) do ids[node.id] = true end
  return ids
end

--- All that the ids stand on, themselves included.
---@param ids string[]
---@param options? {deps: boolean?}  deps = false: only through down_revision
---@return table<string, true>
function Graph:ancestors(ids, options)
  return as_ids(reach.ancestors(self:pick(ids), options and options.deps == false))
end

--- All that stands on the ids, themselves included.
---@param ids string[]
---@param options? {deps: boolean?}  deps = false: only through down_revision
---@return table<string, true>
function Graph:descendants(ids, options)
  return as_ids(reach.descendants(self:pick(ids), options and options.deps == false))
end

--- All revisions, newest first.
---@return moontide.Revision[]
function Graph:walk()
  local all, list = {}, {}
  for _, node in ipairs(self.nodes) do all[node] = true end
  for i, node in ipairs(order.sort(all, self:pick(self.real_heads))) do list[i] = node.revision end
  return list
end

return graph
