--- Renames between two sets: those that were declared, as far as they are yet to be done,
--- and those that nobody needs to be asked about, because nothing but the name differs. Pure.

local differ = require "moontide.diff"
local operation = require "moontide.operation"

local renamed = {}

-- Names of a set, under the new names of what is renamed already.
local Names = {}
Names.__index = Names

local function old_schema(self, schema) return self.schemas[schema] or schema end

-- The key that an object has before anything is renamed.
local function old_key(self, kind, schema, name)
  if kind == "schema" then return "schema " .. name end
  local key = ("%s %s.%s"):format(kind, schema, name)
  return self.objects[key] or ("%s %s.%s"):format(kind, old_schema(self, schema), name)
end

local of_kinds = { column = { "table" }, attribute = { "type" }, label = { "enum" },
  trigger = { "table", "view" }, rule = { "table", "view" }, policy = { "table" } }

-- What the object has that something is a part of.
local function owner_of(self, rename)
  for _, kind in ipairs(of_kinds[rename.kind]) do
    local fact = self.from.by_key[old_key(self, kind, rename.schema, rename.of)]
    if fact then return fact end
  end
end

local function holds(fact, kind, name)
  local list = kind == "column" and fact.call[#fact.call] or fact.call[3]
  for _, part in ipairs(list) do
    if (kind == "label" and part or part[1]) == name then return true end
  end
  return false
end

local is_part = { column = true, attribute = true, label = true }

-- Whether there is something of this name, which is not about to give it up.
local function exists(self, rename, name)
  if not rename.of then
    local key = old_key(self, rename.kind, rename.schema, name)
    return self.from.by_key[key] ~= nil and not self.away[key]
  end
  local owner = owner_of(self, rename)
  if not owner then return false end
  if is_part[rename.kind] then return holds(owner, rename.kind, name) end
  local place = owner.key:match("^%l+ (.*)$")
  return self.from.by_key[("%s %s.%s"):format(rename.kind, place, name)] ~= nil
end

local function note(self, rename)
  if rename.of then return end
  if rename.kind == "schema" then
    self.schemas[rename.name], self.away["schema " .. rename.from] = rename.from, true
    return
  end
  local old = ("%s %s.%s"):format(rename.kind, old_schema(self, rename.schema), rename.from)
  self.objects[("%s %s.%s"):format(rename.kind, rename.schema, rename.name)], self.away[old] = old, true
end

local builders = {
  label = function(r) return "rename_enum_value", r.of, r.from, r.name, { schema = r.schema } end,
  column = function(r) return "rename_column", r.of, r.from, r.name, { schema = r.schema } end,
  attribute = function(r) return "rename_attribute", r.of, r.from, r.name, { schema = r.schema } end,
  schema = function(r) return "rename_schema", r.from, r.name end,
}
for _, kind in ipairs { "trigger", "rule", "policy" } do
  builders[kind] = function(r) return "rename_" .. kind, r.from, r.of, r.name, { schema = r.schema } end
end

--- The operation of a rename.
---@param rename moontide.Rename
---@return moontide.Operation
function renamed.operation(rename)
  local build = builders[rename.kind]
  local o
  if build then o = operation.build(build(rename))
  else
    local name = "rename_" .. rename.kind:gsub(" ", "_")
    o = operation.build(name, rename.from, rename.name, { schema = rename.schema })
  end
  o.where = rename.where
  return o
end

-- Schemas, then what is in them, then parts.
local function rank(rename)
  return rename.kind == "schema" and 1 or not rename.of and 2 or 3
end

local function sorted(list)
  local copy, place = table.move(list, 1, #list, 1, {}), {}
  for i, rename in ipairs(list) do place[rename] = i end
  table.sort(copy, function(a, b)
    if rank(a) ~= rank(b) then return rank(a) < rank(b) end
    return place[a] < place[b]
  end)
  return copy
end

--- The key of what has the new name, or of the table whose part has it.
---@param rename moontide.Rename
---@return string
function renamed.key(rename)
  if rename.kind == "schema" then return "schema " .. rename.name end
  local kind = rename.of and of_kinds[rename.kind][1] or rename.kind
  return ("%s %s.%s"):format(kind, rename.schema, rename.of or rename.name)
end

--- The declared renames that are yet to be done.
---@param list moontide.Rename[]
---@param from moontide.FactSet
---@return moontide.Rename[]
function renamed.due(list, from)
  local self = setmetatable({ from = from, schemas = {}, objects = {}, away = {} }, Names)
  local due, left = {}, sorted(list)
  local count
  repeat -- b to c makes way for a to b
    count = #left
    local waiting = {}
    for _, rename in ipairs(left) do
      local is_due = exists(self, rename, rename.from) and not exists(self, rename, rename.name)
      table.insert(is_due and due or waiting, rename)
      if is_due then note(self, rename) end
    end
    left = waiting
  until #left == count
  return due
end

-- Followers -------------------------------------------------------------------

local function schema_of(fact)
  local options = fact.call[#fact.call]
  return type(options) == "table" and options.schema or nil
end

-- What differs in its name alone, as a text to compare by; nil where a name is no matter of indifference.
local function likeness(set, fact)
  if fact.kind == "sequence" then
    local owner = set.by_key["owner of " .. fact.key]
    local column = owner and owner.column
    return column and table.concat({ "sequence", schema_of(fact), column.schema, column.table, column.column }, "\0")
  end
  if fact.kind ~= "constraint" and fact.kind ~= "foreign key" and fact.kind ~= "index" then return nil end
  local call = table.move(fact.call, 1, #fact.call, 1, {})
  call[2] = ""
  return fact.parent .. "\0" .. require("moontide.source").value(call)
end

local function rename_of(old, new)
  local name, was, schema = new.call[2], old.call[2], schema_of(old)
  if old.kind == "sequence" or old.kind == "index" then
    return operation.build("rename_" .. old.kind, was, name, { schema = schema })
  end
  return operation.build("rename_constraint", old.call[3], was, name, { schema = schema })
end

local function gone(found)
  local by_likeness = {}
  for _, fact in ipairs(found.from.list) do
    local key = found.dropped[fact.key] and likeness(found.from, fact)
    if key then
      by_likeness[key] = by_likeness[key] or {}
      table.insert(by_likeness[key], fact)
    end
  end
  return by_likeness
end

--- Constraints, indexes and sequences of columns that only have another name, as after their table was renamed.
---@param from moontide.FactSet
---@param to moontide.FactSet
---@return moontide.Operation[]
function renamed.followers(from, to)
  local found, list = differ.new(from, to), {}
  local left = gone(found)
  for _, fact in ipairs(to.list) do
    local key = found.created[fact.key] and likeness(to, fact)
    local old = key and left[key] and table.remove(left[key], 1)
    if old then list[#list + 1] = rename_of(old, fact) end
  end
  return list
end

return renamed
