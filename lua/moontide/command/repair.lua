--- `moontide repair`: the ways out of every bad state.

local count = require "moontide.count"
local fault = require "moontide.fault"
local json = require "moontide.json"
local migrate = require "moontide.migrate"
local partial = require "moontide.partial"
local report = require "moontide.report"
local revision = require "moontide.revision"
local session = require "moontide.session"
local trouble = require "moontide.trouble"

local repair = { name = "repair", summary = "find what is wrong with the bookkeeping, and put it right" }

repair.description = [[Without arguments: lists what is wrong and exits with 1 if anything is.
finish REV   runs the rest of a partially applied revision
verify REV   compares what is committed of a partially applied revision with its file, and runs nothing
abandon REV  forgets what is committed of a partially applied revision; its objects stay as they are
accept REV   takes the file of an applied revision as it is now
forget ID    removes a version row that no file has; with --replace REV puts another in its place
indexes      drops invalid indexes that concurrent builds have left]]

function repair.options(command)
  command:argument("action", "what to do"):args("?"):choices {
    "list", "finish", "verify", "abandon", "accept", "forget", "indexes",
  }
  command:argument("revision", "the revision"):args("?"):argname("REV")
  command:option("--replace", "with forget: the revision that the database is at instead"):argname("REV")
end

local function needed(args)
  if args.revision then return args.revision end
  fault.raise("usage", ("repair %s needs a revision"):format(args.action), { hint = "`moontide repair` lists them." })
end

local function one_revision(app, args)
  local rev = app:graph():get(needed(args))
  if rev then return rev end
  local found = require("moontide.revspec").revision(app:graph(), args.revision, {})
  return found or fault.raise("graph", ('no revision "%s"'):format(args.revision))
end

local function partial_rows(live, id)
  local rows = live.state.journal[id]
  if rows then return rows end
  fault.raise("graph", ('revision "%s" is not partially applied'):format(id),
    { hint = "`moontide repair` lists what is wrong." })
end

local function log(live, id, direction, message, checksum)
  return live.history:log_statement {
    revision = id, direction = direction, outcome = "done", message = message, checksum = checksum,
    host = require("moontide.runtime.sys").hostname(), version = require "moontide.version",
  }
end

-- Statements of a repair, in one transaction that nobody else's run can overlap.
local function run(live, statements)
  local list = { { sql = "BEGIN" }, { sql = live.lock:fence_statement() } }
  for _, sql in ipairs(statements) do list[#list + 1] = { sql = sql } end
  list[#list + 1] = { sql = "COMMIT" }
  local ok, problem = pcall(live.db.pipeline, live.db, list)
  if ok then return end
  live.db:rollback()
  error(problem, 0)
end

-- What was done, as a line of progress or a document.
local function say(text, action, document)
  report.info(text)
  if not report.is_json() then return end
  document.action = action
  report.json(document)
end

local actions = {}

function actions.list(app)
  local found = trouble.find(app:graph(), app:look())
  if report.is_json() then
    report.json { troubles = json.array(found) }
  else
    for _, item in ipairs(found) do
      report.out(("%s %s: %s"):format(item.kind, report.style(item.name, "yellow"), item.text))
      if item.detail then report.out("    statement: " .. item.detail) end
      if item.way ~= "" then report.out("    moontide repair " .. item.way) end
    end
    if #found == 0 then report.info "nothing is wrong" end
  end
  return #found > 0 and 1 or 0
end

function actions.finish(app, args)
  local rev = one_revision(app, args)
  local rows = partial_rows(app:look(), rev.id)
  if rows[1].direction == "upgrade" then return migrate.online(app, "upgrade", rev.id, {}) end
  migrate.online(app, "downgrade", rev.id, { plan = "revert" })
end

function actions.verify(app, args)
  local rev = one_revision(app, args)
  local rows = partial_rows(app:look(), rev.id)
  migrate.replay(app, rev, rows)
  say(("the committed part of revision %s is as in its file"):format(rev.id), "verify",
    { revision = rev.id, segments = partial.committed(rows) })
end

-- A revision the downgrade of which is abandoned is still applied.
local function checksum_of_applied(live, rows)
  local record = live.state.recorded[rows[1].revision]
  return rows[1].direction == "downgrade" and record and record.checksum or nil
end

function actions.abandon(app, args)
  local live <close> = session.open(app:config())
  local id = needed(args)
  local rows = partial_rows(live, id)
  local segments = partial.committed(rows)
  local message = ("its %s was abandoned after %s"):format(rows[1].direction, count.of(segments, "segment"))
  run(live, { live.history:forget_statement(id), log(live, id, "stamp", message, checksum_of_applied(live, rows)) })
  say(("forgot %s of revision %s; what was made is still there"):format(count.of(segments, "segment"), id), "abandon",
    { revision = id, segments = segments })
end

function actions.accept(app, args)
  local live <close> = session.open(app:config())
  local rev = one_revision(app, args)
  local record = live.state.recorded[rev.id]
  if not record or record.direction == "downgrade" then
    fault.raise("graph", ('revision "%s" is not applied'):format(rev.id), { where = rev.path })
  end
  run(live, { log(live, rev.id, "stamp", "accepted the edited file", revision.checksum(rev)) })
  say(("accepted the file of revision %s as it is now"):format(rev.id), "accept",
    { revision = rev.id, checksum = revision.checksum(rev) })
end

function actions.forget(app, args)
  local live <close> = session.open(app:config())
  local id, replacement = needed(args), args.replace
  local is_row = table.concat(live.state.rows, " ") .. " "
  if not (" " .. is_row):find(" " .. id .. " ", 1, true) then
    fault.raise("graph", ('there is no version row "%s"'):format(id))
  end
  if replacement then replacement = one_revision(app, { revision = replacement }).id end
  local change = replacement and { kind = "update", from = id, to = replacement } or { kind = "delete", id = id }
  run(live, { live.history:change_statement(change, true), log(live, id, "stamp", "removed the version row") })
  local rest = replacement and ", the database is at " .. replacement or ""
  say(("removed the version row %s%s"):format(id, rest), "forget", { revision = id, replacement = replacement })
end

function actions.indexes(app)
  local live <close> = session.open(app:config())
  local dropped = {}
  for _, item in ipairs(trouble.find(app:graph(), live)) do
    if item.kind == "invalid_index" then
      live.db:exec("DROP INDEX CONCURRENTLY " .. item.name)
      report.info("dropped the invalid index " .. item.name)
      dropped[#dropped + 1] = item.name
    end
  end
  if report.is_json() then report.json { action = "indexes", dropped = json.array(dropped) } end
end

function repair.run(app, args)
  args.action = args.action or "list"
  return actions[args.action](app, args)
end

return repair
