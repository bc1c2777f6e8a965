--- The facts of a database: one for each object, each as the call of the operation
--- that creates it. Two objects are the same when their calls read the same.

local calls = require "moontide.object.calls"
local operation = require "moontide.operation"
local value = require "moontide.value"

---@class moontide.Fact
---@field key string        the kind and the full name
---@field kind string
---@field call table        of the operation that creates it
---@field drop? table       of the operation that drops it
---@field oid? string       "pg_class:16389", as dependencies name it
---@field parent? string    the key of the object that it is a part of, and is dropped with
---@field item? table       a constraint or index as a part of its table's body: { list, item }
---@field source string     the call as Lua text; made when it is first asked for

---@class moontide.FactSet
---@field list moontide.Fact[]
---@field by_key table<string, moontide.Fact>
---@field by_oid table<string, moontide.Fact>
---@field edges table<string, table<string, table>>  key -> key -> { columns = set }
---@field casts? table<string, true>  "integer > bigint"
---@field unmodelled { kind: string, name: string }[]
local Set = {}
Set.__index = Set

local Fact = {}

local set = {}

---@return moontide.FactSet
function set.new()
  return setmetatable({ list = {}, by_key = {}, by_oid = {}, edges = {}, unmodelled = {} }, Set)
end

--- The operation that a call builds.
---@param call table
---@return moontide.Operation
function set.operation(call) return calls.operations({ call })[1] end

function Fact:__index(key)
  if key ~= "source" then return nil end
  local source = operation.source(set.operation(self.call))
  rawset(self, "source", source)
  return source
end

--- Add a fact.
---@param fact table  without its source
function Set:add(fact)
  setmetatable(fact, Fact)
  self.list[#self.list + 1] = fact
  self.by_key[fact.key] = fact
  if fact.oid then self.by_oid[fact.oid] = fact end
  return fact
end

--- Add the comment of an object as a fact of its own; nothing where there is none.
---@param fact moontide.Fact   the object
---@param text? string
---@param object string        its kind, as COMMENT ON has it
---@param name string
---@param options table
function Set:comment(fact, text, object, name, options)
  if not text then return end
  self:add {
    key = "comment " .. fact.key, kind = "comment", parent = fact.key,
    call = { "comment", object, name, text, options },
    drop = { "comment", object, name, value.null, options },
  }
  self:depend("comment " .. fact.key, fact.key)
end

--- Note that one object needs another.
---@param from string  key
---@param to string    key
---@param column? string
function Set:depend(from, to, column)
  local edges = self.edges[from] or {}
  self.edges[from] = edges
  edges[to] = edges[to] or { columns = {} }
  if column then edges[to].columns[column] = true end
end

--- Take a fact away.
---@param key string
function Set:remove(key)
  self.by_key[key] = nil
  for i, fact in ipairs(self.list) do
    if fact.key == key then table.remove(self.list, i) break end
  end
end

return set
