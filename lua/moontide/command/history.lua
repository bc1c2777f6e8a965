--- `moontide history`: the revisions, newest first.

local listing = require "moontide.listing"
local plan = require "moontide.plan"
local report = require "moontide.report"

local history = { name = "history", summary = "list the revisions, newest first" }

history.description = "Lists the revisions, newest first; with -v in full. The database is asked only with -i, "
  .. "or when the range names current."

function history.options(command)
  command:option("-r --rev-range", "only these: [FROM]:[TO], such as -3:current"):argname("FROM:TO")
  command:flag("-i --indicate-current", "mark what is applied, which asks the database")
end

local function as_set(list)
  local set = {}
  for _, item in ipairs(list) do set[item] = true end
  return set
end

function history.run(app, args)
  local graph, range = app:graph { check = true }, args.rev_range
  local asks = args.indicate_current or (range and range:find("current", 1, true))
  local rows = asks and app:applied() or nil
  local current = args.indicate_current and as_set(rows) or nil
  local revisions = plan.history(graph, range, rows)
  if report.is_json() then return report.json { revisions = listing.documents(graph, revisions, current) } end
  local options = { parents = true, labels = true, tree = true, doc = true, current = current }
  for _, rev in ipairs(revisions) do
    report.out(app.args.verbose and listing.entry(graph, rev, current) or listing.line(graph, rev, options))
  end
end

return history
