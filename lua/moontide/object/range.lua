--- Range types, each with its multirange type (PostgreSQL 14).

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local entity = require "moontide.object.entity"
local lookup = require "moontide.object.lookup"
local operation = require "moontide.operation"
local owned = require "moontide.object.owned"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

local ownership = { words = "TYPE", privileges = { "usage" } }

local shape = check.join(owned.shape(ownership), {
  opclass = clause.object, collation = clause.object, canonical = clause.object, difference = clause.object,
  multirange = check.name,
})
local create_shape = check.join(shape, { schema = check.name })

-- Options as the server calls them, in the order of the manual.
local parameters = { { "opclass", "subtype_opclass" }, { "collation", "collation" }, { "canonical", "canonical" },
  { "difference", "subtype_diff" } }

local function create_statements(o)
  local name, parts = quote.qualified(o.schema, o.name), { "subtype = " .. o.subtype }
  for _, parameter in ipairs(parameters) do
    local given = o[parameter[1]]
    if given then parts[#parts + 1] = parameter[2] .. " = " .. clause.object_name(given) end
  end
  if o.multirange then parts[#parts + 1] = "multirange_type_name = " .. quote.qualified(o.schema, o.multirange) end
  local statements = { ("CREATE TYPE %s AS RANGE (%s)"):format(name, table.concat(parts, ", ")) }
  return owned.append(statements, ownership, name, o)
end

local function read_existing(given, what)
  check.table(given, what, '{ "numeric", ... }')
  local existing = check.shape(given, what, shape, 1)
  existing.subtype = check.type(given[1], what .. ": the subtype")
  return existing
end

local function write_existing(existing)
  local options = owned.write(clause.pick(existing, shape))
  options[1] = existing.subtype
  return options
end

-- What the server would choose by itself is left out; the name of the multirange is not.
local definition = [[
SELECT format_type(r.rngsubtype, NULL) AS subtype,
       c.opcname AS opclass, cn.nspname AS opclass_schema, l.collname AS collation, ln.nspname AS collation_schema,
       f.proname AS canonical, fn.nspname AS canonical_schema, d.proname AS difference, dn.nspname AS difference_schema,
       (SELECT m.typname FROM pg_type m WHERE m.oid = (to_jsonb(r) ->> 'rngmultitypid')::oid) AS multirange
FROM pg_range r JOIN pg_type t ON t.oid = r.rngsubtype
     LEFT JOIN pg_opclass c ON c.oid = r.rngsubopc AND NOT c.opcdefault
     LEFT JOIN pg_namespace cn ON cn.oid = c.opcnamespace
     LEFT JOIN pg_collation l ON l.oid = r.rngcollation AND r.rngcollation <> t.typcollation
     LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
     LEFT JOIN pg_proc f ON f.oid = r.rngcanonical LEFT JOIN pg_namespace fn ON fn.oid = f.pronamespace
     LEFT JOIN pg_proc d ON d.oid = r.rngsubdiff LEFT JOIN pg_namespace dn ON dn.oid = d.pronamespace
WHERE r.rngtypid = w.oid]]

local function capture(o, query)
  local condition = ("oid = to_regtype(%s) AND typtype = 'r'"):format(entity.literal(o))
  local existing = owned.capture(query, { catalog = "pg_type", prefix = "typ", letter = "T",
    condition = condition })
  local row = existing and lookup.row(query, "SELECT oid FROM pg_type WHERE " .. condition, definition)
  if not row then return nil end
  existing.subtype, existing.multirange = row.subtype, row.multirange
  for _, parameter in ipairs(parameters) do
    local option = parameter[1]
    existing[option] = row[option] and { name = row[option], schema = row[option .. "_schema"] } or nil
  end
  return existing
end

local kind = {
  kind = "range_type", thing = "type", words = "TYPE", read = read_existing, write = write_existing,
  capture = capture,
  create = function(o, existing)
    local options = write_existing(existing)
    options[1], options.schema = nil, o.schema
    return { operation.build("create_range_type", o.name, existing.subtype, options) }
  end,
  schema_of = entity.schema_of_type,
  example = '{ "numeric" }',
}

operation.register {
  name = "create_range_type",
  summary = "Create a range type",
  build = function(name, subtype, options)
    local o = check.options(options, create_shape)
    o.name, o.subtype = check.name(name, "the type name"), check.type(subtype, "the subtype")
    return o
  end,
  sql = create_statements,
  inverse = function(o) return entity.uncreate(kind, o, write_existing(o)) end,
  lock = function() return {} end,
  source = function(o)
    return source.call("create_range_type", o.name, o.subtype, owned.write(clause.pick(o, create_shape)))
  end,
}

entity.register_drop(kind, "Drop a range type")
entity.register_rename(kind, "Rename a range type")
entity.register_move(kind, "Move a range type into another schema")

return kind
