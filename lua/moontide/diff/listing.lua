--- The differences of two databases for people and for programs.

local operation = require "moontide.operation"
local report = require "moontide.report"
local sets = require "moontide.fact.set"

local listing = {}

local marks = { create = { "+", "green" }, drop = { "-", "red" }, change = { "~", "yellow" } }

-- The objects that are a part of one that comes or goes whole are not listed beside it.
local function is_part(diff, difference)
  local parent = difference.fact.parent
  if difference.action == "change" or not parent then return false end
  return diff[difference.action == "create" and "created" or "dropped"][parent] or false
end

--- The differences to tell of.
---@param diff moontide.Diff
---@return moontide.Difference[]
function listing.differences(diff)
  local list = {}
  for _, difference in ipairs(diff.differences) do
    if not is_part(diff, difference) then list[#list + 1] = difference end
  end
  return list
end

--- The operations that lead from one to the other, as Lua text.
---@param diff moontide.Diff
---@param renamed? moontide.Operation[]  what comes before
---@return { source: string, destructive?: string }[]
function listing.operations(diff, renamed)
  local list = {}
  for i, o in ipairs(renamed or {}) do list[i] = { source = operation.source(o) } end
  for _, entry in ipairs(diff:calls()) do
    local o = sets.operation(entry.call)
    list[#list + 1] = { source = operation.source(o), destructive = operation.destructive(o) }
  end
  return list
end

local function print_difference(difference)
  local mark, colour = table.unpack(marks[difference.action])
  report.out(report.style(("%s %s"):format(mark, difference.fact.key), colour))
  if difference.impossible then report.out("    cannot be written as operations: " .. difference.impossible) end
end

--- Print the differences, and what leads from one to the other.
---@param diff moontide.Diff
---@param renamed? moontide.Operation[]
function listing.print(diff, renamed)
  for _, difference in ipairs(listing.differences(diff)) do print_difference(difference) end
  if #diff:impossible() > 0 then return end
  report.out("")
  for _, item in ipairs(listing.operations(diff, renamed)) do
    if item.destructive then report.out(report.style("-- destructive: " .. item.destructive, "red")) end
    report.out(item.source)
  end
end

--- The same as a document.
---@param diff moontide.Diff
---@param renamed? moontide.Operation[]
---@return table
function listing.document(diff, renamed)
  local json = require "moontide.json"
  local differences, unmodelled = {}, {}
  for i, difference in ipairs(listing.differences(diff)) do
    differences[i] = { action = difference.action, kind = difference.fact.kind, object = difference.fact.key,
      impossible = difference.impossible }
  end
  for i, item in ipairs(diff.from.unmodelled) do unmodelled[i] = { kind = item.kind, name = item.name } end
  return { differences = json.array(differences), not_modelled = json.array(unmodelled),
    operations = json.array(#diff:impossible() == 0 and listing.operations(diff, renamed) or {}) }
end

--- Say on standard error what was not compared.
---@param set moontide.FactSet
function listing.warn_unmodelled(set)
  for _, item in ipairs(set.unmodelled) do
    report.info(("not modelled, and so not compared: %s %s"):format(item.kind, item.name))
  end
end

return listing
