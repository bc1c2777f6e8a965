--- What follows when all ranges of a job are done: tables that became part of the tree
--- meanwhile, and with `where`, passes over the whole table for rows that came or moved
--- into its way, until one finds nothing.

local count = require "moontide.count"
local division = require "moontide.backfill.division"
local fault = require "moontide.fault"
local order = require "moontide.backfill.order"
local preflight = require "moontide.backfill.preflight"
local report = require "moontide.report"
local survey = require "moontide.backfill.survey"
local tree = require "moontide.backfill.tree"

local passes = {}

-- Passes of ranges: 0 by the key, 1 rows without one, from here on sweeps.
local first_sweep = 2

local function new_leaves(run)
  local list = {}
  for _, leaf in ipairs(survey.leaves(run.db, run.o)) do
    if not run.by_oid[leaf.oid] then list[#list + 1] = leaf end
  end
  return list
end

local function ranges_of(run, leaves, pass)
  local list = {}
  for _, leaf in ipairs(leaves) do
    local share = math.max(1, 8 // #leaves)
    if pass == 0 then
      division.add(list, run.db, leaf, share)
    else
      for _, range in ipairs(division.ranges(run.db, order.of_pass(leaf, pass), share, pass)) do
        list[#list + 1] = range
      end
    end
  end
  return list
end

-- Tables that are gone are not swept.
local function present(run, leaves)
  local there, list = {}, {}
  for _, leaf in ipairs(survey.leaves(run.db, run.o)) do there[leaf.oid] = true end
  for _, leaf in ipairs(leaves) do
    if there[leaf.oid] then list[#list + 1] = leaf end
  end
  return list
end

--- Whether another sweep is due. Where rows match the condition still after they were changed, a sweep
--- would change them twice. Pure.
---@param o table
---@param tally { pass: integer, changed: integer, still: integer }  the last pass, rows it changed, rows still matching
---@return boolean
function passes.sweep_is_due(o, tally)
  if not o.condition or tally.still > 0 then return false end
  if tally.pass < first_sweep then return o.sweep > 0 end
  return tally.changed > 0 and tally.pass - first_sweep + 1 < o.sweep
end

local function add(run, tally)
  local fresh = new_leaves(run)
  if #fresh > 0 then
    preflight.check(run.db, run.o, fresh)
    local spec = run:learn(fresh)
    return run.books:more_statements(run.id, ranges_of(run, fresh, 0), tally, "running", spec)
  end
  if not passes.sweep_is_due(run.o, tally) then return nil end
  local pass = math.max(tally.pass + 1, first_sweep)
  local ranges = ranges_of(run, present(run, run.spec.leaves), pass)
  if #ranges == 0 then return nil end
  return run.books:more_statements(run.id, ranges, tally, "sweeping")
end

-- "paused" is what a process leaves that was stopped, while others may be at work.
local going_on = { running = true, sweeping = true, paused = true }

local function begun_anew(run)
  fault.raise("operation", ('backfill "%s" was begun anew by somebody else'):format(run.o.name), {
    where = run.o.where, operation = run.o.kind, settled = true, hint = "Run the command again.",
  })
end

local function attempt(run)
  local db = run.db
  db:exec "BEGIN"
  local row = db:exec(run.books:hold_statement(run.id))[1] or begun_anew(run)
  tree.take(run, row.spec)
  local tally = db:exec(run.books:tally_statement(run.id))[1]
  local list = {}
  if tally.open == 0 and going_on[tally.state] then list = add(run, tally) or {} end
  if #list == 0 then
    db:exec "ROLLBACK"
    return tally.open > 0
  end
  for index, sql in ipairs(list) do list[index] = { sql = sql } end
  list[#list + 1] = { sql = "COMMIT" }
  db:pipeline(list)
  return true
end

--- Begin what is left to do when no range is open. Whoever comes first does it; others find its ranges.
---@param run moontide.BackfillRun
---@return boolean  whether there is work
function passes.next(run)
  local ok, more = pcall(attempt, run)
  if ok then return more end
  run.db:rollback()
  error(more, 0)
end

local function verify(run)
  local sql = run.o.verify
  if not sql then return end
  local row = run.db:exec(sql)[1]
  local _, answer = next(row or {})
  if answer == 0 or answer == "0" then return end
  fault.raise("operation", ('backfill "%s": verify answers %s, not 0'):format(run.o.name,
    answer == nil and "nothing" or tostring(answer)), { where = run.o.where, operation = run.o.kind, statement = sql,
    hint = "Find the rows and mend them; then the same command asks again." })
end

--- The last words about a job all the ranges of which are done.
---@param run moontide.BackfillRun
function passes.finish(run)
  local tally = run.db:exec(run.books:tally_statement(run.id))[1]
  local o, sweeps = run.o, tally.pass - first_sweep + 1
  if sweeps > 0 and tally.changed > 0 then
    local more = { hint = "Make new rows right by a default, a trigger or the application, or give sweep = N." }
    report.warn(("backfill %s: the last of %d sweeps still changed %s"):format(o.name, sweeps,
      count.of(tally.changed, "row")), more)
  elseif sweeps > 0 then
    report.verbose(("backfill %s: %d sweeps, the last found nothing"):format(o.name, sweeps))
  elseif o.condition and o.sweep > 0 and tally.still > 0 then
    report.verbose(("backfill %s: no sweep, since %d rows match the condition after they were changed too"):format(
      o.name, tally.still))
  end
  verify(run)
end

return passes
