--- The operations of revisions and what their statements do, found by running the
--- revisions without a server, as for a script: a transport that keeps instead of
--- printing. Reads answer nothing.

local effect = require "moontide.lint.effect"
local gate = require "moontide.gate"
local operation = require "moontide.operation"
local runner = require "moontide.runner"

local collect = {}

---@class moontide.Statements
---@field effects moontide.Effect[]
---@field transaction? integer

---@class moontide.Collected
---@field revision moontide.Revision
---@field calls { o: moontide.Operation, statements: moontide.Statements[] }[]
---@field unread string[]             places of reads that answered nothing
---@field stopped? moontide.Fault     why the rest of it could not be looked at

---@class moontide.CollectTransport : moontide.Transport
local Collect = { offline = true, dry = false, silent = true }
Collect.__index = Collect

--- A transport that keeps what is sent.
---@param options { joined?: boolean, server_version?: integer, directory?: string }
---@return moontide.CollectTransport
function collect.transport(options)
  return setmetatable({
    ctx = { offline = true, server_version = options.server_version, directory = options.directory },
    joined = options.joined or false, is_open = false, transaction = 0, calls = {}, unread = {},
  }, Collect)
end

--- Whether what an operation asks the catalog is answered, though with nothing: what depends on a column changes
--- nothing about the column.
---@param o moontide.Operation
---@return boolean
function Collect.answers(o) return o.dependents ~= nil end

function Collect:open()
  if self.is_open then return end
  self.is_open, self.transaction = true, self.transaction + 1
end

function Collect:close() self.is_open = false end

function Collect:settle() if not self.joined then self:close() end end

function Collect:complete() end

function Collect:renew() end

function Collect:abort() self:close() end

-- What an operation does in chunks of its own making is not judged by the procedure that stands for it in a script.
local function keep(self, entry, transaction)
  local o, last = entry.o, self.calls[#self.calls]
  if not o then return end
  if not last or last.o ~= o then
    last = { o = o, statements = {} }
    self.calls[#self.calls + 1] = last
  end
  if operation.get(o.kind).job then return end
  table.insert(last.statements, { effects = effect.of(entry.sql), transaction = transaction })
end

---@param entry moontide.Entry
function Collect:send(entry) keep(self, entry, self.transaction) end

---@param entries moontide.Entry[]
function Collect:alone(entries)
  for _, entry in ipairs(entries) do keep(self, entry, nil) end
end

---@param entry moontide.Entry
function Collect:copy(entry) keep(self, entry, self.transaction) end

---@param entry moontide.Entry
function Collect:read(entry)
  table.insert(self.unread, entry.o and entry.o.where or "?")
  return {}
end

-- After a read that answered nothing the rest of a function may fail; without one it is wrong.
local function stopped(transport, problem)
  if #transport.unread == 0 then error(problem, 0) end
  return problem
end

local function run_step(step, run)
  local transport = run.transport
  transport.calls, transport.unread = {}, {}
  local ok, problem = xpcall(runner.run, gate.explain, { step }, run)
  return {
    revision = step.revision, calls = transport.calls, unread = transport.unread,
    stopped = not ok and stopped(transport, problem) or nil,
  }
end

--- Run steps and keep what they do.
---@param steps table[]
---@param run moontide.RunOptions  with a transport of this module
---@return moontide.Collected[]
function collect.run(steps, run)
  local list = {}
  for index, step in ipairs(steps) do list[index] = run_step(step, run) end
  return list
end

return collect
