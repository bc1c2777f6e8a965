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

local function type_changes(change, old, new)
  if old[2] == new[2] and same(old.collation, new.collation) then return end
  change.type, change.collation = new[2], new.collation
  change.using = ("%s::%s"):format(require("moontide.sql.quote").ident(new[1]), new[2])
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
  type_changes(change, old, new)
  value_changes(change, old, new)
  if old.generated and not new.generated then change.generated = null end
  setting_changes(change, old, new, fact)
  return change
end

-- A column cannot become a generated one, nor another one.
local function is_made_again(old, new)
  return new.generated ~= nil and not same(old.generated, new.generated)
end

local function add_columns(found, name, place, old, new, fact)
  local were, are = by_name(old), by_name(new)
  for _, item in ipairs(old) do
    local now = are[item[1]]
    local again = now and is_made_again(item, now)
    if not now or again then
      found.before[#found.before + 1] = { "drop_column", name, item[1], place }
      found.disturbed[item[1]], found.rebuilt = true, found.rebuilt or again
    end
  end
  for _, item in ipairs(new) do
    local before = were[item[1]]
    if not before or is_made_again(before, item) then
      found.now[#found.now + 1] = { "add_column", name, item, place }
    else
      local change = changes_of(before, item, fact)
      if change.type then found.disturbed[item[1]] = true end
      if change.identity == null then
        found.before[#found.before + 1] = { "alter_column", name, item[1], { identity = null, schema = place.schema } }
        change.identity = nil
      end
      if next(change) then
        change.schema = place.schema
        found.now[#found.now + 1] = { "alter_column", name, item[1], change }
      end
    end
  end
end

local function add_settings(found, name, place, old, new)
  local function add(...) found.now[#found.now + 1] = { ... } end
  if old.comment ~= new.comment then add("comment", "table", name, or_null(new.comment), place) end
  if not same(old.with, new.with) then add("set_storage_parameters", name, reset(old.with, new.with), place) end
  if old.tablespace ~= new.tablespace then add("set_tablespace", name, new.tablespace or "pg_default", place) end
  if old.using ~= new.using then add("set_access_method", name, new.using or "heap", place) end
  if old.unlogged ~= new.unlogged then add(new.unlogged and "set_unlogged" or "set_logged", name, place) end
end

local fixed = { partition_by = "the partition key", bound = "the bound of a partition", parent = "the parent",
  parent_schema = "the parent", inherits = "inheritance" }

local function body_of(fact)
  local last = fact.call[#fact.call]
  return last, fact.call[1] == "create_partition" and fact.call[3] or nil
end

--- The alteration of a table.
---@param old_fact moontide.Fact
---@param new_fact moontide.Fact
---@return moontide.Alteration
return function(old_fact, new_fact)
  local old, old_parent = body_of(old_fact)
  local new, new_parent = body_of(new_fact)
  if old_fact.call[1] ~= new_fact.call[1] or old_parent ~= new_parent then
    return { impossible = "a table is attached or detached by hand, with attach_partition and detach_partition" }
  end
  for key, what in pairs(fixed) do
    if not same(old[key], new[key]) then return { impossible = what .. " is changed by hand" } end
  end
  local found = { before = {}, now = {}, disturbed = {} }
  local name, place = new_fact.call[2], { schema = new.schema }
  add_columns(found, name, place, old, new, new_fact)
  add_settings(found, name, place, old, new)
  return found
end
