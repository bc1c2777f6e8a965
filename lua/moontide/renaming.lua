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

-- A set after renames, with what is left out of it, since that may be needed.
local function copy(sides, set, to, renames)
  local whole, list = set.whole or set, {}
  for _, entry in ipairs(arrange.calls(whole, arrange.order(whole), {})) do
    list[#list + 1] = sets.operation(entry.call)
  end
  local built = sides:build(scratch.of_operations(table.move(renames, 1, #renames, #list + 1, list)))
  built.unmodelled = whole.unmodelled
  return sides:narrowed(built, true, to.whole or to)
end

-- What is left out is not renamed either.
local function included(to, declared)
  local list = {}
  for _, rename in ipairs(declared) do
    local key = renamed.key(rename)
    if not to.whole or to.by_key[key] or not to.whole.by_key[key] then list[#list + 1] = rename end
  end
  return list
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
  local ok, built = pcall(copy, sides, live, to, all)
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
    from = copy(sides, live, to, renames)
  end
  take(operations(renamed.due(included(to, declared), live.whole or live)))
  if ask then
    take(operations(question.answered("object", from, to, ask)))
    take(operations(question.answered("part", from, to, ask)))
  end
  return follow(sides, live, from, to, renames)
end

return renaming
