--- `moontide branches`: the revisions from which branches start.

local listing = require "moontide.listing"
local report = require "moontide.report"

local branches = { name = "branches", summary = "list the revisions from which branches start" }

branches.description = "Lists every branch point with the revisions that follow it; with -v in full."

local function branch_points(graph)
  local points = {}
  for _, rev in ipairs(graph:walk()) do
    if #graph:children(rev.id) > 1 then points[#points + 1] = rev end
  end
  return points
end

local function print_point(graph, rev, verbose)
  report.out(verbose and listing.entry(graph, rev) or listing.line(graph, rev, { labels = true, tree = true }))
  for _, id in ipairs(graph:children(rev.id)) do
    local line = listing.line(graph, graph:get(id), { labels = true, tree = true, doc = verbose })
    report.out((" "):rep(#rev.id) .. " -> " .. line)
  end
  report.out("")
end

function branches.run(app)
  local graph = app:graph { check = true }
  local points = branch_points(graph)
  if report.is_json() then return report.json { branches = listing.documents(graph, points) } end
  for _, rev in ipairs(points) do print_point(graph, rev, app.args.verbose) end
end

return branches
