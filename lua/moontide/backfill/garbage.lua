--- How often garbage is collected while a backfill runs. As Lua is set up, memory doubles before it is: with chunks
--- of a few kilobytes in SQL that takes hours, in which it looks as if memory were lost, and rows in Lua reach
--- it at once. So a backfill begins without garbage, and lets so little of it be that its memory is the same after
--- a minute and after a day.

local garbage = {}

-- Percent of what is in use at which the collector begins anew. With SQL there is so little garbage that it costs
-- nothing. With rows in Lua 150 costs up to a tenth of the program's own time, which is a third of all, and 120
-- a third.
local pauses = { sql = 110, lua = 150 }

-- How fast it is, once it has begun, against the garbage that comes meanwhile, in percent.
local speed = 200

--- Collect garbage often, until what is answered is closed.
---@param mode "sql"|"lua"
---@return table  to be closed
function garbage.often(mode)
  local pause, multiplier = collectgarbage("setpause", pauses[mode]), collectgarbage("setstepmul", speed)
  collectgarbage()   -- at the end of which it is decided when the next one begins
  return setmetatable({}, { __close = function()
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", multiplier)
  end })
end

return garbage
