--- Revision graphs and cases over them as text.
---
--- A graph has one revision a line: `id (label, label) < down, down ~ dependency`, everything
--- but the id optional, files in the order of the lines.

local graph = require "moontide.graph"

local revisions = {}

local function names(text)
  local list = {}
  for name in (text or ""):gmatch("[^%s,]+") do list[#list + 1] = name end
  return list
end

revisions.names = names

local function revision(line)
  return {
    id = line:match("^[^%s(<~]+"), labels = names(line:match("%((.-)%)")), down = names(line:match("<([^~]*)")),
    deps = names(line:match("~(.*)")),
  }
end

--- The revision values of a graph.
function revisions.parse(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do
    line = line:match("^%s*(.-)%s*$")
    if line ~= "" then
      local new = revision(line)
      new.path, new.order = ("versions/%02d_%s.lua"):format(#list + 1, new.id), #list + 1
      list[#list + 1] = new
    end
  end
  return list
end

--- The map of a graph.
function revisions.map(text)
  return graph.new(revisions.parse(text))
end

--- The ids of revisions, nodes or steps in one line.
function revisions.ids(list)
  local ids = {}
  for i, item in ipairs(list) do
    ids[i] = type(item) == "string" and item or item.id or item.revision and item.revision.id or "base"
  end
  return table.concat(ids, " ")
end

--- The rows of a table of cases: lines of cells separated by bars.
function revisions.cases(text)
  local cases = {}
  for line in text:gmatch("[^\n]+") do
    local cells = {}
    for cell in (line .. "|"):gmatch("%s*(.-)%s*|") do cells[#cells + 1] = cell end
    if line:find("%S") then cases[#cases + 1] = cells end
  end
  return cases
end

return revisions
