--- Runs tables of planning cases: `rows | command | steps | rows afterwards`.
---
--- A step may say the rows after it, as in `b{b,c}`. Steps that start with `!` are a part of the
--- message of the fault instead. For stamp, the steps are the changes: `+a` inserts,
--- `-a` deletes, `a>b` updates. Whatever a case says, the changes of its steps are replayed on
--- the rows, and the rows of each step must be the tips of what is applied after it.

local assert = require "luassert"
local plan = require "moontide.plan"
local revisions = require "spec.support.revisions"

local plans = {}

local function replay(rows, change)
  if change.kind ~= "insert" then
    local gone = change.id or change.from
    assert(rows[gone], "no row to change: " .. gone)
    rows[gone] = nil
  end
  if change.kind ~= "delete" then
    local come = change.kind == "insert" and change.id or change.to
    assert(not rows[come], "row is there already: " .. come)
    rows[come] = true
  end
end

local function sorted(set)
  local list = {}
  for id in pairs(set) do list[#list + 1] = id end
  table.sort(list)
  return list
end

plans.sorted = sorted

--- The applied revisions that no other one stands on, found the slow way.
function plans.tips(map, applied)
  local tips = {}
  for id in pairs(applied) do tips[id] = true end
  for id in pairs(applied) do
    for below in pairs(map:ancestors { id }) do
      if below ~= id then tips[below] = nil end
    end
  end
  return sorted(tips)
end

local function apply(applied, step)
  if step.direction == "upgrade" then applied[step.revision.id] = true end
  if step.direction == "downgrade" then applied[step.revision.id] = nil end
end

--- Check that the steps say the same in changes, rows and revisions. `loose` skips the last.
function plans.check(map, rows, steps, loose)
  local set, applied = {}, loose or map:ancestors(rows)
  for _, id in ipairs(rows) do set[id] = true end
  for _, step in ipairs(steps) do
    for _, change in ipairs(step.changes) do replay(set, change) end
    assert.same(sorted(set), step.rows)
    if not loose then
      apply(applied, step)
      assert.same(plans.tips(map, applied), step.rows)
    end
  end
  return table.concat(sorted(set), " ")
end

local function change_text(change)
  if change.kind == "update" then return change.from .. ">" .. change.to end
  return (change.kind == "insert" and "+" or "-") .. change.id
end

local function changes_text(steps)
  local list = {}
  for _, step in ipairs(steps) do
    for _, change in ipairs(step.changes) do list[#list + 1] = change_text(change) end
  end
  return table.concat(list, " ")
end

local function steps_text(steps, with_rows)
  local list = {}
  for i, step in ipairs(steps) do
    list[i] = step.revision.id .. (with_rows and "{" .. table.concat(step.rows, ",") .. "}" or "")
  end
  return table.concat(list, " ")
end

local commands = {
  up = plan.upgrade,
  down = function(map, rows, targets) return plan.downgrade(map, rows, targets[1] or "") end,
  stamp = plan.stamp,
  purge = function(map, rows, targets) return plan.stamp(map, rows, targets, { purge = true }) end,
}

local function run(map, rows, verb, targets, steps, after, options)
  local found = commands[verb](map, rows, targets)
  local stamped = verb == "stamp" or verb == "purge"
  assert.equal(steps, stamped and changes_text(found) or steps_text(found, steps:find("{", 1, true)))
  local last = plans.check(map, rows, found, stamped or options.loose)
  if after then assert.equal(after, last) end
end

local function refuse(map, rows, verb, targets, message)
  local ok, problem = pcall(commands[verb], map, rows, targets)
  assert.is_false(ok)
  assert.equal("revision", problem.kind, tostring(problem))
  assert.truthy(problem.message:find(message, 1, true), problem.message)
end

--- Define one `it` for each case.
---@param it function
---@param text string     the graph
---@param table_text string
---@param options? {loose: boolean?}  loose: rows that no upgrade would leave behind
function plans.cases(it, text, table_text, options)
  local map = revisions.map(text)
  for _, case in ipairs(revisions.cases(table_text)) do
    local before, command, steps, after = table.unpack(case)
    it(("%s from {%s} answers %s"):format(command, before, steps ~= "" and steps or "nothing"), function()
      local verb, rest = command:match("^(%S+)%s*(.*)$")
      local rows, targets = revisions.names(before), revisions.names(rest)
      local message = steps:match("^!%s*(.*)$")
      if message then return refuse(map, rows, verb, targets, message) end
      run(map, rows, verb, targets, steps, after, options or {})
    end)
  end
end

return plans
