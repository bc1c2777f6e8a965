--- Sends statements to the server. Statements whose answers nobody reads wait in a
--- queue and travel together, with BEGIN before and COMMIT after them, in one round
--- trip; a read, a COPY or a full queue sends them early.

local fault = require "moontide.fault"
local feed = require "moontide.feed"
local report = require "moontide.report"
local settings = require "moontide.transport.settings"

---@class moontide.Entry
---@field sql string
---@field params? table
---@field rows? boolean
---@field index? { schema: string?, name: string }  the index that it builds, which may take long
---@field o? moontide.Operation             whose statement this is
---@field tag? integer                      the step of the run that it belongs to
---@field commits? boolean                  it is a COMMIT
---@field settles? boolean                  its commit is the end of its revision
---@field refused? fun(): moontide.Fault   what a division by zero (22012) of this statement means

---@class moontide.Transport
---@field ctx table                  { server_version, offline } for operation.statements
---@field offline boolean
local Execute = { offline = false }
Execute.__index = Execute

local execute = {}

-- A queue is sent when it holds this many statements or bytes, so that memory stays
-- bounded however much a revision does.
local max_statements, max_bytes = 1000, 1024 * 1024

---@class moontide.ExecuteOptions
---@field db moontide.Db
---@field settings? table<string, string>  settings of every transaction, by name
---@field lock_timeout? number  seconds that a statement may wait for a lock, in the end
---@field directory? string   where relative paths of revisions begin
---@field guard? fun()        called before a commit is sent; raises when the lock is lost
---@field joined? boolean     one transaction for all revisions, as far as they have no commit point
---@field dry? boolean        one transaction for everything, rolled back in the end
---@field deferring? boolean  a revision's commit may travel with the next revision
---@field pooled? boolean     behind a transaction pooler
---@field connect? fun(): moontide.Db  another connection, for what does not run on this one
---@field patience? number    seconds that it waits for a server that is lost

local function nothing() end

--- A transport that executes.
---@param options moontide.ExecuteOptions
---@return moontide.Transport
function execute.new(options)
  return setmetatable({
    db = options.db, settings = options.settings or {}, guard = options.guard or nothing, dry = options.dry or false,
    joined = options.joined or false, deferring = options.deferring or false, pooled = options.pooled or false,
    connect = options.connect, patience = options.patience,
    longest = options.lock_timeout, lock_timeout = options.lock_timeout and math.min(0.1, options.lock_timeout),
    listener = { sending = nothing, settled = nothing },
    ctx = { server_version = options.db:server_version(), offline = false, directory = options.directory },
    queue = {}, bytes = 0, is_open = false, commits = 0,
  }, Execute)
end

local undefined_object = "42704"

-- The server knows all types there are, so it is the one to refuse a misspelt one; it does not know which was meant.
local function suggest_type(problem)
  local name = problem.sqlstate == undefined_object and not problem.hint
    and problem.message:match('^type "([^"]+)" does not exist$')
  local nearest = name and require("moontide.sql.type").suggestion(name)
  if nearest then problem.hint = ("Did you mean %s?"):format(nearest) end
end

local function place(problem, entry)
  if not entry then return problem end
  suggest_type(problem)
  require("moontide.dotted").explain(problem, entry.sql)
  if problem.sqlstate == "22012" and entry.refused then return entry.refused() end
  problem.statement = problem.statement or entry.sql
  if entry.o then
    problem.where, problem.operation, problem.o = problem.where or entry.o.where, entry.o.kind, entry.o
  end
  return problem
end

-- What follows from the answers: which revisions are committed now.
local function note_commits(self, entries, results, last)
  for index = 1, last do
    local entry = entries[index]
    if entry.commits and results and results[index].command ~= "COMMIT" then
      fault.raise("server", "the transaction was rolled back at COMMIT", {
        detail = "the server answered " .. tostring(results[index].command), tag = entry.tag,
        hint = "An earlier statement failed and its error was caught in the revision; let the error through.",
      })
    end
    if entry.commits then self.commits = self.commits + 1 end
    if entry.settles then self.listener.settled(entry.tag) end
  end
end

local function holds_commit(entries)
  for _, entry in ipairs(entries) do
    if entry.commits then return true end
  end
  return false
end

local function fail(self, problem, entries)
  local entry = entries[problem.index]
  note_commits(self, entries, nil, (problem.index or 1) - 1)
  local placed = place(fault.of(problem), entry)
  placed.tag = (entry or entries[problem.index and #entries or 1]).tag
  placed.in_commit = problem.kind == "connection" and holds_commit(entries)
  error(placed, 0)
end

-- The transaction of a run is lost with a failure, which may be that of an earlier revision: whoever
-- catches it gets it again.
local function remember_failure(self, ok, result)
  if ok then return result end
  if self.tag then self.failure = result end
  error(result, 0)
end

local function travel(self, entries)
  self.listener.sending(entries[1].tag)
  if holds_commit(entries) then self.guard() end
  local ok, results = pcall(self.db.pipeline, self.db, entries)
  if not ok then fail(self, results, entries) end
  note_commits(self, entries, results, #entries)
  return results
end

--- Send what waits. Returns the results, one for each statement sent. A failure
--- carries `tag`, the revision whose statement failed; those before it are committed.
---@return table[]
function Execute:flush()
  if self.failure then error(self.failure, 0) end
  local entries = self.queue
  if #entries == 0 then return {} end
  self.queue, self.bytes = {}, 0
  local ok, result = pcall(travel, self, entries)
  if not ok then
    result = fault.of(result)
    result.tag = result.tag or entries[1].tag
  end
  return remember_failure(self, ok, result)
end

local function add(self, entry)
  entry.tag = self.tag
  self.queue[#self.queue + 1] = entry
  self.bytes = self.bytes + #entry.sql
end

local function validates(entry)
  return entry.o ~= nil and entry.sql:upper():find("VALIDATE%s+CONSTRAINT") ~= nil
end

--- Add a statement to the transaction. Validation takes as long as it takes and
--- blocks nobody, so the timeouts do not apply to it.
---@param entry moontide.Entry
function Execute:send(entry)
  local limited = self.lock_timeout or self.settings.statement_timeout
  local patient = limited and validates(entry)
  if patient then add(self, { sql = settings.statement { lock_timeout = "0", statement_timeout = "0" } }) end
  add(self, entry)
  if patient then add(self, { sql = settings.statement(self.settings, self.lock_timeout) }) end
  if #self.queue >= max_statements or self.bytes >= max_bytes then self:flush() end
end

local function send_settings(self)
  self:send { sql = settings.statement(self.settings, self.lock_timeout, self.ctx.server_version) }
end

--- Settings were taken back: where the transaction goes on behind the revision, it gets its own again. What
--- the server does at the commit is to find the tables that it found before.
function Execute:renew()
  if self.joined or self.dry or self.settings.search_path then send_settings(self) end
end

--- Begin a transaction, unless the one of the revision before goes on.
function Execute:open()
  if self.is_open then return end
  self.is_open = true
  self:send { sql = "BEGIN" }
  send_settings(self)
end

--- Commit: one round trip with everything that waits.
function Execute:close()
  if not self.dry then
    self.is_open = false
    add(self, { sql = "COMMIT", commits = true })
  end
  self:flush()
end

--- End a revision. Its commit may travel with the next revision; in a transaction
--- that goes on, what waits is sent, so that a failure is this revision's.
function Execute:settle()
  if self.joined or self.dry then
    self:flush()
    return self.listener.settled(self.tag)
  end
  self.is_open = false
  add(self, { sql = "COMMIT", commits = true, settles = true })
  if not self.deferring or #self.queue >= max_statements or self.bytes >= max_bytes then self:flush() end
end

--- End a run: what waits is sent, what is still open is committed; a dry run leaves nothing.
function Execute:complete()
  if self.is_open and not self.dry then return self:close() end
  self:flush()
  if self.is_open then self.db:exec("ROLLBACK") end
  self.is_open = false
end

--- Forget what waits of the current revision, and send what waits of those before it.
function Execute:drop_current()
  local kept = {}
  for _, entry in ipairs(self.queue) do
    if entry.tag ~= self.tag then kept[#kept + 1] = entry end
  end
  self.queue = kept
  self:flush()
end

--- Run a statement and return its result; what waits goes with it.
---@param entry moontide.Entry
---@return table result
function Execute:read(entry)
  entry.rows = true
  if not self.is_open and self.settings.search_path then
    add(self, { sql = settings.statement { search_path = self.settings.search_path } })
  end
  add(self, entry)
  local results = self:flush()
  return results[#results]
end

--- Load rows by COPY. What waits is sent first, since COPY cannot share a pipeline.
---@param entry moontide.Entry  with copy = { columns, rows } or { chunks = iterator of strings }, and sum = a checksum
---@return integer affected
function Execute:copy(entry)
  self:flush()
  local watch <close> = require("moontide.haul").new(entry.o)
  local function load(copy)
    watch:attend(copy)
    feed.into(entry.copy, copy, watch, entry.copy.sum)
  end
  local ok, result = pcall(self.db.copy_in, self.db, entry.sql, load)
  if ok then watch:finish(result) end
  return remember_failure(self, ok, ok and result or place(fault.of(result), entry))
end

-- How far the server is with building an index is seen by another connection.
local function run_watched(self, entry)
  self:flush()
  local watch <close> = require("moontide.progress").new(self.db.url, entry.index)
  local ok, problem = pcall(self.db.exec, self.db, entry.sql, nil, { every = 1, tick = function() watch:look() end })
  if not ok then error(place(fault.of(problem), entry), 0) end
end

local function run_alone(self, entries)
  for _, entry in ipairs(entries) do
    if entry.copy then
      self:copy(entry)
    elseif entry.index then
      run_watched(self, entry)
    else
      add(self, entry)
      self:flush()
    end
  end
end

-- What a revision has set; it may also call what changes the role behind our back.
local function add_carried(carried, list, names)
  local entries, more = carried:session()
  table.move(entries, 1, #entries, #list + 1, list)
  table.move(more, 1, #more, #names + 1, names)
  table.move({ "SESSION AUTHORIZATION", "ROLE" }, 1, 2, #names + 1, names)
end

local function set_alone(self, carried)
  local values = { lock_timeout = "0", statement_timeout = "0", search_path = self.settings.search_path }
  local names, list = {}, {}
  for name, value in pairs(values) do
    names[#names + 1], list[#list + 1] = name, { sql = ("SET %s = %s"):format(name, value) }
  end
  if carried then add_carried(carried, list, names) end
  self.db:pipeline(list)
  return names
end

local function reset(self, names)
  local list = {}
  for index, name in ipairs(names) do list[index] = { sql = "RESET " .. name } end
  self.db:pipeline(list)
end

local function alone_behind_pooler(self, entries, carried)
  local setting = self.settings.search_path and "a search path" or carried and carried:session()[1]
    and "what the revision has set"
  if setting then
    fault.raise("config", setting .. " cannot be set for this statement behind a transaction pooler", {
      where = entries[1].o and entries[1].o.where, statement = entries[1].sql,
      hint = "Set direct_url in env.lua to connect to the server itself, or write the schema with the operation.",
    })
  end
  return run_alone(self, entries)
end

--- Run statements that cannot be in a transaction, each by itself. They wait for
--- others as long as it takes: a concurrent build that a timeout ends leaves an
--- invalid index. Behind a pooler a session's settings are somebody else's next.
---@param entries moontide.Entry[]
---@param carried? moontide.Carried  what the revision has set for the session
function Execute:alone(entries, carried)
  self:flush()
  if self.pooled then return alone_behind_pooler(self, entries, carried) end
  local names = set_alone(self, carried)
  local ok, problem = pcall(run_alone, self, entries)
  if self:is_alive() then reset(self, names) end
  if not ok then error(problem, 0) end
end

--- Whether the connection can still be used.
---@return boolean
function Execute:is_alive()
  local status = self.db:status()
  return status == "idle" or status == "transaction" or status == "error"
end

--- Leave out, in a dry run, an operation that has no form inside a transaction.
---@param o moontide.Operation
function Execute:skip(o)
  report.warn(("%s is left out of the dry run: it cannot run inside a transaction"):format(o.kind), { where = o.where })
end

--- Let statements of the next attempt wait longer for locks: 100 ms at first, doubled
--- each time up to the lock timeout.
---@param attempts integer  how many have failed
function Execute:grow_timeout(attempts)
  if self.longest then self.lock_timeout = math.min(0.1 * 2 ^ attempts, self.longest) end
end

--- Give up the transaction; what waits is forgotten.
function Execute:abort()
  self.queue, self.bytes, self.is_open, self.failure = {}, 0, false, nil
  self.db:rollback()
end

return execute
