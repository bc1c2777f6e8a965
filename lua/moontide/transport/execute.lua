--- Sends statements to the server. Statements whose answers nobody reads wait in a
--- queue and travel together, with BEGIN before and COMMIT after them, in one round
--- trip; a read, a COPY or a full queue sends them early.

local fault = require "moontide.fault"
local report = require "moontide.report"

---@class moontide.Entry
---@field sql string
---@field params? table
---@field rows? boolean
---@field o? moontide.Operation             whose statement this is
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
---@field settings string[]   SET LOCAL statements of every transaction
---@field directory? string   where relative paths of revisions begin
---@field guard? fun()        called before a commit; raises when the lock is lost
---@field joined? boolean     one transaction for all revisions, as far as they have no commit point
---@field dry? boolean        one transaction for everything, rolled back in the end

--- A transport that executes.
---@param options moontide.ExecuteOptions
---@return moontide.Transport
function execute.new(options)
  return setmetatable({
    db = options.db, settings = options.settings, guard = options.guard or function() end, dry = options.dry or false,
    joined = options.joined or false,
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
  if problem.sqlstate == "22012" and entry.refused then return entry.refused() end
  problem.statement = problem.statement or entry.sql
  if entry.o then
    problem.where, problem.operation = problem.where or entry.o.where, entry.o.kind
  end
  return problem
end

--- Send what waits. Returns the results, one for each statement sent.
---@return table[]
function Execute:flush()
  local entries = self.queue
  if #entries == 0 then return {} end
  self.queue, self.bytes = {}, 0
  local ok, results = pcall(self.db.pipeline, self.db, entries)
  if not ok then error(place(results, entries[results.index]), 0) end
  return results
end

--- Add a statement to the transaction.
---@param entry moontide.Entry
function Execute:send(entry)
  self.queue[#self.queue + 1] = entry
  self.bytes = self.bytes + #entry.sql
  if #self.queue >= max_statements or self.bytes >= max_bytes then self:flush() end
end

--- Begin a transaction, unless the one of the revision before goes on.
function Execute:open()
  if self.is_open then return end
  self.is_open = true
  self:send { sql = "BEGIN" }
  for _, sql in ipairs(self.settings) do self:send { sql = sql } end
end

--- Commit: one round trip with everything that waits.
function Execute:close()
  if self.dry then return self:flush() end
  self.guard()
  self:send { sql = "COMMIT" }
  local results = self:flush()
  self.is_open, self.commits = false, self.commits + 1
  local command = results[#results].command
  if command ~= "COMMIT" then
    fault.raise("server", "the transaction was rolled back at COMMIT", {
      detail = "the server answered " .. tostring(command),
      hint = "An earlier statement failed and its error was caught in the revision; let the error through.",
    })
  end
end

--- End a revision: commit, or leave the transaction to the next one. What waits is
--- sent in any case, so that a failure is this revision's.
function Execute:settle()
  if self.joined or self.dry then self:flush() else self:close() end
end

--- End a run: what is still open is committed; a dry run leaves nothing.
function Execute:complete()
  if not self.is_open then return end
  if not self.dry then return self:close() end
  self:flush()
  self.db:exec("ROLLBACK")
  self.is_open = false
end

--- Run a statement and return its result; what waits goes with it.
---@param entry moontide.Entry
---@return table result
function Execute:read(entry)
  entry.rows = true
  self.queue[#self.queue + 1] = entry
  local results = self:flush()
  return results[#results]
end

local function feed_rows(copy, source)
  for first = 1, #source.rows, 1000 do
    copy:rows(table.move(source.rows, first, math.min(first + 999, #source.rows), 1, {}), source.columns)
  end
end

local function feed_chunks(copy, source)
  for chunk in source.chunks do copy:write(chunk) end
end

--- Load rows by COPY. What waits is sent first, since COPY cannot share a pipeline.
---@param entry moontide.Entry  with copy = { columns, rows } or { chunks = iterator of strings }
---@return integer affected
function Execute:copy(entry)
  self:flush()
  local function feed(copy)
    if entry.copy.rows then feed_rows(copy, entry.copy) else feed_chunks(copy, entry.copy) end
  end
  local ok, result = pcall(self.db.copy_in, self.db, entry.sql, feed)
  if not ok then error(place(fault.of(result), entry), 0) end
  return result
end

--- Run statements that cannot be in a transaction, each by itself.
---@param entries moontide.Entry[]
function Execute:alone(entries)
  for _, entry in ipairs(entries) do
    if entry.copy then
      self:copy(entry)
    else
      self.queue[#self.queue + 1] = entry
      self:flush()
    end
  end
end

--- Leave out, in a dry run, an operation that has no form inside a transaction.
---@param o moontide.Operation
function Execute:skip(o)
  report.warn(("%s is left out of the dry run: it cannot run inside a transaction"):format(o.kind), { where = o.where })
end

--- Give up the transaction; what waits is forgotten.
function Execute:abort()
  self.queue, self.bytes, self.is_open = {}, 0, false
  self.db:rollback()
end

return execute
