--- Version rows set by hand: what `stamp` does to them. Nothing is run.

local reach = require "moontide.graph.reach"
local resolve = require "moontide.revspec.resolve"
local revspec = require "moontide.revspec"
local rows = require "moontide.plan.rows"
local fault = require "moontide.fault"
local overlap = require "moontide.plan.overlap"
local words = require "moontide.graph.words"

local stamp = {}

local function step(state, old, new)
  local changes = rows.move(state.rows, old, new)
  state.steps[#state.steps + 1] = {
    direction = "stamp", revision = new[1] and new[1].revision, from = words.ids(old), to = words.ids(new),
    changes = changes, rows = rows.list(state.rows),
  }
end

-- Rows set earlier by the same command stay.
local function movable(state, related)
  local found = {}
  for _, node in ipairs(state.order) do
    if state.rows.set[node] and not state.kept[node] and related[node] then found[#found + 1] = node end
  end
  return found
end

local function place(state, node)
  if not state.rows.set[node] then step(state, movable(state, reach.lineage({ node })), { node }) end
  state.kept[node] = true
end

local function clear(state, map, ast)
  local related = ast.branch and reach.lineage({ resolve.branch(map, ast.branch) }) or state.rows.set
  for _, node in ipairs(movable(state, related)) do step(state, { node }, {}) end
end

-- One head more than expected is told in the words of stamp.
local function destinations(map, ast)
  local ok, nodes = pcall(resolve.nodes, map, ast)
  if ok then return nodes end
  if fault.is(nodes) and nodes.message:find("^multiple head revisions") then
    nodes.message = "multiple heads are present"
    nodes.hint = 'Please specify a single target revision, or "heads" for all of them.'
  end
  error(nodes, 0)
end

local function parse_all(map, targets)
  local list, all = {}, {}
  for i, text in ipairs(targets) do
    local ast = revspec.point(text)
    list[i] = { ast = ast, nodes = destinations(map, ast) }
    if ast.symbol ~= "heads" then table.move(list[i].nodes, 1, #list[i].nodes, #all + 1, all) end
  end
  overlap.refuse(all)
  return list
end

local function purge(ids)
  local changes = {}
  for i, id in ipairs(ids) do changes[i] = { kind = "delete", id = id } end
  return { direction = "stamp", from = table.move(ids, 1, #ids, 1, {}), to = {}, changes = changes, rows = {} }
end

--- The steps that bring the version rows to the targets.
---@param map moontide.Graph
---@param ids string[]
---@param targets string[]
---@param options? {purge: boolean?}  purge: delete all rows first, known or not
---@return moontide.plan.Step[]
function stamp.steps(map, ids, targets, options)
  local list = parse_all(map, targets[1] and targets or { "base" })
  local clean = options and options.purge
  local nodes = clean and {} or resolve.rows(map, ids)
  local state = { rows = rows.new(nodes), order = nodes, kept = {}, steps = {} }
  if clean and ids[1] then state.steps[1] = purge(ids) end
  for _, item in ipairs(list) do
    for _, node in ipairs(item.nodes) do place(state, node) end
    if not item.nodes[1] then clear(state, map, item.ast) end
  end
  return state.steps
end

return stamp
