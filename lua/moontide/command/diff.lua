--- `moontide diff`: what differs between two databases, models, SQL files or revisions.

local report = require "moontide.report"

local diff = { name = "diff", summary = "show what differs between two databases, models or revisions" }

diff.description = "A and B are URLs of databases, model files (.lua), SQL files (.sql) that create everything, or "
  .. "revisions, which stand for what an empty database has after an upgrade to them. Prints what B has more, less or "
  .. "otherwise than A, and the operations that make B of A. All but databases are built on the server in a "
  .. "transaction that is rolled back. Exits with 1 when there are differences."

function diff.options(command)
  command:argument("from", "the first"):argname("A")
  command:argument("to", "the second"):argname("B")
  command:option("--scratch", "an empty database to build the others in"):argname("URL")
end

function diff.run(app, args)
  local comparing <close> = require("moontide.comparing").new(app, args.scratch)
  local from, to = comparing:sides(args.from, args.to)
  local found = require("moontide.diff").new(from, to)
  local listing = require "moontide.diff.listing"
  if report.is_json() then
    report.json(listing.document(found))
  elseif #found.differences > 0 then
    listing.print(found)
  end
  return #found.differences > 0 and 1 or 0
end

return diff
