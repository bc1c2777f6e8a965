--- How far standbys are behind in replaying WAL. Bytes, since the times that the server
--- shows stand still with a standby that does.

local sql = [[
SELECT coalesce(nullif(application_name, ''), client_addr::text, 'a standby') AS name,
  (pg_wal_lsn_diff(pg_current_wal_insert_lsn(), replay_lsn) / 1048576.0)::float8 AS mb
FROM pg_stat_replication WHERE replay_lsn IS NOT NULL ORDER BY 2 DESC LIMIT 1]]

---@type moontide.BackfillSignal
return {
  name = "lag", summary = "WAL that a standby has yet to replay", limit = 64, unit = "MB", wal = true,
  statistics = true,
  sample = function(query)
    local row = query(sql)[1]
    if row then return row.mb, "replica lag of " .. row.name end
  end,
}
