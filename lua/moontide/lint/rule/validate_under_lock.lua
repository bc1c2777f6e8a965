--- VALIDATE lets others work, unless the transaction holds a lock from before: then the
--- whole table is read under that.

local said = require "moontide.lint.said"

return {
  name = "validate-under-lock",
  summary = "a constraint is validated while the transaction keeps others out",
  level = "error",
  check = function(_, ctx)
    local found = {}
    for e in ctx:on_existing "validate_constraint" do
      if e.held then
        found[#found + 1] = {
          message = ("validating %s reads %s while the transaction keeps others from it")
            :format(said.name(e.name), said.relation(e.table)),
          hint = "Validate it in a revision of its own, or in op.transaction(function() ... end), which commits first.",
        }
      end
    end
    return found
  end,
}
