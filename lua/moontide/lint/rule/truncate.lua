--- TRUNCATE cannot be taken back once the transaction is over.

local said = require "moontide.lint.said"

return {
  name = "truncate",
  summary = "a table is emptied",
  level = "warn",
  check = function(_, ctx)
    local found = {}
    for e in ctx:on_existing "truncate" do
      found[#found + 1] = {
        message = ("TRUNCATE loses all rows of %s"):format(said.relation(e.table)),
        hint = "Keep what may be needed: op.backfill with delete = true, into = ... moves rows in batches.",
      }
    end
    return found
  end,
}
