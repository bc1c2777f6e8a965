--- A program knows the old name or the new one, and while it is deployed both run. A view
--- of the old name in the same revision serves the old program.

local said = require "moontide.lint.said"

return {
  name = "rename-table",
  summary = "a table that programs use gets another name or schema",
  level = "warn",
  check = function(_, ctx)
    local found = {}
    for e in ctx:on_existing "rename_table" do
      if not e.replaced then
        found[#found + 1] = {
          message = ("renaming %s breaks programs that use the old name"):format(said.relation(e.table)),
          hint = "Create a view of the old name in the same revision, and drop it in a later release.",
        }
      end
    end
    return found
  end,
}
