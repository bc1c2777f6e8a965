--- The order in which revisions come down: newest first, every revision before all
--- that it stands on. Of several such orders this is Alembic's, so that both tools
--- run the same files in the same sequence: one branch is followed to where it meets
--- another one, whose turn it then is; ties are decided by the order of the files.
---
--- The branches being followed are a linked list of slots. The walk stands at one slot,
--- goes down its branch while nothing else still waits above the next node, and jumps to
--- the first slot that does otherwise.

local reach = require "moontide.graph.reach"

local order = {}

local function unlink(state, slot)
  local before, after = slot.before, slot.after
  if before then before.after = after else state.first = after end
  if after then after.before = before else state.last = before end
  state.at[slot.node] = nil
end

local function add_slot(state, node)
  state.slots = state.slots + 1
  local slot = { node = node, number = state.slots, before = state.last }
  if state.last then state.last.after = slot else state.first = slot end
  state.last, state.at[node] = slot, slot
end

local function replace(state, slot, node)
  state.at[slot.node] = nil
  slot.node, state.at[node] = node, slot
end

-- How many nodes wait directly above each: it cannot be told before they are.
local function count_waiting(todo)
  local waiting = {}
  for node in pairs(todo) do
    for _, lower in ipairs(node.parents) do waiting[lower] = (waiting[lower] or 0) + 1 end
  end
  return waiting
end

-- Whether one node stands on another. Nothing below the rank of the lower one is entered.
local function stands_on(upper, lower)
  local seen, stack = {}, { upper }
  while #stack > 0 do
    for _, node in ipairs(table.remove(stack).parents) do
      if node == lower then return true end
      if node.rank > lower.rank and not seen[node] then seen[node], stack[#stack + 1] = true, node end
    end
  end
  return false
end

-- The first slot that still waits above a node. Slots only move down, so one that was
-- found not to stand on the node never will: the search goes on where it found the last.
local function first_above(state, node)
  local slot, from = state.first, state.passed[node] or 0
  while slot do
    if slot.number >= from and slot.node.rank > node.rank and stands_on(slot.node, node) then
      state.passed[node] = slot.number
      return slot
    end
    slot = slot.after
  end
end

local function emit(state, node)
  if state.done[node] or not state.todo[node] then return end
  state.done[node] = true
  state.output[#state.output + 1] = node
  for _, lower in ipairs(node.parents) do state.waiting[lower] = state.waiting[lower] - 1 end
end

local function next_below(state, node)
  local found = {}
  for _, lower in ipairs(node.parents) do
    if state.todo[lower] and not state.done[lower] and not state.at[lower] then found[#found + 1] = lower end
  end
  return found
end

-- Emit the node of a slot and go on below it; answers the slot to stand at next.
local function descend(state, slot)
  emit(state, slot.node)
  local below = next_below(state, slot.node)
  if not below[1] then
    unlink(state, slot)
    return slot.before or state.first
  end
  replace(state, slot, below[1])
  for i = 2, #below do add_slot(state, below[i]) end
  return slot
end

local function walk(state, heads)
  for _, node in ipairs(heads) do add_slot(state, node) end
  local slot = state.first
  while slot do
    local blocked = (state.waiting[slot.node] or 0) > 0 and first_above(state, slot.node)
    slot = blocked or descend(state, slot)
  end
end

-- A set with holes in it can leave islands that no head leads to.
local function islands(state)
  local left = {}
  for node in pairs(state.todo) do
    if not state.done[node] and (state.waiting[node] or 0) == 0 then left[node] = true end
  end
  return reach.tips(reach.sorted(left))
end

--- A set of nodes as a list, newest first.
---@param todo moontide.graph.Set
---@param heads moontide.graph.Node[]  the tips to start from; those outside of the set do not count
---@return moontide.graph.Node[]
function order.sort(todo, heads)
  local state = { todo = todo, done = {}, output = {}, at = {}, slots = 0, passed = {}, waiting = count_waiting(todo) }
  local start = {}
  for _, node in ipairs(heads) do start[node] = todo[node] end
  local tips = reach.sorted(start)
  repeat
    walk(state, tips)
    tips = islands(state)
  until not tips[1]
  return state.output
end

return order
