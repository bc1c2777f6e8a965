--- What an interrupted DETACH PARTITION CONCURRENTLY has left, and how to go on.
---
--- Killed between its two transactions it leaves the partition marked as being
--- detached: only FINALIZE leads on from there.

local lookup = require "moontide.object.lookup"
local quote = require "moontide.sql.quote"

local detaching = {}

local probe = [[
SELECT (to_jsonb(h) ->> 'inhdetachpending')::bool AS pending FROM pg_inherits h
WHERE h.inhrelid = to_regclass(%s) AND h.inhparent = to_regclass(%s)]]

--- The statement without its last word.
---@param parent string  as SQL
---@param child string   as SQL
---@return string
function detaching.sql(parent, child)
  return ("ALTER TABLE %s DETACH PARTITION %s"):format(parent, child)
end

local function look(attempt, parent, child)
  return attempt.query(probe:format(quote.literal(child), quote.literal(parent)))[1]
end

--- Statements to run before the detaching; nil when the interrupted one was, or now is, completed.
---@param parent string
---@param child string
---@param attempt { interrupted: boolean, query: fun(sql: string): table }
---@return string[]?
function detaching.before(parent, child, attempt)
  if not attempt.interrupted then return {} end
  local found = look(attempt, parent, child)
  if found and not found.pending then return {} end
  if found then attempt.query(detaching.sql(parent, child) .. " FINALIZE") end
  return nil
end

local describe = [[
SELECT pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_class c WHERE c.oid = w.oid AND c.relispartition]]

--- Which rows a partition takes, as SQL; nil when there is no such partition.
---@param query fun(sql: string): table
---@param child string  as SQL
---@return string?
function detaching.bound(query, child)
  local found = lookup.row(query, ("to_regclass(%s)"):format(quote.literal(child)), describe)
  return found and found.bound
end

return detaching
