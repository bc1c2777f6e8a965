--- Database URLs as other tools write them, made into what libpq reads, and the
--- one way to print a URL. Pure: which keywords this libpq knows is an argument.

local fault = require "moontide.fault"

local url = {}

---@class moontide.UrlWarning
---@field message string
---@field hint? string

-- A URI in parts; everything stays percent-encoded as it was written.
---@class moontide.UrlParts
---@field scheme string
---@field user? string      user information before the "@", "user:password"
---@field host string       host list with ports
---@field path string       "" or "/database"
---@field query { [1]: string, [2]: string }[]  name and value, in order

local function split_query(text)
  local query = {}
  for item in text:gmatch("[^&]+") do
    local name, value = item:match("^([^=]*)=?(.*)$")
    query[#query + 1] = { name, value }
  end
  return query
end

-- User information ends at the last "@" of the authority. libpq takes the first,
-- and would then name the rest of the password as a host in its messages; no host
-- has an "@" in it.
local function split_uri(text)
  local scheme, rest = text:match("^(%a[%w+.:-]*)://(.*)$")
  if not scheme then return nil end
  local authority, path, query = rest:match("^([^/?]*)([^?]*)%??(.*)$")
  local user, host = authority:match("^(.*)@([^@]*)$")
  return { scheme = scheme, user = user, host = host or authority, path = path, query = split_query(query) }
end

local function join_uri(parts)
  local items = {}
  for index, pair in ipairs(parts.query) do items[index] = pair[1] .. "=" .. pair[2] end
  local user = parts.user and parts.user .. "@" or ""
  local query = #items > 0 and "?" .. table.concat(items, "&") or ""
  return parts.scheme .. "://" .. user .. parts.host .. parts.path .. query
end

-- Passwords -----------------------------------------------------------------

-- Hides up to the last "@", not the first: a password with a raw "@" in it would
-- show its tail otherwise.
local function mask_uri(text)
  local scheme, rest = text:match("^([%w+.:-]*://)(.*)$")
  local info, tail = rest:match("^(.*)@(.*)$")
  if info then rest = info:gsub("^([^:]*):.*$", "%1:***") .. "@" .. tail end
  return scheme .. (rest:gsub("([?&]%a*[Pp][Aa][Ss][Ss][Ww][Oo][Rr][Dd]=)[^&%s]*", "%1***"))
end

local mask_words

-- "password=..." of a key=value connection string, quoted or not.
local function words_grammar()
  local lpeg = require "lpeg"
  local space = lpeg.S " \t\r\n" ^ 0
  local quoted = "'" * (lpeg.P "\\" * 1 + (1 - lpeg.P "'")) ^ 0 * lpeg.P "'" ^ -1
  local value = quoted + (1 - lpeg.S " \t\r\n") ^ 0
  local name = lpeg.P "sslpassword" + "password" + "PASSWORD"
  local item = lpeg.C(name * space * "=" * space) * (value / "***")
  return lpeg.Cs((item + 1) ^ 0)
end

--- A URL or key=value connection string, or any text around one, with every
--- password hidden. The only form in which one may be printed.
---@param text string
---@return string
function url.mask(text)
  if text:find("^%a[%w+.:-]*://") then return mask_uri(text) end
  mask_words = mask_words or words_grammar()
  -- From the beginning of a word only, lest each of its letters be tried.
  return mask_words:match((text:gsub("%f[%w+.-][%w+.-]+://%S+", mask_uri)))
end

-- Parameters of other tools ---------------------------------------------------

local foreign = {}
for name in ([[
  prepared_statement_cache_size prepared_statement_name_func statement_cache_size max_cached_statement_lifetime
  max_cacheable_statement_size async_fallback server_settings command_timeout
  pgbouncer connection_limit pool_timeout socket_timeout supa pool_size max_overflow
]]):gmatch("%S+") do foreign[name] = true end

local ssl_modes = {
  ["true"] = "require", ["1"] = "require", on = "require", ["no-verify"] = "require",
  ["false"] = "disable", ["0"] = "disable", off = "disable",
}

-- Each answers the libpq parameter for a foreign one, or nil to drop it.
local rewrites = {
  ssl = function(value) return "sslmode", ssl_modes[value:lower()] or value end,
  direct_tls = function(value) if value == "true" then return "sslnegotiation", "direct" end end,
  timeout = function(value)
    local seconds = tonumber(value)
    if seconds then return "connect_timeout", ("%d"):format(math.ceil(seconds)) end
  end,
}

local function named(query, name)
  for _, pair in ipairs(query) do
    if pair[1] == name then return pair end
  end
  return nil
end

-- A parameter that libpq has under the wanted name already stays as it is.
local function rewritten(pair, query)
  local rewrite = rewrites[pair[1]]
  if not rewrite then return pair end
  local name, value = rewrite(pair[2])
  if not name or named(query, name) then return nil end
  return { name, value }
end

local function drop_warning(pair, warnings)
  if pair[1] == "schema" then
    warnings[#warnings + 1] = {
      message = 'URL parameter "schema" is not used',
      hint = ("Write `options=-csearch_path%%3D%s` to set the search path."):format(pair[2]),
    }
  else
    local message = ('URL parameter "%s" is unknown to this libpq and is left out'):format(pair[1])
    warnings[#warnings + 1] = { message = message }
  end
end

local function wanted(pair, keywords, warnings)
  if foreign[pair[1]] then return false end
  if pair[1] ~= "schema" and (not keywords or keywords[pair[1]]) then return true end
  drop_warning(pair, warnings)
  return false
end

local function clean_query(query, keywords, warnings)
  local clean = {}
  for _, pair in ipairs(query) do
    local new = rewritten(pair, query)
    -- A rewritten name that this libpq does not know was never asked for by name.
    local silent = new and new ~= pair and keywords and not keywords[new[1]]
    if new and not silent and wanted(new, keywords, warnings) then clean[#clean + 1] = new end
  end
  return clean
end

-- Several hosts ----------------------------------------------------------------

-- "h:5433" is a host and a port; a socket directory and an IPv6 address are not.
local function host_and_port(text)
  local host, port = text:match("^([^:/%%]+):(%d*)$")
  return host or text, port or ""
end

local function collect_hosts(query)
  local hosts, ports, rest, has_port = {}, {}, {}, false
  for _, pair in ipairs(query) do
    if pair[1] == "host" then
      local count = #hosts + 1
      hosts[count], ports[count] = host_and_port(pair[2])
      has_port = has_port or ports[count] ~= ""
    else
      rest[#rest + 1] = pair
    end
  end
  return hosts, ports, rest, has_port
end

local function without(query, name)
  local rest = {}
  for _, pair in ipairs(query) do
    if pair[1] ~= name then rest[#rest + 1] = pair end
  end
  return rest
end

-- `?host=a:1&host=b:2` is SQLAlchemy's way; libpq would take the last one whole.
local function join_hosts(query)
  local hosts, ports, rest, has_port = collect_hosts(query)
  if #hosts == 0 or (#hosts == 1 and not has_port) then return query end
  if has_port then
    rest = without(rest, "port")
    table.insert(rest, 1, { "port", table.concat(ports, ",") })
  end
  table.insert(rest, 1, { "host", table.concat(hosts, ",") })
  return rest
end

-- The whole --------------------------------------------------------------------

local function check_scheme(parts, name)
  local dialect = parts.scheme:lower():match("^[^+]*")
  if dialect == "postgres" or dialect == "postgresql" then return end
  fault.raise("config", ('cannot use a "%s" database: %s'):format(parts.scheme, name), {
    hint = "Moontide speaks PostgreSQL; give a postgresql:// URL.",
  })
end

local function encode_at(parts, warnings)
  if not (parts.user and parts.user:find("@", 1, true)) then return end
  parts.user = parts.user:gsub("@", "%%40")
  warnings[#warnings + 1] = {
    message = 'the user or password of the database URL holds an "@"',
    hint = 'Write it as "%40"; other tools may take what follows for the host.',
  }
end

-- Where the scheme was forgotten the password is still there.
local function check_words(text, name)
  if text:find("=", 1, true) then return text end
  local at = text:match("^.*()@")
  local shown = at and "***" .. text:sub(at) or text
  fault.raise("config", ('"%s" is not a database URL: %s'):format(shown, name), {
    hint = "Give a postgresql://user@host/database URL or a key=value connection string.",
  })
end

local function trimmed(text)
  local first = text:find("%S")
  return first and text:match("^.*%S", first) or ""
end

--- Make a URL ready for libpq: driver suffixes, parameters of other tools and
--- parameters of newer libpq versions are understood or left out.
---@param text string
---@param options? { keywords?: table<string, boolean>, name?: string }  what this libpq knows; where the URL is from
---@return string url
---@return moontide.UrlWarning[] warnings
function url.normalise(text, options)
  options = options or {}
  local name, warnings = options.name or "the database URL", {}
  text = trimmed(text)
  if text == "" then
    fault.raise("config", ("database URL is empty (%s)"):format(name), {
      hint = "An empty URL would connect to libpq's defaults; give the database by name.",
    })
  end
  local parts = split_uri(text)
  if not parts then return check_words(text, name), warnings end
  check_scheme(parts, name)
  encode_at(parts, warnings)
  parts.scheme = "postgresql"
  parts.query = join_hosts(clean_query(parts.query, options.keywords, warnings))
  return join_uri(parts), warnings
end

local function has_pooled_host(words)
  for host in words:gmatch("host%s*=%s*'?([^%s']*)") do
    if host:find("-pooler.", 1, true) then return true end
  end
  return false
end

--- Whether a URL, as it was written, leads to a transaction pooler.
---@param text string
---@return boolean
function url.pooled(text)
  local parts = split_uri(text)
  if not parts then return has_pooled_host(text) end
  local sign = named(parts.query, "pgbouncer")
  local host = parts.host:lower()
  return host:find("-pooler.", 1, true) ~= nil or host:find("%f[%w]pooler%.") ~= nil
    or (sign ~= nil and sign[2] == "true")
end

--- The direct URL beside a pooled one, where the name of the host tells it (Neon).
---@param text string
---@return string?
function url.direct(text)
  local parts = split_uri(text)
  if not parts then return nil end
  local first, last = parts.host:find("-pooler.", 1, true)
  if not first or not parts.host:find("^[%w.-]*neon%.%a", last + 1) then return nil end
  parts.host = parts.host:sub(1, first - 1) .. parts.host:sub(last)
  return join_uri(parts)
end

-- TLS where it is not optional ---------------------------------------------------

local weak = { disable = true, allow = true, prefer = true }

local function is_neon(hosts)
  for host in hosts:lower():gmatch("[^,]+") do
    if host:gsub(":%d*$", ""):find("%.neon%.tech$") then return true end
  end
  return false
end

local function insecure(mode)
  return {
    message = ('sslmode "%s" is not enough for a Neon host; TLS is required'):format(mode),
    hint = "Write sslmode=require, or verify-full with sslrootcert=system.",
  }
end

local function secure_uri(parts)
  local given = named(parts.query, "sslmode")
  if given and not weak[given[2]] then return nil end
  local warning = given and insecure(given[2])
  if given then given[2] = "require" else parts.query[#parts.query + 1] = { "sslmode", "require" } end
  return join_uri(parts), warning
end

-- In a key=value string the last one of a keyword counts.
local function secure_words(text)
  if not is_neon(text:match("host%s*=%s*'?([^%s']*)") or "") then return text end
  local mode = text:match("sslmode%s*=%s*'?(%a[%w-]*)")
  if mode and not weak[mode] then return text end
  return text .. " sslmode=require", mode and insecure(mode)
end

--- A URL for libpq that demands TLS where its host is one of Neon's.
---@param text string
---@return string url
---@return moontide.UrlWarning? warning  when it said something weaker
function url.secured(text)
  local parts = split_uri(text)
  if not parts then return secure_words(text) end
  local host = named(parts.query, "host")
  if not is_neon(host and host[2] or parts.host) then return text end
  local secured, warning = secure_uri(parts)
  return secured or text, warning
end

return url
