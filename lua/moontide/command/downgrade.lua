--- `moontide downgrade`: revert revisions down to a target.

local migrate = require "moontide.migrate"

local downgrade = { name = "downgrade", summary = "revert revisions down to a target" }

downgrade.description = "Reverts the revisions above REV, newest first, each in a transaction of its own. "
  .. "With --sql the script of FROM:TO is printed instead."

function downgrade.options(command)
  command:argument("revision", "the target: an identifier, base, -N, label@base ...")
  command:flag("--sql", "print the SQL script of FROM:TO, without a database")
  command:flag("--dry-run", "run everything in one transaction and roll it back")
  command:option("--tag", "a text for context.tag"):argname("TEXT")
end

function downgrade.run(app, args)
  if args.sql then return migrate.offline(app, "downgrade", args.revision, args) end
  migrate.online(app, "downgrade", args.revision, { tag = args.tag, dry = args.dry_run })
end

return downgrade
