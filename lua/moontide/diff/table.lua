--- Changing a table: its columns by name, and its settings.

local column = require "moontide.catalog.column"
local source = require "moontide.source"
local value = require "moontide.value"

local null = value.null

local function same(a, b)
  if a == nil or b == nil then return a == b end
  return source.value(a) == source.value(b)
end

local function by_name(columns)
  local map = {}
  for _, item in ipairs(columns) do map[item[1]] = item end
  return map
end

local function or_null(new)
  if new == nil then return null end
  return new
end

-- Options of a column that go back to what they are by default.
local function reset(old, new)
  local options = {}
  for key in pairs(old or {}) do options[key] = null end
  for key, setting in pairs(new or {}) do options[key] = setting end
  return options
end

local function storage_of(fact, name)
  for _, row in ipairs(fact.rows) do
    if row.name == name then return column.storage(row) end
  end
end

local strings = { text = true, ["character varying"] = true, character = true, name = true }

local function base_of(type_name)
  local base = type_name:gsub("%b()", ""):gsub(" +$", ""):gsub("%[%]$", "")
  return (base:gsub("  +", " ")), type_name:find("%[%]$") ~= nil
end

-- Whether the server converts values of the one type to the other when it is told to.
local function can_cast(casts, old, new)
  local from, is_list = base_of(old)
  local to, to_list = base_of(new)
  if not is_list and strings[from] or not to_list and strings[to] then return true end
  return is_list == to_list and (from == to or strings[from] or strings[to] or casts[from .. " > " .. to] or false)
end

-- What no cast leads to is read from the text of the value.
local function conversion(old, new, casts)
  local name = require("moontide.sql.quote").ident(new[1])
  return (can_cast(casts, old[2], new[2]) and "%s::%s" or "%s::text::%s"):format(name, new[2])
end

local function type_changes(change, old, new, casts)
  if old[2] == new[2] and same(old.collation, new.collation) then return end
  change.type, change.collation = new[2], new.collation
  change.using = conversion(old, new, casts or {})
  change.default = new.default
  change.storage = new.storage
end

local function value_changes(change, old, new)
  if not same(old.default, new.default) then change.default = or_null(new.default) end
  if (old.nullable == false or old.identity) and not (new.nullable == false or new.identity) then
    change.nullable = true
  elseif new.nullable == false and not (old.nullable == false or old.identity)
    or new.identity and not (old.nullable == false or old.identity) then
    change.nullable = false
  end
  if not same(old.identity, new.identity) then
    change.identity = or_null(new.identity)
    if old.identity and new.identity then change.existing = { identity = old.identity } end
  end
end

local function setting_changes(change, old, new, fact)
  if old.comment ~= new.comment then change.comment = or_null(new.comment) end
  if old.storage ~= new.storage then change.storage = storage_of(fact, new[1]) end
  if old.compression ~= new.compression then change.compression = new.compression or "default" end
  if old.statistics ~= new.statistics then change.statistics = new.statistics or -1 end
  if not same(old.options, new.options) then change.options = reset(old.options, new.options) end
end

local function changes_of(old, new, fact)
  local change = {}
  type_changes(change, old, new, fact.casts)
  value_changes(change, old, new)
  if old.generated and not new.generated then change.generated = null end
  setting_changes(change, old, new, fact)
  return change
end

local function row_of(fact, name)
  for _, row in ipairs(fact.rows) do
    if row.name == name then return row end
  end
end

local function changes_type(old_fact, new_fact, name)
  local old, new = row_of(old_fact, name), row_of(new_fact, name)
  return old and new and (old.type ~= new.type or old.collation ~= new.collation
    or old.collation_schema ~= new.collation_schema)
end

-- The server changes the type of no column that a generated one uses.
local function uses_changed(old_fact, new_fact, name)
  for _, used in ipairs(row_of(old_fact, name).uses or {}) do
    if changes_type(old_fact, new_fact, used) then return true end
  end
  return false
end

-- A column cannot become a generated one, nor another one.
local function is_made_again(old, new, old_fact, new_fact)
  if new.generated == nil then return false end
  return not same(old.generated, new.generated) or uses_changed(old_fact, new_fact, old[1])
end

-- What a child says of a column of its parent, or no longer says; its type is the parent's affair.
local function inherited_changes(old, new, fact)
  local change = changes_of(old, new, fact)
  change.type, change.collation, change.using = nil, nil, nil
  return change
end

-- The column of another side that a parent has.
local function inherited(fact, name)
  local row = row_of(fact, name)
  return row and row.has_parent and column.item(row)
end

-- What a column stops to be, before others change.
local function leave(found, name, place, column_name, change)
  for _, key in ipairs { "identity", "generated" } do
    if change[key] == null then
      table.insert(found.before, 1, { "alter_column", name, column_name, { [key] = null, schema = place.schema } })
      change[key] = nil
    end
  end
end

local function alter(found, name, place, column_name, change)
  if change.type then found.disturbed[column_name] = true end
  leave(found, name, place, column_name, change)
  if next(change) == nil then return end
  change.schema = place.schema
  found.now[#found.now + 1] = { "alter_column", name, column_name, change }
end

-- The columns of a table, generated ones first or last: they use others.
local function sorted(fact, is_first)
  local generated, others = {}, {}
  for _, item in ipairs(fact.call[#fact.call]) do
    local list = item.generated and generated or others
    list[#list + 1] = item
  end
  local list, rest = is_first and generated or others, is_first and others or generated
  return table.move(rest, 1, #rest, #list + 1, list)
end

local function drop_columns(found, name, place, old_fact, new_fact)
  local are = by_name(new_fact.call[#new_fact.call])
  for _, item in ipairs(sorted(old_fact, true)) do
    local now = are[item[1]]
    local again = now and is_made_again(item, now, old_fact, new_fact)
    local above = not now and inherited(new_fact, item[1])
    if above then
      alter(found, name, place, item[1], inherited_changes(item, above, new_fact))
    elseif not now or again then
      found.before[#found.before + 1] = { "drop_column", name, item[1], place }
      found.disturbed[item[1]], found.rebuilt[item[1]] = true, again or nil
    end
  end
end

local function add_columns(found, name, place, old_fact, new_fact)
  local were = by_name(old_fact.call[#old_fact.call])
  for _, item in ipairs(sorted(new_fact)) do
    local before = were[item[1]]
    local above = not before and inherited(new_fact, item[1]) and inherited(old_fact, item[1])
    if above then
      alter(found, name, place, item[1], inherited_changes(above, item, new_fact))
    elseif not before or is_made_again(before, item, old_fact, new_fact) then
      found.now[#found.now + 1] = { "add_column", name, item, place }
    else
      alter(found, name, place, item[1], changes_of(before, item, new_fact))
    end
  end
end

-- A table that is written anew may lose what is said of its TOAST table.
local function loses_toast(found, new)
  for key in pairs(next(found.disturbed) and new.with or {}) do
    if key:find("^toast%.") then return true end
  end
  return false
end

local function add_settings(found, name, place, old, new)
  local function add(...) found.now[#found.now + 1] = { ... } end
  if old.comment ~= new.comment then add("comment", "table", name, or_null(new.comment), place) end
  if not same(old.with, new.with) or loses_toast(found, new) then
    add("set_storage_parameters", name, reset(old.with, new.with), place)
  end
  if old.tablespace ~= new.tablespace then add("set_tablespace", name, new.tablespace or "pg_default", place) end
  if old.using ~= new.using then add("set_access_method", name, new.using or "heap", place) end
  if old.unlogged ~= new.unlogged then add(new.unlogged and "set_unlogged" or "set_logged", name, place) end
end

local function body_of(fact) return fact.call[#fact.call] end

local refusal = "the server cannot change the partition key of a table: create another table with it, move the rows, "
  .. "drop this one"

-- Why the columns of the partition key cannot change as they should.
local function changes_key(fact, found)
  for name in pairs(fact.key_columns or {}) do
    if found.disturbed[name] then
      return ("the server cannot change the type of the column %s, which is in the partition key"):format(name)
    end
  end
end

--- The alteration of a table.
---@param old_fact moontide.Fact
---@param new_fact moontide.Fact
---@return moontide.Alteration
return function(old_fact, new_fact)
  local old, new = body_of(old_fact), body_of(new_fact)
  if old.partition_by ~= new.partition_by then return { impossible = refusal } end
  local found = { before = {}, now = {}, disturbed = {}, rebuilt = {} }
  local name, place = new_fact.call[2], { schema = new.schema }
  drop_columns(found, name, place, old_fact, new_fact)
  add_columns(found, name, place, old_fact, new_fact)
  add_settings(found, name, place, old, new)
  found.impossible = changes_key(old_fact, found)
  return found
end
