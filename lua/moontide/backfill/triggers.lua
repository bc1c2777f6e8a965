--- The triggers that fire for each row a backfill changes: the first thing to know about
--- what it costs, and about what it sets in motion.

local quote = require "moontide.sql.quote"

local triggers = {}

-- Bits of pg_trigger.tgtype.
local for_row, on_delete, on_update = 1, 8, 16

local triggers_sql = [[
SELECT string_agg(DISTINCT tgname, ', ' ORDER BY tgname) AS names FROM pg_trigger t
WHERE tgrelid = ANY (ARRAY[%s]::oid[]) AND NOT tgisinternal AND tgname <> %s AND tgtype & %d = %d
  AND tgenabled IN (CASE current_setting('session_replication_role') WHEN 'replica' THEN 'R' ELSE 'O' END, 'A')
  AND (cardinality(tgattr::int2[]) = 0 OR EXISTS (SELECT 1 FROM pg_attribute a
    WHERE a.attrelid = tgrelid AND a.attnum = ANY (tgattr::int2[]) AND a.attname = ANY (ARRAY[%s]::text[])))]]

local function changed_columns(o)
  local names = {}
  for name in pairs(o.set or {}) do names[#names + 1] = quote.literal(name) end
  for _, name in ipairs(o.write or {}) do names[#names + 1] = quote.literal(name) end
  return names
end

--- Their names, separated by commas; nil when none fires.
---@param db moontide.Db
---@param o table
---@param leaves { oid: integer }[]
---@return string?
function triggers.names(db, o, leaves)
  local oids, bits = {}, for_row + (o.delete and on_delete or on_update)
  for index, leaf in ipairs(leaves) do oids[index] = leaf.oid end
  local columns = table.concat(changed_columns(o), ", ")
  local own = quote.literal(o.own_trigger or "")
  return db:exec(triggers_sql:format(table.concat(oids, ", "), own, bits, bits, columns))[1].names
end

--- In words, for a message; nil when none fires.
---@param db moontide.Db
---@param o table
---@param leaves { oid: integer }[]
---@return string?
function triggers.words(db, o, leaves)
  local names = triggers.names(db, o, leaves)
  return names and "these triggers fire for each row: " .. names
end

return triggers
