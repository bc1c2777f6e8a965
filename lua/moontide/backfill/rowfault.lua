--- Which failures are some row's, so that the others can go on without it.

local fault = require "moontide.fault"

local rowfault = {}

--- Whether the data is to blame for a failure: an error of the user's function, a value, a constraint, a trigger.
---@param problem moontide.Fault
---@return boolean
function rowfault.is(problem)
  local class = (problem.sqlstate or ""):sub(1, 2)
  return problem.row or class == "22" or class == "23" or problem.sqlstate == "P0001"
end

--- Whether fewer rows were written than were sent: the statement that counts them has failed.
---@param problem moontide.Fault
---@param sent? table[]  the statements
---@return boolean
function rowfault.swallowed(problem, sent)
  local item = problem.sqlstate == "22012" and sent and sent[problem.index]
  return item and item.counts or false
end

--- That failure in words: nothing but a trigger or a rule does it.
---@param firing? string  the triggers, in words
---@param problem moontide.Fault
---@return moontide.Fault
function rowfault.explained(firing, problem)
  return fault.new("server", "a trigger or rule keeps a row from being changed", {
    row = true, detail = firing, statement = problem.statement,
    hint = "Let the function return nil for such rows, or exempt the backfill in the trigger (option session).",
  })
end

return rowfault
