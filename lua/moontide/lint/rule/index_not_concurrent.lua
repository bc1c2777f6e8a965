--- CREATE INDEX reads the whole table under a lock that keeps writers out. On a
--- partitioned table ON ONLY builds nothing, and is the first step of the safe way.

local said = require "moontide.lint.said"

return {
  name = "index-not-concurrent",
  summary = "an index is built while writers wait",
  level = "error",
  check = function(o, ctx)
    local found = {}
    for e in ctx:on_existing "create_index" do
      if not e.concurrently and not e.only then
        found[#found + 1] = {
          message = ("building the index keeps writers of %s out until it is done"):format(said.relation(e.table)),
          hint = o.kind == "create_index" and ctx:online(o)
            or "Build it by itself: op.create_index with online = true, in SQL CREATE INDEX CONCURRENTLY.",
        }
      end
    end
    return found
  end,
}
