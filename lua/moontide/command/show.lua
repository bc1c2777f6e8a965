--- `moontide show`: revisions in full.

local listing = require "moontide.listing"
local report = require "moontide.report"
local revspec = require "moontide.revspec"

local show = { name = "show", summary = "show revisions in full" }

show.description = "Shows the revisions that REV names: identifiers, labels, head, heads, or current, "
  .. "which asks the database."

function show.options(command)
  command:argument("revision", "an identifier, head, heads, current ..."):argname("REV")
end

-- Only "current" needs the database.
local function applied(app, text)
  return text:find("current", 1, true) and app:applied() or nil
end

function show.run(app, args)
  local graph = app:graph { check = true }
  local revisions = revspec.revisions(graph, args.revision, applied(app, args.revision))
  if report.is_json() then return report.json { revisions = listing.documents(graph, revisions) } end
  for _, rev in ipairs(revisions) do report.out(listing.entry(graph, rev)) end
end

return show
