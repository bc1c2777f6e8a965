--- The calls of a comparison in order: labels are added first, since that commits; then
--- what makes way goes, dependents before what they need; then everything is created and
--- changed as it is needed; types and functions that nobody needs any more go last.

local arrange = require "moontide.fact.arrange"

local late = require "moontide.diff.late"

local function goes(self, key) return self.dropped[key] or self.again[key] end

-- A column that is dropped takes the sequence with it that it owns.
local function loses_column(self, owner)
  local column = owner.column
  local key = ("table %s.%s"):format(column.schema, column.table)
  if self.dropped[key] then return true end
  for _, call in ipairs(self.altered[key] and self.altered[key].before or {}) do
    if call[1] == "drop_column" and call[3] == column.column then return true end
  end
  return false
end

-- Where something goes: a key with its table.
local function place_of(self, fact, place)
  return place[fact.parent and goes(self, fact.parent) and fact.parent or fact.key]
end

-- Another table, or its key, goes before this one.
local function refers_to_dropped(self, fact, place)
  for key in pairs(self.from.edges[fact.key] or {}) do
    local other = self.from.by_key[key]
    local is_foreign = other and key ~= fact.parent and other.parent ~= fact.parent
    if is_foreign and goes(self, key) and place_of(self, other, place) > place[fact.parent] then return true end
  end
  return false
end

-- What goes with something else, without a call of its own.
local function is_implied(self, fact, place)
  if fact.kind == "sequence" then
    local owner = self.from.by_key["owner of " .. fact.key]
    return owner ~= nil and loses_column(self, owner)
  end
  if fact.kind == "sequence owner" and self.dropped[fact.parent] then return true end
  if not fact.parent or not goes(self, fact.parent) then return false end
  return not (fact.kind == "foreign key" and refers_to_dropped(self, fact, place))
end

local function time_of(self, fact)
  if not late.kinds[fact.kind] or self.again[fact.key] or self.early[fact.key] then return "first" end
  return late.gives_name(self.created, fact.key) and "before its name is taken" or "last"
end

local function add_drops(self, list, ordered, time)
  local place = {}
  for i, fact in ipairs(ordered) do place[fact.key] = i end
  for i = #ordered, 1, -1 do
    local fact = ordered[i]
    if goes(self, fact.key) and time_of(self, fact) == time and not is_implied(self, fact, place) then
      list[#list + 1] = { call = fact.drop, fact = fact }
    end
  end
end

local function add_alterations(self, list, ordered, time)
  for i = #ordered, 1, -1 do
    local alteration = self.altered[ordered[i].key]
    for _, call in ipairs(alteration and alteration[time] or {}) do
      list[#list + 1] = { call = call, fact = ordered[i] }
    end
  end
end

local function is_due(self, fact)
  return self.created[fact.key] or self.again[fact.key] or self.altered[fact.key]
end

local function add_new(self, list)
  local due, made = {}, {}
  for _, fact in ipairs(arrange.order(self.to)) do
    if is_due(self, fact) then due[#due + 1] = fact else made[fact.key] = true end
  end
  for _, entry in ipairs(arrange.calls(self.to, due, made, { there = self.altered })) do
    local alteration = self.altered[entry.fact.key]
    if not alteration then list[#list + 1] = entry end
    for _, call in ipairs(alteration and alteration.now or {}) do
      list[#list + 1] = { call = call, fact = entry.fact }
    end
  end
end

--- The calls of a comparison.
---@param self moontide.Diff
---@return { call: table, fact: moontide.Fact }[]
return function(self)
  local list, ordered = {}, arrange.order(self.from)
  add_alterations(self, list, ordered, "first")
  add_drops(self, list, ordered, "first")
  add_alterations(self, list, ordered, "before")
  add_drops(self, list, ordered, "before its name is taken")
  add_new(self, list)
  add_drops(self, list, ordered, "last")
  return list
end
