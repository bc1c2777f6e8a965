--- Findings as lines that editors can follow: `path:line: level: message [rule]`.

local count = require "moontide.count"
local report = require "moontide.report"

local text = {}

local words = { error = "error", warn = "warning" }
local colours = { error = "red", warn = "yellow" }

local function write_finding(found)
  local level = report.style(words[found.level], colours[found.level])
  local rule = report.style("[" .. found.rule .. "]", "dim")
  report.out(("%s: %s: %s %s"):format(found.where or found.revision, level, found.message, rule))
  if found.hint then report.out("  hint: " .. found.hint:gsub("\n", "\n  ")) end
end

local function tell_unread(one)
  if one.stopped then
    return report.warn(("revision %s could not be looked at to its end: %s"):format(one.revision.id,
      one.stopped.message), { where = one.stopped.where, detail = "it reads data at " .. one.unread[1] })
  end
  for _, where in ipairs(one.unread) do
    report.warn(("revision %s reads data; what depends on the answer was not looked at"):format(one.revision.id),
      { where = where })
  end
end

--- Print findings.
---@param result moontide.LintResult
function text.write(result)
  for _, found in ipairs(result.findings) do write_finding(found) end
  for _, one in ipairs(result.collected) do tell_unread(one) end
  report.info(("%s, %s%s in %s"):format(count.of(result.errors, "error"), count.of(result.warnings, "warning"),
    #result.allowed > 0 and (", %d allowed"):format(#result.allowed) or "", count.of(#result.collected, "revision")))
end

return text
