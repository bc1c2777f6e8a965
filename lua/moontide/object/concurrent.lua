--- What an interrupted concurrent build or drop of an index has left, and how to go on.
---
--- A killed CREATE INDEX CONCURRENTLY leaves an index that is there by name and
--- INVALID; IF NOT EXISTS would be content with it. So it is dropped and built again,
--- unless the server is still building it.

local quote = require "moontide.sql.quote"

local concurrent = {}

-- Who is at work on an index `i`. To others than the owner of a build its lock alone is shown; an autovacuum
-- holds the same one, and gives way.
concurrent.builders = [[
SELECT l.pid FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.pid <> pg_backend_pid() AND a.backend_type IS DISTINCT FROM 'autovacuum worker']]

local probe = "SELECT i.indisvalid AND i.indisready AS valid, (" .. concurrent.builders .. [[ LIMIT 1) AS builder
FROM pg_index i WHERE i.indexrelid = to_regclass(%s)]]

local function look(attempt, schema, name)
  return attempt.query(probe:format(quote.reference(schema, name)))[1]
end

-- A build outlives its connection, above all behind a pooler. It may come to a good end, and must not be disturbed.
local function wait_for_builder(o, attempt)
  while true do
    local found = look(attempt, o.schema, o.name)
    if not found or found.valid or not found.builder then return found end
    attempt.wait(("waiting for process %d, which is still building the index %s"):format(found.builder,
      quote.qualified(o.schema, o.name)))
  end
end

--- Statements to run before the build; nil when the interrupted one was completed.
---@param o moontide.Operation
---@param attempt { interrupted: boolean, query: fun(sql: string): table, wait: fun(why: string) }
---@return string[]?
function concurrent.before_create(o, attempt)
  local found = wait_for_builder(o, attempt)
  if not found then return {} end
  if not found.valid then return { "DROP INDEX CONCURRENTLY " .. quote.qualified(o.schema, o.name) } end
  return not attempt.interrupted and {} or nil
end

--- Statements to run before the drop; nil when the interrupted one was completed.
---@param o moontide.Operation
---@param attempt { interrupted: boolean, query: fun(sql: string): table }
---@return string[]?
function concurrent.before_drop(o, attempt)
  if attempt.interrupted and not look(attempt, o.schema, o.name) then return nil end
  return {}
end

--- The same operation in the form that a transaction allows, for a dry run.
---@param o moontide.Operation
---@return moontide.Operation
function concurrent.inside(o)
  local plain = {}
  for key, value in pairs(o) do plain[key] = value end
  plain.concurrently = nil
  return plain
end

return concurrent
