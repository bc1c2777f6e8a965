--- Findings as workflow commands of GitHub Actions, which puts them on the lines of a pull request.

local place = require "moontide.lint.place"
local report = require "moontide.report"

local github = {}

local words = { error = "error", warn = "warning" }

local in_data = { ["%"] = "%25", ["\r"] = "%0D", ["\n"] = "%0A" }
local in_property = { ["%"] = "%25", ["\r"] = "%0D", ["\n"] = "%0A", [":"] = "%3A", [","] = "%2C" }

local function data(text) return (text:gsub("[%%\r\n]", in_data)) end
local function property(text) return (text:gsub("[%%\r\n:,]", in_property)) end

local function command(found)
  local path, line = place.of(found.where)
  local at = path and ("file=%s,line=%d,"):format(property(path), line) or ""
  local text = found.hint and found.message .. "\n" .. found.hint or found.message
  return ("::%s %stitle=%s::%s"):format(words[found.level], at, property(found.rule), data(text))
end

local function unread(one)
  for _, where in ipairs(one.unread) do
    local path, line = place.of(where)
    local at = path and (" file=%s,line=%d"):format(property(path), line) or ""
    report.out(("::notice%s::%s"):format(at, "what depends on the data that is read here was not looked at"))
  end
end

--- Print findings.
---@param result moontide.LintResult
function github.write(result)
  for _, found in ipairs(result.findings) do report.out(command(found)) end
  for _, one in ipairs(result.collected) do unread(one) end
end

return github
