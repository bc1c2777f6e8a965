--- Casts from one type to another: by a function, by the text of the value, or without a change of its bytes.

local catalog = require "moontide.catalog.names"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lifecycle = require "moontide.object.lifecycle"
local lookup = require "moontide.object.lookup"
local quote = require "moontide.sql.quote"

local function_shape = { name = check.name, schema = check.name, args = check.list_of(check.type) }

-- A function's name, or { name =, schema =, args = }.
local function read_function(given, what)
  if type(given) == "string" then return check.name(given, what) end
  local func = check.shape(check.table(given, what), what, function_shape)
  check.name(func.name, what .. " name")
  return (func.schema or func.args) and func or func.name
end

local function function_sql(func)
  if type(func) == "string" then return quote.ident(func) end
  return quote.qualified(func.schema, func.name) .. (func.args and ("(%s)"):format(table.concat(func.args, ", ")) or "")
end

local function settle(o)
  local ways = (o.func and 1 or 0) + (o.inout and 1 or 0) + (o.binary and 1 or 0)
  if ways ~= 1 then
    check.refuse("a cast needs one of func, inout and binary",
      'Write func = "f" for a function, inout = true to go by the text, or binary = true where the bytes are the same.')
  end
end

local function name_of(o) return ("(%s AS %s)"):format(o.source, o.target) end

local function create(o)
  local way = o.func and "WITH FUNCTION " .. function_sql(o.func) or o.inout and "WITH INOUT" or "WITHOUT FUNCTION"
  return clause.words("CREATE CAST", name_of(o), way, o.context and "AS " .. o.context:upper())
end

local describe = [[
SELECT ]] .. catalog.object("pg_proc", "pro", "c.castfunc") .. [[ AS func,
  (SELECT array(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) t) FROM pg_proc p WHERE p.oid = c.castfunc)
    AS args,
  nullif(c.castmethod = 'i', false) AS inout, nullif(c.castmethod = 'b', false) AS binary,
  CASE c.castcontext WHEN 'i' THEN 'implicit' WHEN 'a' THEN 'assignment' END AS context,
  obj_description(c.oid, 'pg_cast') AS comment
FROM pg_cast c WHERE c.oid = w.oid]]

local function look(o, query)
  local found = lookup.row(query, ("SELECT oid FROM pg_cast WHERE castsource = to_regtype(%s) AND casttarget = "
    .. "to_regtype(%s)"):format(quote.literal(o.source), quote.literal(o.target)), describe)
  if not found then return nil end
  if found.func then found.func.args = found.args end
  found.args = nil
  return found
end

lifecycle.register {
  thing = "cast",
  summaries = { "Create a cast from one type to another", "Drop a cast" },
  identity = { { "source", check.type, "the type to cast from" }, { "target", check.type, "the type to cast to" } },
  place = {},
  shape = {
    func = read_function, inout = check.flag, binary = check.flag, context = check.choice("assignment", "implicit"),
  },
  example = 'func = "f"',
  settle = settle,
  create = create,
  name = name_of,
  look = look,
}
