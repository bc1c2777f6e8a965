--- A refresh keeps readers of the view out until the query is done. CONCURRENTLY needs a
--- unique index on the view.

local said = require "moontide.lint.said"

return {
  name = "refresh-not-concurrent",
  summary = "a materialized view is refreshed while readers wait",
  level = "warn",
  check = function(_, ctx)
    local found = {}
    for e in ctx:on_existing "refresh" do
      if not e.concurrently and not e.empty then
        found[#found + 1] = {
          message = ("the refresh keeps readers of %s out until it is done"):format(said.relation(e.table)),
          hint = "Give the view a unique index and refresh it with concurrently = true, in SQL CONCURRENTLY.",
        }
      end
    end
    return found
  end,
}
