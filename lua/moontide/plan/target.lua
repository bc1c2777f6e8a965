--- What the argument of upgrade or downgrade means, given what is applied.

local fault = require "moontide.fault"
local reach = require "moontide.graph.reach"
local resolve = require "moontide.revspec.resolve"
local words = require "moontide.graph.words"

local target = {}

-- The tips of what is applied on a branch, where no row is on it itself.
local function applied_on(rows, lineage)
  local applied = reach.within(reach.sorted(reach.ancestors(rows)), lineage)
  return reach.tips(applied)
end

local function ambiguous_upgrade(ast, nodes)
  fault.raise("revision", "ambiguous upgrade from multiple current revisions", {
    detail = ("%s could count from %s."):format(words.quote(ast.text), words.list(words.ids(nodes), 10)),
    hint = "Name the branch to follow as in LABEL@+1, or give the revision itself.",
  })
end

-- Where +N counts from: the row, on a branch the row or tip that is on it, else the base.
local function upgrade_start(map, rows, ast)
  local from = rows
  if ast.branch then
    local lineage = resolve.lineage(map, ast.branch)
    from = reach.within(rows, lineage)
    if not from[1] then from = applied_on(rows, lineage) end
  end
  if from[2] then ambiguous_upgrade(ast, from) end
  return from[1] or false
end

--- The revisions an upgrade shall reach; none for "base".
---@param map moontide.Graph
---@param rows moontide.graph.Node[]  what is applied
---@param ast moontide.RevisionSpec
---@param clamp? boolean  stop at the end of the graph when a step leads too far
---@return moontide.graph.Node[]
function target.upgrade(map, rows, ast, clamp)
  if not ast.step then return resolve.symbol(map, ast) end
  if not ast.symbol and ast.step <= 0 then
    resolve.too_far(ast, "An upgrade goes up from what is applied.")
  end
  local start
  if ast.symbol then start = resolve.one_symbol(map, ast) else start = upgrade_start(map, rows, ast) end
  return { resolve.step(map, ast, start, clamp) or nil }
end

local function row_on_branch(map, rows, ast)
  local lineage = resolve.lineage(map, ast.branch)
  local from = reach.within(rows, lineage)
  if not from[1] then from = reach.within(reach.tips(reach.sorted(reach.ancestors(rows)), true), lineage) end
  if not from[1] then resolve.too_far(ast, ("Nothing on branch %s is applied."):format(words.quote(ast.branch))) end
  if from[2] then
    fault.raise("revision", "ambiguous downgrade from multiple current revisions", {
      detail = ("Branch %s has %s."):format(words.quote(ast.branch), words.list(words.ids(from), 10)),
      hint = "Name one of them as in REVISION-1.",
    })
  end
  return from[1]
end

-- Of several rows the first in sorted order, so that the same command does the same everywhere.
local function first_row(rows, ast, warnings)
  local sorted = table.move(rows, 1, #rows, 1, {})
  table.sort(sorted, function(a, b) return a.id < b.id end)
  if not sorted[1] then resolve.too_far(ast, "Nothing is applied.") end
  if sorted[2] then
    warnings[#warnings + 1] = {
      message = ("downgrade %s from multiple heads is ambiguous"):format(ast.text),
      detail = ("The heads are %s; %s is taken."):format(words.list(words.ids(sorted), 10), words.quote(sorted[1].id)),
      hint = ("Name the branch, as in %s@%s."):format(sorted[1].id, ast.text),
    }
  end
  return sorted[1]
end

local function downgrade_from_rows(map, rows, ast, warnings)
  if ast.step >= 0 then resolve.too_far(ast, "A downgrade goes down from what is applied.") end
  local start = ast.branch and row_on_branch(map, rows, ast) or first_row(rows, ast, warnings)
  local branch = ast.branch and resolve.branch(map, ast.branch) or start
  return resolve.step(map, ast, start), branch
end

--- The revision a downgrade shall go back to, false for the base, and the branch to keep
--- to, when there is one.
---@param map moontide.Graph
---@param rows moontide.graph.Node[]
---@param ast moontide.RevisionSpec
---@param warnings table[]  more are added
---@return moontide.graph.Node|false
---@return moontide.graph.Node? branch
function target.downgrade(map, rows, ast, warnings)
  if ast.step and not ast.symbol then return downgrade_from_rows(map, rows, ast, warnings) end
  local node = resolve.one_symbol(map, ast)
  if ast.step then node = resolve.step(map, ast, node) end
  return node, ast.branch and resolve.branch(map, ast.branch) or nil
end

return target
