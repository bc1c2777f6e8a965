--- NOT NULL online: a constraint that holds for new rows is added in a moment, the rows
--- that are there are checked while everybody goes on working, and what was proved
--- then spares SET NOT NULL the pass over the table.

local alter = require "moontide.object.alter"
local constraint = require "moontide.online.constraint"
local default_name = require "moontide.object.name"
local probe = require "moontide.online.probe"
local quote = require "moontide.sql.quote"
local step = require "moontide.online.step"

local not_null = {}

local function alter_table(o, clause) return alter.statements(o.schema, o.table, { clause })[1] end

-- A check proves it; SET NOT NULL and dropping the check in one ALTER TABLE would lose the proof and read the table.
local function by_check(o, column)
  local name = default_name.make(o.table, column, "online_check")
  local exists = probe.constraint(o.schema, o.table, name)
  local is_set = probe.not_null(o.schema, o.table, column)
  local check = ("ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID"):format(quote.ident(name), quote.ident(column))
  return {
    step.transaction(alter_table(o, check), probe.any(is_set, exists)),
    constraint.validation(o, name, is_set),
    step.transaction({
      alter_table(o, ("ALTER COLUMN %s SET NOT NULL"):format(quote.ident(column))),
      alter_table(o, "DROP CONSTRAINT IF EXISTS " .. quote.ident(name)),
    }, probe.all(is_set, "NOT " .. exists)),
  }
end

-- From PostgreSQL 18 on NOT NULL is a constraint, which can wait for its check itself.
local function by_constraint(o, column)
  local name = default_name.make(o.table, column, "not_null")
  local add = ("ADD CONSTRAINT %s NOT NULL %s NOT VALID"):format(quote.ident(name), quote.ident(column))
  return {
    step.transaction(alter_table(o, add), probe.all(probe.not_null_constraint(o.schema, o.table, column, false))),
    constraint.validation(o, name, probe.not_null_constraint(o.schema, o.table, column, true)),
  }
end

local first_with_constraint = 180000

--- The steps that make a column NOT NULL.
---@param o { schema: string?, table: string }
---@param column string
---@param ctx { server_version: integer? }
---@return moontide.Step[]
function not_null.steps(o, column, ctx)
  if (ctx.server_version or 0) >= first_with_constraint then return by_constraint(o, column) end
  return by_check(o, column)
end

return not_null
