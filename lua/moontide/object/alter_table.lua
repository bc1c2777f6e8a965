--- Several actions on one table in one ALTER TABLE: one lock, one pass over the
--- rows where several of them need one. Each action is an operation without its
--- table: { "add_column", { "age", "integer" } }.
---
--- One thing is better in two: SET NOT NULL together with dropping the check that
--- proves it reads the whole table; in two operations it does not.

local alter = require "moontide.object.alter"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local operation = require "moontide.operation"
local source = require "moontide.source"
local value = require "moontide.value"

local shape = { schema = check.name }

local function action_names()
  local names = {}
  for _, name in ipairs(operation.names()) do
    if operation.get(name).action then names[#names + 1] = name end
  end
  return names
end

local function action_of(name, what)
  local entry = type(name) == "string" and operation.get(name)
  if entry and entry.action then return entry.action end
  if type(name) ~= "string" then check.expected(what .. " name", "the name of an operation", name) end
  local names = action_names()
  local nearest = require("moontide.suggest").nearest(name, names)
  check.refuse(('%s: "%s" is no action of ALTER TABLE'):format(what, name),
    nearest and ('Did you mean "%s"?'):format(nearest) or "The actions are: " .. table.concat(names, ", ") .. ".")
end

-- The arguments after the name; `null` and a hole both stand for an argument left out.
local function arguments_of(given, position, relation)
  local last = 1
  for key in pairs(given) do
    if math.type(key) == "integer" and key > last then last = key end
  end
  local arguments = { n = last - 1 }
  for i = 2, last do
    if value.kind(given[i]) ~= "null" then arguments[i - 1] = given[i] end
  end
  for i = arguments.n, position, -1 do arguments[i + 1] = arguments[i] end
  arguments[position], arguments.n = relation, math.max(arguments.n + 1, position)
  return arguments
end

local function read_action(given, what, o)
  check.table(given, what, "{ operation, arguments }")
  local action = action_of(given[1], what)
  local arguments = arguments_of(given, action.position, o.table)
  local child = check.within(what, operation.build, given[1], table.unpack(arguments, 1, arguments.n))
  if child.schema and child.schema ~= o.schema then
    check.refuse(what .. ": the schema is an option of alter_table")
  end
  if child.online then
    check.refuse(what .. ": online is not possible together with other actions",
      "Write it as an operation of its own.")
  end
  if child.dependents then
    check.refuse(what .. ": dependents is an option of the operation by itself")
  end
  child.schema = o.schema
  return child
end

local function build(relation, actions, options)
  local o = check.options(options, shape)
  o.table = check.name(relation, "the table name")
  check.list(actions, "the list of actions", "a list of actions")
  if #actions == 0 then check.refuse("the list of actions must not be empty") end
  o.actions = {}
  for i, given in ipairs(actions) do o.actions[i] = read_action(given, ("action %d"):format(i), o) end
  return o
end

local function statements(o, ctx)
  local clauses, rest = {}, {}
  for _, child in ipairs(o.actions) do
    local action = operation.get(child.kind).action
    alter.append(clauses, action.clauses(child, ctx))
    alter.append(rest, action.rest and action.rest(child, ctx))
  end
  return alter.append(alter.statements(o.schema, o.table, clauses), rest)
end

-- An action as the user writes it.
local function write(child)
  local action = operation.get(child.kind).action
  local arguments = table.pack(action.arguments(child))
  table.remove(arguments, action.position)
  local written = { child.kind }
  for i = 1, arguments.n - 1 do
    written[i + 1] = arguments[i] == nil and value.null or arguments[i]
  end
  local last = written[#written]
  if value.kind(last) == "table" then
    last.schema = nil
    if next(last) == nil then written[#written] = nil end
  end
  return written
end

-- New names come after the ALTER TABLE, so they are taken back before its inverse.
local function renames(o)
  local list = {}
  for i = #o.actions, 1, -1 do
    local child = o.actions[i]
    if child.new_name then
      list[#list + 1] = operation.build("rename_column", o.table, child.new_name, child.name, { schema = o.schema })
    end
  end
  return list
end

-- A child without its new name, and with what was kept of the place it changes.
local function settled(child, kept)
  local copy = {}
  for key, field in pairs(child) do copy[key] = field end
  for key, field in pairs(kept or {}) do copy[key] = field end
  copy.new_name = nil
  return copy
end

local function inverses(o)
  local list = {}
  for i = #o.actions, 1, -1 do
    local undo, reason = operation.inverse(settled(o.actions[i], o.kept and o.kept[i]))
    if not undo then return nil, ("action %d (%s): %s"):format(i, o.actions[i].kind, reason) end
    alter.append(list, undo)
  end
  return list
end

local function all_actions(list)
  for _, undo in ipairs(list) do
    if not operation.get(undo.kind).action then return false end
  end
  return #list > 0
end

local function inverse(o)
  local list, reason = inverses(o)
  if not list then return nil, reason end
  if not all_actions(list) then return alter.append(renames(o), list) end
  local actions = {}
  for i, undo in ipairs(list) do actions[i] = write(undo) end
  return alter.append(renames(o), { operation.build("alter_table", o.table, actions, { schema = o.schema }) })
end

-- What the actions would keep if each were an operation of its own, by their places.
local function capture(o, query)
  local kept = {}
  for i, child in ipairs(o.actions) do
    local read = operation.get(child.kind).capture
    if read and not child.existing then kept[i] = read(settled(child), query) end
  end
  return next(kept) and { kept = kept } or nil
end

local strength = { "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE",
  "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE" }
for i, mode in ipairs(strength) do strength[mode] = i end

-- The strongest lock any action takes on each relation.
local function lock(o)
  local list, by_relation = {}, {}
  for _, child in ipairs(o.actions) do
    for _, needed in ipairs(operation.locks(child)) do
      local held = by_relation[needed.relation]
      if not held then
        list[#list + 1], by_relation[needed.relation] = needed, needed
      elseif strength[needed.mode] > strength[held.mode] then
        held.mode = needed.mode
      end
    end
  end
  return list
end

local function destructive(o)
  local lost = {}
  for _, child in ipairs(o.actions) do lost[#lost + 1] = operation.destructive(child) end
  return #lost > 0 and table.concat(lost, ", ") or nil
end

operation.register {
  name = "alter_table",
  destructive = destructive,
  summary = "Several changes of one table in one ALTER TABLE",
  build = build,
  sql = statements,
  inverse = inverse,
  lock = lock,
  capture = capture,
  source = function(o)
    local actions = {}
    for i, child in ipairs(o.actions) do actions[i] = write(child) end
    return source.call("alter_table", o.table, actions, clause.pick(o, shape))
  end,
}
