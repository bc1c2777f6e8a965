--- Foreign keys and checks online: added for new rows first, which takes a moment;
--- the rows that are there are checked afterwards, while everybody goes on working.

local alter = require "moontide.object.alter"
local probe = require "moontide.online.probe"
local quote = require "moontide.sql.quote"
local step = require "moontide.online.step"
local tree = require "moontide.online.tree"

local constraint = {}

-- Of a foreign key, a check and NOT NULL.
local violations = { ["23503"] = true, ["23514"] = true, ["23502"] = true }

--- What helps when rows break a constraint.
---@param problem moontide.Fault
function constraint.explain(_, problem)
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
    done and probe.any(valid, done) or probe.all(valid), constraint.explain)
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

local function leaves(ask, schema, relation, into)
  for _, child in ipairs(tree.children(ask, schema, relation)) do
    if child.partitioned then leaves(ask, child.schema, child.name, into)
    else into[#into + 1] = { schema = child.schema, table = child.name } end
  end
  return into
end

-- Before PostgreSQL 18 a partitioned table takes no foreign key that is not valid; but where each partition has it
-- already, the table's own is added without reading them.
local function partition_by_partition(o, name, text, ask)
  local steps = {}
  for _, leaf in ipairs(leaves(ask, o.schema, o.table, {})) do
    alter.append(steps, constraint.steps(leaf, name, text))
  end
  steps[#steps + 1] = step.transaction(alter_table(o, ("ADD CONSTRAINT %s %s"):format(quote.ident(name), text)))
  return steps
end

local first_with_partitioned = 180000

--- The steps of a foreign key.
---@param o moontide.Operation
---@param name string
---@param text string  the SQL after ADD CONSTRAINT and the name
---@param ctx { server_version: integer? }
---@param ask? fun(sql: string): table
---@return moontide.Step[]
function constraint.foreign_key(o, name, text, ctx, ask)
  local at_once = (ctx.server_version or 0) >= first_with_partitioned
  if at_once or tree.kind(ask, o.schema, o.table) ~= "p" then return constraint.steps(o, name, text) end
  return partition_by_partition(o, name, text, ask)
end

return constraint
