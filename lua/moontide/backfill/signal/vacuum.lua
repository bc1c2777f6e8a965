--- A VACUUM of the table, which has the more to read the more we change meanwhile. We wait
--- for ten minutes at most, and as long as it takes where it is against wraparound.

local sql = [[
SELECT p.pid, p.relid::regclass::text AS name, p.phase,
  coalesce(a.query LIKE '%%(to prevent wraparound)', false) AS urgent
FROM pg_stat_progress_vacuum p LEFT JOIN pg_stat_activity a ON a.pid = p.pid
WHERE p.datname = current_database() AND p.relid = ANY ('{%s}'::oid[]) ORDER BY 4 DESC LIMIT 1]]

local most = 600

local function patience(memory, row)
  local now = require("moontide.runtime.sys").clock()
  if memory.pid ~= row.pid then memory.pid, memory.since = row.pid, now end
  return row.urgent or now - memory.since < most
end

---@type moontide.BackfillSignal
return {
  name = "vacuum", summary = "a VACUUM is at work on the table", limit = 0, statistics = true,
  sample = function(query, watch)
    local row = query(sql:format(table.concat(watch.tables, ",")))[1]
    if not row or not patience(watch.memory, row) then return 0 end
    local urgent = row.urgent and ", against wraparound" or ""
    return 1, ("VACUUM is at work on %s (%s%s)"):format(row.name, row.phase, urgent)
  end,
}
