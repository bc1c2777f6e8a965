--- A query of the user's: while it answers a number above 0, or true, the backfill waits.

local fault = require "moontide.fault"

local function number_of(answer)
  if answer == nil then return 0 end
  if type(answer) == "boolean" then return answer and 1 or 0 end
  return tonumber(answer)
end

---@type moontide.BackfillSignal
return {
  name = "throttle_sql", option = true, summary = "a query of the backfill's own answers more than 0",
  sample = function(query, watch)
    local result = query(watch.setting)
    if #result.columns ~= 1 then
      fault.raise("operation", ("throttle_sql answers %d columns, not one"):format(#result.columns),
        { statement = watch.setting })
    end
    local answer = result[1] and result[1][result.columns[1]]
    local number = number_of(answer)
    if number then return number, "throttle_sql answers " .. tostring(answer) end
    fault.raise("operation", ('throttle_sql answers "%s", which is no number'):format(tostring(answer)),
      { statement = watch.setting })
  end,
}
