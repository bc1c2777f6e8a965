--- Enum types: creating, dropping, renaming and moving them. Changing the labels is in enum_label.lua.

local check = require "moontide.check"
local datatype = require "moontide.object.datatype"
local quote = require "moontide.sql.quote"

local enum = {}

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

--- The labels of an enum in the catalog, in order.
---@param o table
---@param query fun(sql: string): table
---@return string[]
function enum.labels_of(o, query)
  local labels = {}
  for i, row in ipairs(query(("SELECT enumlabel AS label FROM pg_enum WHERE enumtypid = to_regtype(%s) "
      .. "ORDER BY enumsortorder"):format(quote.reference(o.schema, o.name)))) do
    labels[i] = row.label
  end
  return labels
end

datatype.register {
  thing = "enum",
  typtype = "e",
  summaries = { "Create an enum type", "Drop an enum type", "Rename an enum type",
    "Move an enum type into another schema" },
  content = { { "labels", enum.labels, "the list of labels" } },
  inline = "list",
  shape = {},
  example = '"draft", "sent"',
  create = function(o) return enum.sql(quote.qualified(o.schema, o.name), o.labels) end,
  describe = function(o, query, found)
    found.labels = enum.labels_of(o, query)
    return found
  end,
}

--- Whether the labels there were are all among the new ones, in the same order.
---@param old string[]
---@param new string[]
---@return boolean
function enum.only_adds(old, new)
  local next_old = 1
  for _, label in ipairs(new) do
    if label == old[next_old] then next_old = next_old + 1 end
  end
  return next_old > #old
end

return enum
