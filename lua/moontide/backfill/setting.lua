--- The words of `moontide backfill set`: numbers of the size and speed, limits of signals,
--- hours of the day, a profile. Pure.

local fault = require "moontide.fault"
local json = require "moontide.json"
local pace = require "moontide.backfill.pace"
local signal = require "moontide.backfill.signal"
local window = require "moontide.backfill.window"

local setting = {}

local limits = { chunk_ms = 3600000, max_rows = 1000000, rows_per_s = 1000000000, wal_mb_s = 1000000, lanes = 32 }

local function refuse(message, hint) fault.raise("usage", message, { hint = hint }) end

--- The names of all settings: those of size and speed, then the signals.
---@return string[]
function setting.names()
  local names = { "chunk_ms", "max_rows", "rows_per_s", "wal_mb_s", "lanes", "profile" }
  return table.move(signal.names(), 1, #signal.names(), #names + 1, names)
end

local function refuse_unknown(name)
  local near = require("moontide.suggest").nearest(name, setting.names())
  refuse(('unknown setting "%s"'):format(name), near and ('Did you mean "%s"?'):format(near)
    or "The settings are " .. table.concat(setting.names(), ", ") .. ".")
end

local function integer_of(name, text)
  local number = math.tointeger(tonumber(text:match("^%d+$")))
  if number and number >= 1 and number <= limits[name] then return number end
  refuse(('%s must be an integer from 1 to %d, or "default", not "%s"'):format(name, limits[name], text))
end

local function profile_of(text)
  if pace.profiles[text] then return text end
  refuse(('profile must be fast, normal or gentle, or "default", not "%s"'):format(text))
end

local function hours_of(text)
  if window.parse(text) then return text end
  refuse(('window must be hours of the day, as in 22:00-06:00, or "off", not "%s"'):format(text))
end

local function limit_of(entry, text)
  if text == "off" then return false end
  if entry.name == "window" then return hours_of(text) end
  if entry.option then refuse(('%s must be "off" or "default", not "%s"'):format(entry.name, text)) end
  local number = tonumber(text:match("^%d+%.?%d*$"))
  if number then return math.tointeger(number) or number end
  refuse(('%s must be a number, "off" or "default", not "%s"'):format(entry.name, text))
end

local function value_of(name, text)
  if text == "default" then return json.null end
  if limits[name] then return integer_of(name, text) end
  if name == "profile" then return profile_of(text) end
  return limit_of(signal.get(name), text)
end

local function read_word(word)
  local name, text = word:match("^([%w_-]+)=(.*)$")
  if not name then refuse(('"%s" is not a setting'):format(word), "Write name=value, as in chunk_ms=100.") end
  if not (limits[name] or name == "profile" or signal.get(name)) then refuse_unknown(name) end
  return name, value_of(name, text)
end

--- The settings that words such as "chunk_ms=100" ask for; `json.null` for one that is the file's again.
---@param words string[]
---@return table<string, any>
function setting.read(words)
  if #words == 0 then refuse("backfill set needs settings", "Write name=value, as in chunk_ms=100 lanes=4.") end
  local settings = {}
  for _, word in ipairs(words) do
    local name, given = read_word(word)
    settings[name] = given
  end
  return settings
end

local function text_of(given)
  if given == false then return "off" end
  return type(given) == "number" and tostring(math.tointeger(given) or given) or tostring(given)
end

--- What was set by hand, as it would be typed; nil when nothing was.
---@param control table
---@return string?
function setting.words(control)
  local words = {}
  for _, name in ipairs(setting.names()) do
    if control[name] ~= nil then words[#words + 1] = name .. "=" .. text_of(control[name]) end
  end
  return #words > 0 and table.concat(words, " ") or nil
end

--- The same as a table; nil when nothing was.
---@param control table
---@return table?
function setting.document(control)
  local settings = {}
  for _, name in ipairs(setting.names()) do
    local given = control[name]
    settings[name] = type(given) == "number" and math.tointeger(given) or given
  end
  return next(settings) and settings or nil
end

return setting
