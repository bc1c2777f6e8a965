--- `moontide lint`: hazards of revisions, before they are run.

local migrate = require "moontide.migrate"
local report = require "moontide.report"

local lint = { name = "lint", summary = "find hazards in revisions, with the safe way to do it" }

lint.description = "Looks at the revisions that the database has not applied yet, up to REV: what keeps others "
  .. "waiting, loses data or breaks running programs. FROM:TO and --all look at files alone, without a database, as "
  .. "does a project without a database URL. Nothing is run. Exits with 1 when it finds an error. "
  .. "A comment `-- lint: allow RULE because ...` above a call says that it is meant."

local formats = { "text", "json", "sarif", "github" }

function lint.options(command)
  command:argument("revision", "up to this one, default heads; or FROM:TO"):args("?")
  command:flag("--all", "all revisions, without a database")
  command:option("--format", "text, json, sarif or github"):argname("FORMAT"):choices(formats)
end

local function refuse_both()
  require("moontide.fault").raise("usage", "a range of revisions and --all cannot be given together")
end

local function is_offline(app, args)
  local is_range = args.revision and args.revision:find(":", 1, true)
  if args.all and is_range then refuse_both() end
  if args.all or is_range then return true end
  if app:config().has_url then return false end
  report.info("there is no database URL: all revisions are looked at")
  return true
end

-- The revisions that the database has not applied.
local function pending(app, target)
  local live = app:look()
  local rows, version = live.state.rows, live.db:server_version()
  local steps = require("moontide.plan").upgrade(app:graph(), rows, target)
  return steps, rows, version, require("moontide.lint.server").new(live.db)
end

local function steps_of(app, args)
  local target = args.revision or "heads"
  if not is_offline(app, args) then return pending(app, target) end
  local steps, rows = migrate.steps_offline(app, "upgrade", target)
  return steps, rows
end

local function collected(app, steps, rows, version)
  local collect, config = require "moontide.lint.collect", app:config()
  local transport = collect.transport {
    joined = config.transaction == "run", server_version = version, directory = config.directory,
  }
  local run = migrate.without_server(app, transport, rows, { server_version = version })
  require("moontide.loading").rehearse(steps, run.load)
  return collect.run(steps, run)
end

local function count(findings, level)
  local number = 0
  for _, found in ipairs(findings) do number = number + (found.level == level and 1 or 0) end
  return number
end

local function format_of(args)
  return args.format or report.is_json() and "json" or "text"
end

---@class moontide.LintResult
---@field findings moontide.Finding[]
---@field allowed moontide.Finding[]      by comments
---@field collected moontide.Collected[]  the revisions that were looked at
---@field errors integer
---@field warnings integer

function lint.run(app, args)
  local steps, rows, version, server = steps_of(app, args)
  local list = collected(app, steps, rows, version)
  local findings, allowed = require("moontide.lint.judge").of(list, {
    levels = app:config().lint, server = server, server_version = version,
  })
  local result = {
    findings = findings, allowed = allowed, collected = list,
    errors = count(findings, "error"), warnings = count(findings, "warn"),
  }
  require("moontide.lint.format." .. format_of(args)).write(result)
  return result.errors > 0 and 1 or nil
end

return lint
