--- Questions on the terminal before something is changed.

local sys = require "moontide.runtime.sys"
local fault = require "moontide.fault"
local report = require "moontide.report"

local ask = {}

--- Ask for a yes; --yes gives it beforehand. Where nobody can be asked, raise.
---@param app moontide.App
---@param question string  without the question mark
---@return boolean
function ask.confirm(app, question)
  if app.args.yes then return true end
  if report.is_json() or not sys.isatty(0) then
    fault.raise("usage", "this needs a yes, and there is no terminal to ask on", {
      detail = question .. "?", hint = "Say --yes to go ahead.",
    })
  end
  local answer = sys.readline(question .. "? [y/N] ") or ""
  return answer:lower():find("^%s*ye?s?%s*$") ~= nil
end

return ask
