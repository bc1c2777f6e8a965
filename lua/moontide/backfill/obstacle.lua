--- Who keeps chunks waiting for a lock: another session that has changed or locked one of
--- their rows. Only while a chunk waits does the server know, so it is remembered until the lane gets on.

local identity = require "moontide.backfill.identity"
local notice = require "moontide.backfill.notice"

local obstacle = {}

local sql = [[
SELECT DISTINCT ON (b.pid) b.pid, coalesce(nullif(b.application_name, ''), b.usename, '?') AS application,
  coalesce(b.state, b.backend_type, '?') AS state,
  coalesce(to_char(clock_timestamp() - b.xact_start, 'HH24:MI:SS'), '?') AS age,
  coalesce(regexp_replace(left(b.query, 80), '\s+', ' ', 'g'), '?') AS query
FROM pg_stat_activity w, LATERAL unnest(pg_blocking_pids(w.pid)) p (pid), pg_stat_activity b
WHERE w.wait_event_type = 'Lock' AND w.pid IN (%s) AND b.pid = p.pid AND b.pid NOT IN (%s) ORDER BY b.pid LIMIT 3]]

local function words_of(rows)
  local list = {}
  for index, row in ipairs(rows) do
    list[index] = ("process %d (%s), %s for %s: %s"):format(row.pid, row.application, row.state, row.age, row.query)
  end
  return table.concat(list, "\n")
end

local function is_held(run)
  for _, lane in pairs(run.staff) do
    if lane.blocked then return true end
  end
  return false
end

--- Look who it is. It is told once for each that is met.
---@param run moontide.BackfillRun
---@param query fun(sql: string): table
function obstacle.look(run, query)
  local pids = identity.pids(run.id)
  local rows = query(sql:format(pids, pids))
  if not rows[1] then
    if not is_held(run) then run.obstacle = nil end
    return
  end
  local before = run.obstacle
  run.obstacle = { pid = rows[1].pid, words = words_of(rows),
    brief = ("waits for a lock of process %d (%s)"):format(rows[1].pid, rows[1].application) }
  if not before or before.pid ~= rows[1].pid then notice.waits(run, run.obstacle.words) end
end

return obstacle
