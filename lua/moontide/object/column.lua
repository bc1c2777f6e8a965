--- Columns: the shape { name, type, option = ... } that tables and models share,
--- its SQL and its Lua text. The operations on columns are in add_column.lua and alter_column.lua.

local check = require "moontide.check"
local check_constraint = require "moontide.object.check_constraint"
local clause = require "moontide.object.clause"
local constraint = require "moontide.object.constraint"
local foreign_key = require "moontide.object.foreign_key"
local index = require "moontide.object.index"
local key = require "moontide.object.key"
local quote = require "moontide.sql.quote"
local value = require "moontide.value"

---@class moontide.Column
---@field name string
---@field type string
---@field nullable? boolean
---@field default? any
---@field identity? table     { always =, start =, increment =, minimum =, maximum =, cache =, cycle = }
---@field generated? table    { expression =, virtual = }
---@field primary_key? true
---@field unique? table       the options of a unique constraint; empty for `unique = true`
---@field check? table        { expression =, name =, no_inherit = }
---@field references? table   { table =, schema =, column =, on_delete =, ... }
---@field index? table        the options of an index; empty for `index = true`
---@field collation? string|table
---@field comment? string
---@field storage? string
---@field compression? string
---@field statistics? integer
---@field options? table

local column = {}

local identity_shape = {
  always = check.flag, start = check.integer, increment = check.integer, minimum = check.integer,
  maximum = check.integer, cache = check.integer, cycle = check.flag,
}
local generated_shape = { stored = check.boolean, virtual = check.flag }

local identity_word = check.choice("always", "by default")

--- The `identity` of a column: true or "by default", "always", or a table of options.
function column.read_identity(given, what)
  if type(given) == "boolean" then return given and {} or nil end
  if type(given) == "string" then return { always = identity_word(given, what) == "always" or nil } end
  return check.shape(check.table(given, what, 'true, "always", "by default" or a table'), what, identity_shape)
end

--- The reverse of `read_identity`.
---@param identity table
function column.write_identity(identity)
  local first = next(identity)
  if not first then return true end
  if first == "always" and not next(identity, first) then return "always" end
  return identity
end

local sequence_options = { { "start", "START WITH %d" }, { "increment", "INCREMENT BY %d" },
  { "minimum", "MINVALUE %d" }, { "maximum", "MAXVALUE %d" }, { "cache", "CACHE %d" } }

--- The options of an identity's sequence, each as SQL.
---@param identity table
---@return string[]
function column.sequence_options(identity)
  local parts = {}
  for _, option in ipairs(sequence_options) do
    if identity[option[1]] then parts[#parts + 1] = option[2]:format(identity[option[1]]) end
  end
  if identity.cycle then parts[#parts + 1] = "CYCLE" end
  return parts
end

--- GENERATED ... AS IDENTITY
---@param identity table
---@return string
function column.identity_sql(identity)
  local options = table.concat(column.sequence_options(identity), " ")
  return clause.words("GENERATED", identity.always and "ALWAYS" or "BY DEFAULT", "AS IDENTITY",
    options ~= "" and "(" .. options .. ")")
end

local function read_generated(given, what)
  if value.kind(given) ~= "table" then given = { given } end
  local options = check.shape(given, what, generated_shape, 1)
  if options.stored and options.virtual then check.refuse(what .. " cannot be both stored and virtual") end
  return { expression = check.expression(given[1], what), virtual = options.virtual or options.stored == false or nil }
end

local function write_generated(generated)
  if not generated.virtual then return generated.expression end
  return { generated.expression, virtual = true }
end

--- The storage modes of a column.
column.storage = check.choice("plain", "external", "extended", "main", "default")

--- The compression methods of a column.
column.compression = check.choice("pglz", "lz4", "default")

local shape = {
  nullable = check.boolean, default = check.value, primary_key = check.flag, unique = key.read_column,
  identity = column.read_identity, generated = read_generated, check = check_constraint.read,
  references = foreign_key.read_reference, collation = clause.object, comment = check.text,
  index = index.read_column, storage = column.storage, compression = column.compression,
  statistics = check.integer, options = check.parameters,
}

-- Pairs of options that cannot be given together.
local contradictions = { { "default", "identity" }, { "default", "generated" }, { "identity", "generated" } }

local function check_together(c)
  for _, pair in ipairs(contradictions) do
    if c[pair[1]] ~= nil and c[pair[2]] ~= nil then
      check.refuse(("%s and %s cannot be given together"):format(pair[1], pair[2]))
    end
  end
  local never_null = c.primary_key and "primary_key" or c.identity and "identity"
  if never_null and c.nullable then check.refuse(("nullable = true contradicts %s"):format(never_null)) end
  if c.nullable == false and value.kind(c.default) == "null" and c.default ~= nil then
    check.refuse("default = null contradicts nullable = false")
  end
end

local function read(given, name)
  local c = check.shape(given, nil, shape, 2)
  c.name, c.type = name, check.type(given[2], "the type")
  check_together(c)
  return c
end

--- A column as users write it.
---@param given any
---@param what? string
---@return moontide.Column
function column.read(given, what)
  check.table(given, what or "the column", "{ name, type, ... }")
  local name = given[1]
  if type(name) ~= "string" or quote.problem(name) then check.name(name, (what or "the column") .. ": the name") end
  local ok, c = pcall(read, given, name)
  return ok and c or check.within(('column "%s"'):format(name), error, c, 0)
end

local writers = {
  unique = function(unique) return next(unique) ~= nil and unique or true end,
  identity = column.write_identity, generated = write_generated, check = check_constraint.write,
  references = foreign_key.write_reference, index = index.write_column,
}

--- The reverse of `column.read`.
---@param c moontide.Column
---@return table
function column.write(c)
  local written = clause.pick(c, shape)
  for option, field in pairs(written) do
    if writers[option] then written[option] = writers[option](field) end
  end
  written[1], written[2] = c.name, c.type
  return written
end

local function generated_sql(generated)
  return ("GENERATED ALWAYS AS (%s) %s"):format(generated.expression, generated.virtual and "VIRTUAL" or "STORED")
end

local function is_plain_unique(c)
  return c.unique and next(c.unique) == nil
end

--- The definition of a column, as in CREATE TABLE and ADD COLUMN.
---@param c moontide.Column
---@param without_key? boolean  leave PRIMARY KEY to the table
---@return string
function column.definition(c, without_key)
  return clause.words(quote.ident(c.name), c.type, c.compression and "COMPRESSION " .. c.compression,
    c.collation and "COLLATE " .. clause.object_name(c.collation),
    c.default ~= nil and "DEFAULT " .. clause.default(c.default), c.nullable == false and "NOT NULL",
    c.generated and generated_sql(c.generated), c.identity and column.identity_sql(c.identity),
    c.check and check_constraint.sql(c.check), is_plain_unique(c) and "UNIQUE",
    c.primary_key and not without_key and "PRIMARY KEY",
    c.references and foreign_key.reference_sql(c.references))
end

--- Constraints of a column that only a table constraint can say, as SQL.
---@param c moontide.Column
---@return string[]
function column.constraints(c)
  if not c.unique or is_plain_unique(c) then return {} end
  local unique = { columns = { c.name } }
  for name, option in pairs(c.unique) do unique[name] = option end
  return { constraint.sql("unique", unique) }
end

--- Settings of a column that are actions of ALTER TABLE on every server version.
---@param c moontide.Column
---@return string[]
function column.settings(c)
  local head, clauses = "ALTER COLUMN " .. quote.ident(c.name) .. " SET ", {}
  if c.storage then clauses[1] = head .. "STORAGE " .. c.storage:upper() end
  if c.statistics then clauses[#clauses + 1] = head .. "STATISTICS " .. c.statistics end
  if c.options then clauses[#clauses + 1] = head .. clause.parameters(c.options) end
  return clauses
end

--- COMMENT ON COLUMN; nil removes it.
---@param schema string?
---@param relation string
---@param name string
---@param comment string?
---@return string
function column.comment_sql(schema, relation, name, comment)
  return ("COMMENT ON COLUMN %s.%s IS %s"):format(quote.qualified(schema, relation), quote.ident(name),
    comment and quote.literal(comment) or "NULL")
end

--- The statements that follow the one that makes a column: its index and its comment.
---@param c moontide.Column
---@param schema string?
---@param relation string
---@return string[]
function column.rest(c, schema, relation)
  local statements = {}
  if c.index then statements[1] = index.sql(index.of_column(c.index, c.name), schema, relation) end
  if c.comment then statements[#statements + 1] = column.comment_sql(schema, relation, c.name, c.comment) end
  return statements
end

--- Locks that making a column takes on other tables.
---@param c moontide.Column
---@return moontide.Lock[]
function column.locks(c)
  return c.references and foreign_key.reference_locks(c.references) or {}
end

return column
