--- Changing a column that other objects use: `dependents = "recreate"`. Views,
--- policies, triggers, rules and generated columns that need the column are dropped before
--- the change and created again after it, in the same transaction, with owners, privileges,
--- comments and options. What they are is read from the database when the operation is run.

local catalog = require "moontide.catalog.dependents"
local check = require "moontide.check"
local fault = require "moontide.fault"
local operation = require "moontide.operation"
local query_text = require "moontide.object.query"
local quote = require "moontide.sql.quote"

---@class moontide.Recreation
---@field before string[]  statements that drop, what depends on others first
---@field after string[]   statements that create
---@field back string[]    those that create it all as it was, whatever the new queries
---@field originals table<string, string[]>  the same for each dependent, by what it is

local dependents = {}

local view_shape = { schema = check.name }

-- A view that needs another query after the change: { "name", "select ...", schema = }.
local function read_view(given, what)
  check.table(given, what, "{ view, query }")
  local view = check.shape(given, what, view_shape, 2)
  view[1], view[2] = check.name(given[1], what .. " name"), query_text.read(given[2], what .. " query")
  return view
end

--- The option: "recreate", or a list of views with their new queries.
function dependents.read(given, what)
  if given == "recreate" then return given end
  if type(given) == "string" then check.refuse(('%s cannot be "%s"'):format(what, given), 'Write "recreate".') end
  local list = check.list_of(read_view)(given, what)
  if #list == 0 then check.refuse(what .. " must not be empty") end
  return list
end

--- The option where nothing but "recreate" makes sense.
function dependents.read_word(given, what)
  if given ~= "recreate" then check.refuse(what .. ' must be "recreate"') end
  return given
end

local builders = {
  view = function(item) return operation.build("drop_view", item.name, { schema = item.schema }) end,
  ["materialized view"] = function(item)
    return operation.build("drop_materialized_view", item.name, { schema = item.schema })
  end,
  column = function(item) return operation.build("drop_column", item.table, item.name, { schema = item.schema }) end,
}
for _, kind in ipairs { "policy", "trigger", "rule" } do
  builders[kind] = function(item)
    return operation.build("drop_" .. kind, item.name, item.table, { schema = item.schema })
  end
end

-- The drop of a dependent, knowing what it is.
local function informed_drop(item, query)
  local o = builders[item.kind](item)
  for key, field in pairs(operation.get(o.kind).capture(o, query) or {}) do o[key] = field end
  return o
end

local function append(list, o)
  for _, statement in ipairs(operation.statements(o)) do list[#list + 1] = statement.sql end
end

local function creations(drop)
  local list = {}
  for _, o in ipairs(assert(operation.inverse(drop))) do append(list, o) end
  return list
end

local function extend(list, more) table.move(more, 1, #more, #list + 1, list) end

local function identity(item)
  return table.concat({ item.kind, item.schema, item.table or "", item.name }, "\0")
end

local function new_query(o, item)
  if type(o.dependents) ~= "table" or item.table then return nil end
  for _, view in ipairs(o.dependents) do
    if view[1] == item.name and (view.schema or o.schema or item.schema) == item.schema then return view end
  end
end

local function renewed(drop, view)
  local existing = {}
  for key, field in pairs(drop.existing) do existing[key] = field end
  existing.query = view[2]
  local copy = {}
  for key, field in pairs(drop) do copy[key] = field end
  copy.existing = existing
  return copy
end

-- A view that is given a new query and was not found is a name misspelt.
local function check_used(o, used)
  for _, view in ipairs(type(o.dependents) == "table" and o.dependents or {}) do
    if not used[view] then
      check.refuse(('no view "%s" depends on the column "%s"'):format(view[1], o.name))
    end
  end
end

-- Statements of a dependent after the change. When a change is taken back, they are those from before it: what
-- the server prints of a definition has casts that came with the other type.
local function later(o, item, drop, view, now)
  if view then return creations(renewed(drop, view)) end
  return o.originals and o.originals[identity(item)] or now
end

--- What has to be dropped and created around a change of a column; nil without the option.
---@param o table  with table, schema, name and dependents, and originals when it undoes another change
---@param query fun(sql: string): table
---@return { recreation: moontide.Recreation }?
function dependents.prepare(o, query)
  if not o.dependents then return nil end
  local oid = ("to_regclass(%s)"):format(quote.reference(o.schema, o.table))
  local recreation, used = { before = {}, after = {}, back = {}, originals = {} }, {}
  local drops = {}
  for _, item in ipairs(catalog.of(query, oid, o.name)) do
    local drop, view = informed_drop(item, query), new_query(o, item)
    local now = creations(drop)
    table.insert(drops, 1, drop)
    if view then used[view] = true end
    recreation.originals[identity(item)] = now
    extend(recreation.back, now)
    extend(recreation.after, later(o, item, drop, view, now))
  end
  for _, drop in ipairs(drops) do append(recreation.before, drop) end
  check_used(o, used)
  return { recreation = recreation }
end

local function refuse_unread(o)
  fault.raise("operation", ("%s: what depends on the column is known only where the database can be read")
    :format(o.kind), { where = o.where, operation = o.kind,
    hint = "Leave dependents out of the script, and drop and create them by operations of their own." })
end

--- Statements of a change of a column, with those before and after it.
---@param o table
---@param statements string[]
---@return string[]
function dependents.around(o, statements)
  if not o.dependents then return statements end
  local recreation, list = o.recreation or refuse_unread(o), {}
  table.move(recreation.before, 1, #recreation.before, 1, list)
  table.move(statements, 1, #statements, #list + 1, list)
  return table.move(recreation.after, 1, #recreation.after, #list + 1, list)
end

--- Statements as operations, for an inverse.
---@param statements string[]
---@param into moontide.Operation[]
---@return moontide.Operation[] into
function dependents.operations(statements, into)
  for _, sql in ipairs(statements) do into[#into + 1] = operation.build("execute", sql) end
  return into
end

return dependents
