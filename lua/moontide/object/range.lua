--- Range types, each with its multirange type (PostgreSQL 14).

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local datatype = require "moontide.object.datatype"
local lookup = require "moontide.object.lookup"
local quote = require "moontide.sql.quote"

-- Options as the server calls them, in the order of the manual.
local parameters = { { "opclass", "subtype_opclass" }, { "collation", "collation" }, { "canonical", "canonical" },
  { "difference", "subtype_diff" } }

local function create(o)
  local parts = { "subtype = " .. o.subtype }
  for _, parameter in ipairs(parameters) do
    local given = o[parameter[1]]
    if given then parts[#parts + 1] = parameter[2] .. " = " .. clause.object_name(given) end
  end
  if o.multirange then parts[#parts + 1] = "multirange_type_name = " .. quote.qualified(o.schema, o.multirange) end
  return ("CREATE TYPE %s AS RANGE (%s)"):format(quote.qualified(o.schema, o.name), table.concat(parts, ", "))
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

local function describe(o, query, found)
  local row = lookup.row(query, datatype.oid(o, "r"), definition)
  if not row then return nil end
  found.subtype, found.multirange = row.subtype, row.multirange
  for _, parameter in ipairs(parameters) do
    local option = parameter[1]
    found[option] = row[option] and { name = row[option], schema = row[option .. "_schema"] } or nil
  end
  return found
end

datatype.register {
  thing = "range_type",
  typtype = "r",
  summaries = { "Create a range type", "Drop a range type", "Rename a range type",
    "Move a range type into another schema" },
  content = { { "subtype", check.type, "the subtype" } },
  inline = "first",
  shape = {
    opclass = clause.object, collation = clause.object, canonical = clause.object, difference = clause.object,
    multirange = check.name,
  },
  example = '"numeric"',
  create = create,
  describe = describe,
}
