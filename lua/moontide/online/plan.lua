--- Steps that the catalog decides. A block of PL/pgSQL looks at it and writes statements
--- as rows of a temporary table. On a server these are read, and become steps; a script
--- for psql contains the block itself, and psql runs what it has written (\gexec).

local fault = require "moontide.fault"
local quote = require "moontide.sql.quote"
local step = require "moontide.online.step"

---@class moontide.Phase
---@field rows? string        the kind of the rows that it consists of
---@field as? "together"|"each"|"index"  one transaction, one for each row, or indexes that are built concurrently
---@field done? string        of rows that are together
---@field failed? function    of each step
---@field when? string        instead of rows: there are steps, which are needed only when there is a row of this kind
---@field steps? moontide.Step[]

local plan = {}

local create = "CREATE TEMPORARY TABLE moontide_plan (no integer GENERATED ALWAYS AS IDENTITY, step text, name text, "
  .. "place text, sql text, done text)"

local read = "SELECT step, name, place, sql, done FROM pg_temp.moontide_plan ORDER BY no"

local function by_kind(rows)
  local kinds = {}
  for _, row in ipairs(rows) do
    kinds[row.step] = kinds[row.step] or {}
    table.insert(kinds[row.step], row)
  end
  return kinds
end

local function refuse(o, row)
  fault.raise("operation", ("%s: %s"):format(o.kind, row.name), { where = o.where, operation = o.kind, hint = row.sql })
end

local ways = {}

function ways.together(rows, phase)
  local statements = {}
  for index, row in ipairs(rows) do statements[index] = row.sql end
  return { step.transaction(statements, phase.done, phase.failed) }
end

function ways.each(rows, phase)
  local steps = {}
  for index, row in ipairs(rows) do steps[index] = step.transaction(row.sql, row.done, phase.failed) end
  return steps
end

function ways.index(rows)
  local steps = {}
  for index, row in ipairs(rows) do steps[index] = step.build(row.place, row.name, row.sql) end
  return steps
end

local function steps_of(kinds, phases)
  local steps = {}
  for _, phase in ipairs(phases) do
    local rows = kinds[phase.rows or phase.when]
    local list = rows and (phase.steps or ways[phase.as](rows, phase)) or {}
    table.move(list, 1, #list, #steps + 1, steps)
  end
  return steps
end

local function look(o, block, phases, ask)
  ask(create .. " ON COMMIT DROP")
  ask(block)
  local kinds = by_kind(ask(read))
  if kinds.problem then refuse(o, kinds.problem[1]) end
  return steps_of(kinds, phases)
end

-- As a script ----------------------------------------------------------------

local raise = [[
DO $$ DECLARE problem record; BEGIN
  FOR problem IN SELECT name, sql FROM pg_temp.moontide_plan WHERE step = 'problem' ORDER BY no LOOP
    IF problem.sql IS NULL THEN RAISE EXCEPTION '%', problem.name; END IF;
    RAISE EXCEPTION '%', problem.name USING HINT = problem.sql;
  END LOOP;
END $$]]

local function run_rows(kind)
  return ("SELECT sql FROM pg_temp.moontide_plan WHERE step = %s ORDER BY no \\gexec"):format(quote.literal(kind))
end

--- A condition under which a statement of a script is run: there is a row of this kind.
---@param kind string
---@return string
function plan.exists(kind)
  return ("EXISTS (SELECT FROM pg_temp.moontide_plan WHERE step = %s)"):format(quote.literal(kind))
end

--- A statement that psql runs under a condition.
---@param sql string
---@param condition string
---@return string
function plan.guarded(sql, condition)
  return ("SELECT %s WHERE %s \\gexec"):format(quote.literal(sql), condition)
end

local function guarded_steps(phase, into)
  for _, one in ipairs(phase.steps) do
    local statements = {}
    for index, sql in ipairs(one.statements or {}) do statements[index] = plan.guarded(sql, plan.exists(phase.when)) end
    into[#into + 1] = { statements = statements, alone = one.alone, operation = one.operation }
  end
end

local function script(block, phases)
  local steps = { step.transaction { create, block }, step.transaction(raise) }
  for _, phase in ipairs(phases) do
    if phase.steps then guarded_steps(phase, steps)
    else steps[#steps + 1] = { statements = { run_rows(phase.rows) }, alone = phase.as ~= "together" or nil } end
  end
  steps[#steps + 1] = step.transaction "DROP TABLE pg_temp.moontide_plan"
  return steps
end

--- The steps that a block plans.
---@param o moontide.Operation
---@param block string            DO ..., which writes rows into pg_temp.moontide_plan; one of the kind problem,
---  with its message as name and a hint as sql, refuses the operation
---@param phases moontide.Phase[]
---@param ctx { offline: boolean? }
---@return moontide.Step[]
function plan.steps(o, block, phases, ctx)
  if ctx.offline then return script(block, phases) end
  return { { more = function(ask) return look(o, block, phases, ask) end } }
end

--- A block with the words between @ filled in.
---@param text string
---@param words table<string, string>
---@return string
function plan.block(text, words)
  local body = text:gsub("@(%u[%u_]*)@", function(word) return assert(words[word], word) end)
  return "DO " .. quote.dollar(body)
end

return plan
