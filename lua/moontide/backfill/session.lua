--- The settings under which chunks run: limits, so that nobody waits for a backfill for
--- long; forms of output, so that keys read back as they were; and plans that go by the index.

local quote = require "moontide.sql.quote"

local session = {}

local function settings_of(spec, server_version, search_path)
  local list = {
    lock_timeout = "2s", statement_timeout = ("%dms"):format(math.max(30000, 10 * spec.chunk_ms)),
    idle_in_transaction_session_timeout = "60s", row_security = "off", jit = "off",
    plan_cache_mode = "force_custom_plan", synchronous_commit = "off", enable_seqscan = "off",
    datestyle = "ISO, MDY", timezone = "UTC", intervalstyle = "postgres", extra_float_digits = "3",
    bytea_output = "hex", standard_conforming_strings = "on", default_transaction_isolation = "read committed",
    search_path = search_path,
  }
  if server_version >= 140000 then list.client_connection_check_interval = "5s" end
  for name, setting in pairs(spec.session or {}) do list[name] = setting end
  return list
end

--- The statement that makes the settings.
---@param spec table           of the backfill
---@param server_version integer
---@param search_path string   as the server has it
---@param transaction boolean  for one transaction only
---@return string
function session.statement(spec, server_version, search_path, transaction)
  local list, names = settings_of(spec, server_version, search_path), {}
  for name in pairs(list) do names[#names + 1] = name end
  table.sort(names)
  local calls = {}
  for index, name in ipairs(names) do
    calls[index] = ("set_config(%s, %s, %s)"):format(quote.literal(name), quote.literal(tostring(list[name])),
      transaction)
  end
  return "SELECT " .. table.concat(calls, ", ")
end

return session
