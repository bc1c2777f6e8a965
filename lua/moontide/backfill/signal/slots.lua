--- WAL that the server keeps for replication slots, which fills its disk while nobody reads it.

local sql = [[
SELECT slot_name AS name, wal_status,
  (pg_wal_lsn_diff(pg_current_wal_insert_lsn(), restart_lsn) / 1048576.0)::float8 AS mb
FROM pg_replication_slots WHERE restart_lsn IS NOT NULL ORDER BY restart_lsn LIMIT 1]]

---@type moontide.BackfillSignal
return {
  name = "slots", summary = "WAL that is kept for a replication slot", limit = 1024, unit = "MB", wal = true,
  sample = function(query, watch)
    local row = query(sql)[1]
    if not row then return nil end
    if row.wal_status == "unreserved" then
      return math.max(row.mb, watch.limit + 1), ("slot %s is about to be lost, WAL kept"):format(row.name)
    end
    return row.mb, "WAL kept for slot " .. row.name
  end,
}
