--- `moontide revision`: write a new revision file.

local draft = require "moontide.draft"
local plan = require "moontide.plan"

local revision = { name = "revision", summary = "write a new revision file" }

revision.description = "Writes a new revision file on top of the head and runs the post-write hooks of env.lua on it. "
  .. "When a hook fails the file is kept and the exit code is 1. With --autogenerate the functions hold what differs "
  .. "between the database and the models; where nothing differs nothing is written."

function revision.options(command)
  command:option("-m --message", "what the revision does; its first line becomes part of the file name"):argname("TEXT")
  command:option("--head", "the revision to build on; base for a new root"):argname("REV")
  command:flag("--splice", "allow a --head that is not a head, which starts a branch")
  command:option("--branch-label", "a name for the branch, repeatable"):argname("LABEL"):count("*")
  command:option("--depends-on", "a revision that must be applied before, repeatable"):argname("REV"):count("*")
  command:option("--rev-id", "the identifier, instead of a random one"):argname("ID")
  command:flag("--sql", "write an SQL file, with sections for upgrade and downgrade")
  command:flag("--autogenerate", "write what makes the database what the models say, and the way back")
  command:option("--from", "with --autogenerate: this database or SQL file instead of the models"):argname("URL|FILE")
  command:option("--scratch", "with --autogenerate: an empty database to build the models in"):argname("URL")
  command:option("--version-path", "the version location to write to"):argname("DIR")
end

local function check_options(args)
  local alone = not args.autogenerate and (args.from and "--from" or args.scratch and "--scratch")
  if not alone then return end
  require("moontide.fault").raise("usage", alone .. " is for revisions that are generated",
    { hint = "Say --autogenerate, too." })
end

local function write(script, new)
  local passed, path = draft.write(script, new)
  if new.document then require("moontide.autogenerate").warn(path, new) end
  return passed and 0 or 1
end

function revision.run(app, args)
  check_options(args)
  draft.make_locations(app:config())
  local script = app:script { check = true }
  local new = {
    id = args.rev_id, message = args.message, version_path = args.version_path, labels = args.branch_label,
    sql = args.sql,
    down = plan.parents(script.graph, args.head or "head", { splice = args.splice }),
    deps = plan.dependencies(script.graph, args.depends_on or {}),
  }
  if not args.autogenerate then return write(script, new) end
  local generated = require("moontide.autogenerate").generate(app, args)
  if not generated then return 0 end
  for key, field in pairs(generated) do new[key] = field end
  return write(script, new)
end

return revision
