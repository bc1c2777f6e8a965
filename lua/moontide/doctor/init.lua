--- The checks of `moontide doctor`, in the order in which they build on each other.
--- Each file answers one function: check(patient) adds findings, and never raises
--- for what it looks for.

local fault = require "moontide.fault"

local doctor = {}

local files = { "installation", "environment", "database", "bookkeeping", "programs" }

---@class moontide.Finding
---@field check string    what was looked at
---@field status "ok"|"warning"|"error"
---@field message string
---@field hint? string    what to do next

---@class moontide.Patient
---@field app moontide.App
---@field findings moontide.Finding[]
---@field config? table     set by the environment check
---@field graph? table
---@field db? moontide.Db   set by the database check
local Patient = {}
Patient.__index = Patient

local function adder(status)
  return function(self, check, message, hint)
    table.insert(self.findings, { check = check, status = status, message = message, hint = hint })
  end
end

Patient.ok, Patient.warn, Patient.fail = adder "ok", adder "warning", adder "error"

-- A raised fault as a finding.
function Patient:fault(check, value)
  local problem = fault.of(value)
  if problem.kind == "interrupted" then error(problem, 0) end
  local place = problem.where and problem.where .. ": " or ""
  local detail = problem.detail and " (" .. problem.detail:match("^[^\n]*") .. ")" or ""
  self:fail(check, place .. problem.message .. detail, problem.hint)
end

function Patient:close()
  if self.db then self.db:close() end
end
Patient.__close = Patient.close

--- Run all checks.
---@param app moontide.App
---@return moontide.Finding[]
function doctor.examine(app)
  local patient <close> = setmetatable({ app = app, findings = {} }, Patient)
  for _, name in ipairs(files) do require("moontide.doctor." .. name)(patient) end
  return patient.findings
end

return doctor
