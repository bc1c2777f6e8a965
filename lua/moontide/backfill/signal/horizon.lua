--- The age of the oldest transaction that still sees the rows as they were: until it
--- ends VACUUM cannot reuse the space of what a backfill has changed.

local sql = [[
SELECT minutes, who FROM (
  SELECT extract(epoch FROM clock_timestamp() - xact_start)::float8 / 60 AS minutes,
    format('process %s (%s)', pid, coalesce(nullif(application_name, ''), usename)) AS who
  FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()
    AND backend_type <> 'autovacuum worker'
  UNION ALL SELECT extract(epoch FROM clock_timestamp() - prepared)::float8 / 60, format('prepared transaction %s', gid)
  FROM pg_prepared_xacts) s WHERE minutes IS NOT NULL ORDER BY 1 DESC LIMIT 1]]

---@type moontide.BackfillSignal
return {
  name = "horizon", summary = "age of the oldest snapshot; above the default it only warns", limit = 15,
  unit = "minutes", every = 10, warns = true, statistics = true,
  sample = function(query)
    local row = query(sql)[1]
    if row then return row.minutes, ("VACUUM can free nothing because of %s, whose snapshot is old"):format(row.who) end
  end,
}
