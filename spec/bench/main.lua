--- The benchmark: runs the cases that are named, or all, and prints their table.

local table_of = require "spec.bench.table"
local samples = require "spec.bench.samples"

local modules = { "startup", "apply", "network", "listing" }

local function wanted(name, words)
  for _, word in ipairs(words) do
    if name:find(word, 1, true) then return true end
  end
  return #words == 0
end

local function selected(words)
  local list = {}
  for _, module in ipairs(modules) do
    for _, case in ipairs(require("spec.bench." .. module)) do
      if wanted(case.name, words) then list[#list + 1] = case end
    end
  end
  return list
end

local function run(case, rows)
  io.stderr:write(case.name, "\n")
  local taken = samples.new()
  for _, row in ipairs(case.run(taken)) do rows[#rows + 1] = taken:row(row) end
  collectgarbage()
end

local rows = {}
for _, case in ipairs(selected { ... }) do run(case, rows) end
if not rows[1] then error("no case has such a name", 0) end
io.write(table_of(rows))
