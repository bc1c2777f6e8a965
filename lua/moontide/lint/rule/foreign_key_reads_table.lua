--- A foreign key is compared with every row while writers of both tables wait. A new
--- column without a default has nothing to compare.

local said = require "moontide.lint.said"

local in_column = "Add the column without references, then op.create_foreign_key with online = true."
local in_sql = "Add it NOT VALID, and VALIDATE CONSTRAINT it in a revision after; "
  .. "op.create_foreign_key with online = true does both."

local function referent(e)
  if e.kind == "add_column" then
    local default = e.column.default
    local has_value = default and default[1] and default[1].text ~= "NULL"
    return has_value and e.column.references
  end
  return e.constraint.type == "foreign key" and not e.constraint.not_valid and e.constraint.referent
end

return {
  name = "foreign-key-reads-table",
  summary = "a foreign key is compared with all rows while writers of both tables wait",
  level = "error",
  check = function(o, ctx)
    local found = {}
    for e in ctx:on_existing("add_constraint", "add_column") do
      local parent = referent(e)
      if parent then
        found[#found + 1] = {
          message = ("the foreign key is compared with all rows of %s while writers of it and of %s wait")
            :format(said.relation(e.table), said.relation(parent)),
          hint = o.kind == "create_foreign_key" and ctx:online(o) or e.kind == "add_column" and in_column or in_sql,
        }
      end
    end
    return found
  end,
}
