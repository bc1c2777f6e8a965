--- The lanes of a process: as many as are wanted, which settings may change at any time.

local crew = require "moontide.backfill.crew"
local worker = require "moontide.backfill.worker"

local staff = {}

-- A lane that is wanted and not there.
local function hire(run, number)
  local lane = crew.lane(run.connect())
  run.staff[number] = lane
  local own = worker.new(lane, run, number)
  run.crew:add(lane, function()
    own:run()
    lane.db:close()
    run.staff[number] = nil
  end)
end

local function man(run)
  if run.finished or run.left or run.crew.stopping then return end
  for number = 1, run:wanted_lanes() do
    if not run.staff[number] then hire(run, number) end
  end
end

--- Let lanes work on a job until none has anything to do.
---@param run moontide.BackfillRun
---@param tick fun()  called a few times a second
function staff.work(run, tick)
  local _ <close> = setmetatable({}, { __close = function()
    for _, lane in pairs(run.staff) do lane.db:close() end
  end })
  man(run)
  run.crew:run(function()
    man(run)
    tick()
  end)
end

return staff
