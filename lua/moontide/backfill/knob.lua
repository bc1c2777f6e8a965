--- The settings of a backfill that can be changed while it runs: what `moontide backfill set`
--- said comes first, then what the operation says, then the defaults. Pure.

local pace = require "moontide.backfill.pace"

local knob = {}

local function first(run, name)
  if run.control[name] ~= nil then return run.control[name] end
  return run.o[name]
end

local function profile(run) return pace.profiles[first(run, "profile") or "fast"] end

-- Not more rows than a second may have, or somebody would wait for the rest that follows a chunk.
local function in_a_second(run)
  local rows, wal = first(run, "rows_per_s"), first(run, "wal_mb_s")
  local most = run.pace and run.pace.measured and wal and wal * 1048576 // run.pace.wal_per_row or math.huge
  return math.max(1, math.min(rows or math.huge, most))
end

--- The limits of the size of chunks. A profile set by hand is more than what the file says.
---@param run moontide.BackfillRun
---@return { chunk_ms: number, max_rows: integer }
function knob.size(run)
  local live, file = run.control, run.o
  local set = live.profile and pace.profiles[live.profile]
  return {
    chunk_ms = live.chunk_ms or set and (set.chunk_ms or file.given and file.given.chunk_ms or 500) or file.chunk_ms,
    max_rows = math.min(live.max_rows or file.max_rows, in_a_second(run)) // 1 | 0,
  }
end

--- The limits of its speed.
---@param run moontide.BackfillRun
---@return { rows_per_s?: number, wal_mb_s?: number, rest: number }
function knob.speed(run)
  return { rows_per_s = first(run, "rows_per_s"), wal_mb_s = first(run, "wal_mb_s"), rest = profile(run).rest }
end

--- Whether it rests after its chunks.
---@param run moontide.BackfillRun
---@return boolean
function knob.is_paced(run)
  local speed = knob.speed(run)
  return speed.rest > 0 or speed.rows_per_s ~= nil or speed.wal_mb_s ~= nil
end

local function setting(run, name)
  if run.control[name] ~= nil then return run.control[name] end
  local signals = run.o.signals or {}
  if signals[name] ~= nil then return signals[name] end
  return run.o[name]
end

--- The limit of a signal, nil where it is off; what the backfill gives for it; and whether somebody gave it.
---@param run moontide.BackfillRun
---@param entry moontide.BackfillSignal
---@return number? limit
---@return any setting
function knob.limit(run, entry)
  local given = setting(run, entry.name)
  if given == nil then return entry.limit, nil end
  if not given then return nil, nil end
  return type(given) == "number" and given or entry.limit or 0, given
end

return knob
