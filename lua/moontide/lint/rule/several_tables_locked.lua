--- Locks are kept until the end of the transaction: the first table waits for all that is
--- done to the others, and two transactions in different order wait for each other.

local said = require "moontide.lint.said"

return {
  name = "several-tables-locked",
  summary = "one transaction keeps everybody from several tables",
  level = "warn",
  check = function(_, ctx)
    for _, e in ipairs(ctx.effects) do
      if e.beside then
        return {
          message = ("%s is locked while the transaction keeps everybody from %s")
            :format(said.relation(e.table), said.relation(e.beside)),
          hint = "Change one table in a revision, or commit between them with op.transaction(function() ... end).",
        }
      end
    end
  end,
}
