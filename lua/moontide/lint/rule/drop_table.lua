--- The data is lost, and programs that still name the table fail.

local said = require "moontide.lint.said"

return {
  name = "drop-table",
  summary = "a table is dropped with its rows",
  level = "warn",
  check = function(_, ctx)
    local found = {}
    for e in ctx:on_existing "drop_table" do
      found[#found + 1] = {
        message = ("dropping %s loses its rows, and breaks programs that still use it"):format(said.relation(e.table)),
        hint = "Drop it in a release after the one that stops using it; rename it first where that is in doubt.",
      }
    end
    return found
  end,
}
