--- What the reads of a revision answered: for the journal, from which a run that goes on
--- answers them again, and for those who look for an operation of it later.

local fault = require "moontide.fault"
local serialize = require "moontide.serialize"

local answers = {}

-- Kept up to this many bytes a segment, in case a commit point comes, and as many of the whole revision.
local most = 1024 * 1024

--- Begin a segment.
---@param run moontide.Segments
function answers.begin(run) run.reads, run.read_bytes, run.read_count = {}, 0, 0 end

-- A hook is not called by whoever looks for an operation later.
local function tell(run, text)
  if not run.told or run.in_hook then return end
  run.told_bytes = run.told_bytes + #text
  if run.told_bytes > most then run.told = false else table.insert(run.told, text) end
end

local function marked(answer)
  local copy = { of_hook = true }
  for name, item in pairs(answer) do copy[name] = item end
  return copy
end

--- Keep an answer.
---@param run moontide.Segments
---@param answer table
function answers.keep(run, answer)
  if not run.reads and not run.told then return end
  local text = serialize.encode(run.in_hook and marked(answer) or answer)
  tell(run, text)
  if not run.reads then return end
  run.read_bytes = run.read_bytes + #text
  if run.read_bytes > most then run.reads = nil else table.insert(run.reads, text) end
end

--- The next answer that the journal has of a committed segment; nil when it has no more.
---@param run moontide.Segments
---@return table?
function answers.again(run)
  local row = run.journaled[run.number]
  row.answers = row.answers or serialize.decode(row.reads or "{}")
  run.read_count = run.read_count + 1
  local answer = row.answers[run.read_count]
  if not answer then return nil end
  answer.of_hook = nil
  tell(run, serialize.encode(answer))
  return answer
end

--- The answers of the segment for the journal; nil when there are none.
---@param run moontide.Segments
---@return string?
function answers.text(run)
  return run.reads and #run.reads > 0 and "{" .. table.concat(run.reads, ",") .. "}" or nil
end

--- All answers of the revision so far; false when they are too many.
---@param run moontide.Segments
---@return string|false
function answers.told(run) return run.told and "{" .. table.concat(run.told, ",") .. "}" end

--- Refuse a commit where the answers before it are too many to be kept.
---@param run moontide.Segments
function answers.check(run)
  if run.reads then return end
  fault.raise("operation", ("the reads before a commit point answered more than %d KiB"):format(most // 1024), {
    hint = "A run that stops here must be able to answer them again: read less, or read in a statement of its own.",
  })
end

return answers
