--- What a comparison found, in a line each: "added table 'orders'".

local listing = require "moontide.diff.listing"
local value = require "moontide.value"

---@class moontide.Detected
---@field action "add"|"remove"|"change"|"rename"
---@field kind string
---@field object string   its name, without the schema "public"
---@field text string     in words

local summary = {}

local function plain(name) return (name:gsub("^public%.", "")) end

local function item(action, kind, object, words)
  object = plain(object)
  return { action = action, kind = kind, object = object, text = ("%s '%s'"):format(words, object) }
end

-- The name in the key of a fact, behind the words for its kind.
local function name_of(fact)
  local key = fact.key
  if key:sub(1, #fact.kind + 1) == fact.kind .. " " then return key:sub(#fact.kind + 2) end
  return key:gsub("^constraint ", ""):gsub("^comment ", "", 1)
end

-- What of a column changes, in the order in which it is told.
local changes = {
  { "type", function(c, old)
    if old == c.type then return "other collation of" end
    return ("type change from %s to %s on"):format(old, c.type)
  end },
  { "nullable", function(c) return c.nullable and "NULL on" or "NOT NULL on" end },
  { "default", function(c) return value.kind(c.default) == "null" and "removed default on" or "default on" end },
  { "identity", function(c) return value.kind(c.identity) == "null" and "removed identity on" or "identity on" end },
  { "generated", function() return "removed generation of" end },
  { "comment", function() return "comment on" end },
  { "storage", function() return "storage of" end }, { "compression", function() return "compression of" end },
  { "statistics", function() return "statistics target of" end }, { "options", function() return "options of" end },
}

local function column_changes(list, name, change, old)
  for _, entry in ipairs(changes) do
    if change[entry[1]] ~= nil and not (entry[1] == "default" and change.type) then
      list[#list + 1] = item("change", "column", name, entry[2](change, old) .. " column")
    end
  end
end

local function type_of(fact, column)
  for _, given in ipairs(fact.call[#fact.call]) do
    if given[1] == column then return given[2] end
  end
end

local of_call = {}

function of_call.add_column(list, fact, call)
  list[#list + 1] = item("add", "column", name_of(fact) .. "." .. call[3][1], "added column")
end

function of_call.drop_column(list, fact, call)
  list[#list + 1] = item("remove", "column", name_of(fact) .. "." .. call[3], "removed column")
end

function of_call.alter_column(list, fact, call, old)
  column_changes(list, name_of(fact) .. "." .. call[3], call[4], type_of(old, call[3]))
end

function of_call.add_enum_value(list, fact, call)
  list[#list + 1] = item("change", "enum", name_of(fact), ("added value '%s' of enum"):format(call[3]))
end

function of_call.comment(list, fact)
  list[#list + 1] = item("change", fact.kind, name_of(fact), "comment on " .. fact.kind)
end

local function changed(list, fact)
  list[#list + 1] = item("change", fact.kind, name_of(fact), "changed " .. fact.kind)
end

local function add_alteration(list, fact, alteration, old)
  local told = false
  for _, calls in ipairs { alteration.first, alteration.before, alteration.now } do
    for _, call in ipairs(calls) do
      local tell = of_call[call[1]]
      if tell then tell(list, fact, call, old) elseif not told then changed(list, fact) end
      told = told or not tell
    end
  end
end

local words = { create = { "add", "added" }, drop = { "remove", "removed" } }

local function add_difference(list, diff, difference)
  local fact, word = difference.fact, words[difference.action]
  local alteration = diff.altered[fact.key]
  if word then
    list[#list + 1] = item(word[1], fact.kind, name_of(fact), word[2] .. " " .. fact.kind)
  elseif alteration then add_alteration(list, fact, alteration, diff.from.by_key[fact.key])
  else changed(list, fact) end
end

local function full(schema, name) return schema and schema .. "." .. name or name end

-- { the kind, the object before, its new name } of an operation that renames.
local function parts_of(o)
  if o.kind == "rename_column" then return "column", full(o.schema, o.table) .. "." .. o.name, o.new_name end
  if o.kind == "rename_attribute" then return "attribute", full(o.schema, o.type_name) .. "." .. o.name, o.new_name end
  if o.kind == "rename_enum_value" then return "value", full(o.schema, o.name) .. "." .. o.label, o.new_label end
  local within = o.table and full(o.schema, o.table) .. "." .. o.name
  return (o.kind:match("^rename_(.*)$"):gsub("_", " ")), within or full(o.schema, o.name), o.new_name
end

local function renamed(o)
  local kind, object, new_name = parts_of(o)
  local found = item("rename", kind, object, "renamed " .. kind)
  found.text = ("%s to '%s'"):format(found.text, new_name)
  return found
end

--- What is detected. Parts of what comes or goes whole are not told of.
---@param way moontide.Way
---@return moontide.Detected[]
function summary.of(way)
  local list = {}
  for i, o in ipairs(way.renamed) do list[i] = renamed(o) end
  for _, difference in ipairs(listing.differences(way.found)) do add_difference(list, way.found, difference) end
  return list
end

return summary
