--- Checks of what users pass to operations. A check takes a value and the name to
--- call it by in a message, and answers the value in the one form the rest of the
--- program sees. A shape is a table { key = check } that describes an options table.

local fault = require "moontide.fault"
local quote = require "moontide.sql.quote"
local value = require "moontide.value"

local check = {}

---@alias moontide.Check fun(given: any, what: string): any

--- Refuse an argument. The caller's line is added by `operation.build`.
---@param message string
---@param hint? string
function check.refuse(message, hint)
  fault.raise("operation", message, { hint = hint })
end

local refuse = check.refuse

--- Refuse an argument if there is a message.
---@param message string?
---@param hint? string
function check.allow(message, hint)
  if message then refuse(message, hint) end
end

local article = { integer = "an integer", null = "null", array = "an array" }

local function kind_of(given)
  if given == nil then return "nothing" end
  local kind = value.kind(given)
  return article[kind] or "a " .. kind
end

local function expected(what, wanted, given, hint)
  if given == nil then refuse(("%s is missing"):format(what), hint or ("Give %s."):format(wanted)) end
  refuse(("%s must be %s, not %s"):format(what, wanted, kind_of(given)), hint)
end

check.expected = expected

--- Run a check of a part; a refusal says which part it is about.
---@param part string  'column "email"'
---@param fn function
---@return any
function check.within(part, fn, ...)
  local ok, answer = pcall(fn, ...)
  if ok then return answer end
  if fault.is(answer) then answer.message = part .. ": " .. answer.message end
  error(answer, 0)
end

-- Words that are made once for each number or name: there are few, and they are needed at every call.
local function words_of(format)
  return setmetatable({}, { __index = function(self, given)
    local text = format:format(given)
    self[given] = text
    return text
  end })
end

--- The words for an item of a list at a place.
---@type table<integer, string>
check.column_at = words_of "column %d"

local option_named = words_of 'option "%s"'

--- A name of an object: any string that PostgreSQL can keep whole.
function check.name(given, what)
  if type(given) ~= "string" then expected(what, "a name", given) end
  local message, hint = quote.problem(given)
  if message then refuse(what .. ": " .. message, hint) end
  return given
end

--- A plain Lua table (not a marker such as `null` or `sql "..."`).
function check.table(given, what, wanted)
  if value.kind(given) ~= "table" then expected(what, wanted or "a table", given) end
  return given
end

--- A plain Lua sequence without other keys; may be empty.
function check.list(given, what, wanted)
  check.table(given, what, wanted or "a list")
  for key in pairs(given) do
    if math.type(key) ~= "integer" or key < 1 or key > #given then
      refuse(("%s must be a list; it has the key %s"):format(what, tostring(key)))
    end
  end
  return given
end

local function refuse_repeated(names, what)
  local seen = {}
  for _, name in ipairs(names) do
    if seen[name] then refuse(('%s names "%s" twice'):format(what, name)) end
    seen[name] = true
  end
end

--- One name or a list of different names; answers a list.
function check.names(given, what)
  if type(given) == "string" then given = { given } end
  check.list(given, what, "a list of names")
  if #given == 0 then refuse(("%s must not be empty"):format(what)) end
  local names = {}
  for i, name in ipairs(given) do
    if type(name) ~= "string" or quote.problem(name) then check.name(name, ("%s %d"):format(what, i)) end
    names[i] = name
  end
  if names[2] then refuse_repeated(names, what) end
  return names
end

--- SQL text, as a string or marked with `sql`; answers the string.
function check.sql(given, what)
  if value.kind(given) == "sql" then return given.text end
  if type(given) ~= "string" then expected(what, "SQL text", given) end
  if not given:find("%S") then refuse(("%s must not be empty"):format(what)) end
  if given:find("\0", 1, true) then refuse(("%s contains a NUL byte"):format(what)) end
  return given
end

--- SQL text that becomes a part of a statement: a line comment at its end does not swallow what follows.
function check.expression(given, what)
  local text = check.sql(given, what)
  return text:match("[^\n]*$"):find("--", 1, true) and text .. "\n" or text
end

--- Free text, which becomes a literal.
function check.text(given, what)
  if type(given) ~= "string" then expected(what, "a string", given) end
  if given:find("\0", 1, true) then refuse(("%s contains a NUL byte"):format(what)) end
  return given
end

--- A switch; answers true, or nil for false.
function check.flag(given, what)
  if type(given) ~= "boolean" then expected(what, "true or false", given) end
  return given or nil
end

function check.boolean(given, what)
  if type(given) ~= "boolean" then expected(what, "true or false", given) end
  return given
end

function check.integer(given, what)
  if math.type(given) ~= "integer" then expected(what, "an integer", given) end
  return given
end

--- A literal or an expression: anything that is a value of the database.
function check.value(given, what)
  if type(given) == "string" then return check.text(given, what) end
  if not pcall(value.literal, given) then
    expected(what, "a value", given, "Write a literal, null, sql \"...\" for an expression, array{...} or json{...}.")
  end
  return given
end

--- One of a few words, in any case and with spaces or underscores; answers it in lower case with spaces.
---@return moontide.Check
function check.choice(...)
  local words, list = {}, table.pack(...)
  for _, word in ipairs(list) do words[word] = true end
  return function(given, what)
    if type(given) ~= "string" then expected(what, "a string", given) end
    local word = given:lower():gsub("_", " ")
    if not words[word] then
      refuse(('%s cannot be "%s"'):format(what, given), "Use one of: " .. table.concat(list, ", ") .. ".")
    end
    return word
  end
end

-- Texts of types that were found right, and PostgreSQL's spelling of them: the same few come again and again.
local spelling = {}

--- The type of a column, in PostgreSQL's own spelling.
function check.type(given, what)
  if type(given) ~= "string" then expected(what, "the name of a type", given) end
  spelling[given] = spelling[given] or check.within(what, require("moontide.sql.type").check, given).text
  return spelling[given]
end

--- A relation elsewhere: its name, or { table =, schema = }. Answers the table.
function check.relation(given, what)
  if type(given) == "string" then given = { table = given } end
  local relation = check.shape(given, what, { table = check.name, schema = check.name })
  check.name(relation.table, what .. " table")
  return relation
end

--- A check of each item of a list; answers the list.
---@param item moontide.Check
---@return moontide.Check
function check.list_of(item)
  return function(given, what)
    check.list(given, what)
    local list = {}
    for i, element in ipairs(given) do list[i] = item(element, ("%s %d"):format(what, i)) end
    return list
  end
end

--- Storage parameters: { fillfactor = 70, ["autovacuum_enabled"] = false }.
function check.parameters(given, what)
  check.table(given, what)
  local parameters = {}
  for key, setting in pairs(given) do
    if type(key) ~= "string" or not key:find("^[%a_][%w_.]*$") then
      refuse(("%s has the key %s, which is no parameter name"):format(what, tostring(key)))
    end
    local kind = value.kind(setting)
    if kind ~= "string" and kind ~= "integer" and kind ~= "float" and kind ~= "boolean" then
      expected(('%s "%s"'):format(what, key), "a string, number or boolean", setting)
    end
    parameters[key] = setting
  end
  if next(parameters) == nil then refuse(("%s must not be empty"):format(what)) end
  return parameters
end

local sorted_keys = setmetatable({}, { __mode = "k" })

-- The option names of a shape, sorted; once for each shape, since shapes do not change.
local function keys(shape)
  local list = sorted_keys[shape]
  if list then return list end
  list = {}
  for key in pairs(shape) do list[#list + 1] = key end
  table.sort(list)
  sorted_keys[shape] = list
  return list
end

-- A value without a name is shown itself: its place says little.
local function shown(key, given)
  if type(key) == "string" then return ('unknown option "%s"'):format(key) end
  local kind = type(given[key])
  return (kind == "string" and '"%s" is one value too many' or "%s without a name is one value too many")
    :format(kind == "string" and given[key] or "a " .. kind)
end

local function unknown(key, shape, what, given)
  local list = keys(shape)
  local nearest = type(key) == "string" and require("moontide.suggest").nearest(key, list)
  refuse((what and what .. ": " or "") .. shown(key, given),
    nearest and ('Did you mean "%s"?'):format(nearest) or "The options are: " .. table.concat(list, ", ") .. ".")
end

-- The checks run in the order of the option names, so that of several mistakes the same one is always reported.
local function checked(given, names, shape)
  local answer = {}
  if names[2] then table.sort(names) end
  for _, key in ipairs(names) do answer[key] = shape[key](given[key], option_named[key]) end
  return answer
end

--- An options table: only known keys, each checked. nil is an empty one. Integer
--- keys up to `positions` are left to the caller.
---@param given table?
---@param what string?  nil: the part that is checked has been named already
---@param shape table<string, moontide.Check>
---@param positions? integer
---@return table
function check.shape(given, what, shape, positions)
  if given == nil then return {} end
  check.table(given, what or "the options", positions and "a table" or "a table of options")
  local names = {}
  for key in pairs(given) do
    local positional = positions and math.type(key) == "integer" and key >= 1 and key <= positions
    if not positional then
      if not shape[key] then unknown(key, shape, what, given) end
      names[#names + 1] = key
    end
  end
  return checked(given, names, shape)
end

--- The options of an operation, its last argument.
---@param given table?
---@param shape table<string, moontide.Check>
---@return table
function check.options(given, shape)
  return check.shape(given, nil, shape)
end

--- A shape with the keys of several.
---@return table<string, moontide.Check>
function check.join(...)
  local joined = {}
  for _, shape in ipairs { ... } do
    for key, item in pairs(shape) do joined[key] = item end
  end
  return joined
end

return check
