--- SET NOT NULL reads every row while nobody can use the table, unless a validated
--- check says the same already.

local said = require "moontide.lint.said"

local in_sql = "Add CHECK (column IS NOT NULL) NOT VALID, VALIDATE it in a revision after, then SET NOT NULL and drop "
  .. "the check in two statements; op.alter_column with nullable = false, online = true does all of it."

local function column_of(e)
  if e.kind == "set_not_null" then return not e.proved and e.name or nil end
  local c = e.constraint
  return c.type == "not null" and not c.not_valid and c.columns[1] or nil
end

return {
  name = "not-null-reads-table",
  summary = "NOT NULL reads the table while nobody can use it",
  level = "error",
  check = function(o, ctx)
    local found = {}
    for e in ctx:on_existing("set_not_null", "add_constraint") do
      local column = column_of(e)
      if column then
        found[#found + 1] = {
          message = ("NOT NULL of %s reads all rows of %s while nobody can use it")
            :format(said.name(column), said.relation(e.table)),
          hint = o.kind == "alter_column" and ctx:online(o) or in_sql,
        }
      end
    end
    return found
  end,
}
