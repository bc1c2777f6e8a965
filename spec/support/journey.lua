--- There and back between two schemas: what one database has is declared by what `reflect` prints of the other, and
--- both ways are run, with every promise checked on the way.

local db = require "moontide.db"
local differ = require "moontide.diff"
local fact = require "moontide.fact"
local model = require "moontide.model"
local models = require "spec.support.models"
local operation = require "moontide.operation"
local scratch = require "moontide.scratch"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local text = require "moontide.fact.text"
local tmp = require "spec.support.tmp"
local way = require "moontide.diff.way"

local journey = {}

local function problem_of(problem)
  if type(problem) ~= "table" then return tostring(problem) end
  return table.concat({ problem.where or "", problem.message, problem.detail or "" }, "\n")
end

local function facts(url)
  local connection <close> = db.connect(url)
  return fact.read(connection)
end

-- What the server of one database makes of a model file.
local function declared(url, source)
  local path = tmp.name("model") .. ".lua"
  shell.write(path, source)
  local connection <close> = db.connect(url)
  local ok, set = pcall(function()
    return scratch.read(connection, scratch.of_models((model.load(path, {}))), {})
  end)
  if not ok then error(problem_of(set) .. "\n" .. source, 0) end
  return set
end

local function run(url, operations, what)
  local connection <close> = db.connect(url)
  for _, o in ipairs(operations) do
    for _, statement in ipairs(operation.statements(o, { server_version = connection:server_version() })) do
      local ok, problem = pcall(connection.exec, connection, statement.sql)
      if not ok then
        local lines = {}
        for i, each in ipairs(operations) do lines[i] = operation.source(each) end
        error(("%s: %s\n%s\n%s"):format(what, statement.sql, problem_of(problem), table.concat(lines, "\n")), 0)
      end
    end
  end
end

local function keys_of(differences)
  local keys = {}
  for i, difference in ipairs(differences) do
    keys[i] = ("%s %s"):format(difference.action, difference.fact.key)
    if difference.action == "change" then keys[i] = keys[i] .. "\n" .. difference.fact.source end
  end
  return table.concat(keys, "\n")
end

local function expect_nothing(from, to, what)
  local found = differ.new(from, to)
  if #found.differences > 0 then
    error(("%s differs:\n%s\nthe other way:\n%s"):format(what, keys_of(found.differences),
      keys_of(differ.new(to, from).differences)), 0)
  end
end

local function minus(lines, others)
  local known, rest = {}, {}
  for _, line in ipairs(others) do known[line] = true end
  for _, line in ipairs(lines) do
    if not known[line] then rest[#rest + 1] = line end
  end
  return table.concat(rest, "\n")
end

local function expect_same(wanted, found, what)
  local missing, surplus = minus(wanted, found), minus(found, wanted)
  if missing ~= "" or surplus ~= "" then
    error(("%s: the catalog lacks\n%s\nand has\n%s"):format(what, missing, surplus), 0)
  end
end

-- How many rows each table has that is in both.
local function counts(url, set, other)
  local connection <close> = db.connect(url)
  local lines = {}
  for _, each in ipairs(set.list) do
    if each.kind == "table" and other.by_key[each.key] then
      local quote = require "moontide.sql.quote"
      local name = quote.qualified(each.call[#each.call].schema, each.call[2])
      lines[#lines + 1] = ("%s %d"):format(each.key, connection:exec("SELECT count(*) AS n FROM " .. name)[1].n)
    end
  end
  return lines
end

local function travel(a, b)
  local before, after = models.catalog(a), models.catalog(b)
  local from, to = facts(a), facts(b)
  local wanted = declared(a, text.file(to))
  expect_nothing(to, wanted, "what reflect printed")
  local found, rows = way.new(from, wanted), counts(a, from, to)
  if #found.impossible > 0 then return keys_of(found.impossible) .. "\n" .. found.impossible[1].impossible end
  local ok, problem = pcall(function()
    run(a, found.there, "there")
    expect_same(after, models.catalog(a), "there")
    expect_nothing(facts(a), wanted, "the second time it")
    run(a, found.back, "back")
    expect_same(before, models.catalog(a), "back")
    expect_same(rows, counts(a, from, to), "rows")
  end)
  if not ok then
    local lines = {}
    for _, list in ipairs { found.there, found.back } do
      lines[#lines + 1] = "--"
      for _, each in ipairs(list) do lines[#lines + 1] = operation.source(each) end
    end
    error(problem_of(problem) .. "\n" .. table.concat(lines, "\n"), 0)
  end
end

-- What cannot be built is a fault of the schema, told without the whole of it.
local function built(sql, cluster)
  local ok, url = pcall(models.database, sql, cluster)
  if not ok then error("not built: " .. problem_of(url), 0) end
  return url
end

--- From the one schema to the other and back. Answers nil, or why it is impossible; raises when a promise is broken.
---@param from string  SQL
---@param to string    SQL
---@param cluster? spec.Cluster  default: the shared one
---@return string?
function journey.go(from, to, cluster)
  local a, b = built(from, cluster), built(to, cluster)
  local ok, answer = pcall(travel, a, b)
  for _, url in ipairs(cluster and {} or { a, b }) do server.drop(url) end
  if not ok then error(problem_of(answer), 0) end
  return answer
end

return journey
