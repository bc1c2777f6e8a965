--- Foreign keys and checks online: added for new rows first, which takes a moment;
--- the rows that are there are checked afterwards, while everybody goes on working.

local alter = require "moontide.object.alter"
local probe = require "moontide.online.probe"
local quote = require "moontide.sql.quote"
local step = require "moontide.online.step"

local constraint = {}

-- Of a foreign key, a check and NOT NULL.
local violations = { ["23503"] = true, ["23514"] = true, ["23502"] = true }

local function explain(_, problem)
  if not violations[problem.sqlstate] then return end
  problem.hint = problem.hint
    or "Correct the rows, then run the command again: it goes on with this check; new rows are checked already."
end

local function alter_table(o, clause)
  return alter.statements(o.schema, o.table, { clause })[1]
end

--- The step that checks the rows for a constraint.
---@param o { schema: string?, table: string }
---@param name string
---@param done? string  a condition under which it need not be done
---@return moontide.Step
function constraint.validation(o, name, done)
  local valid = probe.constraint(o.schema, o.table, name, "convalidated")
  return step.transaction(alter_table(o, "VALIDATE CONSTRAINT " .. quote.ident(name)),
    done and probe.any(valid, done) or probe.all(valid), explain)
end

--- ADD CONSTRAINT ... NOT VALID, then VALIDATE CONSTRAINT.
---@param o { schema: string?, table: string }
---@param name string
---@param text string  the SQL after ADD CONSTRAINT and the name
---@return moontide.Step[]
function constraint.steps(o, name, text)
  return {
    step.transaction(alter_table(o, ("ADD CONSTRAINT %s %s NOT VALID"):format(quote.ident(name), text))),
    constraint.validation(o, name),
  }
end

return constraint
