--- `moontide log`: who applied what, when, how long it took, and how it ended.

local fault = require "moontide.fault"
local history = require "moontide.history"
local json = require "moontide.json"
local report = require "moontide.report"

local log = { name = "log", summary = "show who applied what, when, and how it ended" }

function log.options(command)
  command:argument("revision", "only what happened to this revision (an id or its beginning)"):args("?"):argname("REV")
  command:option("--limit", "how many of the newest entries"):argname("N"):default("50")
    :convert(function(text)
      local number = math.tointeger(tonumber(text))
      if number and number > 0 then return number end
      return nil, ("--limit needs a positive whole number, not '%s'"):format(text)
    end)
end

local columns = [[id, revision, direction, outcome, message, error, checksum, applied_by, host, moontide_version,
  to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS started_at,
  round(extract(epoch FROM finished_at - started_at)::numeric, 3)::float8 AS seconds]]

local function fetch(app, args)
  local live = app:look()
  if not live.exists then return {} end
  local sql = ("SELECT %s FROM %s WHERE starts_with(revision, $1) ORDER BY id DESC LIMIT $2")
    :format(columns, live.history.log)
  local ok, result = pcall(live.db.exec, live.db, sql, { args.revision or "", args.limit, n = 2 })
  if ok then return result end
  if history.is_missing(result) then return {} end
  error(fault.of(result), 0)
end

local function line(row)
  local outcome = row.outcome == "done" and report.style("done", "green") or report.style("failed", "red")
  return ("%s  %s  %-9s %s  %8.3f s  %s%s%s"):format(
    row.started_at:sub(1, 19):gsub("T", " "), report.style(row.revision, "yellow"), row.direction, outcome, row.seconds,
    row.applied_by, row.host and "@" .. row.host or "", row.message and row.message ~= "" and ", " .. row.message or "")
end

local function print_row(row)
  report.out(line(row))
  if row.error then report.out("    " .. row.error) end
  if report.is_verbose() and row.checksum then report.out("    sha256 " .. row.checksum) end
end

function log.run(app, args)
  local rows = fetch(app, args)
  if report.is_json() then return report.json { log = json.array(table.move(rows, 1, #rows, 1, {})) } end
  for _, row in ipairs(rows) do print_row(row) end
end

return log
