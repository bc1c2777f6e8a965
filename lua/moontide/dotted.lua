--- Names with a dot in them that are not found: most often a schema was meant.

local quote = require "moontide.sql.quote"

local dotted = {}

--- Say how a schema is given, where the server does not find a name that was quoted with its dot.
---@param problem moontide.Fault
---@param sql? string  the statement
function dotted.explain(problem, sql)
  local name = not problem.hint and (problem.message or ""):match('^%l+ "(.+%..+)" does not exist$')
  if not name or not (sql or ""):find(quote.ident(name), 1, true) then return end
  local schema, rest = name:match("^([^.]*)%.(.*)$")
  problem.hint = ('Names are never split at dots: give the schema beside the name, as in "%s" with schema = "%s"; '
    .. 'in references, { table = "%s", schema = "%s" }.'):format(rest, schema, rest, schema)
end

return dotted
