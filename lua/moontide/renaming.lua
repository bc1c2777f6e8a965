--- What has another name now. Renames are done on a copy: the server builds what the
--- database has once more, beside it, and renames there; so that every text which
--- mentions a name is what it will be, and nothing that is there is locked.

local arrange = require "moontide.fact.arrange"
local question = require "moontide.diff.question"
local renamed = require "moontide.diff.renamed"
local report = require "moontide.report"
local scratch = require "moontide.scratch"
local sets = require "moontide.fact.set"

local renaming = {}

-- A set after renames.
local function copy(sides, set, renames)
  local list = {}
  for _, entry in ipairs(arrange.calls(set, arrange.order(set), {})) do
    list[#list + 1] = sets.operation(entry.call)
  end
  local built = sides:build(scratch.of_operations(table.move(renames, 1, #renames, #list + 1, list)))
  built.unmodelled = set.unmodelled
  return built
end

local function operations(renames)
  local list = {}
  for i, rename in ipairs(renames) do list[i] = renamed.operation(rename) end
  return list
end

-- What only saves work is given up where the copy cannot be built.
local function follow(sides, live, from, to, renames)
  local more = renamed.followers(from, to)
  if #more == 0 then return from, renames end
  local all = table.move(more, 1, #more, #renames + 1, table.move(renames, 1, #renames, 1, {}))
  local ok, built = pcall(copy, sides, live, all)
  if ok then return built, all end
  report.verbose("constraints and indexes are not renamed but made again: " .. tostring(built.message or built))
  return from, renames
end

--- Find what was renamed.
---@param sides moontide.Comparing
---@param live moontide.FactSet
---@param to moontide.FactSet
---@param declared moontide.Rename[]
---@param ask? fun(question: string): boolean
---@return moontide.FactSet from   the live database with the new names
---@return moontide.Operation[] renames
function renaming.settle(sides, live, to, declared, ask)
  if live == to then return live, {} end
  local from, renames = live, {}
  local function take(more)
    if #more == 0 then return end
    table.move(more, 1, #more, #renames + 1, renames)
    from = copy(sides, live, renames)
  end
  take(operations(renamed.due(declared, live)))
  if ask then
    take(operations(question.answered("object", from, to, ask)))
    take(operations(question.answered("part", from, to, ask)))
  end
  return follow(sides, live, from, to, renames)
end

return renaming
