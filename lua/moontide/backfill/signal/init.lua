--- Signals that the server has enough to do: each asks for a value, and while it is above
--- its limit a backfill waits. Those that come with Moontide and those of plugins are
--- registered by the same call.

local caller = require "moontide.caller"
local fault = require "moontide.fault"

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

local signal = {}

--- The signals that come with Moontide, each the file of its name in backfill/signal.
signal.builtin = {
  "lag", "lag_s", "slots", "archiver", "vacuum", "blocked", "active", "horizon", "window", "throttle_sql", "throttle",
}

--- Words of `moontide backfill set` that are no signals.
signal.reserved = {
  chunk_ms = true, max_rows = true, rows_per_s = true, wal_mb_s = true, lanes = true, profile = true, pause = true,
  background = true,
}

local own = "moontide itself"

local registered, added = {}, {}

local function refuse(message, detail)
  fault.raise("config", message, { where = caller.where(), detail = detail })
end

local function is_builtin(name)
  for _, known in ipairs(signal.builtin) do
    if known == name then return true end
  end
  return false
end

local function owner_of(name)
  if registered[name] then return registered[name].from end
  return (is_builtin(name) or signal.reserved[name]) and own or nil
end

--- Add a signal. The name must be free.
---@param entry moontide.BackfillSignal
function signal.register(entry)
  entry.from = entry.from or own
  local earlier = owner_of(entry.name)
  if earlier and not (earlier == own and entry.from == own and not registered[entry.name]) then
    refuse(('backfill signal "%s" is already registered by %s'):format(entry.name, earlier),
      "registered by " .. entry.from)
  end
  registered[entry.name] = entry
  if not is_builtin(entry.name) then added[#added + 1] = entry.name end
end

--- The names of all signals.
---@return string[]
function signal.names()
  local names = table.move(signal.builtin, 1, #signal.builtin, 1, {})
  return table.move(added, 1, #added, #names + 1, names)
end

--- A signal, or nil.
---@param name string
---@return moontide.BackfillSignal?
function signal.get(name)
  if not registered[name] and is_builtin(name) then signal.register(require("moontide.backfill.signal." .. name)) end
  return registered[name]
end

return signal
