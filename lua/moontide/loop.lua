--- op.each reads from a cursor, which lives in one transaction: a commit point inside of the loop is refused before
--- anything is committed, since the rest of the loop could never be run.

local caller = require "moontide.caller"
local fault = require "moontide.fault"

local loop = {}

--- Note the loops that a statement begins or ends.
---@param run moontide.Segments
---@param sql string
function loop.count(run, sql)
  if sql:find("^DECLARE moontide_each_") then run.loops = run.loops + 1 end
  if sql:find("^CLOSE moontide_each_") then run.loops = run.loops - 1 end
end

--- Refuse a commit point inside of a loop.
---@param run moontide.Segments
function loop.check(run)
  if run.loops == 0 then return end
  fault.raise("operation", "a commit point inside of op.each", {
    where = caller.where(),
    hint = "The rows come from a cursor, which ends with its transaction; read them with op.query, or use op.backfill.",
  })
end

return loop
