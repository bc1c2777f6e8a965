--- Hours of the day, as in "22:00-06:00 Europe/Berlin". Pure.

local window = {}

local function minutes(text)
  local hour, minute = text:match("^(%d%d?):(%d%d)$")
  hour, minute = tonumber(hour), tonumber(minute)
  return hour and hour <= 24 and minute < 60 and hour * 60 + minute <= 1440 and hour * 60 + minute or nil
end

--- Read hours; nil where they cannot be read.
---@param text string
---@return { from: integer, to: integer, zone?: string }?
function window.parse(text)
  local from, to, zone = text:match("^%s*(%d%d?:%d%d)%s*%-%s*(%d%d?:%d%d)%s*(.-)%s*$")
  from, to = from and minutes(from), to and minutes(to)
  if not (from and to) or from == to or not zone:find("^[%w_+/-]*$") then return nil end
  return { from = from, to = to, zone = zone ~= "" and zone or nil }
end

--- Whether a time of day is within.
---@param hours { from: integer, to: integer }
---@param now string  "14:05"
---@return boolean
function window.contains(hours, now)
  local at = minutes(now)
  if hours.from < hours.to then return at >= hours.from and at < hours.to end
  return at >= hours.from or at < hours.to
end

return window
