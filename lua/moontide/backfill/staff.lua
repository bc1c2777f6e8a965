--- The lanes of a process: as many as are wanted, which settings may change at any time.

local crew = require "moontide.backfill.crew"
local garbage = require "moontide.backfill.garbage"
local watch = require "moontide.backfill.watch"
local worker = require "moontide.backfill.worker"

local staff = {}

-- A lane that is wanted and not there.
local function hire(run, number)
  local lane = crew.lane(run.connect())
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
