--- Questions on the terminal before something is changed.

local sys = require "moontide.runtime.sys"
local fault = require "moontide.fault"
local report = require "moontide.report"

local ask = {}

local function answered_yes(question)
  local answer = sys.readline(question .. "? [y/N] ") or ""
  return answer:lower():find("^%s*ye?s?%s*$") ~= nil
end

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
  return answered_yes(question)
end

--- A question that only people can answer: --yes does not. Nil where there is no terminal.
---@return (fun(question: string): boolean)?
function ask.people()
  if not report.is_json() and sys.isatty(0) then return answered_yes end
end

return ask
