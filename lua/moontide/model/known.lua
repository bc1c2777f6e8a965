--- What a database has already of what is declared. A declaration with the very arguments that `reflect` prints is
--- taken from there and not built; the others are compared as operations.

local caller = require "moontide.caller"
local calls = require "moontide.object.calls"
local equal = require "moontide.equal"

---@class moontide.Known
---@field rest table<string, table[]>  calls that no declaration has repeated, by what they are looked up by
local Known = {}
Known.__index = Known

---@class moontide.Repeated   a declaration that was taken
---@field repeated table  the call
---@field where? string

local known = {}

-- Several may have the same, such as functions of one name.
local function place_of(kind, name) return kind .. "\0" .. tostring(name) end

--- What a database has.
---@param set moontide.FactSet
---@return moontide.Known
function known.new(set)
  local rest = {}
  for _, call in ipairs(require("moontide.fact.text").calls(set)) do
    local place = place_of(call[1], call[2])
    rest[place] = rest[place] or {}
    table.insert(rest[place], call)
  end
  return setmetatable({ rest = rest }, Known)
end

local function repeats(arguments, call)
  for i = 1, math.max(calls.length(call) - 1, arguments.n) do
    if not equal(call[i + 1], arguments[i]) then return false end
  end
  return true
end

--- A declaration that repeats a call, each of which is taken once; nil for any other.
---@param kind string       of the operation
---@param arguments table   packed
---@return moontide.Repeated?
function Known:take(kind, arguments)
  local candidates = self.rest[place_of(kind, arguments[1])] or {}
  for i, call in ipairs(candidates) do
    if repeats(arguments, call) then return { repeated = table.remove(candidates, i), where = caller.where() } end
  end
end

--- Declarations as operations.
---@param list (moontide.Operation|moontide.Repeated)[]
---@return moontide.Operation[]
function known.operations(list)
  local operations = {}
  for i, declared in ipairs(list) do
    operations[i] = declared.repeated and calls.operations({ declared.repeated })[1] or declared
    operations[i].where = declared.where
  end
  return operations
end

-- What a declaration can be looked up by; several may have the same.
local function label(o)
  local on = o.on and table.concat(o.on.names, " ")
  return ("%s %s.%s.%s"):format(o.kind, o.schema or o.on and o.on.schema, o.table, o.name or on)
end

local function by_label(list)
  local map = {}
  for _, o in ipairs(list) do
    local found = map[label(o)] or {}
    map[label(o)], found[#found + 1] = found, o
  end
  return map
end

local function take_equal(candidates, o)
  for i, candidate in ipairs(candidates or {}) do
    if equal(candidate, o, "where") then return table.remove(candidates, i) end
  end
end

--- Whether declarations say all that there is, and nothing else.
---@param list (moontide.Operation|moontide.Repeated)[]
---@return boolean
function Known:is_all(list)
  local others, rest = {}, {}
  for _, declared in ipairs(list) do
    if not declared.repeated then others[#others + 1] = declared end
  end
  for _, candidates in pairs(self.rest) do table.move(candidates, 1, #candidates, #rest + 1, rest) end
  if #others ~= #rest then return false end
  local map = by_label(others)
  for _, o in ipairs(calls.operations(rest)) do
    if not take_equal(map[label(o)], o) then return false end
  end
  return true
end

return known
