--- A NOT NULL column without a value fails as soon as there is a row, and before that
--- breaks inserts of programs that do not know it.

local said = require "moontide.lint.said"

local function has_value(c)
  return c.default or c.identity or c.generated or c.type:find("SERIAL", 1, true)
end

return {
  name = "column-needs-default",
  summary = "a NOT NULL column without a default fails where there are rows",
  level = "error",
  check = function(_, ctx)
    local found = {}
    for e in ctx:on_existing "add_column" do
      if e.column.not_null and not has_value(e.column) then
        found[#found + 1] = {
          message = ("NOT NULL column %s has no default and cannot be added where %s has rows")
            :format(said.name(e.name), said.relation(e.table)),
          hint = "Give it a default, or add it nullable, fill it with op.backfill, "
            .. "then op.alter_column with nullable = false, online = true.",
        }
      end
    end
    return found
  end,
}
