--- Hours of the day outside of which a backfill waits: "22:00-06:00", by the clock of the
--- server, in its time zone or one that is named behind the hours.

local quote = require "moontide.sql.quote"
local window = require "moontide.backfill.window"

---@type moontide.BackfillSignal
return {
  name = "window", option = true, summary = "it is not the time of day for it",
  sample = function(query, watch)
    local hours = window.parse(watch.setting)
    local zone = hours.zone and " AT TIME ZONE " .. quote.literal(hours.zone) or ""
    local now = query(("SELECT to_char(clock_timestamp()%s, 'HH24:MI') AS now"):format(zone))[1].now
    return window.contains(hours, now) and 0 or 1, ("it is %s, outside of %s"):format(now, watch.setting)
  end,
}
