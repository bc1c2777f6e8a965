--- One runner at a time. Direct connections hold a session advisory lock, taken by
--- polling: a blocking wait would hold a snapshot, and a concurrent index build of
--- the holder would wait for it. Behind a transaction pooler a session lock would be
--- left on somebody else's connection, so there the lock belongs to a transaction
--- that a second connection keeps open and idle. Both use the same key, so the two
--- kinds exclude each other. A crashed holder's lock is gone with its connection.

local digest = require "moontide.runtime.digest"
local sys = require "moontide.runtime.sys"
local fault = require "moontide.fault"
local report = require "moontide.report"

---@class moontide.Lock
---@field key string     "class, object": two int4 as SQL
---@field fence string   a second key, taken by every transaction of a run
---@field keeper? moontide.Db   the connection that holds the lock behind a pooler
local Lock = {}
Lock.__index = Lock

local lock = {}

-- The first 32 bits of a hash as a signed integer, since advisory keys are int4.
local function int4(text)
  local number = tonumber(digest.sha256(text):sub(1, 8), 16)
  return number >= 0x80000000 and number - 0x100000000 or number
end

--- The lock of one version table. Advisory locks are per database already, so the
--- key only has to tell the version tables of a database apart.
---@param version_table string  its qualified name
---@return moontide.Lock
function lock.new(version_table)
  local class = int4("moontide")
  return setmetatable({
    key = ("%d, %d"):format(class, int4("run " .. version_table)),
    fence = ("%d, %d"):format(class, int4("fence " .. version_table)),
  }, Lock)
end

--- The statement that tries to take the session lock and tells a pooler by the
--- way: the process that serves us is not the one that the connection was told of.
--- Answers one row {held = boolean|nil, pooled = boolean, pid = integer}; `held` is nil behind a pooler.
---@param db moontide.Db
---@return { sql: string, rows: true }
function Lock:try_statement(db)
  local pid = db.conn:pid()
  return { rows = true, sql = ("SELECT pg_backend_pid() <> %d AS pooled, "
    .. "CASE WHEN pg_backend_pid() = %d THEN pg_try_advisory_lock(%s) END AS held"):format(pid, pid, self.key) }
end

--- A query that tells a pooler without the lock: it answers {pooled = boolean}.
---@param db moontide.Db
---@return string
function Lock:pooled_statement(db)
  return ("SELECT pg_backend_pid() <> %d AS pooled"):format(db.conn:pid())
end

--- The statement every transaction of a run begins with: it fails (22012) unless no
--- other transaction runs a revision, even where a runner lost its lock unnoticed.
---@return string
function Lock:fence_statement()
  return ("SELECT 1 / pg_try_advisory_xact_lock(%s)::integer"):format(self.fence)
end

--- A query that answers {free = boolean}: whether no transaction of a run is open.
---@return string
function Lock:fence_probe()
  return ("SELECT pg_try_advisory_xact_lock(%s) AS free"):format(self.fence)
end

local holder_sql = [[
SELECT l.pid, coalesce(nullif(a.application_name, ''), '?') AS application, a.state,
       to_char(clock_timestamp() - a.backend_start, 'HH24:MI:SS') AS age, host(a.client_addr) AS address
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.classid::bigint, l.objid::bigint) = (%s) LIMIT 1]]

local function unsigned(key)
  return (key:gsub("-?%d+", function(number) return ("%d"):format(tonumber(number) & 0xffffffff) end))
end

--- Who holds the lock.
---@param db moontide.Db
---@return { pid: integer, application: string, age?: string, address?: string }?
function Lock:holder(db)
  return db:exec(holder_sql:format(unsigned(self.key)))[1]
end

local function holder_text(holder)
  if not holder then return "another runner" end
  return ("process %d (%s%s, connected for %s)"):format(holder.pid, holder.application,
    holder.address and " from " .. holder.address or "", holder.age or "?")
end

-- 25 ms growing to 2 s, with jitter so that waiters do not knock together.
local function pause(attempt)
  local base = math.min(0.025 * 2 ^ attempt, 2)
  sys.sleep(base * (0.5 + math.random() / 2))
end

--- Call `try` until it answers true, at most `limit` seconds; says once who holds the lock.
---@param db moontide.Db
---@param limit number?  seconds; nil waits for ever
---@param try fun(): boolean
function Lock:wait(db, limit, try)
  local started, attempt, said = sys.clock(), 0, false
  while not try() do
    local holder = self:holder(db)
    if limit and sys.clock() - started >= limit then
      fault.raise("lock", ("could not take the migration lock: %s holds it"):format(holder_text(holder)), {
        detail = ("waited %.1f s"):format(sys.clock() - started),
        hint = "Wait for the other run to end, or raise lock_wait.",
      })
    end
    if not said and attempt >= 2 then
      report.info("waiting for the migration lock, held by " .. holder_text(holder))
      said = true
    end
    pause(attempt)
    attempt = attempt + 1
  end
end

-- The last statement of the keeper's transaction must not be a query: in the extended
-- protocol its portal, and with it a snapshot, would stay open while the transaction
-- idles, and every concurrent index build would wait for it.
local keep_alive = "SET LOCAL idle_in_transaction_session_timeout = 0"

local function try_keeper(self, keeper)
  keeper:rollback()
  local list = {
    { sql = "BEGIN ISOLATION LEVEL READ COMMITTED" },
    { sql = ("SELECT pg_try_advisory_xact_lock(%s) AS held"):format(self.key), rows = true },
  }
  if keeper:server_version() >= 170000 then list[#list + 1] = { sql = "SET LOCAL transaction_timeout = 0" } end
  list[#list + 1] = { sql = keep_alive }
  return keeper:pipeline(list)[2][1].held
end

--- Hold the lock behind a pooler: a transaction on a connection of its own, idle
--- until the run ends. It pins one server connection, and no snapshot.
---@param db moontide.Db       the connection of the run, for looking at the holder
---@param connect fun(): moontide.Db
---@param limit number?
function Lock:keep(db, connect, limit)
  self.keeper = connect()
  self:wait(db, limit, function() return try_keeper(self, self.keeper) end)
end

--- Fail unless the lock is still held behind a pooler; asked before every commit.
function Lock:check()
  if not self.keeper then return end
  local alive, problem = pcall(self.keeper.exec, self.keeper, keep_alive)
  if alive then return end
  if problem.kind == "interrupted" then error(problem, 0) end
  fault.raise("lock", "lost the connection that holds the migration lock", {
    hint = "Nothing of the current revision was committed. Run the command again; it continues where this run stopped.",
  })
end

--- Let go. A session lock ends with its connection.
function Lock:release()
  if self.keeper then self.keeper:close() end
  self.keeper = nil
end

return lock
