--- What `upgrade` and `downgrade` have in common: from the words of the command
--- line to a checked plan, and from the plan to a run. Everything that can be
--- refused is refused before the first change.

local connecting = require "moontide.connecting"
local fault = require "moontide.fault"
local history = require "moontide.history"
local late = require "moontide.late"
local lfs = require "lfs"
local report = require "moontide.report"
local revision = require "moontide.revision"
local session = require "moontide.session"

-- Loaded while the server is busy with the connection, or only where there are steps.
local plan = late "moontide.plan"
local gate = late "moontide.gate"
local hooks = late "moontide.hooks"
local loading = late "moontide.loading"
local partial = late "moontide.partial"
local runner = late "moontide.runner"
local settings = late "moontide.transport.settings"

local migrate = {}

local function refuse_edited(rev, recorded, found)
  fault.raise("revision", ('revision "%s" was edited after it had been applied'):format(rev.id), {
    where = rev.path, revision = rev.id,
    detail = ("the log has checksum %s..., the file has %s..."):format(recorded:sub(1, 12), found:sub(1, 12)),
    hint = "Restore the file from version control and write a new revision for the change; or accept it as it is "
      .. "now: moontide repair accept " .. rev.id,
  })
end

-- Those that the version rows stand on; all, where a row has no file.
local function applied_of(graph, edited, rows)
  for _, id in ipairs(rows) do
    if not graph:get(id) then return edited end
  end
  local applied, list = #edited > 0 and graph:ancestors(rows) or {}, {}
  for _, item in ipairs(edited) do
    if applied[item.revision.id] then list[#list + 1] = item end
  end
  return list
end

--- Compare applied files with the checksums that the log has of them.
---@param graph table
---@param state moontide.State
---@return { revision: table, recorded: string, found: string }[] edited
function migrate.edited(graph, state)
  local edited = {}
  for id, record in pairs(state.recorded) do
    local rev = record.checksum and record.direction ~= "downgrade" and graph:get(id)
    local found = rev and revision.checksum(rev)
    if rev and found ~= record.checksum then
      edited[#edited + 1] = { revision = rev, recorded = record.checksum, found = found }
    end
  end
  table.sort(edited, function(a, b) return a.revision.order < b.revision.order end)
  return applied_of(graph, edited, state.rows)
end

local function check_edited(app, graph, state)
  local mode = app:config().checksums
  if mode == "ignore" then return end
  for _, item in ipairs(migrate.edited(graph, state)) do
    if mode ~= "warn" then refuse_edited(item.revision, item.recorded, item.found) end
    report.warn(('revision "%s" was edited after it had been applied'):format(item.revision.id),
      { where = item.revision.path })
  end
end

-- What the log says of this call of the program; `run` names it.
local function log_fields()
  local sys = require "moontide.runtime.sys"
  local run = sys.random(8):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  return { host = sys.hostname(), version = require "moontide.version", run = run }
end

local function run_options(app, transport, books, more)
  local door = gate.new(app:config().naming)
  local options = {
    transport = transport, history = books, gate = door, checksum = revision.checksum,
    autocommit = app:config().transaction == "none", safe = app:config().safe == "online",
    hook = hooks.of_steps(app:config(), door, more.context),
    log = log_fields(), recall = function(row) return require("moontide.backfill.joining").operation(app, row) end,
  }
  for key, item in pairs(more) do options[key] = item end
  options.context.sink = door
  options.load = loading.loader(app, options.context)
  return options
end

local function settings_of(config)
  return {
    statement_timeout = config.statement_timeout and settings.duration(config.statement_timeout),
    idle_in_transaction_session_timeout = settings.duration(config.idle_in_transaction_timeout),
    search_path = config.search_path and settings.search_path(config.search_path),
  }
end

-- A transport that executes, and what a run needs to go on after a lost connection.
local function executing(app, live, options)
  local config = app:config()
  local transport = require("moontide.transport.execute").new {
    db = live.db, settings = settings_of(config), lock_timeout = config.lock_timeout > 0 and config.lock_timeout or nil,
    directory = config.directory, dry = options.dry, joined = config.transaction == "run", pooled = live.pooled,
    deferring = not config.hooks, guard = function() live.lock:check() end,
    connect = function() return connecting.connect(config) end, patience = connecting.patience(config),
  }
  return transport
end

-- How a run reads again where the database stands: after a lost lock, and after a lost connection.
local function looking_again(app, live, run)
  run.retries = app:config().retries
  function run.reread(id) run.journal[id] = live:journal(id) end
  function run.reconnect()
    local state = live:reconnect(app:config())
    run.transport.db, run.journal = live.db, state.journal
    return live.db:exec(live.history:settled_statement(run.log.run))[1].settled, state.rows
  end
end

local function step_document(step)
  return {
    event = "step", direction = step.direction, revision = step.revision and step.revision.id,
    from = require("moontide.json").array(step.from), to = require("moontide.json").array(step.to),
    message = step.revision and step.revision.doc,
  }
end

local function announce_step(step)
  if report.is_json() then report.json(step_document(step)) end
end

local function finish_document(direction, steps, rows, dry)
  if not report.is_json() then return end
  local array = require("moontide.json").array
  report.json { event = "done", direction = direction, steps = #steps, rows = array(rows), dry_run = dry or nil }
end

local function finish_without_steps(direction, steps, rows, dry)
  report.info(#rows > 0 and ("nothing to do, the database is at %s"):format(table.concat(rows, ", "))
    or "nothing to do, the database is empty")
  finish_document(direction, steps, rows, dry)
end

local function show_warnings(steps)
  for _, warning in ipairs(steps.warnings) do report.warn(warning.message, warning) end
end

-- Most environments have no folder of repeatable objects.
local function add_repeatable(steps, direction, target, config, live)
  if not lfs.attributes(config.repeatable, "mode") then return end
  require("moontide.repeatable.plan").online(steps, direction, target, config, live)
end

-- Load the files of a plan, then run it.
local function carry_out(app, live, direction, steps, options)
  local config, rows = app:config(), live.state.rows
  if #steps == 0 then return finish_without_steps(direction, steps, rows, options.dry) end
  local transport = executing(app, live, options)
  local run = run_options(app, transport, live.history, {
    lock = live.lock, journal = live.state.journal, rows = rows,
    context = {
      tag = options.tag, dry = options.dry, server_version = live.db:server_version(),
      captured = loading.captured(live),
    },
  })
  looking_again(app, live, run)
  loading.rehearse(steps, run.load)
  if direction == "upgrade" then require("moontide.confirm").check(app, steps, run) end
  hooks.around(config, direction, steps, run.context, function() runner.run(steps, run, announce_step) end)
  if options.dry then report.info("dry run: everything was rolled back") end
  finish_document(direction, steps, steps[#steps].rows, options.dry)
end

--- Run an upgrade or a downgrade on the server.
---@param app moontide.App
---@param direction "upgrade"|"downgrade"
---@param target string
---@param options { tag?: string, dry?: boolean, plan?: "revert" }  revert: the target alone
function migrate.online(app, direction, target, options)
  local config = app:config()
  if target:find(":", 1, true) then
    fault.raise("usage", "a range of revisions is only for --sql", { hint = "Give the target revision alone." })
  end
  local started = session.start(config)
  local graph = app:graph()
  local live <close> = session.open(config, started)
  check_edited(app, graph, live.state)
  local rows = live.state.rows
  local steps = plan[options.plan or direction](graph, rows, target)
  if next(live.state.journal) then partial.check(graph, direction, steps, live.state.journal) end
  add_repeatable(steps, direction, target, config, live)
  show_warnings(steps)
  carry_out(app, live, direction, steps, options)
end

--- Put a repeatable object back to a version before.
---@param app moontide.App
---@param name string
---@param target? string  "-N" or "base"; the version before when left out
---@param options { tag?: string, dry?: boolean }
function migrate.restore(app, name, target, options)
  local live <close> = session.open(app:config())
  local steps = require("moontide.repeatable.plan").back(live, app:config(), name, target)
  carry_out(app, live, "downgrade", steps, options)
end

-- The version rows of a database that is at a revision.
local function rows_at(graph, from)
  local steps = plan.stamp(graph, {}, from)
  return #steps > 0 and steps[#steps].rows or {}
end

-- "from:to" of an offline run; an upgrade without a start begins at an empty database.
local function offline_range(direction, target)
  local from, to = target:match("^([^:]*):([^:]*)$")
  if from then return from ~= "" and from or "base", to end
  if direction == "downgrade" then
    fault.raise("usage", "downgrade with --sql requires <fromrev>:<torev>",
      { hint = "There is no database to ask, so name where the script starts, as in head:-1." })
  end
  return "base", target
end

--- Print the statements that create the bookkeeping tables.
---@param transport moontide.Transport
---@param books moontide.History
function migrate.create_tables(transport, books)
  transport:open()
  for _, sql in ipairs(books:create_statements()) do transport:send { sql = sql } end
  transport:close()
end

--- The steps of a run that begins at no database: "FROM:TO", or a target of an upgrade from an empty one.
---@param app moontide.App
---@param direction "upgrade"|"downgrade"
---@param target string
---@return table[] steps
---@return string[] rows  that it begins with
---@return string to
function migrate.steps_offline(app, direction, target)
  local from, to = offline_range(direction, target)
  local rows = rows_at(app:graph(), from)
  return plan[direction](app:graph(), rows, to), rows, to
end

--- What a run needs that has no server: its transport keeps or prints what others send.
---@param app moontide.App
---@param transport moontide.Transport
---@param rows string[]
---@param context { tag?: string, server_version?: integer }
---@return moontide.RunOptions
function migrate.without_server(app, transport, rows, context)
  context.offline = true
  return run_options(app, transport, history.open(app:config()), { rows = rows, context = context })
end

--- Print the script of an upgrade or a downgrade.
---@param app moontide.App
---@param direction "upgrade"|"downgrade"
---@param target string
---@param options { tag?: string }
function migrate.offline(app, direction, target, options)
  local steps, rows, to = migrate.steps_offline(app, direction, target)
  require("moontide.repeatable.plan").offline(steps, direction, to, app:config(), rows)
  local transport = require("moontide.transport.print").new {
    directory = app:config().directory, joined = app:config().transaction == "run",
    settings = settings_of(app:config()), skip_reads = options.skip_reads,
  }
  local run = migrate.without_server(app, transport, rows, { tag = options.tag })
  loading.rehearse(steps, run.load)
  if #rows == 0 then migrate.create_tables(transport, run.history) end
  runner.run(steps, run)
end

--- Compare what is committed of a partially applied revision with its file.
---@param app moontide.App
---@param rev moontide.Revision
---@param journal moontide.JournalRow[]
function migrate.replay(app, rev, journal)
  local door = gate.new(app:config().naming)
  local live = app:look()
  local load = loading.loader(app, { sink = door, captured = loading.captured(live) })
  runner.replay({ direction = journal[1].direction, revision = rev }, journal, {
    gate = door, load = load, history = live.history, server_version = live.db:server_version(),
    safe = app:config().safe == "online", autocommit = app:config().transaction == "none",
    hook = hooks.of_steps(app:config(), door, {}),
  })
end

-- What is committed of a partial revision says nothing once the rows were set by hand.
local function forget_passed(app, live, steps)
  local ids = partial.passed(app:graph(), steps, live.state.journal)
  steps[#steps].records = function(books)
    local list = {}
    for index, id in ipairs(ids) do list[index] = books:forget_statement(id) end
    return list
  end
  for _, id in ipairs(ids) do report.info(("forgot the segments of revision %s that are committed"):format(id)) end
end

--- Set the version rows without running anything.
---@param app moontide.App
---@param targets string[]
---@param options { purge?: boolean }
function migrate.stamp(app, targets, options)
  local live <close> = session.open(app:config())
  local rows = live.state.rows
  local steps = plan.stamp(app:graph(), rows, targets, { purge = options.purge })
  if #steps == 0 then return finish_without_steps("stamp", steps, rows) end
  forget_passed(app, live, steps)
  local transport = executing(app, live, {})
  local run = run_options(app, transport, live.history, { lock = live.lock, rows = rows, journal = {}, context = {} })
  looking_again(app, live, run)
  runner.stamp(steps, run, announce_step)
  finish_document("stamp", steps, steps[#steps].rows)
end

-- The one start that the targets of a printed stamp may have, and the targets.
local function stamp_range(targets)
  local start, ends = nil, {}
  for index, target in ipairs(targets) do
    local from, to = target:match("^([^:]*):([^:]*)$")
    if from and start and from ~= start then
      fault.raise("usage", "stamp with --sql only supports a single starting revision at a time",
        { hint = "Print one script for each start." })
    end
    start, ends[index] = from or start, to or target
  end
  return start or "base", ends
end

--- Print the script of a stamp.
---@param app moontide.App
---@param targets string[]
function migrate.stamp_offline(app, targets)
  local graph, books = app:graph(), history.open(app:config())
  local from, ends = stamp_range(targets)
  local rows = rows_at(graph, from)
  local steps = plan.stamp(graph, rows, ends, {})
  local transport = require("moontide.transport.print").new()
  if #rows == 0 then migrate.create_tables(transport, books) end
  runner.stamp(steps, run_options(app, transport, books, { rows = rows, context = { offline = true } }))
end

return migrate
