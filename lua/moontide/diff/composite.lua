--- Changing a composite type: its attributes by name. New ones come at the end; where
--- they do not, the type is dropped and created again.

local source = require "moontide.source"
local value = require "moontide.value"

local refusal = "the server changes no attributes of a type while a column of a table is of it"

local function by_name(attributes)
  local map = {}
  for _, item in ipairs(attributes) do map[item[1]] = item end
  return map
end

-- The order that the attributes have when the old ones are dropped and the new ones added.
local function order_of(old, new, were, are)
  local list = {}
  for _, item in ipairs(old) do
    if are[item[1]] then list[#list + 1] = item[1] end
  end
  for _, item in ipairs(new) do
    if not were[item[1]] then list[#list + 1] = item[1] end
  end
  return list
end

local function keeps_order(old, new, were, are)
  for i, name in ipairs(order_of(old, new, were, are)) do
    if new[i][1] ~= name then return false end
  end
  return true
end

local function same_type(a, b)
  return a[2] == b[2] and source.value(a.collation or false) == source.value(b.collation or false)
end

local function change(found, name, place, before, item)
  if not same_type(before, item) then
    found.unused = refusal
    found.now[#found.now + 1] = { "alter_attribute", name, item[1], item[2],
      { schema = place.schema, collation = item.collation } }
  end
  if before.comment ~= item.comment then
    found.now[#found.now + 1] = { "comment", "column", item[1], item.comment or value.null,
      { table = name, schema = place.schema } }
  end
end

--- The alteration of a composite type; nil where the order of its attributes changes.
---@param old_fact moontide.Fact
---@param new_fact moontide.Fact
---@return moontide.Alteration?
return function(old_fact, new_fact)
  local old, new, name = old_fact.call[3], new_fact.call[3], new_fact.call[2]
  local were, are, place = by_name(old), by_name(new), { schema = new_fact.call[4].schema }
  if not keeps_order(old, new, were, are) then return nil end
  local found = { now = {} }
  for _, item in ipairs(old) do
    if not are[item[1]] then
      found.unused = refusal
      found.now[#found.now + 1] = { "drop_attribute", name, item[1], place }
    end
  end
  for _, item in ipairs(new) do
    if were[item[1]] then change(found, name, place, were[item[1]], item) else
      found.unused = refusal
      found.now[#found.now + 1] = { "add_attribute", name, item, place }
    end
  end
  found.queries = found.unused ~= nil
  return found
end
