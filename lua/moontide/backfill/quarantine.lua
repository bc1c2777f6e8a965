--- Rows that cannot be changed, with on_error = "quarantine": each is noted in the
--- table of errors by the transaction that moves the checkpoint past it, so a row is
--- either changed or noted, whatever stops in between.

local books = require "moontide.backfill.books"
local fault = require "moontide.fault"
local key = require "moontide.backfill.key"
local quote = require "moontide.sql.quote"

local quarantine = {}

---@class moontide.BadRow
---@field leaf moontide.BackfillLeaf
---@field key string[]
---@field problem moontide.Fault

--- The row in words, for a message.
---@param row moontide.BadRow
---@return string
function quarantine.place(row)
  local parts = {}
  for index, column in ipairs(row.leaf.key) do
    parts[index] = ("%s = %s"):format(column.name, tostring(row.key[index]))
  end
  return ("in the row of %s with %s"):format(row.leaf.name, table.concat(parts, ", "))
end

--- What is raised for a row that stops the backfill.
---@param o table
---@param row moontide.BadRow
---@param more? string  one more line
---@return moontide.Fault
function quarantine.stop(o, row, more)
  local problem = fault.of(row.problem)
  problem.operation, problem.where, problem.final = "backfill", problem.where or o.where, true
  local lines = { quarantine.place(row), problem.detail }
  lines[#lines + 1] = more
  problem.detail = table.concat(lines, "\n")
  return problem
end

local function literal(text) return text and quote.literal(text) or "NULL" end

local function message_of(problem)
  return problem.message .. (problem.detail and "\n" .. problem.detail or "")
end

-- The row as it stands, which the transaction reads itself.
local function insert_statement(job, row)
  local before = ("(SELECT to_jsonb(r)::text FROM ONLY %s r WHERE %s)"):format(row.leaf.name,
    key.exact(row.leaf.key, "r", row.key))
  return ("INSERT INTO %s AS e (backfill_id, leaf, key, sqlstate, message, row_before) VALUES (%d, %d, %s, %s, %s, %s) "
    .. "ON CONFLICT (backfill_id, leaf, key) DO UPDATE SET sqlstate = excluded.sqlstate, message = excluded.message, "
    .. "row_before = excluded.row_before, tries = e.tries + 1, at = clock_timestamp(), resolved_at = NULL"):format(
    job.books.error, job.id, row.leaf.oid, books.array(row.key), literal(row.problem.sqlstate),
    literal(message_of(row.problem)), before)
end

local function known_sql(job, rows)
  local list = {}
  for index, row in ipairs(rows) do list[index] = ("(%d::oid, %s)"):format(row.leaf.oid, books.array(row.key)) end
  return ("SELECT count(*) AS open, count(*) FILTER (WHERE (leaf, key) IN (%s)) AS known FROM %s "
    .. "WHERE backfill_id = %d AND resolved_at IS NULL"):format(table.concat(list, ", "), job.books.error, job.id)
end

local function refuse_more(job, rows, room)
  local more = ("%d rows are put aside already, and max_errors is %d"):format(job.o.max_errors - room,
    job.o.max_errors)
  error(quarantine.stop(job.o, rows[math.max(room, 0) + 1], more), 0)
end

--- The statements that put rows aside, for the transaction that is open. The row of the
--- job is locked, so that lanes together stay within max_errors.
---@param job moontide.BackfillRun
---@param lane moontide.Lane
---@param rows moontide.BadRow[]
---@return table[] list
---@return integer new  how many of the rows were not there yet
function quarantine.statements(job, lane, rows)
  local found = lane:pipeline({
    { sql = ("SELECT 1 FROM %s WHERE id = %d FOR UPDATE"):format(job.books.job, job.id) },
    { sql = known_sql(job, rows), rows = true },
  })[2][1]
  local new, room = #rows - found.known, job.o.max_errors - found.open
  if new > room then refuse_more(job, rows, room) end
  local list = {}
  for index, row in ipairs(rows) do list[index] = { sql = insert_statement(job, row) } end
  return list, new
end

--- Put the only row of a chunk aside, in a transaction of its own.
---@param worker moontide.BackfillWorker
---@param aside { row: moontide.BadRow, range: moontide.BackfillRange }
function quarantine.put(worker, aside)
  local range, row = aside.range, aside.row
  worker.leaf = row.leaf
  worker:open_on(range)
  local list, new = quarantine.statements(worker.job, worker.lane, { row })
  list[#list + 1] = { sql = worker:checkpoint_on(range, row.key, { seen = 1, changed = 0, bad = new }) }
  list[#list + 1] = { sql = "COMMIT" }
  worker.lane:pipeline(list)
end

--- What is said at the end of a job that has put rows aside.
---@param o table
---@param count integer
---@return string message
---@return table more
function quarantine.words(o, count)
  return ("backfill %s: %d %s put aside"):format(o.name, count, count == 1 and "row was" or "rows were"), {
    detail = "their keys and messages are in the table backfill_error of the bookkeeping",
    hint = ("Mend them, then `moontide backfill retry %s` changes them."):format(o.name),
  }
end

return quarantine
