--- A function of the user's: while it answers true or a reason, the backfill waits.

local fault = require "moontide.fault"

---@type moontide.BackfillSignal
return {
  name = "throttle", option = true, summary = "a function of the backfill's own says so",
  sample = function(query, watch)
    local answer = watch.setting(query)
    if not answer then return 0 end
    if answer == true then return 1, "its throttle function says so" end
    if type(answer) == "string" then return 1, answer end
    fault.raise("operation", ("its throttle function answers a %s, not true, false or a reason"):format(type(answer)))
  end,
}
