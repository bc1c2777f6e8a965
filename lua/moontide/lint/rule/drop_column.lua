--- The data is lost, and programs that still name the column fail; those with a prepared
--- SELECT * fail once.

local said = require "moontide.lint.said"

return {
  name = "drop-column",
  summary = "a column is dropped with its data",
  level = "warn",
  check = function(_, ctx)
    local found = {}
    for e in ctx:on_existing "drop_column" do
      if not e.own then
        found[#found + 1] = {
          message = ("dropping %s of %s loses its data, and breaks programs that still use it"):format(
            said.name(e.name), said.relation(e.table)),
          hint = "Drop it in a release after the one that stops using it.",
        }
      end
    end
    return found
  end,
}
