--- The order of facts: everything after what it needs, and beside that by kind and name,
--- tables after those that they refer to.

local sorted_keys = require "moontide.sorted_keys"

local arrange = {}

local ranks = {}
for i, kind in ipairs { "schema", "extension", "enum", "domain", "type", "range type", "sequence", "table",
  "constraint", "index", "statistics", "sequence owner", "foreign key", "function", "procedure", "aggregate", "view",
  "materialized view", "setting", "publication", "rule", "trigger", "policy", "comment", "attachment", "revoke",
  "grant" } do
  ranks[kind] = i
end
local last_rank = 99

--- The kinds of facts.
---@return string[]
function arrange.kinds()
  local list = {}
  for kind in pairs(ranks) do list[#list + 1] = kind end
  return list
end

--- Whether there are facts of a kind.
---@param kind string
---@return boolean
function arrange.has(kind) return ranks[kind] ~= nil end

--- Add a kind.
---@param kind string
---@param after string  the kind that it comes after
function arrange.add(kind, after) ranks[kind] = ranks[after] + 0.5 end

-- The tables that a table refers to, sorted.
local function references(set)
  local map = {}
  for _, fact in ipairs(set.list) do
    for key in pairs(fact.kind == "foreign key" and set.edges[fact.key] or {}) do
      local other = set.by_key[key]
      if other and other.kind == "table" and key ~= fact.parent then
        map[fact.parent] = map[fact.parent] or {}
        table.insert(map[fact.parent], key)
      end
    end
  end
  for _, list in pairs(map) do table.sort(list) end
  return map
end

-- The keys of tables: behind those that they refer to, where that can be, and by name.
local function order_tables(set, keys)
  local referred, seen, ordered = references(set), {}, {}
  local function visit(key)
    if seen[key] then return end
    seen[key] = true
    for _, other in ipairs(referred[key] or {}) do visit(other) end
    ordered[#ordered + 1] = key
  end
  for _, key in ipairs(keys) do visit(key) end
  return ordered
end

-- All keys, by kind and name.
local function all_keys(set)
  local by_rank, all = {}, {}
  for _, fact in ipairs(set.list) do
    local rank = ranks[fact.kind] or last_rank
    local keys = by_rank[rank] or {}
    by_rank[rank], keys[#keys + 1] = keys, fact.key
  end
  for _, rank in ipairs(sorted_keys(by_rank)) do
    local keys = by_rank[rank]
    table.sort(keys)
    if rank == ranks.table then keys = order_tables(set, keys) end
    table.move(keys, 1, #keys, #all + 1, all)
  end
  return all
end

--- The facts of a set in an order in which they can be created.
---@param set moontide.FactSet
---@return moontide.Fact[]
function arrange.order(set)
  local sorted = all_keys(set)
  local place, done, list = {}, {}, {}
  for i, key in ipairs(sorted) do place[key] = i end
  local function by_place(a, b) return place[a] < place[b] end
  local function visit(key)
    if done[key] then return end
    done[key] = true
    local needed = {}
    for other in pairs(set.edges[key] or {}) do
      if not done[other] and place[other] then needed[#needed + 1] = other end
    end
    if needed[2] then table.sort(needed, by_place) end
    for _, other in ipairs(needed) do visit(other) end
    list[#list + 1] = set.by_key[key]
  end
  for _, key in ipairs(sorted) do visit(key) end
  return list
end

local list_order = { primary_key = 1, unique = 2, excludes = 3, checks = 4, indexes = 5, foreign_keys = 6 }

local function parts_of_tables(ordered)
  local parts = {}
  for _, fact in ipairs(ordered) do
    if fact.item and fact.parent then
      parts[fact.parent] = parts[fact.parent] or {}
      table.insert(parts[fact.parent], fact)
    end
  end
  for _, list in pairs(parts) do
    table.sort(list, function(a, b)
      local first, second = list_order[a.item.list], list_order[b.item.list]
      if first ~= second then return first < second end
      return a.key < b.key
    end)
  end
  return parts
end

local function put(body, part)
  if part.item.list == "primary_key" then body.primary_key = part.item.item return end
  local list = body[part.item.list] or {}
  body[part.item.list], list[#list + 1] = list, part.item.item
end

local function copy(body)
  local fresh = {}
  for key, field in pairs(body) do fresh[key] = field end
  return fresh
end

-- A part may go into the table when everything that it needs is there by then.
local function needs_only(set, part, made)
  for key in pairs(set.edges[part.key] or {}) do
    if not made[key] then return false end
  end
  return true
end

local function merged(set, fact, parts, made)
  local body = copy(fact.call[3])
  for _, part in ipairs(parts) do
    if needs_only(set, part, made) then
      put(body, part)
      made[part.key] = true
    end
  end
  return { fact.call[1], fact.call[2], body }
end

local function merge_sequence(set, fact, made)
  local owner = set.by_key["owner of " .. fact.key]
  if not owner then return fact.call end
  made[owner.key] = true
  local options = copy(fact.call[3])
  options.owned_by = owner.column
  return { fact.call[1], fact.call[2], options }
end

--- The calls that create facts, those of constraints and indexes as parts of their tables where that can be.
---@param set moontide.FactSet
---@param ordered moontide.Fact[]   those to create
---@param made table<string, boolean>  keys of what is there already; those that are created are added
---@param options? { owners?: boolean, there?: table<string, any> }
---  owners: say in a sequence which column owns it, though that comes later; there: keys of tables that exist
---@return { fact: moontide.Fact, call: table }[]
function arrange.calls(set, ordered, made, options)
  options = options or {}
  local parts, list = parts_of_tables(ordered), {}
  for _, fact in ipairs(ordered) do
    if not made[fact.key] then
      local call = fact.call
      made[fact.key] = true
      local is_new = call[1] == "create_table" and not (options.there and options.there[fact.key])
      if is_new then call = merged(set, fact, parts[fact.key] or {}, made) end
      if options.owners and fact.kind == "sequence" then call = merge_sequence(set, fact, made) end
      list[#list + 1] = { fact = fact, call = call }
    end
  end
  return list
end

return arrange
