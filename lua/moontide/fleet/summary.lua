--- The end of a run over several targets, in one table.

local fault = require "moontide.fault"
local report = require "moontide.report"

local summary = {}

--- How many members have an outcome.
---@param members moontide.Member[]
---@param outcome string
---@return integer
function summary.count(members, outcome)
  local count = 0
  for _, member in ipairs(members) do
    if member.outcome == outcome then count = count + 1 end
  end
  return count
end

-- To the millisecond.
local function rounded(seconds) return seconds and (seconds * 1000 + 0.5) // 1 / 1000 end

local function document(members, seconds)
  local list = require("moontide.json").array {}
  for index, member in ipairs(members) do
    list[index] = {
      target = member.name, outcome = member.outcome, seconds = rounded(member.seconds), status = member.status,
    }
  end
  return {
    event = "targets", targets = list, seconds = rounded(seconds), done = summary.count(members, "done"),
    failed = summary.count(members, "failed") + summary.count(members, "interrupted"),
    skipped = summary.count(members, "skipped"),
  }
end

local function row(width, member)
  local seconds = member.seconds and ("%8.1f s"):format(member.seconds) or ""
  return (("%-" .. width .. "s  %-11s%s"):format(member.name, member.outcome, seconds):gsub("%s+$", ""))
end

local function counts(members)
  local parts = {}
  for _, outcome in ipairs { "done", "failed", "interrupted", "skipped" } do
    local count = summary.count(members, outcome)
    if count > 0 then parts[#parts + 1] = ("%d %s"):format(count, outcome) end
  end
  return table.concat(parts, ", ")
end

local function show_table(members, seconds)
  local width = 0
  for _, member in ipairs(members) do width = math.max(width, #member.name) end
  report.info("")
  for _, member in ipairs(members) do report.info(row(width, member)) end
  report.info(#members == 0 and "there are no targets"
    or ("%d targets in %.1f s: %s"):format(#members, seconds, counts(members)))
end

--- Print how it went: a table on stderr, an event with --json.
---@param members moontide.Member[]
---@param seconds number
---@param always boolean  also when all is well
function summary.show(members, seconds, always)
  if report.is_json() then report.json(document(members, seconds)) end
  if always or summary.count(members, "done") < #members then show_table(members, seconds) end
end

local hints = {
  changes = "The same command goes on where this one stopped; what is done has nothing left to do.",
  looks = "What is wrong with each stands above; -n NAME looks at one of them alone.",
}

--- Raise when not all is done.
---@param members moontide.Member[]
---@param manner "changes"|"looks"  what the command does with its targets
function summary.check(members, manner)
  local left = #members - summary.count(members, "done")
  if left == 0 then return end
  local failed = left - summary.count(members, "skipped")
  fault.raise("targets", ("%d of %d targets failed"):format(failed, #members), {
    detail = left > failed and ("%d were not started"):format(left - failed) or nil,
    hint = hints[manner],
  })
end

return summary
