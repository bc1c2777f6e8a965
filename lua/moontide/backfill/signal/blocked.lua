--- Sessions of others that wait for a lock which a chunk holds. Twice in a row, since
--- one who waits for a moment is no trouble.

local sql = [[
SELECT count(DISTINCT l.pid) AS sessions FROM pg_locks l, (SELECT array_agg(w.pid) AS pids FROM (%s) w) w
WHERE NOT l.granted AND NOT l.pid = ANY (w.pids) AND pg_blocking_pids(l.pid) && w.pids]]

---@type moontide.BackfillSignal
return {
  name = "blocked", summary = "sessions that wait for a lock of a chunk", limit = 0, patience = 2, halves = true,
  sample = function(query, watch)
    local count = query(sql:format(watch.workers))[1].sessions
    return count, ("%d session%s waiting for its chunks"):format(count, count == 1 and "" or "s")
  end,
}
