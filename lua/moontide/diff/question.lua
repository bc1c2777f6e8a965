--- What may have another name now: something that goes beside something alike that comes.
--- Only people know; so they are asked, and without an answer nothing is assumed.

local differ = require "moontide.diff"
local source = require "moontide.source"

local question = {}

local function list_of(fact) return fact.kind == "table" and fact.call[#fact.call] or fact.call[3] end

-- Names and types of the columns of a table.
local function shape_of(fact)
  local shape, count = {}, 0
  for _, item in ipairs(list_of(fact)) do
    shape[item[1] .. "\0" .. item[2]], count = true, count + 1
  end
  return shape, count
end

-- Tables are alike when they have at least half of their columns in common.
local function alike_tables(old, new)
  local first, count = shape_of(old)
  local second, other = shape_of(new)
  local common = 0
  for column in pairs(first) do common = common + (second[column] and 1 or 0) end
  return common > 0 and common * 2 >= math.max(count, other)
end

local function alike(old, new)
  if old.kind ~= new.kind or old.call[1] ~= new.call[1] then return false end
  if old.call[#old.call].schema ~= new.call[#new.call].schema then return false end
  if old.kind == "table" then return alike_tables(old, new) end
  return old.kind == "enum" and source.value(old.call[3]) == source.value(new.call[3])
end

local function plain(schema, name) return schema == "public" and name or schema .. "." .. name end

local function of_object(old, new)
  local schema = new.call[#new.call].schema
  return { kind = new.kind, name = new.call[2], from = old.call[2], schema = schema,
    text = ("Is %s %s the new name of %s"):format(new.kind, plain(schema, new.call[2]), plain(schema, old.call[2])) }
end

local finders = {}

-- Each that goes with each that comes and is like it.
function finders.object(found, offer)
  for _, old in ipairs(found.from.list) do
    for _, new in ipairs(found.dropped[old.key] and found.to.list or {}) do
      if found.created[new.key] and alike(old, new) then offer(old.key, new.key, of_object(old, new)) end
    end
  end
end

local function columns_of(calls, word)
  local list = {}
  for _, call in ipairs(calls) do
    if call[1] == word then list[#list + 1] = call[3] end
  end
  return list
end

local function type_of(fact, name)
  for _, item in ipairs(list_of(fact)) do
    if item[1] == name then return item[2] end
  end
end

local function of_part(kind, fact, name, from)
  local schema, whole = fact.call[#fact.call].schema, fact.call[2]
  return { kind = kind, name = name, from = from, schema = schema, of = whole,
    text = ("Is %s %s of %s the new name of %s"):format(kind, name, plain(schema, whole), from) }
end

-- A generated column may be dropped and added under its name.
local function columns(old, new, alteration, offer)
  for _, name in ipairs(columns_of(alteration.before, "drop_column")) do
    for _, item in ipairs(columns_of(alteration.now, "add_column")) do
      if type_of(old, name) == item[2] and not type_of(new, name) and not type_of(old, item[1]) then
        offer(old.key .. "." .. name, new.key .. "." .. item[1], of_part("column", new, item[1], name))
      end
    end
  end
end

local function missing(labels, others)
  local known, list = {}, {}
  for _, label in ipairs(others) do known[label] = true end
  for _, label in ipairs(labels) do
    if not known[label] then list[#list + 1] = label end
  end
  return list
end

local function labels(old, new, _, offer)
  for _, from in ipairs(missing(old.call[3], new.call[3])) do
    for _, name in ipairs(missing(new.call[3], old.call[3])) do
      offer(old.key .. "." .. from, new.key .. "." .. name, of_part("label", new, name, from))
    end
  end
end

local of_kind = { table = columns, enum = labels }

function finders.part(found, offer)
  for _, new in ipairs(found.to.list) do
    local alteration, find = found.altered[new.key], of_kind[new.kind]
    if alteration and find and not alteration.impossible then
      find(found.from.by_key[new.key], new, alteration, offer)
    end
  end
end

--- Ask about everything that is alike; what was found is not asked about again.
---@param kind "object"|"part"
---@param from moontide.FactSet
---@param to moontide.FactSet
---@param ask fun(question: string): boolean
---@return moontide.Rename[]
function question.answered(kind, from, to, ask)
  local list, taken = {}, {}
  finders[kind](differ.new(from, to), function(old, new, rename)
    if taken[old] or taken[new] or not ask(rename.text) then return end
    taken[old], taken[new] = true, true
    list[#list + 1] = rename
  end)
  return list
end

return question
