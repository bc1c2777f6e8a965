--- The body of a table, as `create_table` takes it and models declare it: columns
--- in the list part, everything else of the table in named keys.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local column = require "moontide.object.column"
local constraint = require "moontide.object.constraint"
local index = require "moontide.object.index"

---@class moontide.Body
---@field columns moontide.Column[]
---@field primary_key? table   constraint
---@field unique? table[]      constraints; so checks, foreign_keys, excludes
---@field indexes? moontide.Index[]

local body = {}

local part = check.choice("all", "comments", "compression", "constraints", "defaults", "generated", "identity",
  "indexes", "statistics", "storage")
local like_shape = {
  table = check.name, schema = check.name, including = check.list_of(part), excluding = check.list_of(part),
}

-- Another table to copy from: its name, or { table =, including = {...} }.
local function read_like(given, what)
  if type(given) == "string" then given = { table = given } end
  local like = check.shape(given, what, like_shape)
  check.name(like.table, what .. " table")
  return like
end

local function read_inherits(given, what)
  if type(given) == "string" or type(given) == "table" and given.table then given = { given } end
  return check.list_of(check.relation)(given, what)
end

local function read_partition(given, what)
  local text = check.expression(given, what)
  if not text:lower():find("^%s*[rlh]%l+%s*%b()%s*$") then
    check.refuse(what .. " must be a strategy and its key", 'Write it as in partition_by = "range (created_at)".')
  end
  return text
end

-- A list whose items are themselves lists; the list of one forgotten pair of braces is a likely slip.
local function items_of(kind, example)
  return function(given, what)
    check.list(given, what)
    if type(given[1]) == "string" and kind ~= "check" then
      check.refuse(what .. " must be a list of lists", ("Write it as in %s."):format(example))
    end
    local read = kind == "index" and index.read or constraint.kinds[kind].read
    return check.list_of(read)(given, what)
  end
end

local function primary_key(given, what)
  return constraint.kinds.primary_key.read(given, what)
end

local storage_shape = {
  comment = check.text, partition_by = read_partition, inherits = read_inherits, like = read_like,
  with = check.parameters, tablespace = check.name, using = check.name, unlogged = check.flag,
  temporary = check.flag, on_commit = check.choice("preserve rows", "delete rows", "drop"), schema = check.name,
  if_not_exists = check.flag,
}
local shape = check.join(storage_shape, {
  primary_key = primary_key, unique = items_of("unique", 'unique = { { "a", "b" } }'),
  checks = items_of("check"), foreign_keys = items_of("foreign_key", 'foreign_keys = { { "a", "other", "id" } }'),
  excludes = items_of("exclude", 'excludes = { { { "a", "=" }, using = "gist" } }'),
  indexes = items_of("index", 'indexes = { { "a", "b" } }'),
})

local function read_columns(given)
  local columns, seen = {}, {}
  for i = 1, #given do
    local c = column.read(given[i], check.column_at[i])
    if seen[c.name] then check.refuse(('the column "%s" is given twice'):format(c.name)) end
    seen[c.name], columns[i] = c, c
  end
  return columns, seen
end

local function nearest(name, columns)
  local names = {}
  for _, c in ipairs(columns) do names[#names + 1] = c.name end
  local found = require("moontide.suggest").nearest(name, names)
  return found and ('Did you mean "%s"?'):format(found) or nil
end

-- The columns a constraint or an index names, those in expressions aside.
local function names_of(part_of_table)
  local names = {}
  for _, c in ipairs(part_of_table.columns) do
    if type(c) == "string" then names[#names + 1] = c else names[#names + 1] = c.name end
  end
  return table.move(part_of_table.include or {}, 1, #(part_of_table.include or {}), #names + 1, names)
end

local function check_known(option, list, columns, seen)
  for _, item in ipairs(list or {}) do
    for _, name in ipairs(names_of(item)) do
      if not seen[name] then
        check.refuse(('option "%s" names the column "%s", which the table has not'):format(option, name),
          nearest(name, columns))
      end
    end
  end
end

local function check_columns(b, seen)
  if b.like or b.inherits then return end
  if #b.columns == 0 then check.refuse("a table needs at least one column") end
  check_known("primary_key", { b.primary_key }, b.columns, seen)
  for _, option in ipairs { "unique", "foreign_keys", "excludes", "indexes" } do
    check_known(option, b[option], b.columns, seen)
  end
end

local function check_primary_key(b, seen)
  if not b.primary_key then return end
  for _, c in ipairs(b.columns) do
    if c.primary_key then
      check.refuse(('both the column "%s" and the table have a primary key'):format(c.name))
    end
  end
  for _, name in ipairs(b.primary_key.columns) do
    if seen[name] and seen[name].nullable then
      check.refuse(('nullable = true contradicts primary_key, which names the column "%s"'):format(name))
    end
  end
end

local function check_persistence(b)
  if b.temporary and b.unlogged then check.refuse("temporary and unlogged cannot be given together") end
  if b.temporary and b.schema then check.refuse("temporary and schema cannot be given together") end
  if b.on_commit and not b.temporary then check.refuse("on_commit needs temporary = true") end
  if b.partition_by and b.inherits then check.refuse("partition_by and inherits cannot be given together") end
end

--- A table's body as users write it.
---@param given any
---@param what? string
---@return moontide.Body
function body.read(given, what)
  what = what or "the table"
  check.table(given, what, "a list of columns")
  local b, columns, seen = check.shape(given, what ~= "the table" and what or nil, shape, #given), read_columns(given)
  b.columns = columns
  check_columns(b, seen)
  check_primary_key(b, seen)
  check_persistence(b)
  return b
end

local lists = { unique = "unique", checks = "check", foreign_keys = "foreign_key", excludes = "exclude" }

local function write_list(list, write)
  local written = {}
  for i, item in ipairs(list) do written[i] = write(item) end
  return written
end

--- The reverse of `body.read`.
---@param b moontide.Body
---@return table
function body.write(b)
  local written = clause.pick(b, storage_shape)
  for option, kind in pairs(lists) do
    written[option] = b[option] and write_list(b[option], constraint.kinds[kind].write)
  end
  written.primary_key = b.primary_key and constraint.kinds.primary_key.write(b.primary_key)
  written.indexes = b.indexes and write_list(b.indexes, index.write)
  for i, c in ipairs(b.columns) do written[i] = column.write(c) end
  return written
end

return body
