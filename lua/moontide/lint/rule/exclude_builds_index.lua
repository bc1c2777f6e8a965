--- There is no online way to an exclusion constraint.

local said = require "moontide.lint.said"

return {
  name = "exclude-builds-index",
  summary = "an exclusion constraint builds its index while nobody can use the table",
  level = "error",
  check = function(_, ctx)
    local found = {}
    for e in ctx:on_existing "add_constraint" do
      if e.constraint.type == "exclude" then
        found[#found + 1] = {
          message = ("the exclusion constraint builds an index while nobody can use %s"):format(said.relation(e.table)),
          hint = "PostgreSQL has no online way: do it while the table is small, or move the rows to a new one.",
        }
      end
    end
    return found
  end,
}
