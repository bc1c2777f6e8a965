--- What a backfill has made of the disk: how large its table was when it began and is now, and how much
--- WAL the server has written meanwhile. Both beginnings are kept with the job, so it may have been
--- stopped, and others may have worked on it.

local advice = require "moontide.backfill.advice"
local fault = require "moontide.fault"
local quote = require "moontide.sql.quote"

local growth = {}

---@class moontide.BackfillGrowth
---@field before integer  bytes of the table, with its indexes
---@field after integer
---@field wal integer

-- Less than this is nothing to speak of.
local few = 1048576

local position_sql = "SELECT pg_current_wal_insert_lsn()::text AS at"

-- Tables that are gone count for nothing.
local growth_sql = [[
SELECT sum(l.bytes)::bigint AS before, sum(pg_total_relation_size(c.oid))::bigint AS after,
  pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)::bigint AS wal
FROM (VALUES %s) l(oid, bytes) JOIN pg_class c ON c.oid = l.oid]]

--- Where the server writes its WAL now.
---@param db moontide.Db
---@return string
function growth.position(db) return db:exec(position_sql)[1].at end

local function values_of(leaves)
  local list = {}
  for _, leaf in ipairs(leaves) do
    if leaf.bytes then list[#list + 1] = ("(%d, %d)"):format(leaf.oid, leaf.bytes) end
  end
  return #list > 0 and table.concat(list, ", ") or nil
end

--- What a job has made of it.
---@param run moontide.BackfillRun
---@return moontide.BackfillGrowth?  nil where it cannot be found out, which is no failure
function growth.of(run)
  local values = values_of(run.spec.leaves)
  if not values or not run.spec.wal then return nil end
  local ok, rows = pcall(run.db.exec, run.db, growth_sql:format(quote.literal(run.spec.wal), values))
  if not ok and fault.of(rows).kind ~= "server" then error(rows, 0) end
  -- A server that was made from a dump has a WAL of its own.
  return ok and rows[1].after and rows[1].wal >= 0 and rows[1] or nil
end

local function size_words(name, before, after)
  local from, to = advice.size(before), advice.size(after)
  if from == to then return ("%s is still %s with its indexes"):format(name, to) end
  return ("%s has %s from %s to %s with its indexes"):format(name, after > before and "grown" or "shrunk", from, to)
end

--- It in words, if it is worth any. Pure.
---@param name string  of the table, as SQL
---@param facts moontide.BackfillGrowth
---@return string?
function growth.words(name, facts)
  if facts.wal < few and math.abs(facts.after - facts.before) < few then return nil end
  return ("%s; the server has written %s of WAL meanwhile"):format(size_words(name, facts.before, facts.after),
    advice.size(facts.wal))
end

return growth
