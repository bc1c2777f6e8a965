--- The settings under which chunks run: limits, so that nobody waits for a backfill for
--- long; forms of output, so that keys read back as they were; and plans that go by the index.
--- Plans need not be made anew each time: the statements of a chunk have its values in them, and those of a trigger
--- would be planned for each row.

local books = require "moontide.backfill.books"
local identity = require "moontide.backfill.identity"
local quote = require "moontide.sql.quote"
local sorted_keys = require "moontide.sorted_keys"

local session = {}

local function settings_of(spec, server_version, search_path)
  local list = {
    lock_timeout = "2s", statement_timeout = ("%dms"):format(math.max(30000, 10 * spec.chunk_ms)),
    idle_in_transaction_session_timeout = "60s", row_security = "off", jit = "off", synchronous_commit = "off",
    enable_seqscan = "off", datestyle = "ISO, MDY", timezone = "UTC", intervalstyle = "postgres",
    extra_float_digits = "3", bytea_output = "hex",
    standard_conforming_strings = "on", default_transaction_isolation = "read committed", search_path = search_path,
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
  local list, calls = settings_of(spec, server_version, search_path), {}
  for index, name in ipairs(sorted_keys(list)) do
    calls[index] = ("set_config(%s, %s, %s)"):format(quote.literal(name), quote.literal(tostring(list[name])),
      transaction)
  end
  return "SELECT " .. table.concat(calls, ", ")
end

-- Prepared, it costs the server a third of the time; behind a pooler it would be on some other connection.
local fence = "moontide_fence"

--- A connection of a lane.
---@param run moontide.BackfillRun
---@param connect fun(): moontide.Db
---@return moontide.Db
function session.connect(run, connect)
  local db = connect()
  run.settings_sql = session.statement(run.o, db:server_version(), run.search_path, run.pooled)
  if run.pooled then return db end
  db:exec(run.settings_sql)
  db:exec("SET application_name = " .. quote.literal(identity.application(run.id, run.books.worker)))
  db:prepare(fence, run.books:fence_statement(run.id))
  return db
end

--- The statement on such a connection that a chunk begins with.
---@param run moontide.BackfillRun
---@param range moontide.BackfillRange
---@return table
function session.fence(run, range)
  local item = { rows = true, params = books.fence_params(range) }
  if run.pooled then item.sql = run.books:fence_statement(run.id) else item.prepared = fence end
  return item
end

return session
