--- Before the last key is noted: transactions that have written to the table and are
--- still open may hold rows below it that nobody sees yet. They are waited for.

local fault = require "moontide.fault"
local report = require "moontide.report"
local sys = require "moontide.runtime.sys"

local writers = {}

-- Every relation of the tree, since rows that go in by the parent lock that as well. What runs in a prepared
-- transaction has no process.
local writers_sql = [[
SELECT l.virtualtransaction AS transaction, coalesce('process ' || l.pid, 'a prepared transaction')
    || coalesce(' (' || nullif(a.application_name, '') || ')', '')
    || coalesce(', ' || a.state || ' for ' || to_char(clock_timestamp() - a.xact_start, 'HH24:MI:SS'), '') AS words
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY (ARRAY[%s]::oid[])
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  AND l.pid IS DISTINCT FROM pg_backend_pid()
GROUP BY 1, 2 ORDER BY 2]]

local function look(db, leaves)
  local oids = {}
  for index, leaf in ipairs(leaves) do oids[index] = leaf.oid end
  return db:exec(writers_sql:format(table.concat(oids, ", ")))
end

-- Of those that were there at first, who still is.
local function remaining(waited, now)
  local left = {}
  for _, row in ipairs(now) do
    if waited[row.transaction] then left[#left + 1] = row.words end
  end
  return left
end

local function refuse(o, left)
  local message = 'backfill "%s": transactions that have written to the table are still open'
  fault.raise("operation", message:format(o.name), {
    where = o.where, operation = o.kind, detail = table.concat(left, "\n"),
    hint = ("Their rows may be passed over. End them and run the command again, or give wait_writers = N (%d) "
      .. "seconds; with 0 nobody is waited for."):format(o.wait_writers),
  })
end

--- Wait for the transactions that have written to the tables and are open now.
---@param db moontide.Db
---@param o table
---@param leaves { oid: integer }[]
function writers.wait(db, o, leaves)
  if #leaves == 0 or o.wait_writers == 0 then return end
  local waited, deadline, told = {}, sys.clock() + o.wait_writers, false
  local now = look(db, leaves)
  for _, row in ipairs(now) do waited[row.transaction] = true end
  repeat
    local left = remaining(waited, now)
    if #left == 0 then return end
    if not told then report.info(("backfill %s: waits for %s"):format(o.name, table.concat(left, "; "))) end
    told = true
    sys.sleep(0.1)
    now = look(db, leaves)
  until sys.clock() > deadline
  refuse(o, remaining(waited, now))
end

return writers
