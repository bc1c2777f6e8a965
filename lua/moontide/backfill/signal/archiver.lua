--- WAL files that wait to be archived, which fill the disk of the server while that fails.

local sql = [[
SELECT coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) AS failing, last_failed_wal AS wal,
  CASE WHEN last_archived_wal ~ '^[0-9A-F]{24}$' THEN
    (pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') / s.bytes)::bigint
    - (('x' || substr(last_archived_wal, 9, 8))::bit(32)::bigint * (4294967296 / s.bytes)
      + ('x' || substr(last_archived_wal, 17, 8))::bit(32)::bigint) END AS files
FROM pg_stat_archiver, (SELECT setting::bigint AS bytes FROM pg_settings WHERE name = 'wal_segment_size') s
WHERE current_setting('archive_mode') <> 'off']]

---@type moontide.BackfillSignal
return {
  name = "archiver", summary = "WAL files that wait to be archived", limit = 42, unit = "files",
  sample = function(query, watch)
    local row = query(sql)[1]
    if not row then return nil end
    if row.failing then
      return math.max(row.files or 0, watch.limit + 1), ("archiving of %s fails, WAL files waiting"):format(row.wal)
    end
    return row.files, "WAL files waiting to be archived"
  end,
}
