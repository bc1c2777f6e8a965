--- Type names, by a grammar over PostgreSQL's own spellings; its rules are named
--- as in the server's gram.y. What the grammar does not accept never reaches a
--- statement, so a type name may be written into one as it is.

local caller = require "moontide.caller"
local fault = require "moontide.fault"
local keyword = require "moontide.sql.keyword"
local lpeg = require "lpeg"
local quote = require "moontide.sql.quote"
local suggest = require "moontide.suggest"
local typename = require "moontide.sql.typename"

local C, Cc, Cg, Ct, Cmt, P, R, S = lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct, lpeg.Cmt, lpeg.P, lpeg.R, lpeg.S

---@class moontide.Type
---@field text string         canonical spelling, as format_type() has it, with the array bounds as given
---@field base string         the same without array bounds
---@field name string         the name in pg_type ("int4", "varchar"); for a user's type its own
---@field schema? string
---@field arguments table     type modifiers, integers and words
---@field fields? string      of an interval: "day to second"
---@field dimensions integer  0 when it is no array
---@field known boolean       PostgreSQL or a well-known extension has it
---@field serial? boolean     smallserial, serial or bigserial
---@field pseudo? boolean     a pseudo-type: no column can have it
---@field suggestion? string  for an unknown bare name: the known one it is probably meant to be

local types = {}

-- How far any token got: that is where the error is when the whole does not match.
local farthest

local reached = P(function(_, position)
  if position > farthest then farthest = position end
  return true
end)

local space = S " \t\r\n\f" ^ 0 * reached
local ident_start = R("az", "AZ", "\128\255") + "_"
local ident_rest = ident_start + R "09" + "$"

local function mark(text)
  return P(text) * space
end

local function word(text)
  local pattern = P(true)
  for letter in text:gmatch(".") do pattern = pattern * S(letter .. letter:upper()) end
  return pattern * -ident_rest * space
end

local function words(text)
  local pattern = P(true)
  for each in text:gmatch("%S+") do pattern = pattern * word(each) end
  return pattern
end

-- As the server folds a bare name: ASCII letters only.
local function fold(name)
  return (name:gsub("%u", string.lower))
end

local function bare_name(_, position, name)
  local folded = fold(name)
  if keyword[folded] and folded ~= "json" then return false end
  return position, folded
end

local function undouble(name)
  return (name:gsub('""', '"'))
end

local Iconst = C(R "09" ^ 1) / tonumber * -ident_rest * space
local signed = C(S "+-" ^ -1 * R "09" ^ 1) / tonumber * -ident_rest * space
local label = C(ident_start * ident_rest ^ 0) / fold * space
local bare = Cmt(C(ident_start * ident_rest ^ 0), bare_name) * space
local quoted = '"' * (C((P '""' + (1 - S '"\0')) ^ 1) / undouble) * '"' * space
local modifier_word = C(ident_start * ident_rest ^ 0) * space

local none = Ct(true)
local precision = Ct(mark "(" * Iconst * mark ")")
local modifier = signed + modifier_word
local opt_type_modifiers = Ct(mark "(" * modifier * (mark "," * modifier) ^ 0 * mark ")") + none

local function field(name, pattern) return Cg(pattern, name) end
local function arguments(pattern) return field("arguments", pattern) end
local function is(name) return field("name", Cc(name)) * field("builtin", Cc(true)) end

local function keyword_type(spelling, name, modifiers)
  return words(spelling) * is(name) * arguments(modifiers or none)
end

local Numeric = keyword_type("int", "int4") + keyword_type("integer", "int4") + keyword_type("smallint", "int2")
  + keyword_type("bigint", "int8") + keyword_type("real", "float4") + keyword_type("float", "float", precision + none)
  + keyword_type("double precision", "float8") + keyword_type("decimal", "numeric", opt_type_modifiers)
  + keyword_type("dec", "numeric", opt_type_modifiers) + keyword_type("numeric", "numeric", opt_type_modifiers)
  + keyword_type("boolean", "bool")

-- Without a length they are one bit, one character long.
local one = Ct(Cc(1))

local Bit = keyword_type("bit varying", "varbit", precision + none) + keyword_type("bit", "bit", precision + one)

local function character(spelling)
  return keyword_type(spelling .. " varying", "varchar", precision + none)
    + keyword_type(spelling, "bpchar", precision + one)
end

local Character = character "character" + character "char" + character "national character" + character "national char"
  + character "nchar" + keyword_type("varchar", "varchar", precision + none)

local function datetime(spelling)
  local with_zone = words "with time zone" * is(spelling .. "tz")
  local without_zone = (words "without time zone" + true) * is(spelling)
  return word(spelling) * arguments(precision + none) * (with_zone + without_zone)
end

local ConstDatetime = datetime "timestamp" + datetime "time"

local function span(from, to)
  local text = to and from .. " to " .. to or from
  local takes_precision = (to or from) == "second"
  return words(text) * field("fields", Cc(text)) * arguments(takes_precision and precision + none or none)
end

local opt_interval = span("year", "month") + span "year" + span "month"
  + span("day", "hour") + span("day", "minute") + span("day", "second") + span "day"
  + span("hour", "minute") + span("hour", "second") + span "hour"
  + span("minute", "second") + span "minute" + span "second"

local ConstInterval = word "interval" * is "interval" * (opt_interval + arguments(precision + none))

local quoted_name = field("name", quoted) * field("quoted", Cc(true))

-- Behind a dot any word is a name.
local GenericType = (field("schema", quoted + bare) * mark "." * (quoted_name + field("name", label))
  + quoted_name + field("name", bare)) * arguments(opt_type_modifiers)

local SimpleTypename = Numeric + Bit + Character + ConstDatetime + ConstInterval + GenericType

local bound = mark "[" * (Iconst + Cc(false)) * mark "]"
local opt_array_bounds = word "array" * (mark "[" * Iconst * mark "]" + Cc(false)) + bound ^ 0

local Typename = space * Ct(SimpleTypename * field("bounds", Ct(opt_array_bounds))) * -1

local function invalid(text, message, position, hint)
  return nil, fault.new("operation", message, {
    detail = ('in the type "%s"'):format(text), position = position, hint = hint,
  })
end

local function character_position(text, byte)
  return utf8.len(text, 1, byte - 1) and utf8.len(text, 1, byte - 1) + 1 or byte
end

local function syntax_error(text)
  local rest = text:sub(farthest):match("^[%w_]+") or text:sub(farthest):match("^[^\128-\191][\128-\191]*")
  local near = rest and ('at or near "%s"'):format(rest) or "at end of input"
  return invalid(text, ('invalid type "%s": syntax error %s'):format(text, near), character_position(text, farthest),
    rest == "%" and "Write the type itself instead of %TYPE." or nil)
end

local function float_type(parsed)
  local bits = parsed.arguments[1] or 53
  parsed.arguments = {}
  parsed.name = bits <= 24 and "float4" or "float8"
  if bits < 1 then return "precision for type float must be at least 1 bit" end
  if bits > 53 then return "precision for type float must be less than 54 bits" end
end

-- Unqualified and pg_catalog names are the server's own; extensions may live in any schema.
local function lookup(parsed)
  local entry = typename[parsed.name]
  if not entry then return nil end
  if parsed.schema == nil or entry.extension then return entry end
  return parsed.schema == "pg_catalog" and not entry.serial and entry or nil
end

-- Names that other databases have.
local foreign = {
  double = "double precision", string = "text", datetime = "timestamp", blob = "bytea", tinyint = "smallint",
  number = "numeric", nvarchar = "varchar", clob = "text", longtext = "text", guid = "uuid", uint = "bigint",
}

-- Too short or too rare to be what somebody meant.
local rare = {}
for name in ("aclitem cid tid xid xid8 seg name refcursor"):gmatch("%S+") do rare[name] = true end

local candidates

local function known_names()
  if candidates then return candidates end
  candidates = { "integer", "int", "smallint", "bigint", "boolean", "decimal", "real", "float", "character" }
  for name, entry in pairs(typename) do
    if not entry.pseudo and not rare[name] then candidates[#candidates + 1] = name end
  end
  return candidates
end

--- The known type an unknown name is probably meant to be: one that other
--- databases call so, or one that is a single edit away.
---@param name string  a bare name
---@return string?
function types.suggestion(name)
  local nearest, distance = suggest.nearest(name, known_names())
  return foreign[name] or distance == 1 and nearest or nil
end

local function modifiers_text(list)
  return #list > 0 and "(" .. table.concat(list, ",") .. ")" or ""
end

local function bounds_text(bounds)
  local text = ""
  for _, bound_given in ipairs(bounds) do text = text .. "[" .. (bound_given or "") .. "]" end
  return text
end

local function base_text(parsed, entry)
  local modifiers = modifiers_text(parsed.arguments)
  if not entry then return quote.qualified(parsed.schema, parsed.name) .. modifiers end
  local spelling = entry.spelling(modifiers, parsed.fields, parsed.arguments)
  return entry.extension and parsed.schema and quote.ident(parsed.schema) .. "." .. spelling or spelling
end

local most_dimensions = 6

local function judge_name(parsed)
  if parsed.builtin and parsed.name == "float" then return float_type(parsed) end
  return quote.problem(parsed.name) or parsed.schema and quote.problem(parsed.schema)
end

local function judge(parsed)
  local wrong = judge_name(parsed)
  local entry = lookup(parsed)
  wrong = wrong or entry and entry.check(parsed.arguments)
  if wrong then return wrong end
  if #parsed.bounds > most_dimensions then
    return ("number of array dimensions (%d) exceeds the maximum allowed (%d)"):format(#parsed.bounds, most_dimensions)
  end
  if entry and entry.serial and #parsed.bounds > 0 then return "array of serial is not implemented" end
end

local function finish(parsed)
  local entry = lookup(parsed)
  local base = base_text(parsed, entry)
  return {
    text = base .. bounds_text(parsed.bounds), base = base, name = parsed.name, schema = parsed.schema,
    arguments = parsed.arguments, fields = parsed.fields, dimensions = #parsed.bounds, known = entry ~= nil,
    serial = entry and entry.serial, pseudo = entry and entry.pseudo,
    suggestion = not entry and not parsed.schema and not parsed.quoted and types.suggestion(parsed.name) or nil,
  }
end

--- Read a type as PostgreSQL spells it.
---@param text string
---@return moontide.Type?  nil when it is no type at all
---@return moontide.Fault? problem  of kind "operation", with the position (in characters) of a syntax error
function types.parse(text)
  farthest = 1
  local parsed = Typename:match(text)
  if not parsed then return syntax_error(text) end
  local wrong = judge(parsed)
  if wrong then return invalid(text, wrong) end
  return finish(parsed)
end

--- Make a type of an extension or of the project's own known, under any schema.
---@param registration { name: string, spelling: function?, check: function?, from: string }
---  spelling(modifiers, fields, arguments) as SQL; check(arguments) answers what is wrong with the modifiers
function types.register(registration)
  local name, earlier = registration.name, typename[registration.name]
  if earlier or keyword[name] then
    fault.raise("operation", ('type "%s" is already registered by %s')
      :format(name, earlier and earlier.from or "moontide itself"),
      { where = caller.where(), detail = "registered by " .. registration.from })
  end
  typename[name] = {
    spelling = registration.spelling or function(modifiers) return quote.ident(name) .. modifiers end,
    check = registration.check or function(given)
      if #given > 0 then return ('type modifier is not allowed for type "%s"'):format(name) end
    end,
    modifiers = registration.check ~= nil, extension = true, from = registration.from,
  }
  candidates = nil
end

local function raise(problem)
  problem.where = caller.where()
  error(problem, 0)
end

--- Read a type, raising what is wrong with it. An unknown name passes: the
--- server may know it (see `types.check_known`).
---@param text string
---@return moontide.Type
function types.check(text)
  if type(text) ~= "string" then
    raise(fault.new("operation", "a type must be a string, not a " .. type(text)))
  end
  local parsed, problem = types.parse(text)
  return parsed or raise(problem)
end

--- Refuse an unknown name that looks like a misspelt known one: for when no server can be asked.
---@param parsed moontide.Type
---@return moontide.Type
function types.check_known(parsed)
  if not parsed.suggestion then return parsed end
  raise(fault.new("operation", ('type "%s" does not exist'):format(parsed.name), {
    hint = ("Did you mean %s? A type of your own with this name needs double quotes."):format(parsed.suggestion),
  }))
end

return types
