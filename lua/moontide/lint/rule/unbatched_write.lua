--- An UPDATE or DELETE of all rows is one long transaction: its row locks, its dead rows
--- and the locks of the statements before it stay until it ends. A condition on a
--- column that the revision has just added leaves nobody out.

local said = require "moontide.lint.said"

return {
  name = "unbatched-write",
  summary = "all rows are changed in one transaction",
  level = "warn",
  check = function(_, ctx)
    local found = {}
    for e in ctx:on_existing("update", "delete") do
      if e.whole then
        found[#found + 1] = {
          message = ("%s changes all rows of %s in one transaction"):format(e.kind:upper(), said.relation(e.table)),
          hint = "Use op.backfill, which commits in batches and continues where it stopped.",
        }
      end
    end
    return found
  end,
}
