--- From one database to another: what differs, and the calls that lead from the
--- first to the second. Pure; the way back is the same question asked the other way round.

local attachment = require "moontide.diff.attachment"
local equal = require "moontide.equal"
local rule = require "moontide.diff.rule"

---@class moontide.Difference
---@field action "create"|"drop"|"change"
---@field fact moontide.Fact      as it is to be, or as it is where it is dropped
---@field impossible? string      why it cannot be written as operations

---@class moontide.Diff
---@field from moontide.FactSet
---@field to moontide.FactSet
---@field differences moontide.Difference[]
---@field dropped table<string, true>
---@field created table<string, true>
---@field altered table<string, moontide.Alteration>
---@field again table<string, true>   dropped and created again
---@field early table<string, true>   functions that are dropped first
local Diff = {}
Diff.__index = Diff

local diff = {}

local function is_nothing(alteration)
  return alteration and not alteration.impossible and #alteration.first + #alteration.before + #alteration.now == 0
end

-- Columns of a table that are in another order are no difference.
local function compare(self, old, new)
  if new.kind == "attachment" then self.again[new.key] = true end
  if old == new or equal(old.call, new.call) or old.source == new.source then return end
  local alteration = rule.alteration(old, new)
  if is_nothing(alteration) then return end
  self.altered[new.key] = alteration or nil
  if not alteration then self.again[new.key] = true end
  self.differences[#self.differences + 1] = { action = "change", fact = new,
    impossible = alteration and alteration.impossible }
end

local function find_differences(self)
  for _, fact in ipairs(self.from.list) do
    if not self.to.by_key[fact.key] then
      self.dropped[fact.key] = true
      self.differences[#self.differences + 1] = { action = "drop", fact = fact }
    end
  end
  for _, fact in ipairs(self.to.list) do
    local old = self.from.by_key[fact.key]
    if old then compare(self, old, fact) else
      self.created[fact.key] = true
      self.differences[#self.differences + 1] = { action = "create", fact = fact }
    end
  end
  table.sort(self.differences, function(a, b) return a.fact.key < b.fact.key end)
end

-- What can be dropped and created again without losing rows.
local movable = {}
for _, kind in ipairs { "view", "materialized view", "function", "procedure", "trigger", "rule", "policy", "constraint",
  "foreign key", "index", "comment", "setting", "sequence owner", "attachment",
  "aggregate", "statistics", "publication", "grant", "revoke" } do
  movable[kind] = true
end

--- Add a kind whose objects can be.
---@param kind string
function diff.add_movable(kind) movable[kind] = true end

local of_columns = { constraint = true, ["foreign key"] = true, index = true, comment = true, setting = true,
  attachment = true, statistics = true }

local function dependents_of(set)
  local map = {}
  for from, edges in pairs(set.edges) do
    for to, edge in pairs(edges) do
      map[to] = map[to] or {}
      map[to][from] = edge
    end
  end
  return map
end

local function touches(edge, columns)
  for column in pairs(edge.columns) do
    if columns[column] then return true end
  end
  return false
end

-- Types and functions are dropped last, when nobody needs them any more.
local late = require("moontide.diff.late")

local function impossible(self, key, reason)
  for _, difference in ipairs(self.differences) do
    if difference.fact.key == key then difference.impossible = difference.impossible or reason end
  end
end

local queries = { view = true, ["materialized view"] = true, rule = true, policy = true }

-- Whether a dependent has to make way before an object changes or goes.
local function in_the_way(alteration, fact, edge)
  if alteration.everybody then return movable[fact.kind] and not of_columns[fact.kind] end
  if alteration.queries then return queries[fact.kind] or false end
  if not touches(edge, alteration.disturbed or {}) then return false end
  local stays = of_columns[fact.kind] or fact.kind == "grant"
  return movable[fact.kind] and (not stays or touches(edge, alteration.rebuilt or {}))
end

local types = { type = true, domain = true, ["range type"] = true }

-- A table that stays and has a column of a type, or of a type that is made of it.
local function user_of(self, dependents, key, seen)
  for other in pairs(dependents[key] or {}) do
    local fact = self.from.by_key[other]
    if fact and fact.kind == "table" and not self.dropped[other] then return other end
    if fact and types[fact.kind] and not seen[other] then
      seen[other] = true
      local found = user_of(self, dependents, other, seen)
      if found then return found end
    end
  end
end

local function check_unused(self, dependents)
  for key, alteration in pairs(self.altered) do
    local user = alteration.unused and user_of(self, dependents, key, {})
    if user then impossible(self, key, ("%s: %s"):format(alteration.unused, user)) end
  end
end

-- A name that is taken over at once cannot be waited for until no table needs it.
local function check_names(self, dependents)
  for key in pairs(self.dropped) do
    if late.kinds[self.from.by_key[key].kind] and late.gives_name(self.created, key) then
      for other in pairs(dependents[key] or {}) do
        if self.from.by_key[other] and not self.dropped[other] and not self.again[other] then
          impossible(self, key, ("another object takes its name while %s needs it"):format(other))
        end
      end
    end
  end
end

local routines = { ["function"] = true, procedure = true }

local function only_movable(self, dependents, key, seen)
  for other in pairs(dependents[key] or {}) do
    local fact = self.from.by_key[other]
    if fact and not seen[other] and not self.dropped[other] then
      seen[other] = true
      if not movable[fact.kind] or not only_movable(self, dependents, other, seen) then return false end
    end
  end
  return true
end

-- A function goes before another of its name comes, where that can be: calls may fit both.
local function is_early(self, dependents, key)
  local name = routines[self.from.by_key[key].kind] and key:match("^[^(]*%(")
  if not name then return false end
  for other in pairs(self.created) do
    if other:sub(1, #name) == name then return only_movable(self, dependents, key, {}) end
  end
  return false
end

-- The columns of a table that are of a type, or of arrays of it.
local function columns_of(fact, type_fact)
  local quote, columns = require "moontide.sql.quote", {}
  local name = quote.qualified(type_fact.call[#type_fact.call].schema, type_fact.call[2])
  for _, row in ipairs(fact.rows or {}) do
    if row.type == name or row.type == name .. "[]" then columns[row.name] = true end
  end
  return columns
end

-- A type whose columns are converted is in the way of what uses these columns.
local function users_of_columns(self, dependents, key, found)
  for other in pairs(dependents[key] or {}) do
    local fact = self.from.by_key[other]
    local columns = fact and fact.kind == "table" and columns_of(fact, self.from.by_key[key]) or {}
    for user, edge in pairs(dependents[other] or {}) do
      local using = self.from.by_key[user]
      if using and movable[using.kind] and not of_columns[using.kind] and touches(edge, columns) then found(user) end
    end
  end
end

local function make_way(self)
  local dependents, queue = dependents_of(self.from), {}
  local function push(key) queue[#queue + 1] = key end
  local function again(key)
    if self.again[key] or self.dropped[key] then return end
    self.again[key], self.altered[key] = true, nil
    push(key)
  end
  for key in pairs(self.again) do push(key) end
  for key in pairs(self.dropped) do
    self.early[key] = is_early(self, dependents, key) or nil
    if self.early[key] or not late.kinds[self.from.by_key[key].kind] then push(key) end
  end
  for key, alteration in pairs(self.altered) do
    if alteration.everybody then users_of_columns(self, dependents, key, again) end
    for other, edge in pairs(dependents[key] or {}) do
      local fact = self.from.by_key[other]
      if fact and in_the_way(alteration, fact, edge) then again(other) end
    end
  end
  while #queue > 0 do
    local key = table.remove(queue)
    for other in pairs(dependents[key] or {}) do
      local fact = self.from.by_key[other]
      if fact and movable[fact.kind] then again(other)
      elseif fact and self.again[key] and not self.dropped[other] then
        impossible(self, key, ("it would have to be dropped, and %s needs it"):format(other))
      end
    end
  end
  check_names(self, dependents)
  check_unused(self, dependents)
end

--- Compare two sets.
---@param from moontide.FactSet
---@param to moontide.FactSet
---@return moontide.Diff
function diff.new(from, to)
  local is_same = from == to
  from, to = attachment.settle(from, to)
  local self = setmetatable({ from = from, to = to, differences = {}, dropped = {}, created = {}, altered = {},
    again = {}, early = {} }, Diff)
  if is_same then return self end
  find_differences(self)
  make_way(self)
  return self
end

--- The calls that lead from the first set to the second, in an order in which they can be run.
---@return { call: table, fact: moontide.Fact }[]
function Diff:calls() return require("moontide.diff.steps")(self) end

--- The differences that cannot be written as operations.
---@return moontide.Difference[]
function Diff:impossible()
  local list = {}
  for _, difference in ipairs(self.differences) do
    if difference.impossible then list[#list + 1] = difference end
  end
  return list
end

return diff
