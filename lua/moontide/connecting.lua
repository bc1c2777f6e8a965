--- Connecting with patience: a server that is starting up, waking up or out of
--- connections for a moment is tried again, within a budget.

local db = require "moontide.db"
local fault = require "moontide.fault"
local report = require "moontide.report"
local sys = require "moontide.runtime.sys"

local connecting = {}

-- Seconds to wait for a server that says it is on its way, and for one that was there a moment ago.
local default_budget, after_loss = 10, 60

--- How often one thing is gone on with after the connection was lost.
connecting.most = 20

local on_its_way = { ["57P03"] = true, ["53300"] = true }

local waking = {
  "Couldn't connect to compute node", "Control plane request failed", "endpoint is idle",
  "timed out while waiting for endpoint",
}

local function is_waking(problem)
  if on_its_way[problem.sqlstate] then return true end
  for _, text in ipairs(waking) do
    if problem.message:find(text, 1, true) then return true end
  end
  return false
end

local function is_unreachable(problem)
  local from_pooler = (problem.sqlstate or "08"):sub(1, 2) == "08"
  return problem.kind == "connection" and from_pooler or problem.kind == "timeout"
end

local function pause(attempt) sys.sleep(math.min(0.1 * 2 ^ attempt, 2) * (0.5 + math.random() / 2)) end

local function try(config, deadline, started)
  if started then return pcall(started) end
  local left = deadline and math.max(deadline - sys.clock(), 0.1)
  return pcall(db.connect, config.url, { timeout = left })
end

-- Where the primary was a moment ago there may be a standby, until the address leads elsewhere; and a pooler
-- is there when the server behind it is not.
local function refuse_standby(found)
  local ok, answer = pcall(found.exec, found, "SELECT pg_is_in_recovery() AS standby")
  if ok and not answer[1].standby then return found end
  found:close()
  if not ok and fault.of(answer).kind == "interrupted" then error(answer, 0) end
  fault.raise("connection", ok and "the server is a standby" or fault.of(answer).message)
end

local function keep_trying(config, budget, again, started)
  local deadline, attempt, said = sys.clock() + budget, 0, false
  local unreachable_too = again or config.connect_timeout ~= nil
  while true do
    local ok, result = try(config, config.connect_timeout and deadline, started)
    if ok and again then ok, result = pcall(refuse_standby, result) end
    if ok then return result end
    started = nil
    result = fault.of(result)
    local worth_it = is_waking(result) or unreachable_too and is_unreachable(result)
    if not worth_it or sys.clock() >= deadline then error(result, 0) end
    if not said then report.info("waiting for the server: " .. result.message) end
    said, attempt = true, attempt + 1
    pause(attempt)
  end
end

--- Connect to the database of an environment. With connect_timeout set, a server
--- that cannot be reached is waited for as well.
---@param config table
---@param started? fun(): moontide.Db  what `connecting.start` answered
---@return moontide.Db
function connecting.connect(config, started)
  return keep_trying(config, config.connect_timeout or default_budget, false, started)
end

--- Begin the first attempt, so that the server works while revision files are read.
---@param config table
---@return fun(): moontide.Db
function connecting.start(config) return db.start(config.url, { timeout = config.connect_timeout }) end

--- Seconds to wait for a server that is lost.
---@param config table
---@return number
function connecting.patience(config) return math.max(config.connect_timeout or 0, after_loss) end

--- Connect again after a connection was lost, to a server that takes changes.
---@param config table
---@return moontide.Db
function connecting.again(config) return keep_trying(config, connecting.patience(config), true) end

return connecting
