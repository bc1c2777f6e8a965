--- Signals that the server has enough to do: each asks for a value, and while it is above
--- its limit a backfill waits. Those that come with Moontide and those of plugins are
--- registered by the same call.

local registry = require "moontide.registry"

---@class moontide.BackfillSignal
---@field name string
---@field summary string       one line
---@field sample fun(query: (fun(sql: string): table), watch: moontide.SignalWatch): number?, string?
---  the value, and what it is in words; nil: nothing is known
---@field limit? number        where neither the backfill nor `moontide backfill set` says; nil: it is off then
---@field unit? string
---@field every? number        seconds between samples; default: 1
---@field patience? integer    samples in a row above the limit until it counts; default: 1
---@field warns? boolean       above its own limit it only warns; a limit that somebody gave pauses
---@field wal? boolean         megabytes that grow with WAL: the lanes stop for a look before they may be too many
---@field halves? boolean      chunks become smaller, too
---@field statistics? boolean  it sees little without the role pg_read_all_stats
---@field option? boolean      what it looks for is an option of op.backfill by its name
---@field version? string      of the plugin
---@field from? string         who registers it

--- What a signal is told.
---@class moontide.SignalWatch
---@field limit number
---@field setting any      what the operation gives instead of a limit
---@field tables integer[] the oids of the tables whose rows are changed
---@field workers string   a query for the process ids of all connections that work on the backfill
---@field memory table     kept from sample to sample

-- Words of `moontide backfill set` that are no signals.
local reserved = {
  chunk_ms = true, max_rows = true, rows_per_s = true, wal_mb_s = true, lanes = true, profile = true, pause = true,
  background = true,
}

return registry.new {
  what = "backfill signal", folder = "moontide.backfill.signal", reserved = reserved,
  builtin = {
    "lag", "lag_s", "slots", "archiver", "vacuum", "blocked", "active", "horizon", "window", "throttle_sql", "throttle",
  },
}
