--- The types PostgreSQL comes with, and those of well-known extensions: how
--- format_type() spells each, and which modifiers it takes. The bounds and the
--- words of the messages are the server's, so that an error found here reads as
--- the one found there.

---@class moontide.TypeName
---@field spelling fun(modifiers: string, fields: string?, arguments: table): string  canonical spelling
---@field check fun(arguments: table): string?  what is wrong with the modifiers, nil when nothing is
---@field modifiers boolean  whether it takes modifiers at all
---@field serial? boolean    a column of this type brings its own sequence
---@field pseudo? boolean    no column can have it

local typename = {}

local function plain(name)
  return function(modifiers) return name .. modifiers end
end

local function without_zone(name)
  return function(modifiers) return name .. modifiers .. " without time zone" end
end

local function with_zone(name)
  return function(modifiers) return name .. modifiers .. " with time zone" end
end

local function no_modifiers(name)
  return function(arguments)
    if #arguments > 0 then return ('type modifier is not allowed for type "%s"'):format(name) end
  end
end

local function integers(arguments, most)
  if #arguments > most then return false end
  for _, argument in ipairs(arguments) do
    if math.type(argument) ~= "integer" then return false end
  end
  return true
end

local function length(name, most, what)
  return function(arguments)
    if not integers(arguments, 1) then return "invalid type modifier" end
    local n = arguments[1]
    if n and n < 1 then return ("%s for type %s must be at least 1"):format(what, name) end
    if n and n > most then return ("%s for type %s cannot exceed %d"):format(what, name, most) end
  end
end

local function numeric(arguments)
  if not integers(arguments, 2) then return "invalid NUMERIC type modifier" end
  local precision, scale = arguments[1], arguments[2]
  if precision and (precision < 1 or precision > 1000) then
    return ("NUMERIC precision %d must be between 1 and 1000"):format(precision)
  end
  if scale and (scale < -1000 or scale > 1000) then
    return ("NUMERIC scale %d must be between -1000 and 1000"):format(scale)
  end
end

-- The server only warns of a larger precision, and takes 6.
local function fraction(name)
  return function(arguments)
    if not integers(arguments, 1) then return "invalid type modifier" end
    local n = arguments[1]
    if n and (n < 0 or n > 6) then return ("%s(%d) precision must be between 0 and 6"):format(name, n) end
  end
end

local function add(name, spelling, check)
  typename[name] = { spelling = spelling, check = check or no_modifiers(name), modifiers = check ~= nil }
end

local function add_words(words, fields)
  for name in words:gmatch("%S+") do
    add(name, plain(name))
    for key, value in pairs(fields or {}) do typename[name][key] = value end
  end
end

add("int2", plain "smallint")
add("int4", plain "integer")
add("int8", plain "bigint")
add("float4", plain "real")
add("float8", plain "double precision")
add("bool", plain "boolean")
add("char", plain '"char"')
add("numeric", function(modifiers, _, arguments)
  return "numeric" .. (#arguments == 1 and ("(%d,0)"):format(arguments[1]) or modifiers)
end, numeric)

-- Text columns may be 10 MiB in characters, bit strings 10 MiB in bytes.
local longest = 10 * 1024 * 1024
add("varchar", plain "character varying", length("varchar", longest, "length"))
add("bpchar", function(modifiers) return (modifiers == "" and "bpchar" or "character") .. modifiers end,
  length("char", longest, "length"))
add("bit", function(modifiers) return modifiers == "" and '"bit"' or "bit" .. modifiers end,
  length("bit", longest * 8, "length"))
add("varbit", plain "bit varying", length("varbit", longest * 8, "length"))

add("timestamp", without_zone "timestamp", fraction "timestamp")
add("timestamptz", with_zone "timestamp", fraction "timestamp")
add("time", without_zone "time", fraction "time")
add("timetz", with_zone "time", fraction "time")
add("interval", function(modifiers, fields)
  return "interval" .. (fields and " " .. fields or "") .. modifiers
end, fraction "interval")

add_words [[
  text bytea date uuid json jsonb jsonpath xml money name refcursor point line lseg box path polygon circle inet cidr
  macaddr macaddr8 tsvector tsquery oid xid xid8 cid tid int2vector oidvector aclitem pg_lsn pg_snapshot txid_snapshot
  regclass regcollation regconfig regdictionary regnamespace regoper regoperator regproc regprocedure regrole regtype
  int4range int8range numrange tsrange tstzrange daterange int4multirange int8multirange nummultirange tsmultirange
  tstzmultirange datemultirange
]]

add_words("smallserial serial bigserial", { serial = true })
for alias, name in pairs { serial2 = "smallserial", serial4 = "serial", serial8 = "bigserial" } do
  typename[alias] = typename[name]
end

add_words([[
  any anyarray anycompatible anycompatiblearray anycompatiblemultirange anycompatiblenonarray anycompatiblerange
  anyelement anyenum anymultirange anynonarray anyrange cstring event_trigger fdw_handler index_am_handler internal
  language_handler record table_am_handler trigger tsm_handler unknown void
]], { pseudo = true })

-- The one name that is a reserved word: without quotes it is no type.
typename.any.spelling = plain '"any"'

-- Extensions. Their modifiers are theirs to judge, except pgvector's dimensions.
add_words("citext hstore ltree lquery ltxtquery cube seg earth raster box2d box3d", { extension = true })
for name, most in pairs { vector = 16000, halfvec = 16000, sparsevec = 1000000000 } do
  add(name, plain(name), length(name, most, "dimensions"))
  typename[name].extension = true
end
for _, name in ipairs { "geometry", "geography" } do
  add(name, plain(name), function() return nil end)
  typename[name].extension = true
end

---@type table<string, moontide.TypeName>
return typename
