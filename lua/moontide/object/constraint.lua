--- What all table constraints have in common: the item that describes one in
--- `create_table`, the operation that adds one, and dropping, renaming and validating.
---
--- A kind of constraint (key.lua, foreign_key.lua, check_constraint.lua,
--- exclude.lua) is a record in `constraint.kinds`. A constraint is a record with
--- the fields of its kind; the value of a create operation is one too.

local alter = require "moontide.object.alter"
local calls = require "moontide.object.calls"
local catalog = require "moontide.catalog.table"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local operation = require "moontide.operation"
local positional = require "moontide.object.positional"
local quote = require "moontide.sql.quote"

---@class moontide.ConstraintKind
---@field operation string                          the operation that adds one
---@field read fun(given: any, what: string): table an item as the user writes it -> constraint
---@field write fun(constraint: table): any         the reverse
---@field text fun(constraint: table): string       the SQL after CONSTRAINT name
---@field name fun(relation: string, constraint: table): string?, string?  the server's own name, or nil and why
---@field locks? fun(constraint: table): moontide.Lock[]  on other relations

local constraint = {}

--- The kinds, by the key that `existing` of drop_constraint uses.
---@type table<string, moontide.ConstraintKind>
constraint.kinds = {}

--- Options of every constraint that can wait for the end of the transaction.
constraint.deferrable = { deferrable = check.flag, initially = check.choice("deferred", "immediate") }

--- Refuse INITIALLY DEFERRED on a constraint that is declared not to be deferrable.
---@param given table   what the user wrote
function constraint.check_deferrable(given)
  if given.deferrable == false and given.initially == "deferred" then
    check.refuse("initially = \"deferred\" contradicts deferrable = false")
  end
end

--- [NOT] DEFERRABLE ...
---@param c table
---@return string?
function constraint.timing(c)
  local deferrable = (c.deferrable or c.initially == "deferred") and "DEFERRABLE"
  local text = clause.words(deferrable, c.initially and "INITIALLY " .. c.initially:upper())
  return text ~= "" and text or nil
end

--- A constraint of a kind as SQL: a part of CREATE TABLE or of ADD.
---@param kind string
---@param c table
---@return string
function constraint.sql(kind, c)
  return clause.words(c.name and "CONSTRAINT " .. quote.ident(c.name), constraint.kinds[kind].text(c))
end

--- Locks a constraint takes on other relations than its own.
---@param kind string
---@param c table
---@return moontide.Lock[]
function constraint.locks(kind, c)
  local locks = constraint.kinds[kind].locks
  return locks and locks(c) or {}
end

-- The name of a dropped constraint stands in the operation already.
local function write_existing(existing)
  if not existing then return nil end
  local kind, c = next(existing)
  local unnamed = {}
  for key, field in pairs(c) do unnamed[key] = field end
  unnamed.name = nil
  return { [kind] = constraint.kinds[kind].write(unnamed) }
end

-- A constraint that was created as described here can be dropped knowing its name.
local function drop(kind, o)
  local name, reason = o.name, nil
  if not name then name, reason = constraint.kinds[kind].name(o.table, o) end
  if not name then return nil, reason end
  local existing = write_existing { [kind] = o }
  return { operation.build("drop_constraint", name, o.table,
    { schema = o.schema, existing = existing, online = o.online }) }
end

--- Register the operation that adds a constraint of a kind.
---@param kind string
---@param registration table  name, summary, build, arguments; inverse when it is more than dropping
function constraint.register(kind, registration)
  registration.position = 2
  registration.clauses = function(o) return { "ADD " .. constraint.sql(kind, o) } end
  registration.inverse = registration.inverse or function(o) return drop(kind, o) end
  registration.lock = registration.lock or function(o)
    return alter.append(alter.lock(o), constraint.locks(kind, o))
  end
  alter.register(registration)
end

--- The locks of adding a constraint that has an online form: what takes long is done under the first of them.
---@param o moontide.Operation
---@return moontide.Lock[]
function constraint.online_lock(o)
  local own = alter.lock(o)
  if not o.online then return own end
  return { { relation = own[1].relation, mode = "SHARE UPDATE EXCLUSIVE" },
    { relation = own[1].relation, mode = own[1].mode, brief = true } }
end

constraint.drop = drop

local existing_shape = {}
for _, kind in ipairs { "primary_key", "unique", "check", "foreign_key", "exclude" } do
  existing_shape[kind] = function(given, what) return constraint.kinds[kind].read(given, what) end
end

--- A constraint as `existing` describes it: { unique = {"email"} }. Answers { kind = constraint }.
local function read_existing(given, what)
  local existing = check.shape(given, what, existing_shape)
  local kind = next(existing)
  if not kind or next(existing, kind) then
    check.refuse(what .. " must describe one constraint",
      'Write one of primary_key, unique, check, foreign_key, exclude, as in existing = { unique = { "email" } }.')
  end
  return existing
end

local drop_shape = {
  schema = check.name, if_exists = check.flag, cascade = check.flag, existing = read_existing, online = check.boolean,
}

-- What is known of the constraint from the catalog is the call that adds it.
local function capture(o, query)
  if o.cascade then return nil end
  local found = catalog.read(query, catalog.oid(o.schema, o.table))
  for _, row in ipairs(found and found.constraints or {}) do
    if row.name == o.name then return { restored_by = catalog.restore_constraint(found, row) } end
  end
  return { absent = true }
end

-- An exclusion constraint cannot be added online.
local function create_again(o)
  local list = o.restored_by and calls.operations(o.restored_by)
  if list and list[1] and operation.get(list[1].kind).online then list[1].online = o.online end
  if list then return list end
  local kind, c = next(o.existing)
  local again = { name = o.name, table = o.table, schema = o.schema }
  if kind ~= "exclude" then again.online = o.online end
  for key, field in pairs(c) do again[key] = field end
  again.kind, again.where = constraint.kinds[kind].operation, o.where
  return { again }
end

alter.register {
  name = "drop_constraint",
  summary = "Drop a constraint of a table",
  position = 2,
  build = function(name, relation, options)
    local o = check.options(options, drop_shape)
    o.name, o.table = check.name(name, "the constraint name"), check.name(relation, "the table name")
    if o.existing then select(2, next(o.existing)).name = nil end
    return o
  end,
  clauses = function(o)
    return { clause.words("DROP CONSTRAINT", o.if_exists and "IF EXISTS", quote.ident(o.name),
      o.cascade and "CASCADE") }
  end,
  inverse = function(o)
    if o.absent then return {} end
    if not o.existing and not o.restored_by then
      return nil, ('the constraint "%s" is not known: give existing, as in existing = { unique = { "email" } }')
        :format(o.name)
    end
    if o.cascade then return nil, "cascade also drops what depends on the constraint: drop that first, on its own" end
    return create_again(o)
  end,
  lock = function(o)
    local locks = alter.lock(o)
    local parent = o.existing and o.existing.foreign_key
    if not parent then return locks end
    for _, lock in ipairs(constraint.locks("foreign_key", parent)) do
      lock.mode = "ACCESS EXCLUSIVE"
      if lock.relation ~= locks[1].relation then locks[#locks + 1] = lock end
    end
    return locks
  end,
  capture = capture,
  arguments = function(o)
    local options = clause.pick(o, drop_shape)
    options.existing = write_existing(o.existing)
    return o.name, o.table, options
  end,
}

local schema_shape = { schema = check.name }

positional.register_rename {
  name = "rename_constraint",
  summary = "Rename a constraint of a table",
  arguments = { { "table", check.name, "the table name" }, { "name", check.name, "the constraint name" } },
  shape = schema_shape,
  sql = function(o)
    return ("ALTER TABLE %s RENAME CONSTRAINT %s"):format(quote.qualified(o.schema, o.table), quote.ident(o.name))
  end,
  lock = alter.lock,
}

alter.register {
  name = "validate_constraint",
  summary = "Check the rows of a constraint that was added NOT VALID",
  position = 2,
  build = function(name, relation, options)
    local o = check.options(options, schema_shape)
    o.name, o.table = check.name(name, "the constraint name"), check.name(relation, "the table name")
    return o
  end,
  clauses = function(o) return { "VALIDATE CONSTRAINT " .. quote.ident(o.name) } end,
  -- A validated constraint holds for the schema before, too: nothing has to be undone.
  inverse = function() return {} end,
  lock = function(o)
    return { { relation = quote.qualified(o.schema, o.table), mode = "SHARE UPDATE EXCLUSIVE" } }
  end,
  arguments = function(o) return o.name, o.table, clause.pick(o, schema_shape) end,
}

return constraint
