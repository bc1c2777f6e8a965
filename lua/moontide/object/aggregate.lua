--- Aggregates. Their options have the names that CREATE AGGREGATE gives them, in lower case.
---
--- `args` are the arguments that are aggregated, or, where `order_by` has those, the direct ones.

local argument = require "moontide.object.argument"
local catalog = require "moontide.catalog.names"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lifecycle = require "moontide.object.lifecycle"
local lookup = require "moontide.object.lookup"
local owned = require "moontide.object.owned"
local quote = require "moontide.sql.quote"

local modify = check.choice("read only", "shareable", "read write")

local function read_size(given, what)
  if check.integer(given, what) < 0 then check.refuse(what .. " must not be negative") end
  return given
end

-- An operator, which is never quoted: ">", or { name = ">", schema = "s" }.
local function read_operator(given, what)
  if type(given) == "string" then return clause.operator(given, what) end
  local operator = check.shape(check.table(given, what), what, { name = clause.operator, schema = check.name })
  clause.operator(operator.name, what)
  return operator.schema and operator or operator.name
end

local function operator_sql(operator)
  if type(operator) == "string" then return operator end
  return ("OPERATOR(%s.%s)"):format(quote.ident(operator.schema), operator.name)
end

local function word(text) return (text:upper():gsub(" ", "_")) end
local function digits(number) return ("%d"):format(number) end

-- Options in the order of the manual: name, check, SQL; those with `of` are functions, by the column of pg_aggregate.
local options = {
  { "sfunc", clause.object, clause.object_name, of = "aggtransfn" }, { "stype", check.type },
  { "sspace", read_size, digits },
  { "finalfunc", clause.object, clause.object_name, of = "aggfinalfn" }, { "finalfunc_extra", check.flag },
  { "finalfunc_modify", modify, word },
  { "combinefunc", clause.object, clause.object_name, of = "aggcombinefn" },
  { "serialfunc", clause.object, clause.object_name, of = "aggserialfn" },
  { "deserialfunc", clause.object, clause.object_name, of = "aggdeserialfn" },
  { "initcond", check.text, quote.literal },
  { "msfunc", clause.object, clause.object_name, of = "aggmtransfn" },
  { "minvfunc", clause.object, clause.object_name, of = "aggminvtransfn" }, { "mstype", check.type },
  { "msspace", read_size, digits },
  { "mfinalfunc", clause.object, clause.object_name, of = "aggmfinalfn" }, { "mfinalfunc_extra", check.flag },
  { "mfinalfunc_modify", modify, word }, { "minitcond", check.text, quote.literal },
  { "sortop", read_operator, operator_sql }, { "parallel", check.choice("safe", "restricted", "unsafe"), word },
  { "hypothetical", check.flag },
}

local shape = { args = argument.read_list, order_by = argument.read_list }
for _, option in ipairs(options) do shape[option[1]] = option[2] end

-- Arguments in parentheses, written by `render`: (*) where there are none, (a ORDER BY b) where there are direct ones.
local function arguments_sql(o, render)
  local args = o.args or {}
  local aggregated = o.order_by and "ORDER BY " .. render(o.order_by)
  if #args == 0 and not aggregated then return "(*)" end
  return ("(%s)"):format(clause.words(#args > 0 and render(args), aggregated))
end

-- What an aggregate is known by: the types, and which of them is variadic.
local function signature(list)
  if not list then return nil end
  local kept = {}
  for i, item in ipairs(list) do kept[i] = { type = item.type, mode = item.mode } end
  return kept
end

local function name_of(o)
  return quote.qualified(o.schema, o.name) .. arguments_sql(o, function(list) return argument.sql(signature(list)) end)
end

local function create(o)
  local parts = {}
  for _, option in ipairs(options) do
    local given, sql = o[option[1]], option[3] or tostring
    if given == true then parts[#parts + 1] = option[1]:upper()
    elseif given ~= nil then parts[#parts + 1] = ("%s = %s"):format(option[1]:upper(), sql(given)) end
  end
  return ("%s %s%s (\n  %s\n)"):format(o.replace and "CREATE OR REPLACE AGGREGATE" or "CREATE AGGREGATE",
    quote.qualified(o.schema, o.name), arguments_sql(o, argument.sql), table.concat(parts, ",\n  "))
end

local function settle(o, _, is_existing)
  if not o.sfunc then check.expected('option "sfunc"', "the state transition function", nil) end
  if not o.stype then check.expected('option "stype"', "the type of the state", nil) end
  if o.hypothetical and not o.order_by then check.refuse("hypothetical needs order_by") end
  if not is_existing then o.args = o.args or {} end
end

local function write(given)
  given.args, given.order_by = argument.write_list(given.args), argument.write_list(given.order_by)
  return given
end

-- What the server would choose by itself is NULL.
local function describe()
  local functions = {}
  for _, option in ipairs(options) do
    if option.of then
      functions[#functions + 1] = ("%s AS %s"):format(catalog.object("pg_proc", "pro", "a." .. option.of), option[1])
    end
  end
  return [[
SELECT p.oid::bigint::text AS oid, pg_get_function_arguments(p.oid) AS arguments, a.aggkind AS kind,
  format_type(a.aggtranstype, NULL) AS stype, nullif(a.aggtransspace, 0) AS sspace,
  nullif(a.aggfinalextra, false) AS finalfunc_extra, nullif(a.aggmfinalextra, false) AS mfinalfunc_extra,
  a.aggfinalmodify AS final_modify, a.aggmfinalmodify AS moving_modify,
  a.agginitval AS initcond, a.aggminitval AS minitcond,
  CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END AS mstype,
  nullif(a.aggmtransspace, 0) AS msspace, ]] .. catalog.object("pg_operator", "opr", "a.aggsortop") .. [[ AS sortop,
  CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' END AS parallel,
  ]] .. table.concat(functions, ",\n  ") .. [[

FROM pg_proc p JOIN pg_aggregate a ON a.aggfnoid = p.oid WHERE p.oid = w.oid]]
end

local modifies = { r = "read only", s = "shareable", w = "read write" }

-- The server's own choice is left out: an ordered-set aggregate modifies its state, others do not.
local function modify_of(found, letter, is_there)
  local own = found.kind == "n" and "r" or "w"
  return is_there and letter ~= own and modifies[letter] or nil
end

local function definition_of(found, definition)
  for _, option in ipairs(options) do
    local given = found[option[1]]
    definition[option[1]] = math.type(given) == "float" and math.tointeger(given) or given
  end
  local direct, aggregated = (" " .. found.arguments):match("^(.-) ORDER BY (.*)$")
  definition.args = argument.read_list(direct or found.arguments, "the arguments in the catalog")
  definition.order_by = aggregated and argument.read_list(aggregated, "the arguments in the catalog")
  definition.hypothetical = found.kind == "h" or nil
  definition.finalfunc_modify = modify_of(found, found.final_modify, true)
  definition.mfinalfunc_modify = modify_of(found, found.moving_modify, found.msfunc)
  return definition
end

-- By its types; a variadic of the direct arguments is also the one that is aggregated.
local function oid_of(o)
  local types = table.move(o.args or {}, 1, #(o.args or {}), 1, {})
  local last = types[#types]
  if not (last and last.mode == "variadic") then
    table.move(o.order_by or {}, 1, #(o.order_by or {}), #types + 1, types)
  end
  return ("to_regprocedure(%s)"):format(quote.literal(("%s(%s)"):format(quote.qualified(o.schema, o.name),
    argument.types(types))))
end

local function look(o, query)
  local found = lookup.row(query, oid_of(o), describe())
  if not found then return nil end
  return definition_of(found, owned.capture(query,
    { catalog = "pg_proc", prefix = "pro", letter = "f", condition = "oid = " .. found.oid }))
end

lifecycle.register {
  thing = "aggregate",
  summaries = { "Create an aggregate, or replace one", "Drop an aggregate", "Rename an aggregate" },
  identity = { { "name", check.name, "the aggregate name" } },
  place = { schema = check.name, args = argument.read_list, order_by = argument.read_list },
  shape = shape,
  making = { replace = check.flag },
  example = 'sfunc = "int4pl", stype = "int"',
  owned = { words = "AGGREGATE", grant_words = "FUNCTION", privileges = { "execute" } },
  identify = function(o)
    return { schema = o.schema, args = signature(o.args), order_by = signature(o.order_by) }
  end,
  settle = settle,
  write = write,
  create = create,
  name = name_of,
  look = look,
}

return {
  describe = describe(), definition = function(found) return write(definition_of(found, {})) end,
}
