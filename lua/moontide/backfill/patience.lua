--- How a script goes slowly: what a procedure asks the job's row and the server before
--- each chunk. The words of `moontide backfill set` come first, then what the file says. Pure.

local knob = require "moontide.backfill.knob"
local pace = require "moontide.backfill.pace"
local quote = require "moontide.sql.quote"
local signal = require "moontide.backfill.signal"
local sorted_keys = require "moontide.sorted_keys"
local window = require "moontide.backfill.window"

local patience = {}

-- A profile that was set by hand, as its rest or as its time of a chunk.
local function by_profile(field, default)
  local list = {}
  for index, name in ipairs(sorted_keys(pace.profiles)) do
    list[index] = ("WHEN %s THEN %s"):format(quote.literal(name), pace.profiles[name][field] or default)
  end
  return ("CASE j.control ->> 'profile' %s END"):format(table.concat(list, " "))
end

local function number(name, ...)
  local list = { ("(j.control ->> '%s')::float8"):format(name) }
  for _, item in ipairs { ... } do list[#list + 1] = tostring(item) end
  return ("coalesce(%s) AS %s"):format(table.concat(list, ", "), name)
end

local function lag_limit(o)
  local limit = knob.limit({ control = {}, o = o }, signal.get "lag")
  return ("nullif(coalesce(j.control ->> 'lag', '%s'), 'false')::float8 AS lag"):format(limit or "false")
end

--- The columns of the job's row that say how it is to go on.
---@param o table
---@return string
function patience.knobs(o)
  local file = knob.speed { control = {}, o = o }
  return table.concat({ "j.state", "j.control", "CASE j.control -> 'pause' WHEN 'true' THEN 'by hand' "
      .. "ELSE j.control ->> 'pause' END AS pause",
    number("chunk_ms", by_profile("chunk_ms", o.given and o.given.chunk_ms or 500), o.chunk_ms),
    number("max_rows", o.max_rows), number("rows_per_s", file.rows_per_s or "NULL"),
    number("wal_mb_s", file.wal_mb_s or "NULL"), number("rest", by_profile("rest", 0), file.rest), lag_limit(o),
  }, ",\n      ")
end

-- Less than the limit lets it go on, once it has waited.
local lag = [[
IF why IS NULL AND told.lag IS NOT NULL THEN
      SELECT format('replica lag of %s %s MB > %s MB', name, round(mb, 1), told.lag) INTO why FROM (
        SELECT coalesce(nullif(application_name, ''), client_addr::text, 'a standby') AS name,
          pg_wal_lsn_diff(pg_current_wal_insert_lsn(), replay_lsn) / 1048576 AS mb
        FROM pg_stat_replication WHERE replay_lsn IS NOT NULL ORDER BY 2 DESC LIMIT 1) s
        WHERE mb > told.lag * CASE WHEN waits THEN 0.8 ELSE 1 END;
    END IF;]]

-- The query may be slow, so it is asked once a second.
local query = [[
IF why IS NULL AND coalesce(told.control ->> 'throttle_sql', '') <> 'false' THEN
      IF asked IS NULL OR clock_timestamp() > asked + interval '1 second' THEN
        EXECUTE @QUERY@ INTO answer;
        asked := clock_timestamp();
      END IF;
      IF (CASE lower(answer) WHEN 'true' THEN true WHEN 't' THEN true WHEN 'false' THEN false WHEN 'f' THEN false
          ELSE answer::numeric > 0 END) THEN
        why := 'throttle_sql answers ' || answer;
      END IF;
    END IF;]]

local hours = [[
IF why IS NULL AND coalesce(told.control ->> 'window', '') <> 'false' AND NOT (@NOW@ >= @FROM@ @BOTH@ @NOW@ < @TO@) THEN
      why := format('it is %s, outside of %s', @NOW@, @HOURS@);
    END IF;]]

local function filled(text, words)
  return (text:gsub("@(%u+)@", function(name) return words[name] end))
end

local function clock(minutes) return quote.literal(("%02d:%02d"):format(minutes // 60, minutes % 60)) end

local function hours_of(o)
  local given = window.parse(o.window)
  local zone = given.zone and " AT TIME ZONE " .. quote.literal(given.zone) or ""
  return filled(hours, {
    NOW = ("to_char(clock_timestamp()%s, 'HH24:MI')"):format(zone), FROM = clock(given.from), TO = clock(given.to),
    BOTH = given.from < given.to and "AND" or "OR", HOURS = quote.literal(o.window),
  })
end

--- The statements that find out why a chunk has to wait.
---@param o table
---@return string
function patience.wait(o)
  local list = { lag }
  if o.throttle_sql then list[#list + 1] = filled(query, { QUERY = quote.literal(o.throttle_sql) }) end
  if o.window then list[#list + 1] = hours_of(o) end
  return table.concat(list, "\n    ")
end

return patience
