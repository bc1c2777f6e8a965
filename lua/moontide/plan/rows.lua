--- The version rows: the applied revisions that no other applied revision stands on. All
--- others are implied by them, so that one row a branch says what is in the database.

local reach = require "moontide.graph.reach"

local rows = {}

---@class moontide.plan.Change
---@field kind "insert"|"delete"|"update"
---@field id? string    inserted or deleted
---@field from? string  of an update
---@field to? string

---@class moontide.plan.Rows
---@field set moontide.graph.Set
---@field waiting? table<moontide.graph.Node, integer>  how many applied revisions stand directly on a node

--- The rows of a database.
---@param nodes moontide.graph.Node[]
---@return moontide.plan.Rows
function rows.new(nodes)
  local set = {}
  for _, node in ipairs(nodes) do set[node] = true end
  return { set = set }
end

--- The rows as a sorted list of ids.
---@param state moontide.plan.Rows
---@return string[]
function rows.list(state)
  local ids = {}
  for node in pairs(state.set) do ids[#ids + 1] = node.id end
  table.sort(ids)
  return ids
end

-- All but the last of the old rows go, and the last becomes the new one; or the
-- reverse. One side has one node, so that a single row moves by one UPDATE.
local function move(state, old, new)
  local changes, shared = {}, old[1] and new[1] and 1 or 0
  for i = 1, #old - shared do changes[#changes + 1] = { kind = "delete", id = old[i].id } end
  for i = 1, #new - shared do changes[#changes + 1] = { kind = "insert", id = new[i].id } end
  if shared == 1 then
    changes[#changes + 1] = { kind = "update", from = old[#old].id, to = new[#new].id }
  end
  for _, node in ipairs(old) do state.set[node] = nil end
  for _, node in ipairs(new) do state.set[node] = true end
  return changes
end

rows.move = move

--- A revision was applied: it takes the place of the rows it stands on.
---@param state moontide.plan.Rows
---@param node moontide.graph.Node
---@return moontide.plan.Change[]
function rows.apply(state, node)
  return move(state, reach.within(node.parents, state.set), { node })
end

-- Counted once, then kept: asking for the ancestors of the rows at every step
-- would make a long downgrade quadratic.
local function count_waiting(state)
  local applied = {}
  for node in pairs(state.set) do reach.from({ node }, "parents", applied) end
  state.waiting = {}
  for node in pairs(applied) do
    for _, lower in ipairs(node.parents) do state.waiting[lower] = (state.waiting[lower] or 0) + 1 end
  end
end

--- A revision was taken back: what it stood on has a row again, unless something else
--- that is still applied stands on it.
---@param state moontide.plan.Rows
---@param node moontide.graph.Node
---@return moontide.plan.Change[]
function rows.revert(state, node)
  if not state.waiting then count_waiting(state) end
  local free = {}
  for _, lower in ipairs(node.parents) do
    state.waiting[lower] = state.waiting[lower] - 1
    if state.waiting[lower] == 0 and not state.set[lower] then free[#free + 1] = lower end
  end
  return move(state, { node }, free)
end

return rows
