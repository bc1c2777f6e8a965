--- `moontide ensure-version`: create the bookkeeping tables where they are missing.

local history = require "moontide.history"
local report = require "moontide.report"
local session = require "moontide.session"

local ensure_version = { name = "ensure-version", summary = "create the bookkeeping tables" }

ensure_version.over_targets = "changes"

function ensure_version.options(command)
  command:flag("--sql", "print the SQL script, without a database")
  require "moontide.fleet.options" (command, true)
end

local function print_script(app)
  local transport = require("moontide.transport.print").new()
  require("moontide.migrate").create_tables(transport, history.open(app:config()))
end

function ensure_version.run(app, args)
  if args.sql then return report.script(function() print_script(app) end) end
  local live <close> = session.open(app:config())
  report.info("the bookkeeping tables are in place: " .. live.history.version)
  if report.is_json() then report.json { version_table = live.history.version, log_table = live.history.log } end
end

return ensure_version
