--- `moontide doctor`: what is wrong here, if anything.

local report = require "moontide.report"

local styles = { ok = "green", warning = "yellow", error = "red" }

local function print_findings(findings)
  for _, finding in ipairs(findings) do
    local status = report.style(("%-8s"):format(finding.status), styles[finding.status])
    report.out(("%s %-13s %s"):format(status, finding.check, finding.message))
    if finding.hint then report.out((" "):rep(23) .. "hint: " .. finding.hint) end
  end
end

local function has_error(findings)
  for _, finding in ipairs(findings) do
    if finding.status == "error" then return true end
  end
  return false
end

local function run(app)
  local findings = require("moontide.doctor").examine(app)
  local failed = has_error(findings)
  if report.is_json() then
    report.json { ok = not failed, checks = require("moontide.json").array(findings) }
  else
    print_findings(findings)
  end
  return failed and 1 or 0
end

return {
  name = "doctor",
  summary = "check the installation, the connection and the environment",
  description = "Checks the installation, the environment, the connection (version, TLS, pooler, privileges), the"
    .. " bookkeeping tables and the programs for `moontide dev`. One line for each check; exits with 1 when one is"
    .. " an error.",
  run = run,
}
