--- A check is compared with every row while nobody can use the table. NOT VALID skips
--- that, and VALIDATE in a transaction of its own does it while others work.

local said = require "moontide.lint.said"

local in_column = "Add the column without check, then op.create_check_constraint with online = true."
local in_sql = "Add it NOT VALID, and VALIDATE CONSTRAINT it in a revision after; "
  .. "op.create_check_constraint with online = true does both."

local function reads(e)
  if e.kind == "add_column" then return e.column.check end
  return e.constraint.type == "check" and not e.constraint.not_valid
end

return {
  name = "check-reads-table",
  summary = "a check reads the table while nobody can use it",
  level = "error",
  check = function(o, ctx)
    local found = {}
    for e in ctx:on_existing("add_constraint", "add_column") do
      if reads(e) then
        found[#found + 1] = {
          message = ("the check is compared with all rows of %s while nobody can use it")
            :format(said.relation(e.table)),
          hint = o.kind == "create_check_constraint" and ctx:online(o)
            or e.kind == "add_column" and in_column or in_sql,
        }
      end
    end
    return found
  end,
}
