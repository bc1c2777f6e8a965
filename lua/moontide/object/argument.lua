--- Arguments of routines: as users write them ({ "a int", { "b", "text", default = "x" } }, or
--- one string as in CREATE FUNCTION), as records, and as SQL.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lexer = require "moontide.sql.lexer"
local lpeg = require "lpeg"
local quote = require "moontide.sql.quote"
local types = require "moontide.sql.type"
local value = require "moontide.value"

local C, Cp, Ct, P, S, V = lpeg.C, lpeg.Cp, lpeg.Ct, lpeg.P, lpeg.S, lpeg.V

---@class moontide.RoutineArgument
---@field name? string
---@field type string
---@field mode? string     "out", "inout" or "variadic"; nil is "in"
---@field default? string  SQL text

local argument = {}

local token = lexer.string + lexer.quoted + lexer.word + lexer.number + lexer.line_comment + lexer.block_comment
local nested = P { "nested",
  nested = "(" * V "inner" ^ 0 * ")" + "[" * V "inner" ^ 0 * "]",
  inner = token + V "nested" + (1 - S "()[]"),
}
local piece = token + nested + (1 - S "()[]")
local items = Ct(C((piece - P ",") ^ 0) * ("," * C((piece - P ",") ^ 0)) ^ 0) * -1
local equals = (lexer.keyword "default" + P ":=" + "=") * lexer.gap
local to_default = (piece - equals) ^ 0 * Cp() * equals * Cp()

-- The text before the default, and the default.
local function split_default(text)
  local last, first = to_default:match(text)
  if not last then return text, nil end
  return text:sub(1, last - 1), text:sub(first)
end

local modes = { ["in"] = "in", out = "out", inout = "inout", variadic = "variadic" }

local function take_mode(text)
  local first, rest = text:match("^%s*(%a+)%s+(.*)$")
  local mode = first and modes[first:lower()]
  if not mode then return nil, text end
  local second, after = rest:match("^([oO][uU][tT])%s+(.*)$")
  if mode == "in" and second then return "inout", after end
  return mode, rest
end

local name_at = lexer.gap * (C(lexer.quoted ^ 1) + C(lexer.word)) * lexer.gap * Cp()

local function read_name(text)
  if text:sub(1, 1) ~= '"' then return (text:gsub("%u", string.lower)) end
  return (text:sub(2, -2):gsub('""', '"'))
end

-- [mode] [name] [mode] type, where what can be read as a type is one.
local function read_declaration(text, what)
  local mode, rest = take_mode(text)
  if types.parse(rest) then return { mode = mode, type = types.parse(rest).text } end
  local name, after = name_at:match(rest)
  if not name then return { mode = mode, type = check.type(rest, what) } end
  rest = rest:sub(after)
  if not mode then mode, rest = take_mode(rest) end
  return { mode = mode, name = read_name(name), type = check.type(rest, what) }
end

local function read_text(text, what)
  local declaration, default = split_default(text)
  local item = read_declaration(declaration, what)
  if item.mode == "in" then item.mode = nil end
  item.default = default and check.expression(default, what .. " default")
  return item
end

local shape = { mode = check.choice("in", "out", "inout", "variadic"), default = check.value }

local function default_text(given)
  if given == nil then return nil end
  return value.is_expression(given) and check.expression(given, "the default") or value.literal(given)
end

local function read_item(given, what)
  if type(given) == "string" then return read_text(given, what) end
  check.table(given, what, '"name type" or { "name", "type" }')
  local item = check.shape(given, what, shape, 2)
  if item.mode == "in" then item.mode = nil end
  local named = given[2] ~= nil
  item.name = named and check.name(given[1], what .. " name") or nil
  item.type = check.type(named and given[2] or given[1], what .. " type")
  item.default = default_text(item.default)
  return item
end

local function split(text, what)
  if not text:find("%S") then return {} end
  return items:match(text) or check.refuse(("%s cannot be read: %s"):format(what, text))
end

--- A check: a list of arguments, or all of them in one string.
---@return moontide.RoutineArgument[]
function argument.read_list(given, what)
  if type(given) == "string" then given = split(given, what) end
  return check.list_of(read_item)(given, what)
end

--- The reverse of `argument.read_list`, as short as it can be written.
---@param list moontide.RoutineArgument[]?
---@return table?
function argument.write_list(list)
  if not list then return nil end
  local written = {}
  for i, item in ipairs(list) do
    local plain = not item.name and not item.mode and not item.default
    written[i] = plain and item.type or { item.name or item.type, item.name and item.type, mode = item.mode,
      default = item.default and value.sql(item.default) }
  end
  return written
end

local function item_sql(item)
  return clause.words(item.mode and item.mode:upper(), item.name and quote.ident(item.name), item.type,
    item.default and "DEFAULT " .. item.default)
end

--- Arguments as CREATE FUNCTION has them, without parentheses.
---@param list moontide.RoutineArgument[]?
---@return string
function argument.sql(list)
  local parts = {}
  for i, item in ipairs(list or {}) do parts[i] = item_sql(item) end
  return table.concat(parts, ", ")
end

--- The types by which a routine is known, those that a call has to give, without parentheses.
---@param list moontide.RoutineArgument[]
---@return string
function argument.types(list)
  local parts = {}
  for _, item in ipairs(list) do
    if item.mode ~= "out" then parts[#parts + 1] = item.type end
  end
  return table.concat(parts, ", ")
end

--- The same as arguments: what is left of a list when a routine is only named.
---@param list moontide.RoutineArgument[]?
---@return moontide.RoutineArgument[]?
function argument.signature(list)
  if not list then return nil end
  local kept = {}
  for _, item in ipairs(list) do
    if item.mode ~= "out" then kept[#kept + 1] = { type = item.type } end
  end
  return kept
end

return argument
