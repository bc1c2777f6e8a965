--- `moontide upgrade`: apply revisions up to a target.

local migrate = require "moontide.migrate"
local report = require "moontide.report"

local upgrade = { name = "upgrade", summary = "apply revisions up to a target" }

upgrade.over_targets = "changes"

upgrade.description = "Applies the revisions between the database and REV, each in a transaction of its own. "
  .. "With --sql the script is printed instead, from an empty database or from FROM as in FROM:TO."

function upgrade.options(command)
  command:argument("revision", "the target: an identifier, head, heads, +N, label@head ..."):args("?")
  command:flag("--sql", "print the SQL script, without a database")
  command:flag("--skip-reads", "with --sql: reads answer nothing, and a comment stands in their place")
  command:flag("--dry-run", "run everything in one transaction and roll it back")
  command:option("--tag", "a text for context.tag"):argname("TEXT")
  require "moontide.fleet.options" (command, true)
end

function upgrade.run(app, args)
  local target = args.revision or "head"
  if args.sql then return report.script(function() migrate.offline(app, "upgrade", target, args) end) end
  migrate.online(app, "upgrade", target, { tag = args.tag, dry = args.dry_run })
end

return upgrade
