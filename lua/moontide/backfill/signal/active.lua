--- Sessions of others that run a statement just now.

local sql = [[
SELECT count(*) AS sessions FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend'
  AND pid <> pg_backend_pid() AND pid NOT IN (SELECT w.pid FROM (%s) w)]]

---@type moontide.BackfillSignal
return {
  name = "active", summary = "sessions of others that run a statement", unit = "sessions", statistics = true,
  sample = function(query, watch)
    return query(sql:format(watch.workers))[1].sessions, "others at work"
  end,
}
