--- The query of a view: one statement, as it goes behind AS.

local check = require "moontide.check"
local scan = require "moontide.sql.scan"

local query = {}

--- Text without white space around it and without the semicolon at its end.
---@param text string
---@return string
function query.trim(text)
  return (text:gsub("^%s+", ""):gsub("[%s;]+$", ""))
end

local verbs = { SELECT = true, WITH = true, VALUES = true, TABLE = true }

--- A check: SQL text of one query.
function query.read(given, what)
  local list = scan.split(check.sql(given, what))
  if #list ~= 1 then check.refuse(("%s must be one statement, not %d"):format(what, #list)) end
  local verb = scan.command(list[1].sql)
  if not verbs[verb] then
    check.refuse(what .. " must be a query", "A query begins with SELECT, WITH, VALUES or TABLE.")
  end
  return check.expression(query.trim(list[1].sql), what)
end

return query
