--- Settings of the transactions of a run. They are local to each transaction:
--- behind a pooler anything else would be left for somebody else.

local quote = require "moontide.sql.quote"
local sorted_keys = require "moontide.sorted_keys"

local settings = {}

-- A runner that hangs in a transaction, stopped or swapped out, must not hold its locks for ever.
local idle = "60s"

--- Seconds as PostgreSQL reads a duration.
---@param seconds number
---@return string
function settings.duration(seconds) return ("%dms"):format(math.floor(seconds * 1000 + 0.5)) end

--- The statement that sets how long a statement may wait for a lock.
---@param seconds number
---@return string
function settings.lock_timeout(seconds)
  return ("SET LOCAL lock_timeout = %s"):format(quote.literal(settings.duration(seconds)))
end

--- Schemas as the setting search_path has them.
---@param schemas string[]
---@return string
function settings.search_path(schemas)
  local names = {}
  for index, schema in ipairs(schemas) do names[index] = quote.ident(schema) end
  return table.concat(names, ", ")
end

-- A server-wide limit on transactions (PostgreSQL 17 and later) is meant for applications; what a
-- run does is limited by statement_timeout and by the one who watches it.
local with_transaction_timeout = 170000

--- One statement that sets everything for a transaction.
---@param values table<string, string>  by name
---@param lock_timeout? number          seconds
---@param server_version? integer
---@return string
function settings.statement(values, lock_timeout, server_version)
  local all = { idle_in_transaction_session_timeout = idle }
  if (server_version or 0) >= with_transaction_timeout then all.transaction_timeout = "0" end
  if lock_timeout then all.lock_timeout = settings.duration(lock_timeout) end
  for name, value in pairs(values) do all[name] = value end
  local calls = {}
  for index, name in ipairs(sorted_keys(all)) do
    calls[index] = ("set_config(%s, %s, true)"):format(quote.literal(name), quote.literal(all[name]))
  end
  return "SELECT " .. table.concat(calls, ", ")
end

return settings
