--- Operations in specs: build them as a revision file does, compare them, and read them back.

local assert = require "luassert"
local it = require("busted").it
local op = require "moontide.op"
local operation = require "moontide.operation"
local value = require "moontide.value"

local operations = {}

--- The operations that a function of a revision makes, in order.
---@param fn fun(op: table)
---@return moontide.Operation[]
function operations.collect(fn)
  local list = {}
  fn(op.new { run = function(_, o) list[#list + 1] = o end })
  return list
end

--- The operation that Lua text builds.
---@param text string
---@return moontide.Operation
function operations.load(text)
  local list = {}
  local environment = { op = op.new { run = function(_, o) list[1] = o end }, math = math }
  for _, name in ipairs { "sql", "null", "array", "json", "bytea" } do environment[name] = value[name] end
  assert(load(text, "=source", "t", environment))()
  return list[1]
end

--- A value without places in files and with its markers spelt out, for assert.same.
---@param given any
---@return any
function operations.bare(given)
  if type(given) ~= "table" then return given end
  local copy = { marker = value.kind(given) ~= "table" and value.kind(given) or nil }
  for key, field in pairs(given) do copy[key] = operations.bare(field) end
  if given.kind then copy.where = nil end
  return copy
end

--- The SQL texts of operations.
---@param list moontide.Operation[]
---@param ctx? table
---@return string[]
function operations.sql(list, ctx)
  local texts = {}
  for _, o in ipairs(list) do
    for _, statement in ipairs(operation.statements(o, ctx)) do texts[#texts + 1] = statement.sql end
  end
  return texts
end

--- What undoes operations, in the order to run it.
---@param list moontide.Operation[]
---@return moontide.Operation[]
function operations.undo(list)
  local undone = {}
  for i = #list, 1, -1 do
    for _, o in ipairs(assert(operation.inverse(list[i]))) do undone[#undone + 1] = o end
  end
  return undone
end

local function one_line(text)
  return (text:gsub("%s+", " "):gsub("%( ", "("):gsub(" %)", ")"):gsub(", }", " }"))
end

local function lines(list)
  for i, text in ipairs(list) do list[i] = one_line(text) end
  return list
end

local function check_undo(case, o)
  local undone, reason = operation.inverse(o)
  if case.refusal then
    assert.is_nil(undone)
    return assert.truthy(reason:find(case.refusal, 1, true), reason)
  end
  local sources = {}
  for i, other in ipairs(assert(undone, reason)) do
    sources[i] = one_line(operation.source(other))
    assert.same(operations.bare(other), operations.bare(operations.load(operation.source(other))))
  end
  if case.undo then assert.same(type(case.undo) == "string" and { case.undo } or case.undo, sources) end
end

local function check_locks(case, o)
  local locks = {}
  for i, lock in ipairs(operation.locks(o)) do locks[i] = lock.relation .. ": " .. lock.mode end
  assert.same(case.locks, locks)
end

--- One `it` a case: { name, function(op), sql = text or texts, undo = source or sources | refusal = part of the
--- reason, locks = { "relation: MODE" } }. Whatever the case says, the value must survive being
--- written as Lua and read again, and so must the operations that undo it.
function operations.cases(list)
  for _, case in ipairs(list) do
    it(case[1], function()
      local o = operations.collect(case[2])[1]
      assert.same(type(case.sql) == "string" and { case.sql } or case.sql, lines(operations.sql { o }))
      assert.same(operations.bare(o), operations.bare(operations.load(operation.source(o))))
      check_undo(case, o)
      if case.locks then check_locks(case, o) end
    end)
  end
end

--- One `it` a case: { name, function(op), message, hint }: the call is refused, at the line of the call.
function operations.refusals(list)
  for _, case in ipairs(list) do
    it("refuses " .. case[1], function()
      local ok, problem = pcall(operations.collect, case[2])
      assert.is_false(ok)
      assert.equal(case[3], problem.message)
      if case[4] then assert.truthy(problem.hint and problem.hint:find(case[4], 1, true), problem.hint) end
      local call, line = debug.getinfo(case[2], "S"), tonumber(problem.where:match("_spec%.lua:(%d+)$"))
      assert.truthy(line >= call.linedefined and line <= call.lastlinedefined)
    end)
  end
end

return operations
