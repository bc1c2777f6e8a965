--- The revisions of a range, for `history`.

local fault = require "moontide.fault"
local order = require "moontide.graph.order"
local overlap = require "moontide.plan.overlap"
local reach = require "moontide.graph.reach"
local resolve = require "moontide.revspec.resolve"
local revspec = require "moontide.revspec"
local target = require "moontide.plan.target"

local range = {}

local heads = revspec.parse "heads"
local base = revspec.parse "base"

-- "label@base" as the lower end keeps only what is on the branch: for a label the
-- revisions that carry it, for a revision its lineage.
local function keep_branch(map, nodes, ast)
  local label = map.by_label[ast.branch] and ast.branch
  local lineage = not label and resolve.lineage(map, ast.branch)
  local kept = {}
  for _, node in ipairs(nodes) do
    if label and node.labels[label] or lineage and lineage[node] then kept[#kept + 1] = node end
  end
  return kept
end

-- A bare -N counts down from the upper end.
local function lower_nodes(map, ast, upper, rows)
  if ast.symbol or ast.step > 0 then return resolve.nodes(map, ast, rows, true) end
  local set = {}
  for _, node in ipairs(upper) do
    local lower = resolve.step(map, ast, node, true)
    if lower then set[lower] = true end
  end
  return reach.sorted(set)
end

-- +N as the upper end counts up from the lower one.
local function upper_nodes(map, ast, lower, rows)
  if ast.symbol == "current" and not ast.step then return resolve.symbol(map, ast, rows) end
  if ast.symbol or ast.step <= 0 then return target.upgrade(map, rows, ast, true) end
  return target.upgrade(map, resolve.nodes(map, lower, rows, true), ast, true)
end

local not_ancestral = 'requested range "%s" does not refer to ancestor/descendant revisions along the same branch'

local function check_ancestral(lower, below, text)
  for _, node in ipairs(lower) do
    if not below[node] then
      fault.raise("revision", not_ancestral:format(text), {
        detail = ('Revision "%s" is not an ancestor of the upper end.'):format(node.id),
        hint = "Give the older end first; see the branches with: moontide history --graph",
      })
    end
  end
end

local function between(lower, required)
  local under = reach.ancestors(lower)
  local above = lower[1] and reach.descendants(lower, true)
  local set = {}
  for node in pairs(required) do
    if not under[node] and (not above or above[node]) then set[node] = true end
  end
  for _, node in ipairs(lower) do set[node] = true end
  return set
end

--- The nodes between two ends, both included, newest first. Above the base all that the
--- upper end needs; above anything else only what stands on it.
---@param lower moontide.graph.Node[]  none: the base
---@param upper moontide.graph.Node[]
---@param text string                  what was asked for, for the message
---@return moontide.graph.Node[]
function range.walk(lower, upper, text)
  local required = reach.ancestors(upper)
  check_ancestral(lower, required, text)
  return order.sort(between(lower, required), upper)
end

local function parse(text)
  local ast = revspec.parse(text)
  if ast.kind == "range" then return ast.lower or base, ast.upper or heads end
  fault.raise("revision", ('history range requires [start]:[end], [start]:, or :[end], not "%s"'):format(text), {
    hint = ('Write "%s:" for all after it, or ":%s" for all up to it.'):format(text, text),
  })
end

--- The nodes of a range, both ends included, newest first.
---@param map moontide.Graph
---@param text string
---@param ids? string[]  the version rows; needed for "current"
---@return moontide.graph.Node[]
function range.nodes(map, text, ids)
  local lower_ast, upper_ast = parse(text)
  local rows = ids and resolve.rows(map, ids)
  local upper = upper_nodes(map, upper_ast, lower_ast, rows)
  if lower_ast.branch then upper = keep_branch(map, upper, lower_ast) end
  local lower = lower_nodes(map, lower_ast, upper, rows)
  if upper_ast.symbol ~= "heads" and upper_ast.symbol ~= "current" then overlap.refuse(upper) end
  return range.walk(lower, upper, text)
end

return range
