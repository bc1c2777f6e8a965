--- Whether a backfill of an earlier revision is done, and what to do when it is not: say
--- so, wait for those who work on it, or work on it.

local books = require "moontide.backfill.books"
local fault = require "moontide.fault"
local job = require "moontide.backfill.job"
local overview = require "moontide.backfill.overview"
local progress = require "moontide.backfill.progress"
local quote = require "moontide.sql.quote"
local report = require "moontide.report"
local sys = require "moontide.runtime.sys"

local requirement = {}

-- Seconds between two looks at a job that is waited for.
local interval = 0.5

local function refuse_missing(o)
  fault.raise("operation", ('there is no backfill "%s" to be done'):format(o.name), {
    where = o.where, operation = o.kind,
    hint = 'Is it of an earlier revision? With missing = "pass" a database goes on that never had it, '
      .. "such as one that was stamped.",
  })
end

-- The latest attempts of that name, one of each revision.
local function jobs_of(o, db, schema)
  local there = db:exec(("SELECT to_regclass(%s) IS NOT NULL AS there"):format(quote.literal(books.open(schema).job)))
  local list = there[1].there and overview.open(db, schema):attempts(o.name, o.revision) or {}
  if #list == 0 and not o.missing then refuse_missing(o) end
  return list
end

local function unfinished(o, db, schema)
  for _, row in ipairs(jobs_of(o, db, schema)) do
    if row.state ~= "done" then return row end
  end
  return nil
end

local function describe(row)
  local words = row.state == "planned" and progress.words(row) or ("%s, %s"):format(row.state, progress.words(row))
  if row.rate and row.eta then words = words .. ", about " .. progress.clock(row.eta) .. " left" end
  if row.state ~= "running" and (row.error or row.reason) then words = words .. "\n" .. (row.error or row.reason) end
  return words
end

local ways = {
  paused = "`moontide backfill resume %s` lets it go on, `moontide backfill work %s` works on it.",
  abandoned = "`moontide backfill resume %s`, then `moontide backfill work %s`; or `moontide backfill cancel --skip`.",
  failed = "Mend what it failed with, then `moontide backfill work %s`.",
}

local function way(o, row)
  local text = ways[row.state] or "Run `moontide backfill work %s`, then this command again."
  return (text:gsub("%%s", (o.name:gsub("%%", "%%%%"))))
end

local function refuse(o, row)
  fault.raise("operation", ('backfill "%s" of revision %s is not done'):format(o.name, row.revision), {
    where = o.where, operation = o.kind, detail = describe(row),
    hint = way(o, row),
  })
end

--- Refuse unless the backfill is done.
---@param o table
---@param db { exec: fun(self: any, sql: string): table }
---@param schema string
function requirement.check(o, db, schema)
  local row = unfinished(o, db, schema)
  if row then refuse(o, row) end
end

local function is_alone(row)
  for _, item in ipairs(row.workers) do
    if item.lanes > 0 then return false end
  end
  return true
end

local function say(o, row)
  report.info(("waiting for backfill %s of revision %s: %s"):format(o.name, row.revision, describe(row)))
  if is_alone(row) then
    report.info(("nobody works on it: run `moontide backfill work %s`"):format(o.name))
  end
end

local function show(shown, row)
  if not shown:due() then return end
  row.pause = row.state == "paused" and (row.reason or "nobody works on it") or is_alone(row) and "nobody works on it"
  shown:show(row)
end

-- Those who work on it are other processes.
local function wait(o, place)
  local row = unfinished(o, place.db, place.schema)
  if not row then return end
  say(o, row)
  local shown = progress.new(o.name, row)
  repeat
    if row.state == "failed" or row.state == "abandoned" then refuse(o, row) end
    show(shown, row)
    sys.sleep(interval)
    row = unfinished(o, place.db, place.schema)
  until not row
  report.progress_end()
end

local function work(o, place)
  for _, row in ipairs(jobs_of(o, place.db, place.schema)) do
    if row.state == "abandoned" then refuse(o, row) end
    local run = row.state ~= "done" and job.open(place.recall(row), {
      db = place.db, connect = place.connect, patience = place.patience, pooled = place.pooled, schema = place.schema,
      revision = row.revision, direction = row.direction, interrupted = true,
      row = place.db:exec(books.open(place.schema):job_statement(row.id))[1],
    })
    if run then run:run() end
  end
end

--- Wait for the backfill, or do it.
---@param o table
---@param place moontide.JobPlace
function requirement.run(o, place) return (o.otherwise == "run" and work or wait)(o, place) end

--- Say in a dry run what would be done.
---@param o table
---@param place moontide.JobPlace
function requirement.rehearse(o, place)
  local row = unfinished(o, place.db, place.schema)
  if not row then return end
  report.info(("backfill %s of revision %s is not done (%s): it would be %s"):format(o.name, row.revision,
    describe(row), o.otherwise == "run" and "worked on here" or "waited for"))
end

return requirement
