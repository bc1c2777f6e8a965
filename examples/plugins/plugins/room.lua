--- A signal of backfills: they wait while the server has few connections left to give.

---@param moontide moontide.PluginApi
---@param options { limit: number? }  percent
return function(moontide, options)
  moontide.name { name = "room", version = "1.0" }

  local sql = [[
SELECT 100.0::float8 * count(*) / current_setting('max_connections')::integer AS percent
FROM pg_stat_activity WHERE datid IS NOT NULL]]

  moontide.backfill_signal {
    name = "connections",
    summary = "connections that are taken",
    limit = options.limit or 80,
    unit = "%",
    every = 5,
    sample = function(query) return query(sql)[1].percent, "connections taken" end,
  }
end
