--- VACUUM FULL, CLUSTER, SET LOGGED and their like copy the table while nobody can use it.

local said = require "moontide.lint.said"

return {
  name = "command-rewrites-table",
  summary = "a command copies the table while nobody can use it",
  level = "error",
  check = function(_, ctx)
    local found = {}
    for e in ctx:on_existing "rewrite" do
      found[#found + 1] = {
        message = ("%s copies %s while nobody can use it"):format(e.command, said.relation(e.table)),
        hint = "Do it in a maintenance window; pg_repack makes a table small again while it is used.",
      }
    end
    return found
  end,
}
