--- Foreign keys: of a table, and the `references` of a column.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local constraint = require "moontide.object.constraint"
local default_name = require "moontide.object.name"
local online = require "moontide.online.constraint"
local quote = require "moontide.sql.quote"

local foreign_key = {}

local event = check.choice("no action", "restrict", "cascade", "set null", "set default")

local common = check.join(constraint.deferrable, {
  on_delete = event, on_update = event, match = check.choice("simple", "full"), on_delete_columns = check.names,
})
local reference_shape = check.join(common, {
  name = check.name, table = check.name, schema = check.name, column = check.name,
})
local item_shape = check.join(common, { name = check.name, referent_schema = check.name })
local operation_shape = check.join(common, {
  not_valid = check.flag, referent_schema = check.name, schema = check.name, source_schema = check.name,
  online = check.boolean,
})

local function check_events(c)
  if c.on_delete_columns and c.on_delete ~= "set null" and c.on_delete ~= "set default" then
    check.refuse('on_delete_columns needs on_delete = "set null" or "set default"')
  end
end

local function check_count(columns, referenced)
  if referenced and #referenced ~= #columns then
    check.refuse(("%d referencing and %d referenced columns"):format(#columns, #referenced),
      "Each column refers to one column of the other table.")
  end
end

-- An item { columns, table, referenced columns, on_delete = ... }; single columns may be plain names.
local function read(given, what)
  check.table(given, what, "a foreign key { columns, table, referenced columns }")
  local c = check.shape(given, what, item_shape, 3)
  constraint.check_deferrable(given)
  c.columns, c.referent = check.names(given[1], what .. " columns"), check.name(given[2], what .. " table")
  if given[3] ~= nil then c.referenced = check.names(given[3], what .. " referenced columns") end
  check_count(c.columns, c.referenced)
  check_events(c)
  return c
end

local function single(names)
  if names == nil or #names > 1 then return names end
  return names[1]
end

local function write(c)
  local item = clause.pick(c, item_shape)
  item[1], item[2], item[3] = single(c.columns), c.referent, single(c.referenced)
  return item
end

local function references(c)
  local set = c.on_delete_columns and clause.columns(c.on_delete_columns)
  return clause.words("REFERENCES", quote.qualified(c.referent_schema, c.referent),
    c.referenced and clause.columns(c.referenced), c.match and "MATCH " .. c.match:upper(),
    c.on_delete and clause.words("ON DELETE", c.on_delete:upper(), set),
    c.on_update and "ON UPDATE " .. c.on_update:upper(), constraint.timing(c))
end

local function text(c)
  return clause.words("FOREIGN KEY", clause.columns(c.columns), references(c), c.not_valid and "NOT VALID")
end

local function locks(c)
  return { { relation = quote.qualified(c.referent_schema, c.referent), mode = "SHARE ROW EXCLUSIVE" } }
end

constraint.kinds.foreign_key = {
  operation = "create_foreign_key",
  read = read,
  write = write,
  text = text,
  name = function(relation, c) return default_name.foreign_key(relation, c.columns) end,
  locks = locks,
}

--- The `references` of a column: the table's name, or a table with its options. Answers the latter.
---@param given any
---@param what string
---@return table
function foreign_key.read_reference(given, what)
  if type(given) == "string" then given = { table = given } end
  local reference = check.shape(given, what, reference_shape)
  constraint.check_deferrable(given)
  check.name(reference.table, what .. " table")
  check_events(reference)
  return reference
end

--- What `read_reference` answered, as short as it can be written.
---@param reference table
---@return table|string
function foreign_key.write_reference(reference)
  if next(reference, next(reference)) then return reference end
  return reference.table
end

-- A reference in the terms of a constraint.
local function as_constraint(reference)
  local c = clause.pick(reference, common)
  c.name, c.referent, c.referent_schema = reference.name, reference.table, reference.schema
  c.referenced = reference.column and { reference.column }
  return c
end

--- A reference as SQL of a column.
---@param reference table
---@return string
function foreign_key.reference_sql(reference)
  return clause.words(reference.name and "CONSTRAINT " .. quote.ident(reference.name),
    references(as_constraint(reference)))
end

--- The lock on the table a reference refers to.
---@param reference table
---@return moontide.Lock[]
function foreign_key.reference_locks(reference)
  return locks(as_constraint(reference))
end

local function build(name, relation, referent, columns, referenced, options)
  local o = check.options(options, operation_shape)
  constraint.check_deferrable(options or {})
  o.name = name ~= nil and check.name(name, "the constraint name") or nil
  o.table, o.referent = check.name(relation, "the table name"), check.name(referent, "the referenced table")
  o.columns = check.names(columns, "the list of columns")
  if referenced ~= nil then o.referenced = check.names(referenced, "the referenced columns") end
  check_count(o.columns, o.referenced)
  check_events(o)
  o.schema, o.source_schema = o.schema or o.source_schema, nil
  if o.online and o.not_valid then check.refuse("online and not_valid cannot be given together") end
  return o
end

local function expand(o, ctx, ask)
  if not o.online then return nil end
  local name = o.name or default_name.foreign_key(o.table, o.columns)
  return online.foreign_key(o, name, constraint.kinds.foreign_key.text(o), ctx, ask)
end

-- Both tables are locked against writers: while all rows are checked, or online for a moment.
local function lock(o)
  local own = { relation = quote.qualified(o.schema, o.table), mode = "SHARE ROW EXCLUSIVE", brief = o.online or nil }
  local parent = locks(o)[1]
  parent.brief = own.brief
  local list = parent.relation == own.relation and { own } or { own, parent }
  if o.online then table.insert(list, 1, { relation = own.relation, mode = "SHARE UPDATE EXCLUSIVE" }) end
  return list
end

constraint.register("foreign_key", {
  name = "create_foreign_key",
  summary = "Add a foreign key",
  build = build,
  lock = lock,
  expand = expand,
  online = function(o) return not o.not_valid end,
  arguments = function(o)
    return o.name, o.table, o.referent, o.columns, o.referenced, clause.pick(o, operation_shape)
  end,
})

return foreign_key
