--- Who is in the way of a lock: the other transactions that hold a conflicting one
--- on the relations of an operation, or, where these are not known, old transactions.

local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local sys = require "moontide.runtime.sys"

local blockers = {}

local columns = [[a.pid, coalesce(nullif(a.application_name, ''), '?') AS application, a.state,
  to_char(clock_timestamp() - a.xact_start, 'HH24:MI:SS') AS age, left(a.query, 80) AS query]]

local on_relations = "SELECT DISTINCT " .. columns .. [[
 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.relation = ANY (ARRAY[%s]::regclass[]::oid[]) AND l.pid <> pg_backend_pid()
  AND a.xact_start <= clock_timestamp() - interval '%d ms' LIMIT 3]]

local old = "SELECT " .. columns .. [[
 FROM pg_stat_activity a WHERE a.pid <> pg_backend_pid() AND a.datname = current_database()
  AND a.backend_type = 'client backend' AND a.xact_start <= clock_timestamp() - interval '%d ms'
ORDER BY a.xact_start LIMIT 3]]

-- Transactions that are younger than this end by themselves; those who hold a lock longer are in the way.
local brief, long = 100, 1000

local function query_of(o, age)
  local relations = {}
  for index, lock in ipairs(o and operation.locks(o) or {}) do
    relations[index] = ("to_regclass(%s)"):format(quote.literal(lock.relation))
  end
  return #relations > 0 and on_relations:format(table.concat(relations, ", "), age) or old:format(age)
end

local function line(row)
  return ("process %d (%s), %s for %s: %s"):format(row.pid, row.application, row.state or "?", row.age or "?",
    (row.query or ""):gsub("%s+", " "))
end

local function look(db, o, age)
  local ok, rows = pcall(db.exec, db, query_of(o, age))
  return ok and #rows > 0 and rows or nil
end

--- Wait until nobody is seen in the way, so that the next attempt does not queue, and
--- make others queue behind it, for nothing.
---@param db moontide.Db
---@param o? moontide.Operation  the operation that waited; where its relations are not known nothing is waited for
---@param limit number           seconds
function blockers.wait(db, o, limit)
  if not o or #operation.locks(o) == 0 then return end
  local deadline = sys.clock() + limit
  while sys.clock() < deadline and look(db, o, long) do sys.sleep(0.5) end
end

--- In words, a line each, who blocks; nil when nobody is seen (any more).
---@param db moontide.Db
---@param o? moontide.Operation  the operation that waited
---@return string?
function blockers.describe(db, o)
  local rows = look(db, o, brief)
  if not rows then return nil end
  local lines = {}
  for index, row in ipairs(rows) do lines[index] = line(row) end
  return table.concat(lines, "\n")
end

return blockers
