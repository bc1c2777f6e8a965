--- CHECK constraints: of a table, and the `check` of a column.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local constraint = require "moontide.object.constraint"
local online = require "moontide.online.constraint"
local quote = require "moontide.sql.quote"
local value = require "moontide.value"

local check_constraint = {}

local item_shape = { name = check.name, no_inherit = check.flag }
local operation_shape = { schema = check.name, not_valid = check.flag, no_inherit = check.flag, online = check.boolean }

--- A check as SQL text, or { text, name =, no_inherit = }.
---@param given any
---@param what string
---@return table
function check_constraint.read(given, what)
  if value.kind(given) ~= "table" then given = { given } end
  local c = check.shape(given, what, item_shape, 1)
  c.expression = check.expression(given[1], what)
  return c
end

--- What `read` answered, as short as it can be written.
---@param c table
---@return table|string
function check_constraint.write(c)
  local item = clause.pick(c, item_shape)
  if next(item) == nil then return c.expression end
  item[1] = c.expression
  return item
end

constraint.kinds.check = {
  operation = "create_check_constraint",
  read = check_constraint.read,
  write = check_constraint.write,
  text = function(c)
    return clause.words("CHECK (" .. c.expression .. ")", c.no_inherit and "NO INHERIT", c.not_valid and "NOT VALID")
  end,
  name = function()
    return nil, "PostgreSQL names a check after the columns in its expression: give it a name as the first argument"
  end,
}

constraint.register("check", {
  name = "create_check_constraint",
  summary = "Add a check constraint",
  build = function(name, relation, expression, options)
    local o = check.options(options, operation_shape)
    o.name = name ~= nil and check.name(name, "the constraint name") or nil
    o.table, o.expression = check.name(relation, "the table name"), check.expression(expression, "the condition")
    if o.online and o.not_valid then check.refuse("online and not_valid cannot be given together") end
    if o.online and not o.name then check.refuse("online needs a name for the constraint") end
    return o
  end,
  expand = function(o) return o.online and online.steps(o, o.name, constraint.kinds.check.text(o)) or nil end,
  online = function(o) return not o.not_valid and o.name ~= nil end,
  lock = constraint.online_lock,
  arguments = function(o) return o.name, o.table, o.expression, clause.pick(o, operation_shape) end,
})

--- A check as SQL of a column.
---@param c table
---@return string
function check_constraint.sql(c)
  return clause.words(c.name and "CONSTRAINT " .. quote.ident(c.name), constraint.kinds.check.text(c))
end

return check_constraint
