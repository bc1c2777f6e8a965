--- `moontide check`: whether the database is what the models say.

local report = require "moontide.report"

local check = { name = "check", summary = "compare the database with the models" }

check.description = "Lists what the models have more, less or otherwise than the database, and the operations that "
  .. "would make them equal. Exits with 1 when there are differences. The models are built on the server in a "
  .. "transaction that is rolled back, so that all texts are compared as the server prints them."

function check.options(command)
  command:option("--from", "compare with this database or SQL file instead of the models"):argname("URL|FILE")
  command:option("--scratch", "an empty database to build the models in"):argname("URL")
end

function check.run(app, args)
  local comparing <close> = require("moontide.comparing").new(app, args.scratch)
  local way = comparing:way(comparing:wanted(args.from))
  local found = way.found
  local listing = require "moontide.diff.listing"
  if report.is_json() then
    report.json(listing.document(found, way.renamed))
  else
    listing.warn_unmodelled(found.from)
    if way:is_empty() then report.out("No differences: the database is what the models say.")
    else listing.print(found, way.renamed) end
  end
  return way:is_empty() and 0 or 1
end

return check
