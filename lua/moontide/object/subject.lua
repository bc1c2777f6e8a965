--- Objects of any kind, named as users name them: a kind, a name, and where they are.
---
--- `op.alter_owner("function", "f", "app", { args = "int" })` names its object by
--- arguments, `op.grant("usage", { on = { "schema", "app" } })` by a list.

local argument = require "moontide.object.argument"
local check = require "moontide.check"
local quote = require "moontide.sql.quote"

---@class moontide.SubjectKind
---@field words string      as in ALTER and COMMENT ON
---@field grant? string     as in GRANT, where privileges can be granted
---@field privileges? string  those, separated by spaces
---@field letter? string    of acldefault()
---@field catalog string    the catalog, and
---@field prefix string     what its columns begin with
---@field relkinds? string  of pg_class
---@field routine? boolean  it has arguments
---@field global? boolean   it is in no schema
---@field fixed? boolean    its owner cannot be changed

local subject = {}

local table_privileges = "select insert update delete truncate references trigger maintain"
local sequence_privileges = "select update usage"

local function relation(words, relkinds, privileges, letter)
  return { words = words, catalog = "pg_class", prefix = "rel", relkinds = relkinds, letter = letter or "r",
    grant = privileges and (letter == "s" and "SEQUENCE" or "TABLE"), privileges = privileges }
end

local function routine(words, kinds)
  return { words = words, catalog = "pg_proc", prefix = "pro", routine = true, grant = words, privileges = "execute",
    letter = "f", kinds = kinds }
end

local function type_of(words)
  return { words = words, catalog = "pg_type", prefix = "typ", grant = words, privileges = "usage", letter = "T" }
end

local function plain(words, catalog, prefix, more)
  local kind = { words = words, catalog = catalog, prefix = prefix, grant = more and more.privileges and words }
  for key, field in pairs(more or {}) do kind[key] = field end
  return kind
end

---@type table<string, moontide.SubjectKind>
subject.kinds = {
  ["table"] = relation("TABLE", "'r', 'p'", table_privileges),
  ["view"] = relation("VIEW", "'v'", table_privileges),
  ["materialized view"] = relation("MATERIALIZED VIEW", "'m'", table_privileges),
  ["foreign table"] = relation("FOREIGN TABLE", "'f'", table_privileges),
  ["sequence"] = relation("SEQUENCE", "'S'", sequence_privileges, "s"),
  ["function"] = routine "FUNCTION", ["procedure"] = routine "PROCEDURE", ["routine"] = routine "ROUTINE",
  ["aggregate"] = plain("AGGREGATE", "pg_proc", "pro", { routine = true }),
  ["type"] = type_of "TYPE", ["domain"] = type_of "DOMAIN",
  ["schema"] = plain("SCHEMA", "pg_namespace", "nsp", { global = true, privileges = "create usage", letter = "n" }),
  ["database"] = plain("DATABASE", "pg_database", "dat",
    { global = true, privileges = "create connect temporary temp", letter = "d" }),
  ["tablespace"] = plain("TABLESPACE", "pg_tablespace", "spc", { global = true, privileges = "create", letter = "t" }),
  ["language"] = plain("LANGUAGE", "pg_language", "lan", { global = true, privileges = "usage", letter = "l" }),
  ["foreign data wrapper"] = plain("FOREIGN DATA WRAPPER", "pg_foreign_data_wrapper", "fdw",
    { global = true, privileges = "usage", letter = "F" }),
  ["server"] = plain("SERVER", "pg_foreign_server", "srv",
    { global = true, privileges = "usage", letter = "S", grant = "FOREIGN SERVER" }),
  ["publication"] = plain("PUBLICATION", "pg_publication", "pub", { global = true }),
  ["subscription"] = plain("SUBSCRIPTION", "pg_subscription", "sub", { global = true }),
  ["event trigger"] = plain("EVENT TRIGGER", "pg_event_trigger", "evt", { global = true }),
  ["collation"] = plain("COLLATION", "pg_collation", "coll"),
  ["conversion"] = plain("CONVERSION", "pg_conversion", "con"),
  ["statistics"] = plain("STATISTICS", "pg_statistic_ext", "stx"),
  ["text search dictionary"] = plain("TEXT SEARCH DICTIONARY", "pg_ts_dict", "dict"),
  ["text search configuration"] = plain("TEXT SEARCH CONFIGURATION", "pg_ts_config", "cfg"),
}

--- Kinds whose objects have a field, sorted.
---@param field? string
---@return string[]
function subject.names(field)
  local names = {}
  for name, kind in pairs(subject.kinds) do
    if not field or kind[field] then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- Options that say where an object is.
subject.place = { schema = check.name, args = argument.read_list }

--- Check what can only be judged together.
---@param thing string  the kind
---@param place { schema: string?, args: table? }
function subject.check(thing, place)
  local kind = subject.kinds[thing]
  if place.args and not kind.routine then check.refuse(("a %s has no args"):format(thing)) end
  if place.schema and kind.global then check.refuse(("a %s is in no schema"):format(thing)) end
end

--- An object as SQL, without the words for its kind.
---@param o { thing: string, name: string, schema: string?, args: table? }
---@return string
function subject.name(o)
  return quote.qualified(o.schema, o.name) .. (o.args and "(" .. argument.types(o.args) .. ")" or "")
end

local finders = {
  pg_class = "to_regclass", pg_type = "to_regtype", pg_namespace = "to_regnamespace",
}

-- Of an object that no reg* function finds.
local function by_name(o, kind)
  local condition = ("%sname = %s"):format(kind.prefix, quote.literal(o.name))
  if not kind.global then
    condition = condition .. (o.schema and (" AND %snamespace = to_regnamespace(%s)"):format(kind.prefix,
      quote.literal(quote.ident(o.schema))) or (" AND %s_is_visible(oid)"):format(
        kind.catalog == "pg_statistic_ext" and "pg_statistics_obj" or kind.catalog))
  end
  return ("SELECT oid FROM %s WHERE %s"):format(kind.catalog, condition)
end

--- SQL that answers the oid of an object, or NULL.
---@param o { thing: string, name: string, schema: string?, args: table? }
---@return string
function subject.oid(o)
  local kind = subject.kinds[o.thing]
  local finder = finders[kind.catalog]
  if kind.routine then finder = o.args and "to_regprocedure" or "to_regproc" end
  return finder and ("SELECT %s(%s)"):format(finder, quote.literal(subject.name(o))) or by_name(o, kind)
end

--- The kind in parentheses would be noise: options as users write them.
---@param place table
---@return table
function subject.write(place)
  place.args = argument.write_list(place.args)
  return place
end

return subject
