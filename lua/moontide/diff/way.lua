--- The way from one set of facts to another, and back: operations in an order in which
--- they can be run. What is renamed comes first on the way there and last on the way back.

local differ = require "moontide.diff"
local reversal = require "moontide.reversal"
local sets = require "moontide.fact.set"

---@class moontide.Way
---@field found moontide.Diff             what differs when everything has its new name
---@field renamed moontide.Operation[]
---@field there moontide.Operation[]
---@field back moontide.Operation[]
---@field impossible moontide.Difference[]  what cannot be written as operations
local Way = {}
Way.__index = Way

local way = {}

local function operations(found, into)
  for _, entry in ipairs(found:calls()) do into[#into + 1] = sets.operation(entry.call) end
  return into
end

local function all_impossible(there, back)
  local list, seen = {}, {}
  for _, found in ipairs { there, back } do
    for _, difference in ipairs(found:impossible()) do
      if not seen[difference.fact.key] then list[#list + 1], seen[difference.fact.key] = difference, true end
    end
  end
  return list
end

--- The way between two sets.
---@param from moontide.FactSet  with what is renamed under its new name
---@param to moontide.FactSet
---@param renamed? moontide.Operation[]
---@return moontide.Way
function way.new(from, to, renamed)
  renamed = renamed or {}
  local found, reverse = differ.new(from, to), differ.new(to, from)
  local there = operations(found, table.move(renamed, 1, #renamed, 1, {}))
  local back = operations(reverse, {})
  local undo = reversal.of(renamed)
  return setmetatable({ found = found, renamed = renamed, there = there,
    back = table.move(undo, 1, #undo, #back + 1, back), impossible = all_impossible(found, reverse) }, Way)
end

--- Whether there is nothing to do.
---@return boolean
function Way:is_empty() return #self.found.differences == 0 and #self.renamed == 0 end

return way
