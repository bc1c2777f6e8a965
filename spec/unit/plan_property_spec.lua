-- Random graphs. Whatever the graph, the rows after each step are the tips of what is applied,
-- every revision runs after all it stands on, and the way down ends with no rows.

local plan = require "moontide.plan"
local plans = require "spec.support.plans"
local graph = require "moontide.graph"

local seed = tonumber(os.getenv "MOONTIDE_SEED") or os.time()

local function pick(list)
  return list[math.random(#list)]
end

local function down_of(list)
  local down, count = {}, pick { 0, 1, 1, 1, 1, 2, 2, 3 }
  for _ = 1, math.min(count, #list) do
    local id = list[math.random(math.max(1, #list - 4), #list)].id
    if not table.concat(down, " "):find(id, 1, true) then down[#down + 1] = id end
  end
  return down
end

local function shuffle(list)
  for i = #list, 2, -1 do
    local j = math.random(i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

local function random_graph()
  local list = {}
  for i = 1, math.random(25) do
    local deps = list[1] and math.random() < 0.25 and { pick(list).id } or {}
    list[i] = { id = ("rev%02d"):format(i), down = down_of(list), deps = deps, labels = {} }
  end
  return graph.new(math.random() < 0.5 and list or shuffle(list))
end

local function check_order(map, rows, steps)
  local applied = map:ancestors(rows)
  for _, step in ipairs(steps) do
    local id, up = step.revision.id, step.direction == "upgrade"
    for _, parent in ipairs(map:parents(id)) do assert.is_true(applied[parent], parent .. " before " .. id) end
    applied[id] = up or nil
  end
  for id in pairs(applied) do
    for _, parent in ipairs(map:parents(id)) do assert.is_true(applied[parent], parent .. " below " .. id) end
  end
end

local function go(map, rows, steps)
  plans.check(map, rows, steps)
  check_order(map, rows, steps)
  return steps[#steps] and steps[#steps].rows or rows
end

local function wander(map)
  local rows = go(map, {}, plan.upgrade(map, {}, pick(map.nodes).id))
  for _ = 1, 3 do
    rows = go(map, rows, plan.upgrade(map, rows, pick(map.nodes).id))
    local ok, steps = pcall(plan.downgrade, map, rows, pick(map.nodes).id)
    if ok then rows = go(map, rows, steps) else assert.equal("revision", steps.kind, tostring(steps)) end
  end
  return rows
end

local function round_trip(map)
  local rows = go(map, {}, plan.upgrade(map, {}, "heads"))
  assert.same(plans.sorted(map:ancestors(map.real_heads)), plans.sorted(map:ancestors(rows)))
  assert.same({}, go(map, rows, plan.downgrade(map, rows, "base")))
  rows = wander(map)
  rows = go(map, rows, plan.upgrade(map, rows, "heads"))
  assert.same({}, go(map, rows, plan.downgrade(map, rows, "base")))
end

describe("plans of random graphs", function()
  for i = 1, 300 do
    it(("go up and down again with MOONTIDE_SEED=%d"):format(seed + i - 1), function()
      math.randomseed(seed + i - 1)
      round_trip(random_graph())
    end)
  end
end)
