--- The order of facts: everything after what it needs, and beside that by kind and name,
--- tables after those that they refer to.

local arrange = {}

local ranks = {}
for i, kind in ipairs { "schema", "extension", "enum", "domain", "type", "range type", "sequence", "table",
  "constraint", "index", "sequence owner", "foreign key", "function", "procedure", "view",
  "materialized view", "setting", "rule", "trigger", "policy", "comment", "attachment" } do
  ranks[kind] = i
end

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

-- Places of tables: behind those that they refer to, where that can be, and by name.
local function table_places(set)
  local referred, keys, place, count = references(set), {}, {}, 0
  for _, fact in ipairs(set.list) do
    if fact.kind == "table" then keys[#keys + 1] = fact.key end
  end
  table.sort(keys)
  local function visit(key)
    if place[key] then return end
    place[key] = 0
    for _, other in ipairs(referred[key] or {}) do visit(other) end
    count = count + 1
    place[key] = count
  end
  for _, key in ipairs(keys) do visit(key) end
  return place
end

local function by_kind_and_name(place)
  return function(a, b)
    local first, second = ranks[a.kind] or 99, ranks[b.kind] or 99
    if first ~= second then return first < second end
    if place[a.key] and place[b.key] then return place[a.key] < place[b.key] end
    return a.key < b.key
  end
end

--- The facts of a set in an order in which they can be created.
---@param set moontide.FactSet
---@return moontide.Fact[]
function arrange.order(set)
  local sorted = table.move(set.list, 1, #set.list, 1, {})
  table.sort(sorted, by_kind_and_name(table_places(set)))
  local place, done, list = {}, {}, {}
  for i, fact in ipairs(sorted) do place[fact.key] = i end
  local function visit(fact)
    if done[fact.key] then return end
    done[fact.key] = true
    local needed = {}
    for key in pairs(set.edges[fact.key] or {}) do needed[#needed + 1] = set.by_key[key] end
    table.sort(needed, function(a, b) return place[a.key] < place[b.key] end)
    for _, other in ipairs(needed) do visit(other) end
    list[#list + 1] = fact
  end
  for _, fact in ipairs(sorted) do visit(fact) end
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
