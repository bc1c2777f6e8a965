--- `moontide heads`: the revisions that nothing follows.

local listing = require "moontide.listing"
local report = require "moontide.report"

local heads = { name = "heads", summary = "list the revisions that nothing follows" }

heads.description = "Lists the heads, one on a line; with -v in full. "
  .. "An effective head is one that another revision depends on."

function heads.options(command)
  command:flag("--resolve-dependencies", "leave out the heads that others depend on")
end

function heads.run(app, args)
  local graph = app:graph { check = true }
  local ids = args.resolve_dependencies and graph.real_heads or graph.heads
  local revisions = {}
  for index, id in ipairs(ids) do revisions[index] = graph:get(id) end
  if report.is_json() then return report.json { heads = listing.documents(graph, revisions) } end
  for _, rev in ipairs(revisions) do
    report.out(app.args.verbose and listing.entry(graph, rev) or listing.line(graph, rev, { labels = true }))
  end
end

return heads
