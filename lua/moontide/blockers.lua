--- Who is in the way of a lock: the other transactions that hold a conflicting one
--- on the relations of an operation, or, where these are not known, old transactions.

local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"

local blockers = {}

local columns = [[a.pid, coalesce(nullif(a.application_name, ''), '?') AS application, a.state,
  to_char(clock_timestamp() - a.xact_start, 'HH24:MI:SS') AS age, left(a.query, 80) AS query]]

local on_relations = "SELECT DISTINCT " .. columns .. [[
 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.relation = ANY (ARRAY[%s]::regclass[]::oid[]) AND l.pid <> pg_backend_pid() LIMIT 3]]

local old = "SELECT " .. columns .. [[
 FROM pg_stat_activity a WHERE a.pid <> pg_backend_pid() AND a.datname = current_database()
  AND a.backend_type = 'client backend' AND a.xact_start < clock_timestamp() - interval '100 ms'
ORDER BY a.xact_start LIMIT 3]]

local function query_of(o)
  local relations = {}
  for index, lock in ipairs(o and operation.locks(o) or {}) do
    relations[index] = ("to_regclass(%s)"):format(quote.literal(lock.relation))
  end
  return #relations > 0 and on_relations:format(table.concat(relations, ", ")) or old
end

local function line(row)
  return ("process %d (%s), %s for %s: %s"):format(row.pid, row.application, row.state or "?", row.age or "?",
    (row.query or ""):gsub("%s+", " "))
end

--- In words, a line each, who blocks; nil when nobody is seen (any more).
---@param db moontide.Db
---@param o? moontide.Operation  the operation that waited
---@return string?
function blockers.describe(db, o)
  local ok, rows = pcall(db.exec, db, query_of(o))
  if not ok or #rows == 0 then return nil end
  local lines = {}
  for index, row in ipairs(rows) do lines[index] = line(row) end
  return table.concat(lines, "\n")
end

return blockers
