--- What a parsed revision identifier means in a graph.

local fault = require "moontide.fault"
local reach = require "moontide.graph.reach"
local walk = require "moontide.revspec.walk"
local words = require "moontide.graph.words"

local resolve = {}

local quote = words.quote

-- Every name of a revision with its node, in the order of the files.
local function names(map)
  local list = {}
  for _, node in ipairs(map.nodes) do
    list[#list + 1] = { node.id, node }
    for _, label in ipairs(node.revision.labels or {}) do list[#list + 1] = { label, node } end
  end
  return list
end

local function nearest(map, name, lineage)
  local known = {}
  for _, entry in ipairs(names(map)) do
    if not lineage or lineage[entry[2]] then known[#known + 1] = entry[1] end
  end
  return words.nearest(name, known)
end

local function not_found(map, name, branch, lineage)
  local near = nearest(map, name, lineage)
  local where = branch and (" on branch %s"):format(quote(branch)) or ""
  fault.raise("revision", ("can't locate revision identified by %s"):format(quote(name)), {
    detail = ("No revision or label%s is or starts with %s."):format(where, quote(name)),
    hint = near and ("Perhaps you meant %s."):format(quote(near))
      or "List the revisions there are with: moontide history",
  })
end

local function several(name, found)
  local ids = {}
  for i, entry in ipairs(found) do ids[i] = entry[1] end
  fault.raise("revision", ("multiple revisions start with %s"):format(quote(name)), {
    detail = ("They are %s."):format(words.list(ids, 10)),
    hint = "Give more of the one you mean.",
  })
end

-- Names of four characters or more can be shortened.
local function starting_with(map, name, lineage)
  local found, seen = {}, {}
  for _, entry in ipairs(names(map)) do
    local full, node = entry[1], entry[2]
    local matches = #full > 3 and full:sub(1, #name) == name
    if matches and not seen[node] and (not lineage or lineage[node]) then
      found[#found + 1], seen[node] = entry, true
    end
  end
  return found
end

local function by_name(map, name, branch, lineage)
  local node = map.by_id[name] or map.by_label[name]
  if node then return node end
  local found = starting_with(map, name, lineage)
  if not found[1] then not_found(map, name, branch, lineage) end
  if found[2] then several(name, found) end
  return found[1][2]
end

--- The revision that stands for a branch: a label's, or any revision on it.
---@param map moontide.Graph
---@param name string
---@return moontide.graph.Node
function resolve.branch(map, name)
  local node = map.by_label[name] or map.by_id[name]
  if node then return node end
  local found = starting_with(map, name)
  if found[2] then several(name, found) end
  if found[1] then return found[1][2] end
  local near = nearest(map, name)
  fault.raise("revision", ("no such branch: %s"):format(quote(name)), {
    hint = near and ("Perhaps you meant %s."):format(quote(near))
      or "A branch is named by a label or by any revision on it.",
  })
end

--- All revisions that share the lineage of a branch, dependencies aside.
---@param map moontide.Graph
---@param name string
---@return moontide.graph.Set
function resolve.lineage(map, name)
  return reach.lineage({ resolve.branch(map, name) }, true)
end

--- The nodes of version rows. Rows hold whole identifiers, so nothing is guessed.
---@param map moontide.Graph
---@param rows string[]
---@return moontide.graph.Node[]
function resolve.rows(map, rows)
  local nodes = {}
  for i, id in ipairs(rows) do
    nodes[i] = map.by_id[id] or fault.raise("revision", ("can't locate revision identified by %s"):format(quote(id)), {
      detail = "It is recorded in the version table, but no revision file declares it.",
      hint = "Restore the file, for example from another branch of the repository, "
        .. "or overwrite the version table with: moontide stamp --purge REVISION",
      revision = id,
    })
  end
  return nodes
end

local function heads(map, branch)
  local nodes = map:pick(branch and map.heads or map.real_heads)
  return branch and reach.within(nodes, resolve.lineage(map, branch)) or nodes
end

-- A head that another one depends on is reached together with it, and does not count.
local function single_head(map, ast)
  local tips = reach.tips(heads(map, ast.branch))
  if not tips[2] then return tips end
  resolve.multiple_heads(ast, tips)
end

local head_hints = {
  [false] = 'Specify a specific target revision, "<branchname>@head" to narrow to a specific head, '
    .. 'or "heads" for all heads.',
  [true] = "Specify a specific target revision instead.",
}

--- Refuse an identifier that had to be one revision.
---@param ast moontide.RevisionSpec
---@param nodes moontide.graph.Node[]
function resolve.multiple_heads(ast, nodes)
  fault.raise("revision", ("multiple head revisions are present for given argument %s"):format(quote(ast.text)), {
    detail = ("The heads are %s."):format(words.list(words.ids(nodes), 10)),
    hint = head_hints[ast.branch ~= nil or ast.symbol ~= "head"],
  })
end

local function current(map, ast, rows)
  if not rows then
    fault.raise("revision", ("%s is not allowed here"):format(quote "current"), {
      hint = "It names what is applied, and is for history, show and edit.",
    })
  end
  return ast.branch and reach.within(rows, resolve.lineage(map, ast.branch)) or rows
end

local function named(map, ast)
  local lineage = ast.branch and resolve.lineage(map, ast.branch)
  local node = by_name(map, ast.symbol, ast.branch, lineage)
  if not lineage or lineage[node] then return { node } end
  fault.raise("revision", ("revision %s is not a member of branch %s"):format(quote(node.id), quote(ast.branch)), {
    revision = node.id,
    hint = ("List the revisions of the branch with: moontide history -r %s@base:%s@head")
      :format(ast.branch, ast.branch),
  })
end

local symbols = {
  base = function() return {} end,
  heads = function(map, ast) return heads(map, ast.branch) end,
  head = single_head,
  current = current,
}

--- The nodes of the symbol of an identifier, whatever its step; empty for "base".
---@param map moontide.Graph
---@param ast moontide.RevisionSpec
---@param rows? moontide.graph.Node[]  what is applied, where "current" may be used
---@return moontide.graph.Node[]
function resolve.symbol(map, ast, rows)
  if ast.branch then resolve.branch(map, ast.branch) end
  return (symbols[ast.symbol] or named)(map, ast, rows)
end

--- The one node of the symbol of an identifier; false for "base".
---@param map moontide.Graph
---@param ast moontide.RevisionSpec
---@param rows? moontide.graph.Node[]
---@return moontide.graph.Node|false
function resolve.one_symbol(map, ast, rows)
  local nodes = resolve.symbol(map, ast, rows)
  if nodes[2] then resolve.multiple_heads(ast, nodes) end
  return nodes[1] or false
end

--- Refuse a step that leads out of the graph.
---@param ast moontide.RevisionSpec
---@param detail? string
function resolve.too_far(ast, detail)
  fault.raise("revision", ("relative revision %+d didn't produce %d migrations"):format(ast.step, math.abs(ast.step)), {
    detail = detail or ("There are not that many revisions in the way of %s."):format(quote(ast.text)),
    hint = "See the revisions in their order with: moontide history --graph",
  })
end

--- Go the step of an identifier from a node (false: from the base); false when it ends at the base.
---@param map moontide.Graph
---@param ast moontide.RevisionSpec
---@param start moontide.graph.Node|false
---@param clamp? boolean  stop at the end instead of failing
---@return moontide.graph.Node|false
function resolve.step(map, ast, start, clamp)
  local lineage = ast.step > 0 and ast.branch and resolve.lineage(map, ast.branch) or nil
  local node = walk.go(map, start, ast.step, lineage, clamp)
  if node == nil then resolve.too_far(ast) end
  return node
end

-- Where steps start from: a bare -N counts down from every head.
local function starts(map, ast, rows)
  if ast.symbol then return { resolve.one_symbol(map, ast, rows) } end
  if ast.step > 0 then
    resolve.too_far(ast, "It counts from the revisions that are applied, and is for upgrade.")
  end
  local all = map:pick(map.real_heads)
  return ast.branch and reach.within(all, resolve.lineage(map, ast.branch)) or all
end

--- The nodes of an identifier; empty for "base".
---@param map moontide.Graph
---@param ast moontide.RevisionSpec
---@param rows? moontide.graph.Node[]
---@param clamp? boolean  stop at the end instead of failing when a step leads too far
---@return moontide.graph.Node[]
function resolve.nodes(map, ast, rows, clamp)
  if not ast.step then return resolve.symbol(map, ast, rows) end
  local set = {}
  for _, start in ipairs(starts(map, ast, rows)) do
    local node = resolve.step(map, ast, start, clamp)
    if node then set[node] = true end
  end
  return reach.sorted(set)
end

--- The one node of an identifier; false for "base".
---@param map moontide.Graph
---@param ast moontide.RevisionSpec
---@param rows? moontide.graph.Node[]
---@return moontide.graph.Node|false
function resolve.one(map, ast, rows)
  local nodes = resolve.nodes(map, ast, rows)
  if nodes[2] then resolve.multiple_heads(ast, nodes) end
  return nodes[1] or false
end

return resolve
