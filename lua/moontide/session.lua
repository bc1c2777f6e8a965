--- A connection together with what the bookkeeping tables say, read in as few
--- round trips as can be: for a run that changes something under the lock, or for
--- a look without it.

local connecting = require "moontide.connecting"
local fault = require "moontide.fault"
local history = require "moontide.history"
local lock = require "moontide.lock"
local report = require "moontide.report"

---@class moontide.Session
---@field db moontide.Db
---@field history moontide.History
---@field lock? moontide.Lock
---@field state moontide.State
---@field exists boolean   the bookkeeping tables are there
local Session = {}
Session.__index = Session

local session = {}

local function refuse_shared(self, version)
  local schema = self.history.schema
  fault.raise("config", ('the bookkeeping tables in schema "%s" are those of another project'):format(schema), {
    detail = ("its version table is %s, the one of this project is %s"):format(version or "another one",
      self.history.version),
    hint = ('Give this project a schema of its own in env.lua, as in schema = "moontide_orders". If it is the same '
      .. "project and its table was renamed: COMMENT ON TABLE %s IS NULL."):format(self.history.journal),
  })
end

local function results_from(self, results, first)
  local stranger = self.history:stranger(results[first + 3][1].owner)
  if stranger then refuse_shared(self, stranger) end
  return history.state(results[first], results[first + 1], results[first + 2])
end

-- The results of statements, or nil where a table they need is not there.
local function try_read(self, statements)
  local ok, results = pcall(self.db.pipeline, self.db, statements)
  if ok then return results end
  if not history.is_missing(results) then error(results, 0) end
  return nil
end

-- Another tool's version table may be there without the other tables.
local function read(self)
  local results = try_read(self, self.history:read_statements())
  self.exists = results ~= nil
  if results then
    self.state = results_from(self, results, 1)
  else
    local version = try_read(self, { self.history:version_statement() })
    self.state = history.state(version and version[1] or {}, {}, {})
  end
end

--- Connect and read, without the lock and without creating anything.
---@param config table
---@return moontide.Session
function session.look(config)
  local self = setmetatable({ db = connecting.connect(config), history = history.open(config) }, Session)
  local ok, problem = pcall(read, self)
  if not ok then
    self.db:close()
    error(problem, 0)
  end
  return self
end

local function explain_refusal(self, problem)
  if type(problem) == "table" and problem.sqlstate == "22012" then refuse_shared(self) end
  if type(problem) == "table" and problem.sqlstate == "25006" then
    problem.hint = "The server is a read-only standby; connect to the primary."
  elseif type(problem) == "table" and problem.sqlstate == "42501" then
    problem.hint = problem.hint or "The role needs the right to create the bookkeeping schema in this database."
  end
  error(problem, 0)
end

local function create_and_read(self)
  -- IF NOT EXISTS says so in a notice each time; that is not news here.
  local list = {
    { sql = "BEGIN" }, { sql = "SET LOCAL client_min_messages = warning" }, { sql = self.history:own_statement() },
  }
  for _, sql in ipairs(self.history:create_statements()) do list[#list + 1] = { sql = sql } end
  local first = #list + 1
  table.move(self.history:read_statements(), 1, 4, first, list)
  list[#list + 1] = { sql = "COMMIT" }
  local ok, results = pcall(self.db.pipeline, self.db, list)
  if not ok then explain_refusal(self, results) end
  self.state, self.exists = results_from(self, results, first), true
end

-- The lock and the state in one round trip; the state is nil when the tables are
-- missing, or when the lock was not free and so the state may be stale.
local function try_at_once(self)
  local list = self.history:read_statements()
  table.insert(list, 1, self.lock:try_statement(self.db))
  local results = try_read(self, list)
  if not results then return self.db:exec(list[1].sql)[1], true end
  local answer = results[1][1]
  if answer.held then self.state, self.exists = results_from(self, results, 2), true end
  return answer
end

local function keep_behind_pooler(self, config)
  report.warn("the connection goes through a transaction pooler", {
    detail = "the migration lock is held by a second connection until the run ends",
    hint = "Set direct_url in env.lua or $DATABASE_URL_DIRECT to connect to the server itself.",
  })
  self.lock:keep(self.db, function() return connecting.connect(config) end, config.lock_wait)
end

local function wait_for_lock(self, config)
  local statement = self.lock:try_statement(self.db)
  self.lock:wait(self.db, config.lock_wait, function() return self.db:exec(statement.sql)[1].held end)
end

local function take(self, config)
  local answer, is_new = try_at_once(self)
  self.pooled = answer.pooled
  if answer.pooled then
    keep_behind_pooler(self, config)
  elseif not answer.held then
    wait_for_lock(self, config)
  end
  if self.state then return end
  -- Where the tables were missing a moment ago, making and reading them is one round trip; should
  -- another runner have made them meanwhile, IF NOT EXISTS leaves them and the state is read all the same.
  if not (is_new and answer.held) then read(self) end
  if not self.exists then create_and_read(self) end
end

-- Behind a pooler the lock is another connection's; the fence is the transaction's own.
local function wait_for_fence(self)
  local statement = self.lock:fence_probe()
  self.lock:wait(self.db, nil, function() return self.db:exec(statement)[1].free end)
end

--- Begin to connect, so that the server works while something else is done before `session.open`.
---@param config table
---@return fun(): moontide.Db
function session.start(config) return connecting.start(config) end

--- Connect, take the lock, and read the state; the tables are created where they are missing.
---@param config table
---@param started? fun(): moontide.Db  what `session.start` answered
---@return moontide.Session
function session.open(config, started)
  local connection = connecting.connect(config, started)
  local self = setmetatable({ db = connection, history = history.open(config) }, Session)
  self.lock = lock.new(self.history.version)
  local ok, problem = pcall(take, self, config)
  if not ok then
    self:close()
    error(fault.of(problem), 0)
  end
  return self
end

--- Connect again after the connection was lost, wait for the lock, and read the state.
--- The lock is free only once the server has ended what the lost connection was doing.
---@param config table
---@return moontide.State
function Session:reconnect(config)
  self.lock:release()
  self.db:close()
  self.db, self.state = connecting.again(config), nil
  take(self, config)
  wait_for_fence(self)
  read(self)
  return self.state
end

--- Connect again after the connection of a look was lost.
---@param config table
---@return moontide.Db
function Session:renew(config)
  self.db:close()
  self.db = connecting.again(config)
  return self.db
end

--- Read the journal rows of a revision again.
---@param revision string
---@return moontide.JournalRow[]
function Session:journal(revision)
  local journal = self.db:exec(self.history:journal_query())
  return history.state({}, {}, journal).journal[revision]
end

function Session:close()
  if self.lock then self.lock:release() end
  self.db:close()
end
Session.__close = Session.close

return session
