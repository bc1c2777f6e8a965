--- A column whose value differs from row to row writes the table anew while nobody can
--- use it. A constant, and now(), are kept in the catalog.

local said = require "moontide.lint.said"

local in_batches = "Add it nullable and without that, set the default, fill the rows with op.backfill, "
  .. "then op.alter_column with nullable = false, online = true."
local generated = "Use an ordinary column that a trigger fills, or on PostgreSQL 18 a virtual one."

local function reason(e)
  local c = e.column
  if c.identity then return "an identity column" end
  if c.type:find("SERIAL", 1, true) then return "a serial column" end
  if c.generated == "stored" then return "a stored generated column", generated end
  return e.volatile and ("a default with %s()"):format(e.volatile)
end

return {
  name = "column-rewrites-table",
  summary = "a new column writes the table anew while nobody can use it",
  level = "error",
  check = function(_, ctx)
    local found = {}
    for e in ctx:on_existing "add_column" do
      local what, hint = reason(e)
      if what then
        found[#found + 1] = {
          message = ("%s writes %s anew while nobody can use it"):format(what, said.relation(e.table)),
          hint = hint or in_batches,
        }
      end
    end
    return found
  end,
}
