--- LOCK TABLE is kept until the end of the transaction.

local said = require "moontide.lint.said"

local harmless = { ["ACCESS SHARE"] = true, ["ROW SHARE"] = true, ["ROW EXCLUSIVE"] = true }

return {
  name = "lock-table",
  summary = "LOCK TABLE keeps others waiting",
  level = "warn",
  check = function(_, ctx)
    local found = {}
    for e in ctx:on_existing "lock_table" do
      if not harmless[e.mode] then
        found[#found + 1] = {
          message = ("LOCK TABLE keeps others from %s until the transaction ends"):format(said.relation(e.table)),
          hint = "Leave it out where the statement takes the lock it needs; else keep the transaction short.",
        }
      end
    end
    return found
  end,
}
