--- What functions and procedures have in common: arguments, body and properties.
---
--- A routine is known by its name and the types of its arguments. Where `args` is left
--- out when one is only named, the name must be that of a single routine.

local argument = require "moontide.object.argument"
local changing = require "moontide.object.changing"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lexer = require "moontide.sql.lexer"
local lifecycle = require "moontide.object.lifecycle"
local lookup = require "moontide.object.lookup"
local owned = require "moontide.object.owned"
local quote = require "moontide.sql.quote"
local value = require "moontide.value"

local routine = {}

local keyword, gap = lexer.keyword, lexer.gap
local standard_body = gap * (keyword "return" + keyword "begin" * gap * keyword "atomic")

-- A string is the text of the body; sql "..." is a body that the server parses when the routine is created.
local function read_body(given, what)
  if value.kind(given) ~= "sql" then return { text = check.text(given, what) } end
  local text = check.expression(given, what)
  if not standard_body:match(text) then
    check.refuse(what .. " in SQL must be RETURN or BEGIN ATOMIC", "Give the text of any other body as a string.")
  end
  return { sql = (text:gsub("[%s;]+$", "")) }
end

local function read_setting(given, what)
  if type(given) == "table" and value.kind(given) == "table" then return check.list_of(check.text)(given, what) end
  if type(given) == "number" or type(given) == "boolean" then return tostring(given) end
  return check.text(given, what)
end

local function settings_of_kind(read)
  return function(given, what)
    local settings = {}
    for key, setting in pairs(check.table(given, what)) do
      if type(key) ~= "string" or not key:find("^[%a_][%w_.]*$") then
        check.refuse(("%s has the key %s, which is no name of a setting"):format(what, tostring(key)))
      end
      settings[key] = read(setting, ('%s "%s"'):format(what, key))
    end
    return settings
  end
end

--- A check: settings, of which `null` takes one away.
routine.read_changes = settings_of_kind(changing.or_null(read_setting))

local function read_number(given, what)
  if type(given) ~= "number" then check.expected(what, "a number", given) end
  if given <= 0 then check.refuse(what .. " must be positive") end
  return given
end

local function read_types(given, what)
  if type(given) == "string" then given = { given } end
  return check.list_of(check.type)(given, what)
end

--- Options of functions and procedures.
routine.shape = {
  body = read_body, language = check.name, library = check.text, security_definer = check.flag,
  set = settings_of_kind(read_setting), transform = read_types,
}

--- Options of functions alone.
routine.function_shape = {
  volatility = check.choice("immutable", "stable", "volatile"), strict = check.flag, leakproof = check.flag,
  parallel = check.choice("safe", "restricted", "unsafe"), cost = read_number, rows = read_number,
  support = clause.object, window = check.flag,
}

--- Options that say which routine.
routine.place = { schema = check.name, args = argument.read_list }

--- What routines have in common with other objects.
---@param words string
---@return moontide.OwnedKind
function routine.owned(words)
  return { words = words, privileges = { "execute" } }
end

--- The routine as SQL: with its types where they are known.
---@param o table
---@return string
function routine.name(o)
  return quote.qualified(o.schema, o.name) .. (o.args and "(" .. argument.types(o.args) .. ")" or "")
end

--- Check what can only be judged together.
---@param o table
---@param is_existing boolean  the arguments may stand elsewhere
function routine.settle(o, is_existing)
  if not o.body then check.expected('option "body"', "the text of the body", nil) end
  if o.body.sql and o.language and o.language ~= "sql" then
    check.refuse(('a body in SQL contradicts language = "%s"'):format(o.language))
  end
  o.language = o.language or "sql"
  if o.library and o.language ~= "c" then check.refuse('library needs language = "c"') end
  if not is_existing then o.args = o.args or {} end
end

--- Options as users write them.
---@param options table
---@return table
function routine.write(options)
  options.args = argument.write_list(options.args)
  if options.body then options.body = options.body.text or value.sql(options.body.sql) end
  return options
end

--- SET name TO ..., or RESET name.
---@param name string
---@param setting string|string[]|userdata
---@return string
function routine.setting_sql(name, setting)
  local quoted = name:gsub("[^.]+", quote.ident)
  if value.kind(setting) == "null" then return "RESET " .. quoted end
  local texts = type(setting) == "table" and setting or { setting }
  local literals = {}
  for i, text in ipairs(texts) do literals[i] = quote.literal(text) end
  return ("SET %s TO %s"):format(quoted, table.concat(literals, ", "))
end

local function settings_sql(settings)
  local parts = {}
  for name, setting in pairs(settings or {}) do parts[#parts + 1] = routine.setting_sql(name, setting) end
  table.sort(parts)
  return #parts > 0 and table.concat(parts, " ")
end

local function transform_sql(list)
  local parts = {}
  for i, type_name in ipairs(list or {}) do parts[i] = "FOR TYPE " .. type_name end
  return #parts > 0 and "TRANSFORM " .. table.concat(parts, ", ")
end

local function properties(o)
  return clause.words("LANGUAGE " .. quote.ident(o.language), transform_sql(o.transform), o.window and "WINDOW",
    o.volatility and o.volatility:upper(), o.leakproof and "LEAKPROOF", o.strict and "STRICT",
    o.security_definer and "SECURITY DEFINER", o.parallel and "PARALLEL " .. o.parallel:upper(),
    o.cost and ("COST %s"):format(value.literal(o.cost)), o.rows and ("ROWS %s"):format(value.literal(o.rows)),
    o.support and "SUPPORT " .. clause.object_name(o.support), settings_sql(o.set))
end

local function body_sql(o)
  if o.body.sql then return o.body.sql end
  if o.library then return ("AS %s, %s"):format(quote.literal(o.library), quote.literal(o.body.text)) end
  return "AS " .. quote.dollar(o.body.text)
end

--- CREATE FUNCTION or CREATE PROCEDURE.
---@param words string
---@param o table
---@return string
function routine.create(words, o)
  return clause.words("CREATE", o.replace and "OR REPLACE", words,
    ("%s(%s)"):format(quote.qualified(o.schema, o.name), argument.sql(o.args)), o.returns and "RETURNS " .. o.returns,
    properties(o)) .. "\n" .. body_sql(o)
end

--- SQL that answers the oid of a routine.
---@param o table
---@return string
function routine.oid(o)
  return ("%s(%s)"):format(o.args and "to_regprocedure" or "to_regproc", quote.literal(routine.name(o)))
end

-- What CREATE does not have to say is NULL: the defaults of language and server.
local describe = [[
SELECT p.oid::bigint::text AS oid, pg_get_function_arguments(p.oid) AS args, pg_get_function_result(p.oid) AS returns,
  l.lanname AS language, p.prosrc AS body, p.probin AS library, p.prosecdef AS security_definer,
  to_jsonb(p)->>'prosqlbody' IS NOT NULL AS standard,
  CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END AS definition,
  CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' END AS volatility,
  p.proisstrict AS strict, p.proleakproof AS leakproof, p.prokind = 'w' AS "window",
  CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' END AS parallel,
  CASE WHEN p.procost <> CASE WHEN l.lanname IN ('c', 'internal') THEN 1 ELSE 100 END THEN p.procost END AS cost,
  CASE WHEN p.prorows NOT IN (0, 1000) THEN p.prorows END AS rows,
  CASE WHEN p.prosupport <> 0 THEN p.prosupport::regproc::text END AS support,
  array(SELECT format_type(t, NULL) FROM unnest(p.protrftypes) t) AS transform, p.proconfig AS settings
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.oid = w.oid AND p.prokind IN (%s)]]

local function standard_text(definition)
  local at = definition:find("\nBEGIN ATOMIC", 1, true) or definition:find("\nRETURN ", 1, true)
  return (definition:sub(at + 1):gsub("[%s;]+$", ""))
end

local lists = {}
for name in ([[search_path temp_tablespaces session_preload_libraries shared_preload_libraries local_preload_libraries
    unix_socket_directories]]):gmatch("%S+") do
  lists[name] = true
end

-- Of a setting that is a list of names: public, "$user".
local function list_items(text)
  local list = {}
  for item in (text .. ","):gmatch("%s*(.-)%s*,") do
    list[#list + 1] = item:match('^"(.*)"$') and item:match('^"(.*)"$'):gsub('""', '"') or item
  end
  return list
end

local function settings_of(config)
  if not config then return nil end
  local settings = {}
  for _, setting in ipairs(config) do
    local name, text = setting:match("^([^=]+)=(.*)$")
    settings[name] = lists[name] and list_items(text) or text
  end
  return settings
end

local function object_name(text)
  if not text then return nil end
  local schema, name = text:match("^([%w_]+)%.([%w_]+)$")
  return schema and { schema = schema, name = name } or text
end

local flags = { "security_definer", "strict", "leakproof", "window" }
local fields = { "returns", "language", "library", "volatility", "parallel", "cost", "rows" }

--- A SELECT of one row about a routine, w.oid; the kinds of pg_proc.prokind, as SQL, go in.
routine.describe = describe

--- What a row says of a routine, added to what objects have in common.
---@param found table
---@param definition table
---@return table definition
function routine.definition(found, definition)
  for _, key in ipairs(fields) do definition[key] = found[key] end
  for _, key in ipairs(flags) do definition[key] = found[key] or nil end
  definition.args = argument.read_list(found.args, "the arguments in the catalog")
  definition.body = found.standard and { sql = standard_text(found.definition) } or { text = found.body }
  definition.set, definition.support = settings_of(found.settings), object_name(found.support)
  definition.transform = #found.transform > 0 and found.transform or nil
  return definition
end

--- What the catalog says of a routine.
---@param o table
---@param query fun(sql: string): table
---@param kinds string  of pg_proc.prokind, as SQL
---@return table? definition
function routine.look(o, query, kinds)
  local found = lookup.row(query, routine.oid(o), describe:format(kinds))
  if not found then return nil end
  return routine.definition(found, owned.capture(query,
    { catalog = "pg_proc", prefix = "pro", letter = "f", condition = "oid = " .. found.oid }))
end

--- Register create, drop and rename of a kind of routine.
---@param kind table  thing, words, summaries, shape, kinds, settle
function routine.register(kind)
  lifecycle.register {
    thing = kind.thing,
    words = kind.words,
    summaries = kind.summaries,
    identity = { { "name", check.name, ("the %s name"):format(kind.thing) } },
    place = routine.place,
    shape = check.join(routine.shape, kind.shape, { args = argument.read_list }),
    making = { replace = check.flag },
    example = kind.example,
    owned = routine.owned(kind.words),
    identify = function(o) return { schema = o.schema, args = argument.signature(o.args) } end,
    settle = function(o, _, is_existing)
      routine.settle(o, is_existing)
      if kind.settle then kind.settle(o) end
    end,
    write = routine.write,
    create = function(o) return routine.create(kind.words, o) end,
    name = routine.name,
    look = function(o, query) return routine.look(o, query, kind.kinds) end,
  }
end

return routine
