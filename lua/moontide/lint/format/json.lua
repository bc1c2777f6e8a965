--- Findings as one JSON document.

local array = require("moontide.json").array
local place = require "moontide.lint.place"
local report = require "moontide.report"

local json = {}

local function finding(found)
  local path, line = place.of(found.where)
  return {
    path = path, line = line, revision = found.revision, operation = found.operation, rule = found.rule,
    level = found.level, message = found.message, hint = found.hint,
  }
end

local function list(findings)
  local documents = {}
  for index, found in ipairs(findings) do documents[index] = finding(found) end
  return array(documents)
end

local function unread(collected)
  local places = {}
  for _, one in ipairs(collected) do
    for _, where in ipairs(one.unread) do
      places[#places + 1] = { revision = one.revision.id, where = where }
    end
    if one.stopped then
      places[#places + 1] = { revision = one.revision.id, where = one.stopped.where, stopped = one.stopped.message }
    end
  end
  return array(places)
end

local function revisions(collected)
  local ids = {}
  for index, one in ipairs(collected) do ids[index] = one.revision.id end
  return array(ids)
end

--- Print findings.
---@param result moontide.LintResult
function json.write(result)
  report.json {
    findings = list(result.findings), allowed = list(result.allowed), unread = unread(result.collected),
    revisions = revisions(result.collected), errors = result.errors, warnings = result.warnings,
  }
end

return json
