-- revision --autogenerate through the real file: what it writes makes the database what the models say, finds
-- nothing the second time, and its downgrade brings back what was there. Every other pair is taken backwards;
-- MOONTIDE_PAIRS=both takes all of them both ways.

local cli = require "spec.support.cli"
local models = require "spec.support.models"
local server = require "spec.support.server"

-- Without Moontide's own tables, which the first upgrade makes.
local function catalog(url)
  local lines = {}
  for _, line in ipairs(models.catalog(url)) do
    if not line:find("%f[%w]moontide%f[%W]") then lines[#lines + 1] = line end
  end
  return lines
end

local function without(lines, others)
  local known, rest = {}, {}
  for _, line in ipairs(others) do known[line] = true end
  for _, line in ipairs(lines) do
    if not known[line] then rest[#rest + 1] = line end
  end
  return rest
end

local function expect_same(expected, found)
  assert.same({ missing = {}, surplus = {} },
    { missing = without(expected, found), surplus = without(found, expected) })
end

local function there_and_back(from, to)
  local a, b = models.database(from), models.database(to)
  local before, after = catalog(a), catalog(b)
  local folder = cli.project { ["migrations/env.lua"] = 'return { models = "models.lua" }\n' }
  local options = { cwd = folder, env = { DATABASE_URL = a } }
  cli.ok({ "--url", b, "reflect", "-o", "migrations/models.lua" }, options)
  cli.ok({ "revision", "--autogenerate", "--rev-id", "r1" }, options)
  local path = folder .. "/migrations/versions/r1_.lua"
  local function in_file(what, ...)
    local ran = cli.run(...)
    assert(ran.status == 0, what .. "\n" .. ran.stderr .. (require("spec.support.shell").read(path) or ""))
    return ran
  end
  in_file("upgrade", { "-q", "upgrade" }, options)
  expect_same(after, catalog(a))
  local again = in_file("again", { "revision", "--autogenerate" }, options)
  assert.equal("", again.stdout)
  assert.matches("No changes detected", again.stderr)
  in_file("downgrade", { "-q", "downgrade", "base" }, options)
  expect_same(before, catalog(a))
  server.drop(a)
  server.drop(b)
end

describe("revision --autogenerate", function()
  local both = os.getenv "MOONTIDE_PAIRS" == "both"
  for i, pair in ipairs(require "spec.support.schemapairs") do
    it("leads there and back: " .. pair[1], function()
      if both or i % 2 == 1 then there_and_back(pair[2], pair[3]) end
      if both or i % 2 == 0 then there_and_back(pair[3], pair[2]) end
    end)
  end
end)
