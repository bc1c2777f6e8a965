--- Whether a value that goes up and down is too high: from the moment it is above its
--- limit until it was well below it twice, so that nothing starts and stops all the time. Pure.

---@class moontide.Gauge
---@field high boolean
---@field above integer  samples in a row that were above the limit
---@field below integer  and well below it
local Gauge = {}
Gauge.__index = Gauge

local gauge = {}

-- Well below is this part of the limit.
local well = 0.8

---@return moontide.Gauge
function gauge.new() return setmetatable({ high = false, above = 0, below = 0 }, Gauge) end

--- Take a sample.
---@param value number?  nil: nothing is known, which is as good as nothing
---@param limit number
---@param patience? integer  how many samples in a row make it high; default: 1
---@return boolean high
function Gauge:note(value, limit, patience)
  value = value or 0
  self.above = value > limit and self.above + 1 or 0
  self.below = value <= well * limit and self.below + 1 or 0
  if self.high then self.high = self.below < 2 else self.high = self.above >= (patience or 1) end
  return self.high
end

return gauge
