--- `moontide heads`: the revisions that nothing follows.

local listing = require "moontide.listing"
local report = require "moontide.report"

local heads = { name = "heads", summary = "list the revisions that nothing follows" }

heads.description = "Lists the heads, one on a line; with -v in full. "
  .. "An effective head is one that another revision depends on. With --single, for continuous integration, "
  .. "the exit code is 1 when there are several, as after a git merge of two branches that both added a revision."

function heads.options(command)
  command:flag("--resolve-dependencies", "leave out the heads that others depend on")
  command:flag("--single", "exit with 1 when there is more than one")
end

local function names_of(revisions)
  local lines = {}
  for index, rev in ipairs(revisions) do lines[index] = ("%s in %s"):format(rev.id, rev.path) end
  return table.concat(lines, "\n")
end

-- The guard's answer: a new revision, or `upgrade head`, would not know which one is meant.
local function warn_several(revisions)
  report.warn(("there are %d heads, and there must be one"):format(#revisions), {
    detail = names_of(revisions),
    hint = "Put one branch on top of the other with `moontide rebase`, as long as it is not applied anywhere "
      .. "that counts, or join them with `moontide merge heads`; then commit the files.",
  })
end

local function print_lines(app, graph, revisions)
  for _, rev in ipairs(revisions) do
    report.out(app.args.verbose and listing.entry(graph, rev) or listing.line(graph, rev, { labels = true }))
  end
end

function heads.run(app, args)
  local graph = app:graph { check = true }
  local ids = args.resolve_dependencies and graph.real_heads or graph.heads
  local revisions = {}
  for index, id in ipairs(ids) do revisions[index] = graph:get(id) end
  if report.is_json() then
    report.json { heads = listing.documents(graph, revisions) }
  else
    print_lines(app, graph, revisions)
  end
  if not args.single or #revisions <= 1 then return 0 end
  warn_several(revisions)
  return 1
end

return heads
