--- The jobs of a database as the tables and the server show them: how far each is, how
--- fast, and who works on it.

local books = require "moontide.backfill.books"
local cjson = require "cjson"
local fault = require "moontide.fault"
local history = require "moontide.history"
local identity = require "moontide.backfill.identity"
local orders = require "moontide.backfill.orders"
local progress = require "moontide.backfill.progress"
local quote = require "moontide.sql.quote"

---@class moontide.BackfillJob
---@field id integer
---@field revision string
---@field step string
---@field direction string
---@field attempt integer
---@field state string        with "paused" where somebody has said so
---@field background boolean
---@field reason? string      why it is paused or failed
---@field control table       live settings
---@field percent integer
---@field rows_changed integer
---@field rate? number        rows a second, while somebody works on it
---@field eta? number         seconds
---@field workers { worker: string, lanes: integer, rows?: integer, seconds?: number }[]

---@class moontide.BackfillOverview
---@field db moontide.Db
---@field books moontide.BackfillBooks
local Overview = {}
Overview.__index = Overview

local overview = {}

--- The jobs of a database.
---@param db moontide.Db
---@param schema string  of the bookkeeping
---@return moontide.BackfillOverview
function overview.open(db, schema) return setmetatable({ db = db, books = books.open(schema) }, Overview) end

local jobs_sql = [[
SELECT j.id, j.revision, j.step, j.direction, j.attempt, j.state, j.control::text AS control, j.reason, j.error, j.spec,
  j.fingerprint, coalesce(j.est_rows, 0) AS est_rows, r.*, to_char(j.started_at AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS started_at,
  to_char(j.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS finished_at
FROM @JOB@ j, LATERAL (SELECT count(*) FILTER (WHERE NOT done) AS open, count(*) AS ranges,
    coalesce(sum(rows_seen), 0)::bigint AS rows_seen, coalesce(sum(rows_changed), 0)::bigint AS rows_changed,
    coalesce(sum(rows_bad), 0)::bigint AS rows_bad, coalesce(sum(chunks), 0)::bigint AS chunks,
    coalesce(sum(busy_ms), 0)::bigint AS busy_ms, coalesce(max(chunk_rows), 0) AS chunk_rows,
    coalesce(sum(CASE WHEN done THEN @RANGE@.est_rows ELSE least(@RANGE@.est_rows, rows_seen) END), 0)::bigint
      AS est_done
  FROM @RANGE@ WHERE backfill_id = j.id) r
@WHERE@ ORDER BY j.id]]

local workers_sql = [[
SELECT coalesce(c.worker, r.worker) AS worker, coalesce(c.lanes, 0) AS lanes, r.rows,
  extract(epoch FROM clock_timestamp() - r.last)::float8 AS seconds
FROM (@CONNECTED@) c FULL JOIN (SELECT worker, sum(rows_changed)::bigint AS rows, max(committed_at) AS last
  FROM @RANGE@ WHERE backfill_id = @ID@ AND worker IS NOT NULL GROUP BY 1) r ON r.worker = c.worker ORDER BY 1]]

local function filled(text, words)
  return (text:gsub("@(%u+)@", function(name) return words[name] end))
end

-- Where no backfill was ever run there are no tables.
local function ask(self, sql)
  local ok, result = pcall(self.db.exec, self.db, sql)
  if ok then return result end
  if not history.is_missing(result) then error(result, 0) end
  return {}
end

local function lanes_of(workers)
  local lanes = 0
  for _, item in ipairs(workers) do lanes = lanes + item.lanes end
  return lanes
end

-- The time that chunks took is summed over all lanes, and knows no pauses.
local function speed(job)
  local lanes = lanes_of(job.workers)
  if lanes == 0 or job.busy_ms == 0 or job.state ~= "running" then return end
  job.rate = math.min(job.rows_seen * 1000 / job.busy_ms * lanes, job.control.rows_per_s or math.huge)
  if job.rate > 0 then job.eta = (job.est_rows - job.est_done) / job.rate end
end

local function described(self, job)
  local own = { CONNECTED = identity.query(job.id), RANGE = self.books.range, ID = tostring(job.id) }
  job.control = cjson.decode(job.control)
  job.percent = progress.percent(job)
  job.background = job.control.background == true
  job.workers = ask(self, filled(workers_sql, own))
  local by_hand = orders.reason(job.control)
  local over = job.state == "done" or job.state == "abandoned" or job.state == "failed"
  if by_hand and not over then job.state, job.reason = "paused", by_hand end
  speed(job)
  return job
end

local function jobs(self, where)
  local list = {}
  local words = { JOB = self.books.job, RANGE = self.books.range, WHERE = where or "" }
  for index, job in ipairs(ask(self, filled(jobs_sql, words))) do list[index] = described(self, job) end
  return list
end

--- All jobs, oldest first.
---@return moontide.BackfillJob[]
function Overview:jobs() return jobs(self) end

--- Jobs that somebody has yet to finish: the latest attempts that are neither done nor cancelled.
---@return moontide.BackfillJob[]
function Overview:open_jobs() return jobs(self, "WHERE j.state NOT IN ('done', 'abandoned')") end

local function latest(list)
  local seen, found = {}, {}
  for index = #list, 1, -1 do
    local job = list[index]
    local place = table.concat({ job.revision, job.step, job.direction }, "\0")
    if not seen[place] then table.insert(found, 1, job) end
    seen[place] = true
  end
  return found
end

local function unfinished(list)
  local found = {}
  for _, job in ipairs(list) do
    if job.state ~= "done" then found[#found + 1] = job end
  end
  return found
end

local function refuse_unknown(self, step)
  local names = {}
  for index, job in ipairs(self:jobs()) do names[index] = job.step end
  local near = require("moontide.suggest").nearest(step, names)
  fault.raise("found", ('there is no backfill "%s"'):format(step),
    { hint = near and ('Did you mean "%s"?'):format(near) or "`moontide backfill list` shows what there is." })
end

local function refuse_several(step, list)
  local ids = {}
  for index, job in ipairs(list) do ids[index] = ("%s (%s)"):format(job.revision, job.direction) end
  fault.raise("found", ('there are several backfills "%s"'):format(step),
    { detail = "of the revisions " .. table.concat(ids, ", "), hint = "Name one with --revision." })
end

--- The latest attempts of a name, one of each revision that was upgraded.
---@param step string
---@param revision? string
---@return moontide.BackfillJob[]
function Overview:attempts(step, revision)
  local where = ("WHERE j.direction = 'upgrade' AND j.step = %s"):format(quote.literal(step))
  return latest(jobs(self, revision and where .. " AND j.revision = " .. quote.literal(revision) or where))
end

--- The job of a name: its latest attempt, and of several revisions the one that is not done.
---@param step string
---@param revision? string
---@return moontide.BackfillJob
function Overview:find(step, revision)
  local where = "WHERE j.step = " .. quote.literal(step)
  if revision then where = where .. " AND j.revision = " .. quote.literal(revision) end
  local list = latest(jobs(self, where))
  if #list == 0 then refuse_unknown(self, step) end
  local open = unfinished(list)
  if #open > 1 then refuse_several(step, open) end
  return open[1] or list[#list]
end

local ranges_sql = [[
SELECT no, leaf::regclass::text AS table_name, pass, to_json(lo)::text AS lo, to_json(hi)::text AS hi,
  to_json(cur)::text AS cur, coalesce(est_rows, 0) AS est_rows, rows_seen, rows_changed, rows_bad, chunks, chunk_rows,
  done, worker
FROM %s WHERE backfill_id = %d ORDER BY no]]

--- The ranges of a job.
---@param id integer
---@return table[]
function Overview:ranges(id)
  local list = ask(self, ranges_sql:format(self.books.range, id))
  for _, range in ipairs(list) do
    for _, name in ipairs { "lo", "hi", "cur" } do range[name] = range[name] and cjson.decode(range[name]) end
  end
  return list
end

local errors_sql = [[
SELECT leaf::regclass::text AS table_name, to_json(key)::text AS key, sqlstate, message, tries
FROM %s WHERE backfill_id = %d AND resolved_at IS NULL ORDER BY at, key LIMIT %d]]

--- Rows of a job that were put aside.
---@param id integer
---@param most integer
---@return table[]
function Overview:errors(id, most)
  local list = ask(self, errors_sql:format(self.books.error, id, most))
  for _, row in ipairs(list) do row.key = cjson.decode(row.key) end
  return list
end

return overview
