--- ALTER TABLE: operations that are actions of one, alone or together.

local dependents = require "moontide.object.dependents"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

local alter = {}

--- One ALTER TABLE for several clauses; no statement for none.
---@param schema string?
---@param name string
---@param clauses string[]
---@return string[] statements
function alter.statements(schema, name, clauses)
  if #clauses == 0 then return {} end
  local head = "ALTER TABLE " .. quote.qualified(schema, name)
  if #clauses == 1 then return { head .. " " .. clauses[1] } end
  return { head .. "\n  " .. table.concat(clauses, ",\n  ") }
end

--- Append the items of a list to another.
---@param list table
---@param more table?
---@return table list
function alter.append(list, more)
  for _, item in ipairs(more or {}) do list[#list + 1] = item end
  return list
end

--- The lock of most actions.
---@param o table
---@return moontide.Lock[]
function alter.lock(o)
  return { { relation = quote.qualified(o.schema, o.table), mode = "ACCESS EXCLUSIVE" } }
end

--- Register an operation that is an action of ALTER TABLE. Instead of `sql` and
--- `source` it has `position` (which argument is the table), `clauses`, `rest`
--- where statements follow the ALTER TABLE, and `arguments` (those that build the value again).
--- What its option `dependents` asks for is put around it.
---@param registration table
function alter.register(registration)
  local clauses, rest = registration.clauses, registration.rest
  local name, arguments = registration.name, registration.arguments
  registration.action = { position = registration.position, clauses = clauses, rest = rest, arguments = arguments }
  registration.position, registration.clauses, registration.rest, registration.arguments = nil, nil, nil, nil
  registration.lock = registration.lock or alter.lock
  function registration.sql(o, ctx)
    local list = alter.append(alter.statements(o.schema, o.table, clauses(o, ctx)), rest and rest(o, ctx))
    return dependents.around(o, list)
  end
  function registration.source(o) return source.call(name, arguments(o)) end
  operation.register(registration)
end

return alter
