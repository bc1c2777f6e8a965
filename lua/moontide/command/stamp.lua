--- `moontide stamp`: set the version rows without running anything.

local fault = require "moontide.fault"
local migrate = require "moontide.migrate"
local report = require "moontide.report"

local stamp = { name = "stamp", summary = "set the applied revisions without running anything" }

stamp.over_targets = "changes"

stamp.description = "Makes the version rows say that the database is at REV. Nothing is run. "
  .. "With --purge all rows are removed first, known or not."

function stamp.options(command)
  command:argument("revisions", "the revisions: identifiers, heads, base ..."):args("+"):argname("REV")
  command:flag("--sql", "print the SQL script, without a database; REV may be FROM:TO")
  command:flag("--purge", "remove all version rows first")
  command:option("--tag", "a text for context.tag"):argname("TEXT")
  require "moontide.fleet.options" (command, true)
end

function stamp.run(app, args)
  if args.sql and args.purge then
    fault.raise("usage", "cannot use --purge with --sql", { hint = "A script cannot know which rows there are." })
  end
  if args.sql then return report.script(function() migrate.stamp_offline(app, args.revisions) end) end
  migrate.stamp(app, args.revisions, { purge = args.purge })
end

return stamp
