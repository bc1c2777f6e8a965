--- From what is applied and what is asked for to the steps between. Pure: everything that
--- can be refused is refused here, before anything is changed.

local fault = require "moontide.fault"
local late = require "moontide.late"
local order = require "moontide.graph.order"
local overlap = require "moontide.plan.overlap"
local reach = require "moontide.graph.reach"
local resolve = require "moontide.revspec.resolve"
local revspec = require "moontide.revspec"
local rows = require "moontide.plan.rows"
local target = require "moontide.plan.target"
local words = require "moontide.graph.words"

local range = late "moontide.plan.range"
local stamp = late "moontide.plan.stamp"

local plan = {}

---@class moontide.plan.Step
---@field direction "upgrade"|"downgrade"|"stamp"
---@field revision? moontide.Revision  nil where stamp only takes rows away
---@field from string[]                ids for the progress line, dependencies left out
---@field to string[]
---@field changes moontide.plan.Change[]  of the version rows, in this order
---@field rows string[]                the version rows after the step, sorted

---@class moontide.plan.Steps
---@field [integer] moontide.plan.Step
---@field warnings {message: string, detail: string, hint: string}[]

local function upgrade_step(state, node)
  local changes = rows.apply(state, node)
  return {
    direction = "upgrade", revision = node.revision, from = words.ids(node.down), to = { node.id },
    changes = changes, rows = rows.list(state),
  }
end

local function downgrade_step(state, node)
  local changes = rows.revert(state, node)
  return {
    direction = "downgrade", revision = node.revision, from = { node.id }, to = words.ids(node.down),
    changes = changes, rows = rows.list(state),
  }
end

local function revisions(nodes)
  local list = {}
  for i, node in ipairs(nodes) do list[i] = node.revision end
  return list
end

local function as_list(value)
  return type(value) == "table" and value or { value }
end

-- The revisions to reach. Only those named one by one can overlap by mistake.
local function wanted(map, current, targets)
  local named, all = {}, {}
  for _, text in ipairs(targets) do
    local ast = revspec.point(text)
    local nodes = target.upgrade(map, current, ast)
    table.move(nodes, 1, #nodes, #all + 1, all)
    if ast.symbol ~= "heads" then table.move(nodes, 1, #nodes, #named + 1, named) end
  end
  overlap.refuse(named)
  return all
end

--- The steps of an upgrade: everything the targets stand on that is not applied yet.
---@param map moontide.Graph
---@param ids string[]               the version rows
---@param targets string|string[]
---@return moontide.plan.Steps
function plan.upgrade(map, ids, targets)
  local current = resolve.rows(map, ids)
  overlap.refuse_rows(current)
  local nodes = wanted(map, current, as_list(targets))
  local missing = reach.ancestors(nodes)
  for node in pairs(reach.ancestors(current)) do missing[node] = nil end
  local state, steps = rows.new(current), { warnings = {} }
  local newest_first = order.sort(missing, nodes)
  for i = #newest_first, 1, -1 do steps[#steps + 1] = upgrade_step(state, newest_first[i]) end
  return steps
end

local function no_target(message, ids)
  fault.raise("revision", message, {
    detail = ids[1] and ("The current revisions are %s."):format(words.list(ids, 10)) or "Nothing is applied.",
    hint = "A downgrade goes to a revision that is applied, or to base.",
  })
end

-- The lowest revisions to take back: what stands directly on the target. A branch
-- keeps only the one that leads to it.
local function roots(map, node, branch, ids)
  local list = node and node.children or map:pick(map.bases)
  if not branch or not list[2] then return list end
  local kept = reach.within(list, reach.ancestors({ branch }, true))
  if not kept[1] then no_target("not a valid downgrade target from current heads", ids) end
  return kept
end

-- What stands on the roots, by dependency too, as far as it is applied.
local function to_revert(list, current)
  local applied, set = reach.ancestors(current), {}
  for node in pairs(reach.descendants(list)) do set[node] = applied[node] end
  return set
end

local function is_row(current, node)
  for _, row in ipairs(current) do
    if row == node then return true end
  end
  return false
end

--- The steps of a downgrade: everything applied that stands on the target.
---@param map moontide.Graph
---@param ids string[]        the version rows
---@param text string
---@return moontide.plan.Steps
function plan.downgrade(map, ids, text)
  local current, steps = resolve.rows(map, ids), { warnings = {} }
  local node, branch = target.downgrade(map, current, revspec.point(text), steps.warnings)
  local set = to_revert(roots(map, node, branch, ids), current)
  if node and not next(set) and not is_row(current, node) then
    no_target(("destination %s is not a valid downgrade target from current head(s)"):format(words.quote(text)), ids)
  end
  local state = rows.new(current)
  for i, each in ipairs(order.sort(set, current)) do steps[i] = downgrade_step(state, each) end
  return steps
end

--- The step that reverts one revision, on which nothing stands, and no other.
---@param map moontide.Graph
---@param ids string[]  the version rows
---@param id string
---@return moontide.plan.Steps
function plan.revert(map, ids, id)
  local current, node = resolve.rows(map, ids), map.by_id[id]
  if not is_row(current, node) then
    no_target(("%s is not a current head"):format(words.quote(id)), ids)
  end
  return { warnings = {}, downgrade_step(rows.new(current), node) }
end

--- The steps that set the version rows without running anything.
---@param map moontide.Graph
---@param ids string[]                the version rows
---@param targets string|string[]
---@param options? {purge: boolean?}  purge: delete all rows first, known or not
---@return moontide.plan.Steps
function plan.stamp(map, ids, targets, options)
  local steps = stamp.steps(map, ids, as_list(targets), options)
  steps.warnings = {}
  return steps
end

--- The revisions of a range such as "a:b" or "-3:current", newest first; of no range, all.
---@param map moontide.Graph
---@param text? string
---@param ids? string[]  the version rows; needed for "current"
---@return moontide.Revision[]
function plan.history(map, text, ids)
  return text and revisions(range.nodes(map, text, ids)) or map:walk()
end

--- What `current` shows: the version rows, and the heads of other branches they imply.
---@param map moontide.Graph
---@param ids string[]
---@return moontide.Revision[]  in the order of the files
function plan.current(map, ids)
  local applied = reach.ancestors(resolve.rows(map, ids))
  return revisions(reach.tips(reach.sorted(applied), true))
end

--- Whether every revision there is is applied, as a version row or implied by one, and no other.
---@param map moontide.Graph
---@param ids string[]  the version rows
---@return boolean
function plan.is_at_heads(map, ids)
  for _, id in ipairs(ids) do
    if not map:get(id) then return false end
  end
  local applied = map:ancestors(ids)
  for _, id in ipairs(map.heads) do
    if not applied[id] then return false end
  end
  return true
end

-- A new revision goes on one line of history, so "head" must be one in every sense.
local function parent_nodes(map, text)
  local ast = revspec.point(text)
  local plain_heads = ast.symbol == "head" and not ast.branch and not ast.step and map.heads
  if not plain_heads or not plain_heads[2] then return resolve.nodes(map, ast) end
  fault.raise("revision", "multiple heads are present", {
    detail = ("The heads are %s."):format(words.list(plain_heads, 10)),
    hint = "Specify the head revision on which the new revision should be based, or perform a merge.",
  })
end

local function refuse_parent(node, seen, splice)
  if seen[node] then
    fault.raise("revision", "duplicate head revisions specified", {
      detail = ('Revision "%s" is given twice.'):format(node.id), revision = node.id,
      hint = "Name each revision once; `moontide heads` lists the heads.",
    })
  end
  if not splice and node.children[1] then
    fault.raise("revision", ('revision "%s" is not a head revision'):format(node.id), {
      detail = ("It is the down_revision of %s."):format(words.list(words.ids(node.children), 10)),
      hint = "Please specify --splice to create a new branch from this revision.", revision = node.id,
    })
  end
end

--- The down_revision of a new revision; none for "base".
---@param map moontide.Graph
---@param heads string|string[]        as given to --head, or the revisions to merge
---@param options? {splice: boolean?}  splice: allow parents that are no heads
---@return string[]
function plan.parents(map, heads, options)
  local ids, seen = {}, {}
  for _, text in ipairs(as_list(heads)) do
    for _, node in ipairs(parent_nodes(map, text)) do
      refuse_parent(node, seen, options and options.splice)
      ids[#ids + 1], seen[node] = node.id, true
    end
  end
  return ids
end

local function dependency(map, text)
  if map.by_label[text] then return text end
  local node = resolve.one(map, revspec.point(text))
  if node then return node.id end
  fault.raise("revision", ("%s is no revision to depend on"):format(words.quote(text)))
end

--- The depends_on of a new revision: labels as they are, everything else as whole ids.
---@param map moontide.Graph
---@param texts string[]
---@return string[]
function plan.dependencies(map, texts)
  local list = {}
  for i, text in ipairs(texts) do list[i] = dependency(map, text) end
  return list
end

return plan
