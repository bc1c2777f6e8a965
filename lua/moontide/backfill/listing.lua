--- Jobs of backfills as text, and as the documents that --json prints.

local json = require "moontide.json"
local progress = require "moontide.backfill.progress"
local report = require "moontide.report"
local setting = require "moontide.backfill.setting"

local listing = {}

local styles = { running = "green", done = "dim", failed = "red", paused = "yellow", abandoned = "dim" }

local function name_of(job)
  local back = job.direction == "downgrade" and " (downgrade)" or ""
  return ("%s/%s%s"):format(job.revision, job.step, back)
end

local function count(number, what) return ("%d %s%s"):format(number, what, number == 1 and "" or "s") end

local function speed_words(job)
  if not job.rate then return nil end
  return ("%s rows/s, ETA %s"):format(progress.short(job.rate), job.eta and progress.clock(job.eta) or "-")
end

-- Who was killed could not say so.
local function is_left(job)
  for _, item in ipairs(job.workers) do
    if item.lanes > 0 then return false end
  end
  return job.state == "running"
end

--- A job on one line.
---@param job moontide.BackfillJob
---@return string
function listing.line(job)
  local parts = { progress.words(job) }
  parts[#parts + 1] = speed_words(job)
  if job.background then parts[#parts + 1] = "in the background" end
  if job.rows_bad > 0 then parts[#parts + 1] = count(job.rows_bad, "row") .. " put aside" end
  if job.reason and job.state ~= "running" then parts[#parts + 1] = job.reason end
  if is_left(job) then parts[#parts + 1] = "but nobody is at work on it" end
  local state = report.style(job.state, styles[job.state] or "bold")
  return ("%s  %s  %s"):format(report.style(name_of(job), "yellow"), state, table.concat(parts, ", "))
end

local function row(label, text)
  if text then report.out(("%-10s%s"):format(label, (text:gsub("\n", "\n" .. (" "):rep(10))))) end
end

local function worker_words(item)
  local at_work = item.lanes > 0 and count(item.lanes, "lane") or "not connected"
  local last = item.seconds and (", last chunk %s ago"):format(progress.clock(item.seconds)) or ""
  return ("%s, %s, %d rows changed in its ranges%s"):format(item.worker, at_work, item.rows or 0, last)
end

local function key_words(key) return key and "(" .. table.concat(key, ", ") .. ")" or "start" end

local function range_words(range)
  local state = range.done and "done" or range.chunks == 0 and "waiting" or "up to " .. key_words(range.cur)
  return ("%d  %s behind %s to %s: %s, %d rows changed"):format(range.no, range.table_name, key_words(range.lo),
    key_words(range.hi), state, range.rows_changed)
end

local function error_words(item)
  return ("%s %s: %s"):format(item.table_name, key_words(item.key), item.message or "?")
end

local function each(label, list, words)
  for index, item in ipairs(list) do row(index == 1 and label or "", words(item)) end
end

--- Print a job in detail.
---@param job moontide.BackfillJob
---@param more { ranges: table[], errors: table[] }
function listing.detail(job, more)
  row("backfill", ("%s, job %d, attempt %d"):format(name_of(job), job.id, job.attempt))
  row("state", report.style(job.state, styles[job.state] or "bold") .. (job.background and ", in the background" or ""))
  row("reason", job.state ~= "running" and (job.error or job.reason) or nil)
  row("", is_left(job) and "nobody is at work on it" or nil)
  row("progress", progress.words(job))
  row("speed", speed_words(job))
  row("settings", setting.words(job.control))
  row("chunks", ("%d, now of %d rows"):format(job.chunks, job.chunk_rows))
  row("started", job.started_at)
  row("finished", job.finished_at)
  each("workers", job.workers, worker_words)
  each("ranges", more.ranges, range_words)
  each("put aside", more.errors, error_words)
end

local function whole(number) return number and math.floor(number + 0.5) or nil end

local function worker_documents(workers)
  local list = json.array {}
  for index, item in ipairs(workers) do
    list[index] = { worker = item.worker, lanes = item.lanes, rows = item.rows, seconds = whole(item.seconds) }
  end
  return list
end

--- A job as a document.
---@param job moontide.BackfillJob
---@return table
function listing.document(job)
  return {
    id = job.id, revision = job.revision, step = job.step, direction = job.direction, attempt = job.attempt,
    state = job.state, background = job.background, reason = job.reason, error = job.error, percent = job.percent,
    rows_estimated = job.est_rows, rows_seen = job.rows_seen, rows_changed = job.rows_changed, rows_bad = job.rows_bad,
    chunks = job.chunks, chunk_rows = job.chunk_rows, ranges_open = job.open, rate = whole(job.rate),
    eta = whole(job.eta), started = job.started_at, finished = job.finished_at,
    settings = setting.document(job.control), workers = worker_documents(job.workers),
  }
end

--- Jobs as a list of documents.
---@param jobs moontide.BackfillJob[]
---@return table
function listing.documents(jobs)
  local list = json.array {}
  for index, job in ipairs(jobs) do list[index] = listing.document(job) end
  return list
end

local function array(list) return list and json.array(list) or nil end

--- A job in detail as a document.
---@param job moontide.BackfillJob
---@param more { ranges: table[], errors: table[] }
---@return table
function listing.detail_document(job, more)
  local document = { backfill = listing.document(job), ranges = json.array {}, errors = json.array {} }
  for index, range in ipairs(more.ranges) do
    document.ranges[index] = {
      no = range.no, table = range.table_name, lo = array(range.lo), hi = array(range.hi), cur = array(range.cur),
      rows_estimated = range.est_rows, rows_seen = range.rows_seen, rows_changed = range.rows_changed,
      rows_bad = range.rows_bad, chunks = range.chunks, done = range.done, worker = range.worker,
    }
  end
  for index, item in ipairs(more.errors) do
    document.errors[index] = { table = item.table_name, key = array(item.key), sqlstate = item.sqlstate,
      message = item.message, tries = item.tries }
  end
  return document
end

return listing
