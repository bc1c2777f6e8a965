--- How a process that works on a backfill is called: in the checkpoints it writes, and
--- as application_name of its connections, so that the server itself knows who is at work.

local quote = require "moontide.sql.quote"
local sys = require "moontide.runtime.sys"

local identity = {}

-- application_name keeps 63 bytes.
local most = 30

--- This process.
---@return string
function identity.worker() return ("%s:%d"):format(sys.hostname():sub(1, most), sys.pid()) end

local function prefix(id) return ("moontide backfill %d "):format(id) end

--- The application_name of its connections.
---@param id integer      of the job
---@param worker string
---@return string
function identity.application(id, worker) return prefix(id) .. worker end

local function condition(id)
  local name = quote.literal(prefix(id))
  return ("datname = current_database() AND left(application_name, length(%s)) = %s"):format(name, name)
end

--- A query for the processes of the server that work on a job: pid.
---@param id integer
---@return string
function identity.pids(id) return "SELECT pid FROM pg_stat_activity WHERE " .. condition(id) end

--- A query for who is connected to work on a job: worker, lanes. Everybody may see it.
---@param id integer
---@return string
function identity.query(id)
  return ("SELECT substr(application_name, length(%s) + 1) AS worker, count(*) AS lanes FROM pg_stat_activity "
    .. "WHERE %s GROUP BY 1"):format(quote.literal(prefix(id)), condition(id))
end

return identity
