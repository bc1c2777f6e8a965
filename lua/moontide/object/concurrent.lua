--- What an interrupted concurrent build or drop of an index has left, and how to go on.
---
--- A killed CREATE INDEX CONCURRENTLY leaves an index that is there by name and
--- INVALID; IF NOT EXISTS would be content with it. So it is dropped and built again.

local quote = require "moontide.sql.quote"

local concurrent = {}

local probe = [[
SELECT i.indisvalid AND i.indisready AS valid,
       EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid) AS building
FROM pg_index i WHERE i.indexrelid = to_regclass(%s)]]

local function look(attempt, schema, name)
  return attempt.query(probe:format(quote.reference(schema, name)))[1]
end

--- Statements to run before the build; nil when the interrupted one was completed.
---@param o moontide.Operation
---@param attempt { interrupted: boolean, query: fun(sql: string): table }
---@return string[]?
function concurrent.before_create(o, attempt)
  local found = look(attempt, o.schema, o.name)
  if not found or found.building then return {} end
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
