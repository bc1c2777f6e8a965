--- `moontide downgrade`: revert revisions down to a target.

local fault = require "moontide.fault"
local migrate = require "moontide.migrate"
local report = require "moontide.report"

local downgrade = { name = "downgrade", summary = "revert revisions down to a target" }

downgrade.over_targets = "changes"

downgrade.description = "Reverts the revisions above REV, newest first, each in a transaction of its own. "
  .. "With --sql the script of FROM:TO is printed instead. With --repeatable the object of that name is put back "
  .. "to the version before, or with -N to the version so many before; base removes it."

function downgrade.options(command)
  command:argument("revision", "the target: an identifier, base, -N, label@base ..."):args("?")
  command:flag("--sql", "print the SQL script of FROM:TO, without a database")
  command:flag("--skip-reads", "with --sql: reads answer nothing, and a comment stands in their place")
  command:option("--repeatable", "put this repeatable object back instead"):argname("NAME")
  command:flag("--dry-run", "run everything in one transaction and roll it back")
  command:option("--tag", "a text for context.tag"):argname("TEXT")
  require "moontide.fleet.options" (command, true)
end

local function check_arguments(args)
  if args.repeatable and args.sql then
    fault.raise("usage", "--repeatable cannot be printed as a script", {
      hint = "The text of the version before is in the database; --dry-run -v shows what would run.",
    })
  elseif not args.repeatable and not args.revision then
    fault.raise("usage", 'missing argument "revision"', { hint = "Name the target, for example -1 or base." })
  end
end

function downgrade.run(app, args)
  check_arguments(args)
  local options = { tag = args.tag, dry = args.dry_run }
  if args.repeatable then return migrate.restore(app, args.repeatable, args.revision, options) end
  if args.sql then return report.script(function() migrate.offline(app, "downgrade", args.revision, args) end) end
  migrate.online(app, "downgrade", args.revision, options)
end

return downgrade
