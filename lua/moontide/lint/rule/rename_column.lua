--- A program knows the old name or the new one, and while it is deployed both run.

local said = require "moontide.lint.said"

return {
  name = "rename-column",
  summary = "a column that programs use gets another name",
  level = "warn",
  check = function(_, ctx)
    local found = {}
    for e in ctx:on_existing "rename_column" do
      if not e.own then
        found[#found + 1] = {
          message = ("renaming %s of %s breaks programs that use the old name"):format(
            said.name(e.name), said.relation(e.table)),
          hint = "Add a column of the new name, fill it with op.backfill, drop the old one in a later release.",
        }
      end
    end
    return found
  end,
}
