--- The date and time in a time zone, for new revision files.

local fault = require "moontide.fault"
local sys = require "moontide.runtime.sys"

local timezone = {}

---@class moontide.Moment
---@field epoch integer
---@field year integer
---@field month integer
---@field day integer
---@field hour integer
---@field minute integer
---@field second integer
---@field text string   "2026-01-15 10:00:00+00:00"

local FORMAT = "%Y %m %d %H %M %S %z"

-- A name that the C library does not know it takes for UTC, so it is looked up first.
local function zone_file(name)
  if name:find("..", 1, true) or name:sub(1, 1) == "/" then return nil end
  local folder = os.getenv("TZDIR") or "/usr/share/zoneinfo"
  for _, spelling in ipairs { name, name:upper() } do
    local text = sys.read(folder .. "/" .. spelling)
    if text and text:sub(1, 4) == "TZif" then return spelling end
  end
  return nil
end

-- Lua's own os.date knows the zone of this process only; date(1) is told by TZ.
local function date_in(zone)
  local spelling = zone_file(zone)
  local result = spelling and sys.run({ "date", "+" .. FORMAT }, { env = { TZ = spelling }, capture = true })
  if result and result.status == 0 then return result.stdout end
  fault.raise("config", ('cannot find time zone "%s"'):format(zone), {
    hint = "Use a name of the time zone database, such as Europe/Berlin; where that is not installed (tzdata), "
      .. 'use "UTC" or "local".',
  })
end

local function fields_of(zone)
  if zone:upper() == "UTC" then return os.date("!%Y %m %d %H %M %S +0000") end
  if zone == "local" then return os.date(FORMAT) end
  return date_in(zone)
end

--- The present moment in a zone: an IANA name, "UTC" or "local".
---@param zone string
---@return moontide.Moment
function timezone.now(zone)
  local year, month, day, hour, minute, second, sign, minutes =
    fields_of(zone):match("(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) ([+-]%d%d)(%d%d)")
  return {
    epoch = os.time(),
    year = tonumber(year), month = tonumber(month), day = tonumber(day),
    hour = tonumber(hour), minute = tonumber(minute), second = tonumber(second),
    text = ("%s-%s-%s %s:%s:%s%s:%s"):format(year, month, day, hour, minute, second, sign, minutes),
  }
end

return timezone
