--- One step of an online operation. A step is a segment of its revision: it is
--- committed by itself, and has a row in the journal. What a step is to make may be
--- there already; `done` asks the catalog, so that nothing is locked or read in vain.

local concurrent = require "moontide.object.concurrent"
local quote = require "moontide.sql.quote"

---@class moontide.Step
---@field statements string[]
---@field more? fun(ask: fun(sql: string): table): moontide.Step[]  instead of statements: the steps that the
---  catalog asks for
---@field operation? moontide.Operation  instead of statements: an operation that is run as a step
---@field done? string     SQL that answers one boolean, `done`: the catalog says that it is so already
---@field alone? boolean   it cannot be in a transaction
---@field recover? fun(step: moontide.Step, attempt: moontide.Attempt): string[]?  as in a registration
---@field failed? fun(step: moontide.Step, problem: moontide.Fault, attempt: moontide.Attempt)
---  after the server refused it: adds to the problem what helps, and clears what it left
---@field index? { schema: string?, name: string }   the index that a concurrent build makes

---@class moontide.Attempt
---@field interrupted boolean                     the journal has a start of this step, and no end
---@field query fun(sql: string): table           runs a statement by itself and returns its result
---@field wait fun(why: string)                   a moment, and says why
---@field bounded fun(sql: string): table?        the same for a while at most; nil when it takes longer
---@field alone fun(sql: string)                  runs a statement that cannot be in a transaction

local step = {}

--- A step that is one transaction.
---@param statements string|string[]
---@param done? string
---@param failed? fun(step: moontide.Step, problem: moontide.Fault, attempt: moontide.Attempt)
---@return moontide.Step
function step.transaction(statements, done, failed)
  return { statements = type(statements) == "string" and { statements } or statements, done = done, failed = failed }
end

local is_invalid = "SELECT true AS invalid FROM pg_index WHERE NOT indisvalid AND indexrelid = to_regclass(%s)"

local duplicate_table = "42P07"

-- A build that failed leaves an index that costs every writer and serves nobody. One that was there is another's.
local function clear(s, problem, attempt)
  if problem.sqlstate == duplicate_table then return end
  local name = quote.qualified(s.index.schema, s.index.name)
  if attempt.query(is_invalid:format(quote.literal(name)))[1] then
    attempt.alone("DROP INDEX CONCURRENTLY " .. name)
  end
end

local unique_violation = "23505"

local function explain_duplicates(s, problem, attempt)
  local rows = s.duplicates and problem.sqlstate == unique_violation and attempt.bounded(s.duplicates)
  if not rows or not rows[1] then return end
  local lines = { problem.detail }
  for index, row in ipairs(rows) do
    if index == step.shown_duplicates + 1 then lines[#lines + 1] = "... and more"
    else lines[#lines + 1] = ("%s in %d rows"):format(row.value, row.count) end
  end
  problem.detail = table.concat(lines, "\n")
  problem.hint = "Correct these rows, then run the command again; the index that was left is dropped."
end

--- How many values that stand in the way of a unique index are named.
step.shown_duplicates = 5

--- A step that builds an index concurrently.
---@param schema? string
---@param name string
---@param sql string
---@param duplicates? string  a query of the values that a unique index does not allow: `value` and `count`
---@return moontide.Step
function step.build(schema, name, sql, duplicates)
  local index = { schema = schema, name = name }
  return {
    statements = { sql }, alone = true, index = index, duplicates = duplicates,
    recover = function(_, attempt) return concurrent.before_create(index, attempt) end,
    failed = function(s, problem, attempt)
      explain_duplicates(s, problem, attempt)
      clear(s, problem, attempt)
    end,
  }
end

--- A step that drops an index concurrently.
---@param schema? string
---@param name string
---@param sql string
---@return moontide.Step
function step.drop(schema, name, sql)
  local index = { schema = schema, name = name }
  return {
    statements = { sql }, alone = true,
    recover = function(_, attempt) return concurrent.before_drop(index, attempt) end,
  }
end

return step
