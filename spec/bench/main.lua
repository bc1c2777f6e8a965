--- The benchmark: runs the cases that are named, or all, and prints their table.

local table_of = require "spec.bench.table"
local samples = require "spec.bench.samples"

local modules = { "startup", "apply", "network", "listing", "reflect", "backfill" }

local function wanted(case, words)
  for _, word in ipairs(words) do
    if case.name:find(word, 1, true) then return true end
  end
  return #words == 0 and not case.demand
end

local function selected(words)
  local list = {}
  for _, module in ipairs(modules) do
    for _, case in ipairs(require("spec.bench." .. module)) do
      if wanted(case, words) then list[#list + 1] = case end
    end
  end
  return list
end

local function run(case, rows)
  local taken = samples.new()
  for _, row in ipairs(case.run(taken)) do rows[#rows + 1] = taken:row(row) end
  collectgarbage()
end

-- A case that fails must not cost the results of the others.
local function run_all(cases)
  local rows, failed = {}, {}
  for _, case in ipairs(cases) do
    io.stderr:write(case.name, "\n")
    local ok, problem = pcall(run, case, rows)
    if not ok then failed[#failed + 1] = ("%s: %s"):format(case.name, problem) end
  end
  return rows, failed
end

local cases = selected { ... }
if not cases[1] then error("no case has such a name", 0) end
local rows, failed = run_all(cases)
if rows[1] then io.write(table_of(rows)) end
if failed[1] then error(table.concat(failed, "\n"), 0) end
