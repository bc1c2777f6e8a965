--- Findings as SARIF 2.1.0, which code hosts and editors read.

local json = require "moontide.json"
local lint = require "moontide.lint"
local place = require "moontide.lint.place"
local report = require "moontide.report"

local sarif = {}

local schema = "https://json.schemastore.org/sarif-2.1.0.json"

local levels = { error = "error", warn = "warning", off = "none" }

local function rules()
  local list, at = {}, {}
  for index, rule in ipairs(lint.rules()) do
    at[rule.name] = index - 1
    list[index] = {
      id = rule.name, shortDescription = { text = rule.summary },
      defaultConfiguration = { level = levels[rule.level], enabled = rule.level ~= "off" },
    }
  end
  return json.array(list), at
end

-- A path as a URI reference: a relative one begins at the root of the repository.
local function uri(path)
  local text = path:gsub("^%./", ""):gsub("[^%w%-%._~/]", function(byte) return ("%%%02X"):format(byte:byte()) end)
  return path:sub(1, 1) == "/" and "file://" .. text or text
end

local function locations(found)
  local path, line = place.of(found.where)
  if not path then return nil end
  return json.array { { physicalLocation = {
    artifactLocation = { uri = uri(path) }, region = { startLine = line },
  } } }
end

local function result_of(found, at, is_allowed)
  return {
    ruleId = found.rule, ruleIndex = at[found.rule], level = levels[found.level],
    message = { text = found.hint and found.message .. "\n" .. found.hint or found.message },
    locations = locations(found), properties = { revision = found.revision, operation = found.operation },
    suppressions = is_allowed and json.array { { kind = "inSource" } } or nil,
  }
end

local function results(result, at)
  local list = {}
  for _, found in ipairs(result.findings) do list[#list + 1] = result_of(found, at) end
  for _, found in ipairs(result.allowed) do list[#list + 1] = result_of(found, at, true) end
  return json.array(list)
end

local function notifications(collected)
  local list = {}
  for _, one in ipairs(collected) do
    for _, where in ipairs(one.unread) do
      list[#list + 1] = {
        level = "note", message = { text = "what depends on the data that is read here was not looked at" },
        locations = locations { where = where },
      }
    end
  end
  return json.array(list)
end

--- Print findings.
---@param result moontide.LintResult
function sarif.write(result)
  local list, at = rules()
  report.json {
    ["$schema"] = schema, version = "2.1.0",
    runs = json.array { {
      tool = { driver = { name = "Moontide", version = require "moontide.version", rules = list } },
      results = results(result, at),
      invocations = json.array { { executionSuccessful = true,
        toolExecutionNotifications = notifications(result.collected) } },
    } },
  }
end

return sarif
