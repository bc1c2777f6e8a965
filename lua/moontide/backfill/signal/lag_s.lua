--- How many seconds standbys are behind, where the server knows.

local sql = [[
SELECT coalesce(nullif(application_name, ''), client_addr::text, 'a standby') AS name,
  extract(epoch FROM replay_lag)::float8 AS seconds
FROM pg_stat_replication WHERE replay_lag IS NOT NULL AND replay_lsn < pg_current_wal_lsn() ORDER BY 2 DESC LIMIT 1]]

---@type moontide.BackfillSignal
return {
  name = "lag_s", summary = "seconds that a standby is behind", limit = 5, unit = "s", statistics = true,
  sample = function(query)
    local row = query(sql)[1]
    if row then return row.seconds, "replica lag of " .. row.name end
  end,
}
