--- From revision values to linked nodes. Everything that can be wrong with a set of
--- revision files is refused here with one fault, so that the rest can trust the graph.

local cycle = require "moontide.graph.cycle"
local fault = require "moontide.fault"
local words = require "moontide.graph.words"

---@class moontide.Revision  what a revision file declares
---@field id string
---@field down string[]     ids as written
---@field deps? string[]    ids or labels as written
---@field labels? string[]
---@field path? string

---@class moontide.graph.Node  one revision in its place; not to be changed
---@field id string
---@field revision moontide.Revision
---@field index integer                     place in the order of the files
---@field rank integer                      lower than that of all that stands on it
---@field down moontide.graph.Node[]        its down_revision
---@field deps moontide.graph.Node[]        its depends_on
---@field requires moontide.graph.Node[]    both
---@field parents moontide.graph.Node[]     both, without dependencies an ancestor already has
---@field children moontide.graph.Node[]    whose down_revision it is
---@field followers moontide.graph.Node[]   those, and the ones that depend on it
---@field labels table<string, true>        of the branch: also labels of relatives

local build = {}

-- One table for all lists and sets that stay empty; replaced when something is added.
local NONE = setmetatable({}, { __newindex = function() error("a shared empty list was changed", 2) end })

local reserved = { head = true, heads = true, base = true, current = true }

local function refuse(message, revision, fields)
  fields.revision = revision.id
  fault.raise("graph", message, fields)
end

local function in_file(revision)
  return revision.path and ("The file is %s."):format(revision.path) or nil
end

local FORBIDDEN = "[@%-+:%s%c]"

local function forbidden(name)
  if not name:find(FORBIDDEN) then return nil end
  local found, list = {}, {}
  for char in name:gmatch(FORBIDDEN) do
    if not found[char] then found[char], list[#list + 1] = true, char end
  end
  table.sort(list)
  return words.list(list)
end

local function check_name(name, what, revision)
  if name == "" then
    refuse(("empty %s"):format(what), revision, { detail = in_file(revision) })
  end
  local chars = forbidden(name)
  if chars then
    refuse(('characters %s are not allowed in %s "%s"'):format(chars, what, name), revision,
      { detail = in_file(revision), hint = "Use letters, digits and underscores." })
  end
  if reserved[name] then
    refuse(('"%s" is reserved and cannot be a %s'):format(name, what), revision,
      { detail = in_file(revision), hint = "The names base, head, heads and current have a meaning of their own." })
  end
end

local function new_node(revision, index)
  return {
    id = revision.id, revision = revision, index = index,
    down = NONE, deps = NONE, requires = NONE, parents = NONE, children = NONE, followers = NONE, labels = NONE,
  }
end

local function add_node(map, revision, index)
  check_name(revision.id, "revision identifier", revision)
  local other = map.by_id[revision.id]
  if other then
    refuse(('revision "%s" is present more than once'):format(revision.id), revision, {
      detail = ("The files are %s and %s."):format(other.revision.path or "?", revision.path or "?"),
      hint = "Give one of them another identifier, or remove it.",
    })
  end
  local node = new_node(revision, index)
  map.by_id[revision.id], map.nodes[index] = node, node
end

local function add_label(map, node, label)
  check_name(label, "branch label", node.revision)
  local other = map.by_label[label] or map.by_id[label]
  if other then
    local what = map.by_label[label] and "used by revision" or "the identifier of revision"
    refuse(('branch name "%s" in revision "%s" is already %s "%s"'):format(label, node.id, what, other.id),
      node.revision, { detail = ("The files are %s and %s."):format(node.revision.path or "?",
        other.revision.path or "?"), hint = "Choose another label." })
  end
  map.by_label[label] = node
end

local function missing(map, node, name, key)
  local known = {}
  for id in pairs(map.by_id) do known[#known + 1] = id end
  if key == "depends_on" then
    for label in pairs(map.by_label) do known[#known + 1] = label end
  end
  local near = words.nearest(name, known)
  refuse(('revision "%s" referenced from "%s" is not present'):format(name, node.id), node.revision, {
    detail = ("It is the %s of %s."):format(key, words.place(node.revision)),
    hint = near and ('Perhaps you meant "%s".'):format(near)
      or ("Restore the missing file, or correct %s."):format(key),
  })
end

local function self_loop(node, name, key)
  refuse(('%s is detected in revision "%s"'):format(name, node.id), node.revision, {
    detail = in_file(node.revision),
    hint = ("Remove it from its own %s."):format(key),
  })
end

local function lookup(map, node, name, key)
  local found = map.by_id[name] or key == "depends_on" and map.by_label[name]
  if not found then missing(map, node, name, key) end
  return found
end

local function copy(list)
  return table.move(list, 1, #list, 1, {})
end

local function append(node, edge, other)
  local list = node[edge]
  if list == NONE then node[edge] = { other } else list[#list + 1] = other end
end

local function contains(list, value)
  for _, item in ipairs(list) do
    if item == value then return true end
  end
  return false
end

local function link_down(map, node)
  for _, id in ipairs(node.revision.down) do
    local lower = lookup(map, node, id, "down_revision")
    if lower == node then self_loop(node, "self-loop", "down_revision") end
    if not contains(node.down, lower) then
      append(node, "down", lower)
      append(lower, "children", node)
    end
  end
  node.requires, node.parents = node.down, node.down
end

local function link_deps(map, node)
  for _, name in ipairs(node.revision.deps or NONE) do
    local lower = lookup(map, node, name, "depends_on")
    if lower == node then self_loop(node, "dependency self-loop", "depends_on") end
    if not contains(node.deps, lower) then append(node, "deps", lower) end
  end
  if node.deps == NONE then return end
  node.requires = copy(node.down)
  for _, lower in ipairs(node.deps) do
    if not contains(node.requires, lower) then append(node, "requires", lower) end
  end
end

-- Until a dependency shows up, the followers of a node are its children.
local function link_followers(nodes)
  for _, node in ipairs(nodes) do node.followers = node.children end
  for _, node in ipairs(nodes) do
    for i = #node.down + 1, #node.requires do
      local lower = node.requires[i]
      if lower.followers == lower.children then lower.followers = copy(lower.children) end
      append(lower, "followers", node)
    end
  end
end

-- Whether an ancestor by down_revision has this dependency, too.
local function carried(node, dependency)
  local seen, stack = {}, copy(node.down)
  while #stack > 0 do
    local lower = table.remove(stack)
    if contains(lower.deps, dependency) then return true end
    for _, next in ipairs(lower.down) do
      if not seen[next] then seen[next], stack[#stack + 1] = true, next end
    end
  end
  return false
end

-- A dependency that only one revision has cannot be carried by another.
local function normalize(nodes)
  local users = {}
  for _, node in ipairs(nodes) do
    for _, lower in ipairs(node.deps) do users[lower] = (users[lower] or 0) + 1 end
  end
  for _, node in ipairs(nodes) do
    if node.deps ~= NONE then
      node.parents = copy(node.down)
      for i = #node.down + 1, #node.requires do
        local lower = node.requires[i]
        if users[lower] == 1 or not carried(node, lower) then append(node, "parents", lower) end
      end
    end
  end
end

local function put_label(node, label)
  if node.labels == NONE then node.labels = {} end
  node.labels[label] = true
end

-- Down to the nearest place where lines of history part or meet.
local function label_ancestors(node, label)
  while #node.followers <= 1 and #node.down == 1 do
    node = node.down[1]
    if #node.followers > 1 or #node.down > 1 then return end
    put_label(node, label)
  end
end

local function label_branch(node, label)
  local stack = { node }
  while #stack > 0 do
    local next = table.remove(stack)
    if not next.labels[label] then
      put_label(next, label)
      table.move(next.children, 1, #next.children, #stack + 1, stack)
    end
  end
  label_ancestors(node, label)
end

local function add_labels(map)
  for _, node in ipairs(map.nodes) do
    for _, label in ipairs(node.revision.labels or NONE) do add_label(map, node, label) end
  end
end

--- Link revision values into `map.nodes`, `map.by_id` and `map.by_label`.
---@param map table
---@param revisions moontide.Revision[]
function build.link(map, revisions)
  map.nodes, map.by_id, map.by_label = {}, {}, {}
  for index, revision in ipairs(revisions) do add_node(map, revision, index) end
  add_labels(map)
  for _, node in ipairs(map.nodes) do
    link_down(map, node)
    link_deps(map, node)
  end
  link_followers(map.nodes)
  for rank, node in ipairs(cycle.refuse(map.nodes)) do node.rank = rank end
  normalize(map.nodes)
  for label, node in pairs(map.by_label) do label_branch(node, label) end
end

return build
