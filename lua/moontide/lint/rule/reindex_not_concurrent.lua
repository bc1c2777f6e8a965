--- REINDEX keeps writers out, and readers that would use the index.

local said = require "moontide.lint.said"

return {
  name = "reindex-not-concurrent",
  summary = "an index is built again while others wait",
  level = "error",
  check = function(_, ctx)
    local found = {}
    for e in ctx:on_existing "reindex" do
      if not e.concurrently then
        found[#found + 1] = {
          message = ("REINDEX of %s keeps writers out, and queries that would use the index"):format(said.name(e.name)),
          hint = "Write REINDEX ... CONCURRENTLY.",
        }
      end
    end
    return found
  end,
}
