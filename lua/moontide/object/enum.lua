--- Enum types: creating, dropping, renaming and moving them. Changing the labels is in enum_label.lua.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local entity = require "moontide.object.entity"
local operation = require "moontide.operation"
local owned = require "moontide.object.owned"
local quote = require "moontide.sql.quote"

local enum = {}

local ownership = { words = "TYPE", privileges = { "usage" } }
local shape = owned.shape(ownership)
local create_shape = check.join(shape, { schema = check.name })

-- NAMEDATALEN - 1, as for names; but the server refuses a longer label.
local longest_label = 63

--- A check: a label of an enum.
function enum.label(given, what)
  check.text(given, what)
  if given == "" then check.refuse(what .. " must not be empty") end
  if #given > longest_label then
    check.refuse(('%s "%s" is too long: %d bytes'):format(what, given, #given),
      ("PostgreSQL takes at most %d bytes."):format(longest_label))
  end
  return given
end

local read_labels = check.list_of(enum.label)

--- A check: a list of different labels; may be empty.
function enum.labels(given, what)
  local labels, seen = read_labels(given, what), {}
  for _, label in ipairs(labels) do
    if seen[label] then check.refuse(('%s has the label "%s" twice'):format(what, label)) end
    seen[label] = true
  end
  return labels
end

--- CREATE TYPE ... AS ENUM
---@param name string  as SQL
---@param labels string[]
---@return string
function enum.sql(name, labels)
  local literals = {}
  for i, label in ipairs(labels) do literals[i] = quote.literal(label) end
  return ("CREATE TYPE %s AS ENUM (%s)"):format(name, table.concat(literals, ", "))
end

local function read_existing(given, what)
  check.table(given, what, "a list of labels")
  local existing = check.shape(given, what, shape, #given)
  existing.labels = enum.labels(table.move(given, 1, #given, 1, {}), what)
  return existing
end

local function write_existing(existing)
  local options = owned.write(clause.pick(existing, shape))
  return table.move(existing.labels, 1, #existing.labels, 1, options)
end

--- The labels of an enum in the catalog, in order.
---@param o table
---@param query fun(sql: string): table
---@return string[]
function enum.labels_of(o, query)
  local labels = {}
  for i, row in ipairs(query(("SELECT enumlabel AS label FROM pg_enum WHERE enumtypid = to_regtype(%s) "
      .. "ORDER BY enumsortorder"):format(entity.literal(o)))) do
    labels[i] = row.label
  end
  return labels
end

local function capture(o, query)
  local existing = owned.capture(query, { catalog = "pg_type", prefix = "typ", letter = "T",
    condition = ("oid = to_regtype(%s) AND typtype = 'e'"):format(entity.literal(o)) })
  if existing then existing.labels = enum.labels_of(o, query) end
  return existing
end

local kind = {
  kind = "enum", thing = "type", words = "TYPE", read = read_existing, write = write_existing, capture = capture,
  create = function(o, existing)
    local options = owned.write(clause.pick(existing, shape))
    options.schema = o.schema
    return { operation.build("create_enum", o.name, existing.labels, options) }
  end,
  schema_of = entity.schema_of_type,
  example = '{ "draft", "sent" }',
}

operation.register {
  name = "create_enum",
  summary = "Create an enum type",
  build = function(name, labels, options)
    local o = check.options(options, create_shape)
    o.name, o.labels = check.name(name, "the type name"), enum.labels(labels, "the list of labels")
    return o
  end,
  sql = function(o)
    local name = quote.qualified(o.schema, o.name)
    return owned.append({ enum.sql(name, o.labels) }, ownership, name, o)
  end,
  inverse = function(o) return entity.uncreate(kind, o, write_existing(o)) end,
  lock = function() return {} end,
  source = function(o)
    return entity.call("create_enum", o.name, o.labels, owned.write(clause.pick(o, create_shape)))
  end,
}

entity.register_drop(kind, "Drop an enum type")
entity.register_rename(kind, "Rename an enum type")
entity.register_move(kind, "Move an enum type into another schema")

return enum
