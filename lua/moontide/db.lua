--- A database connection as the rest of the program uses it: every statement is
--- shown by -v with its time, and every failure names its statement. The one
--- module that knows the libpq binding.

local pg = require "moontide.runtime.pg"
local sys = require "moontide.runtime.sys"
local report = require "moontide.report"
local fault = require "moontide.fault"

---@class moontide.Db
---@field conn userdata   the connection of the binding
---@field url string      where it leads; holds the password, so it is never printed
local Db = {}
Db.__index = Db

local db = {}

local connection_hints = {
  ["28P01"] = "Check the password in the URL, ~/.pgpass or $PGPASSWORD.",
  ["28000"] = "Check the role in the URL and the server's pg_hba.conf.",
  ["3D000"] = "Create the database first, or correct its name in the URL.",
  ["53300"] = "The server has no free connections; try again, or raise max_connections.",
}

local idle_in_transaction = "25P03"

local function explain_connect(problem)
  if type(problem) == "table" and not problem.hint then
    problem.hint = problem.kind == "config" and "Correct the URL, or what $PGPORT and its kin say."
      or connection_hints[problem.sqlstate]
      or "Is the server running and the URL right? `moontide doctor` checks both."
  end
  error(problem, 0)
end

--- The connection keywords that this libpq knows.
---@return table<string, boolean>
function db.keywords() return pg.keywords() end

--- The version of the libpq in use, as 150018.
---@return integer
function db.libpq_version() return pg.libpq_version() end

--- An array in its binary form, for a parameter of many values.
---@param element integer  oid of the type of its elements
---@return moontide.pg.Array
function db.array(element) return pg.array(element) end

--- Wait until one of several connections has an answer to what was launched on it.
---@param list moontide.Db[]
---@param seconds number
---@return integer? index  nil when the time is over
function db.wait(list, seconds)
  local conns = {}
  for index, item in ipairs(list) do conns[index] = item.conn end
  return pg.wait(conns, seconds)
end

-- The hosts behind one that is silent, if there are any.
local function after_silence(url, options, problem)
  if not fault.is(problem) or problem.kind ~= "timeout" then return nil end
  local others = require("moontide.hosts").behind(pg.parse(url), problem.host)
  return others and db.start(others, options)()
end

-- Where there are several hosts each has a part of the time.
local function part_of(url, seconds)
  if not seconds or not url:find(",", 1, true) then return seconds end
  local ok, keywords = pcall(pg.parse, url)
  return ok and seconds / require("moontide.hosts").count(keywords) or seconds
end

--- Begin to connect to the server, without waiting. What is wrong is raised by the function that is answered.
---@param url string   a libpq connection string that url.lua has made ready
---@param options? { timeout?: number, application_name?: string }
---@return fun(): moontide.Db  waits for the connection
function db.start(url, options)
  options = options or {}
  local started = sys.clock()
  local begun, finish = pcall(pg.start, url, {
    timeout = part_of(url, options.timeout),
    defaults = { application_name = options.application_name or "moontide", client_encoding = "UTF8" },
  })
  return function()
    if not begun then explain_connect(finish) end
    local ok, conn = pcall(finish)
    if not ok then
      local other = after_silence(url, options, conn) or explain_connect(conn)
      other.url = url
      return other
    end
    local took = (sys.clock() - started) * 1000
    report.verbose(("-- connected to %s in %.1f ms"):format(conn:host() or "the server", took))
    return setmetatable({ conn = conn, url = url }, Db)
  end
end

--- Connect to the server.
---@param url string
---@param options? { timeout?: number, application_name?: string }
---@return moontide.Db
function db.connect(url, options) return db.start(url, options)() end

local levels = { WARNING = true, NOTICE = true, INFO = true }

-- Notices of the server are progress of the run, shown where it shows progress.
local function show_notices(result)
  for _, notice in ipairs(result.notices or {}) do
    if levels[notice.severity] then report.info(("%s:  %s"):format(notice.severity, notice.message)) end
  end
end

-- Whoever computes for long in a transaction is cut off by the server.
local function explain_loss(problem)
  problem = fault.of(problem)
  if problem.sqlstate == idle_in_transaction then
    problem.hint = problem.hint or "The code of the revision took longer than idle_in_transaction_timeout between "
      .. "two statements; raise it in env.lua."
  end
  error(problem, 0)
end

local function timed(self, label, call, ...)
  local started = sys.clock()
  local ok, result = pcall(call, self.conn, ...)
  if report.is_verbose() then report.verbose(("%s -- %.2f ms"):format(label, (sys.clock() - started) * 1000)) end
  if not ok then explain_loss(result) end
  return result
end

--- Run one statement and return its result.
---@param sql string
---@param params? table
---@param options? { tick?: fun(), every?: number }  a function to call every so many seconds while it runs
---@return table result
function Db:exec(sql, params, options)
  local result = timed(self, sql, self.conn.exec, sql, params, options)
  show_notices(result)
  return result
end

--- Prepare a statement, which `{ prepared = name, params = ... }` in a pipeline runs then.
---@param name string
---@param sql string
function Db:prepare(name, sql) timed(self, sql, self.conn.prepare, name, sql) end

local function batch_label(list)
  if not report.is_verbose() then return "" end
  local lines = {}
  for index, entry in ipairs(list) do lines[index] = (entry.sql or entry.prepared) .. ";" end
  return table.concat(lines, "\n") .. "\n-- one round trip"
end

--- Run many statements in one round trip; they share one implicit transaction
--- unless they hold BEGIN and COMMIT themselves. The first failure ends the batch;
--- its fault carries `index`.
---@param list { sql: string, params?: table, rows?: boolean }[]
---@return table[] results
function Db:pipeline(list)
  local results = timed(self, batch_label(list), self.conn.pipeline, list)
  for _, result in ipairs(results) do show_notices(result) end
  return results
end

--- Send statements as `pipeline` does, without waiting for the answers; `land` with the same list reads them.
---@param list { sql: string, params?: table, rows?: boolean }[]
function Db:launch(list)
  timed(self, batch_label(list), self.conn.launch, list)
end

--- The results of what was launched, each at the place of its statement.
---@param list { sql: string, params?: table, rows?: boolean }[]
---@param first? integer  of a part of the list, when the parts before it have been landed
---@param last? integer
---@return table[] results
function Db:land(list, first, last)
  local ok, results = pcall(self.conn.land, self.conn, list, first, last)
  if not ok then error(fault.of(results), 0) end
  for place = first or 1, last or #list do show_notices(results[place]) end
  return results
end

--- Load rows by COPY ... FROM STDIN.
---@param sql string
---@param feed fun(copy: userdata)  writes everything to the copy
---@return integer affected
function Db:copy_in(sql, feed)
  local function load(conn)
    local copy <close> = conn:copy_in(sql)
    feed(copy)
    return copy:finish()
  end
  return timed(self, sql, load)
end

--- "idle", "transaction", "error" (a failed transaction), "active" or "closed".
---@return string
function Db:status() return self.conn:status() end

---@return integer  as 150018
function Db:server_version() return self.conn:server_version() end

--- End a transaction that must not stay, whatever became of it. Never raises: the
--- failure that led here is what the user must read.
function Db:rollback()
  local status = self:status()
  if status == "transaction" or status == "error" then pcall(self.exec, self, "ROLLBACK") end
end

function Db:close() self.conn:close() end
Db.__close = Db.close

return db
