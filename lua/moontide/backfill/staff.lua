--- The lanes of a process: as many as are wanted, which settings may change at any time.

local crew = require "moontide.backfill.crew"
local fault = require "moontide.fault"
local garbage = require "moontide.backfill.garbage"
local report = require "moontide.report"
local sys = require "moontide.runtime.sys"
local watch = require "moontide.backfill.watch"
local worker = require "moontide.backfill.worker"

local staff = {}

-- After a connection that could not be had, so many seconds until the next try.
local patience = 10

-- One lane is enough to go on.
local function lack(run, problem)
  problem = fault.of(problem)
  if not next(run.staff) or problem.kind == "interrupted" then error(problem, 0) end
  run.short_until = sys.clock() + patience
  if run.told_short then return end
  run.told_short = true
  report.warn(("backfill %s: no connection for another lane"):format(run.o.name), { detail = problem.message })
end

-- A lane that is wanted and not there.
local function hire(run, number)
  local ok, db = pcall(run.connect)
  if not ok then return lack(run, db) end
  local lane = crew.lane(db)
  run.staff[number] = lane
  local own = worker.new(lane, run, number)
  lane.size = own.size
  run.crew:add(lane, function()
    own:run()
    lane.db:close()
    run.staff[number] = nil
  end)
end

-- Whoever looks whether the server has enough to do. The first look comes before the first chunk.
local function set_watch(run)
  local own, lane = watch.new(run), crew.lane()
  own:begin()
  run.crew:add(lane, function() own:attend(lane) end, true)
  return lane
end

local function man(run)
  if run.finished or run.left or run.crew.stopping then return end
  if run.short_until and sys.clock() < run.short_until then return end
  for number = 1, run:wanted_lanes() do
    if not run.staff[number] then hire(run, number) end
  end
end

--- Let lanes work on a job until none has anything to do.
---@param run moontide.BackfillRun
---@param tick fun()  called a few times a second
function staff.work(run, tick)
  local watching
  local _ <close> = garbage.often(run.transform and "lua" or "sql")
  local _ <close> = setmetatable({}, { __close = function()
    for _, lane in pairs(run.staff) do lane.db:close() end
    if watching and watching.db then watching.db:close() end
  end })
  watching = set_watch(run)
  man(run)
  run.crew:run(function()
    man(run)
    tick()
  end)
end

return staff
