--- Functions.

local argument = require "moontide.object.argument"
local check = require "moontide.check"
local routine = require "moontide.object.routine"

-- A type, setof a type, or table (a int, b text).
local function read_returns(given, what)
  if type(given) ~= "string" then check.expected(what, "a type", given) end
  local set, rest = given:match("^%s*([sS][eE][tT][oO][fF])%s+(.*)$")
  if set then return "SETOF " .. check.type(rest, what) end
  local columns = given:match("^%s*[tT][aA][bB][lL][eE]%s*%((.*)%)%s*$")
  if columns then return "TABLE(" .. argument.sql(argument.read_list(columns, what)) .. ")" end
  return check.type(given, what)
end

local function has_results(o)
  for _, item in ipairs(o.args or {}) do
    if item.mode == "out" or item.mode == "inout" then return true end
  end
  return o.returns ~= nil
end

routine.register {
  thing = "function",
  words = "FUNCTION",
  summaries = { "Create a function, or replace one", "Drop a function", "Rename a function" },
  shape = check.join(routine.function_shape, { returns = read_returns }),
  example = 'returns = "int", body = "select 1"',
  kinds = "'f', 'w'",
  settle = function(o)
    if not has_results(o) then
      check.refuse("a function needs returns", 'Write returns = "void" where it answers nothing.')
    end
  end,
}
