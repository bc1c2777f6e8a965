--- Columns as the catalog has them, in the shape { name, type, option = ... }.

local names = require "moontide.catalog.names"
local value = require "moontide.value"

local column = {}

--- One row a column, in their order. Comments are joined: a function would be called for each.
column.query = [[
SELECT a.attrelid::bigint::text AS relation, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
  a.attnotnull AS not_null, a.attislocal AS is_local, a.attinhcount > 0 AS has_parent,
  a.attidentity AS identity, a.attgenerated AS generated,
  pg_get_expr(d.adbin, d.adrelid) AS expression, a.attstorage AS storage,
  nullif(a.attstorage <> t.typstorage, false) AS has_storage, nullif(a.newer_attcompression, '') AS compression,
  nullif(a.attstattarget, -1)::text AS statistics, m.description AS comment,
  l.collname AS collation, ln.nspname AS collation_schema,
  CASE WHEN array_to_string(a.attoptions, ',') LIKE '%%n_distinct%%' THEN
    (SELECT json_object_agg(o.option_name, o.option_value) FROM pg_options_to_table(a.attoptions) o
    WHERE o.option_name IN ('n_distinct', 'n_distinct_inherited')) END AS options,
  CASE WHEN a.attgenerated <> '' THEN (SELECT json_agg(u.attname) FROM pg_depend e JOIN pg_attribute u
    ON u.attrelid = e.refobjid AND u.attnum = e.refobjsubid
    WHERE e.refclassid = 'pg_class'::regclass AND e.refobjid = a.attrelid AND u.attnum <> a.attnum AND e.deptype <> 'i'
      AND (e.classid = 'pg_attrdef'::regclass AND e.objid = d.oid
        OR e.classid = 'pg_class'::regclass AND e.objid = a.attrelid AND e.objsubid = a.attnum)) END AS uses,
  CASE WHEN a.attidentity <> '' THEN (SELECT json_build_object(
      'type', s.seqtypid::regtype, 'start', s.seqstart::text, 'increment', s.seqincrement::text,
      'minimum', s.seqmin::text, 'maximum', s.seqmax::text, 'cache', s.seqcache::text, 'cycle', s.seqcycle)
    FROM pg_sequence s JOIN pg_depend e ON e.classid = 'pg_class'::regclass AND e.objid = s.seqrelid
    WHERE e.refclassid = 'pg_class'::regclass AND e.refobjid = a.attrelid AND e.refobjsubid = a.attnum
      AND e.deptype = 'i') END AS sequence
FROM ]] .. names.newer("pg_attribute", "a", "attcompression") .. [[ JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_collation l ON l.oid = a.attcollation AND a.attcollation <> t.typcollation
  LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
  LEFT JOIN pg_description m ON m.classoid = 'pg_class'::regclass AND m.objoid = a.attrelid AND m.objsubid = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid %s
ORDER BY a.attrelid, a.attnum]]

local function integer(text) return math.tointeger(tonumber(text)) end

local largest = { smallint = 32767, integer = 2147483647, bigint = math.maxinteger }

-- What a sequence of a type has unless told otherwise.
local function sequence_defaults(type_name, increment)
  local top = largest[type_name] or math.maxinteger
  local minimum, maximum = 1, top
  if increment < 0 then minimum, maximum = -top - 1, -1 end
  return { increment = 1, minimum = minimum, maximum = maximum, cache = 1 }
end

--- The options of a sequence that are not the default.
---@param sequence table<string, string>
---@return table
function column.sequence_options(sequence)
  local options, defaults = {}, sequence_defaults(sequence.type, integer(sequence.increment))
  for key, default in pairs(defaults) do
    local number = integer(sequence[key])
    if number ~= default then options[key] = number end
  end
  local first = integer(sequence.increment) > 0 and "minimum" or "maximum"
  if sequence.start ~= sequence[first] then options.start = integer(sequence.start) end
  options.cycle = sequence.cycle or nil
  return options
end

local function identity_of(row)
  if row.identity == "" then return nil end
  local identity, is_always = column.sequence_options(row.sequence), row.identity == "a"
  if next(identity) == nil then return is_always and "always" or true end
  identity.always = is_always or nil
  return identity
end

local function generated_of(row)
  if row.generated == "" then return nil end
  return row.generated == "v" and { row.expression, virtual = true } or row.expression
end

local storages = { p = "plain", e = "external", m = "main", x = "extended" }
local compressions = { p = "pglz", l = "lz4" }

local function collation_of(row)
  if not row.collation then return nil end
  if row.collation_schema == "pg_catalog" then return row.collation end
  return { name = row.collation, schema = row.collation_schema }
end

--- The name of a storage mode.
---@param row table
---@return string
function column.storage(row) return storages[row.storage] end

--- The name of a compression method.
---@param row table
---@return string?
function column.compression(row) return compressions[row.compression] end

local function options_of(row)
  local options = row.options
  if not options then return nil end
  for key, text in pairs(options) do options[key] = integer(text) or tonumber(text) end
  return options
end

--- A row as users write a column.
---@param row table
---@return table
function column.item(row)
  local item = {
    row.name, row.type, identity = identity_of(row), generated = generated_of(row), collation = collation_of(row),
    comment = row.comment, storage = row.has_storage and storages[row.storage] or nil,
    compression = compressions[row.compression], statistics = integer(row.statistics), options = options_of(row),
  }
  if row.not_null and not item.identity then item.nullable = false end
  if row.expression and not item.generated then item.default = value.sql(row.expression) end
  return item
end

return column
