--- What a change() function takes away, kept so that its downgrade can bring it
--- back: before an operation that drops or replaces an object is run, the object's
--- definition is read from the catalog and stored with the revision. When the
--- downgrade is derived, the operations find it again by their place.

local operation = require "moontide.operation"
local serialize = require "moontide.serialize"

local capture = {}

local Sink = {}
Sink.__index = Sink

-- Reads of a capture are the run's own: in a replay they are answered from the journal.
local function ask(run, o)
  return function(sql) return run:ask { sql = sql, rows = true, o = o } end
end

function Sink:run(o)
  self.count = self.count + 1
  local read = operation.get(o.kind).capture
  if read and not o.existing and not self.run_of_revision.transport.offline then
    self.run_of_revision.captured[self.count] = read(o, ask(self.run_of_revision, o))
  end
  return self.run_of_revision:run(o)
end

function Sink:block(kind, fn, o) return self.run_of_revision:block(kind, fn, o) end

--- The sink of a change() function that is run forward.
---@param run moontide.Segments
---@return moontide.Sink
function capture.sink(run)
  run.captured = {}
  return setmetatable({ run_of_revision = run, count = 0 }, Sink)
end

--- Statements that store what was captured, or that forget it once it was used.
---@param step table
---@param books moontide.History
---@param run moontide.Segments
---@return string[]
function capture.statements(step, books, run)
  if run.releases then return { books:release_statement(step.revision.id) } end
  if not run.captured or not next(run.captured) then return {} end
  return { books:capture_statement(step.revision.id, serialize.encode(run.captured)) }
end

--- Give operations what was captured of them when they were run.
---@param operations moontide.Operation[]  in the order of the change() function
---@param text? string                     what was stored
function capture.restore(operations, text)
  for place, fields in pairs(text and serialize.decode(text) or {}) do
    for key, value in pairs(fields) do operations[place][key] = value end
  end
end

return capture
