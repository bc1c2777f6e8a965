--- Revisions that are asked for, or recorded, together although one implies another.

local fault = require "moontide.fault"
local reach = require "moontide.graph.reach"
local words = require "moontide.graph.words"

local overlap = {}

-- Nodes of a list that are below one of its nodes, nothing walked twice.
local function below(node, all, seen)
  local met = {}
  local stack = { node }
  while #stack > 0 do
    local next = table.remove(stack)
    if next ~= node and all[next] then met[next] = true end
    if not seen[next] then
      seen[next] = true
      table.move(next.parents, 1, #next.parents, #stack + 1, stack)
    end
  end
  return reach.sorted(met)
end

--- Refuse a list in which one node stands on another.
---@param nodes moontide.graph.Node[]
---@param fields? table  detail and hint of the fault
function overlap.refuse(nodes, fields)
  if not nodes[2] then return end
  local all, seen = {}, {}
  for _, node in ipairs(nodes) do all[node] = true end
  for _, node in ipairs(nodes) do
    local met = below(node, all, seen)
    if met[1] then
      fault.raise("revision", ('requested revision "%s" overlaps with other requested revisions %s'):format(node.id,
        words.list(words.ids(met))), fields or { hint = ('"%s" already includes them.'):format(node.id) })
    end
  end
end

--- Refuse version rows of which one implies another.
---@param nodes moontide.graph.Node[]
function overlap.refuse_rows(nodes)
  local tips = words.ids(reach.tips(nodes))
  overlap.refuse(nodes, {
    detail = "Both are rows of the version table, although one includes the other. "
      .. "This comes from editing down_revision or depends_on of applied revisions.",
    hint = ("Leave out what is implied, with: moontide stamp --purge %s"):format(table.concat(tips, " ")),
  })
end

return overlap
