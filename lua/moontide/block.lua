--- The blocks of a revision that mark commit points: op.transaction and op.autocommit.
--- A block is done as a whole or not at all, so the revision fails with it, even
--- when it catches the error.

local fault = require "moontide.fault"

---@class moontide.Block
---@field kind "transaction"|"autocommit"
---@field o moontide.Operation
---@field thread thread   the coroutine that runs it

local block = {}

local function left(running)
  return fault.new("operation", ("op.%s was left before its end"):format(running.kind), {
    where = running.o.where, operation = running.kind,
    detail = "its function yields in a coroutine, or the coroutine was closed",
    hint = "What is in a block belongs together: read what it needs before it begins.",
  })
end

-- Every operation in op.autocommit commits by itself; op.transaction is one commit.
local function call(run, kind, fn)
  run:commit_point()
  local before = run.autocommit
  run.autocommit = kind == "autocommit"
  fn()
  if kind == "transaction" then run:commit_point() end
  run.autocommit = before
end

--- Run a block.
---@param run moontide.Segments
---@param kind "transaction"|"autocommit"
---@param fn function
---@param o moontide.Operation
function block.run(run, kind, fn, o)
  if run.transport.dry then return fn() end
  if run.in_block then
    fault.raise("operation", ("%s inside of %s"):format(kind, run.in_block.kind), { where = o.where, operation = kind })
  end
  local running, ended = { kind = kind, o = o, thread = coroutine.running() }, false
  run.in_block = running
  local _ <close> = setmetatable({}, { __close = function(_, problem)
    run.in_block = nil
    run.failure = run.failure or problem or not ended and left(running) or nil
  end })
  call(run, kind, fn)
  ended = true
end

--- Refuse an operation outside of a block that waits in its coroutine.
---@param run moontide.Segments
function block.check(run)
  local running = run.in_block
  if running and coroutine.status(running.thread) == "suspended" then error(left(running), 0) end
end

--- Refuse the end of a revision while a block has not come to its own.
---@param run moontide.Segments
function block.check_ended(run)
  if run.in_block then error(left(run.in_block), 0) end
end

return block
