--- A function of the user's: while it answers true or a reason, the backfill waits.

---@type moontide.BackfillSignal
return {
  name = "throttle", option = true, summary = "a function of the backfill's own says so",
  sample = function(query, watch)
    local answer = watch.setting(query)
    if not answer then return 0 end
    return 1, type(answer) == "string" and answer or "its throttle function says so"
  end,
}
