--- Finds an operation of a revision again, functions and all, when the revision was run
--- before: its function is called with the answers that its reads had then, and what it
--- does meanwhile is sent nowhere.

local fault = require "moontide.fault"
local gate = require "moontide.gate"
local loading = require "moontide.loading"
local operation = require "moontide.operation"
local runner = require "moontide.runner"
local segment = require "moontide.segment"
local serialize = require "moontide.serialize"

local recall = {}

-- Every segment counts as committed, so nothing is sent; digests are not compared, since nothing is built on them.
local everything_done = setmetatable({}, { __index = function() return { state = "done" } end })

local function nothing() return {} end

local function answering(answers)
  local place = 0
  return function(_, entry)
    place = place + 1
    if answers[place] then return answers[place] end
    fault.raise("revision", "the revision reads what it did not read when it was run",
      { statement = entry.sql, hint = "Restore its file." })
  end
end

---@class moontide.Recalled
---@field direction string
---@field revision moontide.Revision
---@field server_version integer
---@field history moontide.History
---@field captured fun(id: string): string?

local function new_run(wanted)
  local run = segment.new {
    transport = { offline = false, dry = false, ctx = { offline = false, server_version = wanted.server_version } },
    history = wanted.history, revision = wanted.revision.id, direction = wanted.direction, guards = nothing,
  }
  run.journaled, run.check_replay = everything_done, nothing
  return run
end

-- The other operations are passed over.
local function asks(o)
  local registration = operation.get(o.kind)
  return registration.read or registration.prepare or registration.expand
end

-- The run raises when it meets the operation: what follows it may depend on what it does.
local function watched(run, is_wanted)
  local pass = run.run
  function run.run(self, o)
    if is_wanted(o) then
      self.found = o
      fault.raise("reached", "the operation is found")
    end
    return asks(o) and pass(self, o) or nil
  end
  return run
end

--- The answers that the journal has of the committed segments of a revision, without those of hooks.
---@param rows moontide.JournalRow[]
---@param direction string
---@return table[]
function recall.journaled(rows, direction)
  local answers = {}
  for _, row in ipairs(rows) do
    local own = row.direction == direction and row.state == "done" and row.reads
    for _, answer in ipairs(own and serialize.decode(own) or {}) do
      if not answer.of_hook then answers[#answers + 1] = answer end
    end
  end
  return answers
end

--- An operation of a revision; nil when there is none any more.
---@param app moontide.App
---@param wanted moontide.Recalled
---@param answers table[]   of the reads of the revision, in their order
---@param is_wanted fun(o: moontide.Operation): boolean
---@return moontide.Operation?
function recall.find(app, wanted, answers, is_wanted)
  local door = gate.new(app:config().naming)
  local load = loading.loader(app,
    { sink = door, server_version = wanted.server_version, captured = wanted.captured })
  local run = watched(new_run(wanted), is_wanted)
  run.ask = answering(answers)
  local ok, problem = xpcall(function()
    runner.call(wanted, load(wanted), run, door)
  end, gate.explain)
  if not ok and not run.found then error(problem, 0) end
  return run.found
end

return recall
