--- Tables that are in both sets with other parents or another bound: on both sides they
--- are taken for tables that stand alone, with all that they have from their parents, and their
--- places in those are objects of their own, which go first and come last.

local source = require "moontide.source"

local attachment = {}

local function key_of(parent) return ("table %s.%s"):format(parent.schema, parent.table) end

local function place_of(fact)
  return source.value { parents = fact.parents, bound = fact.bound }
end

local function moved_tables(from, to)
  local keys = {}
  for _, fact in ipairs(to.list) do
    local old = fact.kind == "table" and from.by_key[fact.key]
    if old and (old.parents or fact.parents) and place_of(old) ~= place_of(fact) then keys[#keys + 1] = fact.key end
  end
  return keys
end

local function copy_of(set)
  local copy = require("moontide.fact.set").new()
  for _, fact in ipairs(set.list) do copy:add(fact) end
  for oid, fact in pairs(set.by_oid) do copy.by_oid[oid] = fact end
  for key, edges in pairs(set.edges) do
    copy.edges[key] = {}
    for other, edge in pairs(edges) do copy.edges[key][other] = edge end
  end
  copy.unmodelled, copy.casts = set.unmodelled, set.casts
  return copy
end

local function replace(set, old, new)
  for i, fact in ipairs(set.list) do
    if fact == old then set.list[i] = new end
  end
  set.by_key[new.key] = new
  if old.oid then set.by_oid[old.oid] = new end
end

local function calls_of(fact, parent)
  local schema, name = fact.call[#fact.call].schema, fact.call[2]
  local place = { schema = schema, parent_schema = parent.schema }
  if not fact.bound then
    return { "inherit", name, parent.table, place }, { "no_inherit", name, parent.table, place }
  end
  return { "attach_partition", name, parent.table, { schema = schema, parent_schema = parent.schema,
    bound = fact.bound } }, { "detach_partition", name, parent.table, place }
end

-- The place comes when everything of both tables is there.
local function add_place(set, fact, parent)
  local above = key_of(parent)
  local call, drop = calls_of(fact, parent)
  local place = setmetatable({ key = ("attachment %s to %s.%s"):format(fact.key:match("^table (.*)$"), parent.schema,
    parent.table), kind = "attachment", call = call, drop = drop }, getmetatable(fact))
  for _, other in ipairs(set.list) do
    if other.parent == fact.key or other.parent == above then set:depend(place.key, other.key) end
  end
  set.list[#set.list + 1], set.by_key[place.key] = place, place
  set:depend(place.key, fact.key)
  set:depend(place.key, above)
  return place
end

local function referent_of(fact)
  return ("table %s.%s"):format(fact.call[5].referent_schema or "public", fact.call[4])
end

local function add_parts(set, key, parts)
  for _, part in ipairs(parts) do
    set:add(part)
    set:depend(part.key, key)
    if part.kind == "foreign key" then
      for _, other in ipairs(set.list) do
        if other.key == referent_of(part) or other.parent == referent_of(part) and other.kind == "constraint" then
          set:depend(part.key, other.key)
        end
      end
    end
  end
end

local function stand_alone(set, key)
  local fact = set.by_key[key]
  if not fact.alone then return end
  local call, parts = fact.alone()
  local alone = setmetatable({ key = key, kind = "table", oid = fact.oid, call = call, rows = fact.rows,
    key_columns = fact.key_columns, casts = fact.casts,
    drop = { "drop_table", call[2], { schema = call[3].schema } } }, getmetatable(fact))
  replace(set, fact, alone)
  set.edges[key] = set.edges[key] or {}
  for _, parent in ipairs(fact.parents) do set.edges[key][key_of(parent)] = nil end
  add_parts(set, key, parts)
  return fact
end

-- Parents have an order.
local function add_places(set, fact)
  local last
  for _, parent in ipairs(fact.parents) do
    local place = add_place(set, fact, parent)
    if last then set:depend(place.key, last.key) end
    last = place
  end
end

local function settle(set, keys)
  local whole, moved = copy_of(set), {}
  for _, key in ipairs(keys) do moved[#moved + 1] = stand_alone(whole, key) end
  for _, fact in ipairs(moved) do add_places(whole, fact) end
  return whole
end

--- The sets with the places of tables as objects where they differ.
---@param from moontide.FactSet
---@param to moontide.FactSet
---@return moontide.FactSet from
---@return moontide.FactSet to
function attachment.settle(from, to)
  local keys = moved_tables(from, to)
  if #keys == 0 then return from, to end
  return settle(from, keys), settle(to, keys)
end

return attachment
