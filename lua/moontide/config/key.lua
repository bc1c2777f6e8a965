--- The keys of env.lua: what each may hold, and what it is worth when left out.
--- Pure. A check answers the value to keep, or nil and what was expected.

local key = {}

local units = { ms = 0.001, s = 1, min = 60, h = 3600 }

local function of_type(wanted)
  return function(value)
    if type(value) == wanted then return value end
    return nil, "a " .. wanted
  end
end

local text, flag = of_type "string", of_type "boolean"

-- Seconds, or text with a unit as PostgreSQL writes it: 2.5, "500ms", "2min".
local function duration(value)
  local expected = 'a number of seconds or a text such as "500ms", "5s" or "2min"'
  if type(value) == "number" and value >= 0 and value < math.huge then return value end
  if type(value) ~= "string" then return nil, expected end
  local number, unit = value:match("^%s*([%d.]+)%s*(%a*)%s*$")
  local factor = unit == "" and 1 or units[unit]
  if not tonumber(number) or not factor then return nil, expected end
  return tonumber(number) * factor
end

local function name(value)
  if type(value) == "string" and value ~= "" and not value:find("%z") then return value end
  return nil, "a name"
end

local function length(value)
  if math.type(value) == "integer" and value > 0 then return value end
  return nil, "a positive whole number"
end

local function count(value)
  if math.type(value) == "integer" and value >= 0 then return value end
  return nil, "a whole number, 0 or more"
end

local function is_text_list(value)
  if type(value) ~= "table" or #value == 0 then return false end
  for index, item in pairs(value) do
    if math.type(index) ~= "integer" or type(item) ~= "string" or item == "" then return false end
  end
  return true
end

local function folders(value)
  if type(value) == "string" and value ~= "" then return { value } end
  if is_text_list(value) then return value end
  return nil, "a list of folders"
end

local function one_of(...)
  local allowed, words = {}, { ... }
  for index, word in ipairs(words) do
    allowed[word] = true
    words[index] = ('"%s"'):format(word)
  end
  local expected = "one of " .. table.concat(words, ", ")
  return function(value)
    if allowed[value] then return value end
    return nil, expected
  end
end

local function version_table(value)
  local expected = 'a name, or a table { schema = "...", name = "..." }'
  if name(value) then return { name = value } end
  if type(value) ~= "table" then return nil, expected end
  for field, item in pairs(value) do
    if (field ~= "schema" and field ~= "name") or not name(item) then return nil, expected end
  end
  return value
end

--- The hooks of a run, and of what autogenerate writes.
key.hook_names = {
  "before_upgrade", "after_upgrade", "before_downgrade", "after_downgrade", "before_revision", "after_revision",
  "on_error", "autogenerate",
}

-- The name of a plugin's formatter, or a program.
local function is_hook(hook)
  if type(hook) == "string" then return hook ~= "" end
  if type(hook) ~= "table" or not name(hook.name) or not is_text_list(hook.command) then return false end
  for field in pairs(hook) do
    if field ~= "name" and field ~= "command" and field ~= "cwd" then return false end
  end
  return hook.cwd == nil or name(hook.cwd) ~= nil
end

local function hooks(value)
  local expected = 'a list of { name = "...", command = { "program", "$FILE" } } and names of formatters'
  if type(value) ~= "table" then return nil, expected end
  local list = {}
  for index, hook in pairs(value) do
    if math.type(index) ~= "integer" or not is_hook(hook) then return nil, expected end
    list[index] = type(hook) == "string" and { name = hook, formatter = true } or hook
  end
  return list
end

local function options_of(item)
  local options = {}
  for field, option in pairs(item) do
    if type(field) ~= "string" and field ~= 1 then return nil end
    options[field] = field ~= 1 and option or nil
  end
  return options
end

-- "name", "path" or { "name", option = ... }, as { source =, options = }.
local function plugins(value)
  local expected = 'a list of names, or { "name", option = ... }'
  if type(value) == "string" then value = { value } end
  if type(value) ~= "table" then return nil, expected end
  local list = {}
  for index, item in pairs(value) do
    if type(item) == "string" then item = { item } end
    local options = type(item) == "table" and name(item[1]) and options_of(item)
    if math.type(index) ~= "integer" or not options then return nil, expected end
    list[index] = { source = item[1], options = options }
  end
  return #list == 0 and next(list) and nil or list, expected
end

local function file_template(value)
  if type(value) ~= "string" or value == "" then return nil, "a file name with tokens such as %(rev)s" end
  local wrong, nearest = require("moontide.template").wrong_token(value)
  if not wrong then return value end
  return nil, ("a file name whose tokens are known; %s is not%s")
    :format(wrong, nearest and (', did you mean "%(' .. nearest .. ')s"?') or "")
end

-- Functions by the names of the hooks.
local function run_hooks(value)
  local names = table.concat(key.hook_names, ", ")
  local expected = "a table of functions; the hooks are " .. names
  if type(value) ~= "table" then return nil, expected end
  for hook, fn in pairs(value) do
    if type(fn) ~= "function" or not (", " .. names .. ", "):find(", " .. tostring(hook) .. ", ", 1, true) then
      return nil, expected
    end
  end
  return value
end

local function targets(value)
  if type(value) == "function" or type(value) == "table" then return value end
  return nil, "a list or table of targets, or a function that returns one"
end

local function canary(value)
  if value == false or name(value) then return value end
  return nil, "the name of a target, or false"
end

-- Schemas in the order in which names are looked for.
local function search_path(value)
  if type(value) == "string" and value ~= "" then return { value } end
  if is_text_list(value) then return value end
  return nil, "a schema or a list of schemas"
end

-- What operations do that have an online form and are not told.
local function safe(value)
  if value == false or value == "online" then return value end
  return nil, '"online" or false'
end

local lint_levels = { error = true, warn = true, off = true }

-- Levels by rule. That the rules are there is checked when the plugins are, which may have some.
local function lint(value)
  local expected = 'a table of levels by rule, as in { ["drop-column"] = "error" }; the levels are '
    .. '"error", "warn", "off"'
  if type(value) ~= "table" then return nil, expected end
  for rule, level in pairs(value) do
    if type(rule) ~= "string" or not lint_levels[level] then return nil, expected end
  end
  return value
end

local function x_values(value)
  local expected = 'a table of texts, as in { region = "eu" }'
  if type(value) ~= "table" then return nil, expected end
  for key_name, item in pairs(value) do
    if type(key_name) ~= "string" or type(item) ~= "string" then return nil, expected end
  end
  return value
end

local function naming(value)
  local expected = require("moontide.naming").problem(value)
  if expected then return nil, expected end
  return value
end

local function included(value)
  return require("moontide.include").read(value)
end

local log_fields = {
  level = one_of("debug", "info", "warn", "error"), format = one_of("text", "json"), timestamps = flag,
}

local function log(value)
  local expected = 'a table { level = "debug"|"info"|"warn"|"error", format = "text"|"json", timestamps = true|false }'
  if type(value) ~= "table" then return nil, expected end
  for field, item in pairs(value) do
    if not log_fields[field] or log_fields[field](item) == nil then return nil, expected end
  end
  return value
end

--- The keys that this version works with.
---@type table<string, { check: fun(value: any): any, string?, default: any }>
key.known = {
  url = { check = text },
  direct_url = { check = text },
  version_locations = { check = folders, default = { "versions" } },
  recursive = { check = flag, default = false },
  repeatable = { check = name, default = "repeatable" },
  file_template = { check = file_template, default = "%(rev)s_%(slug)s" },
  truncate_slug_length = { check = length, default = 40 },
  timezone = { check = name, default = "UTC" },
  schema = { check = name, default = "moontide" },
  version_table = { check = version_table },
  search_path = { check = search_path },
  x = { check = x_values },
  targets = { check = targets },
  canary = { check = canary },
  jobs = { check = length, default = 4 },
  naming = { check = naming },
  confirm = { check = one_of("ask", "refuse", "never"), default = "ask" },
  log = { check = log, default = {} },
  safe = { check = safe, default = false },
  lint = { check = lint, default = {} },
  transaction = { check = one_of("revision", "run", "none"), default = "revision" },
  connect_timeout = { check = duration },
  lock_timeout = { check = duration, default = 2 },
  retries = { check = count, default = 30 },
  statement_timeout = { check = duration },
  idle_in_transaction_timeout = { check = duration, default = 60 },
  lock_wait = { check = duration },
  checksums = { check = one_of("error", "warn", "ignore"), default = "error" },
  hooks = { check = run_hooks },
  post_write_hooks = { check = hooks, default = {} },
  models = { check = name },
  include = { check = included },
  plugins = { check = plugins, default = {} },
  trusted = { check = flag, default = false },
}

--- Keys, and values of known keys, that have a meaning this version does not have
--- yet. They are refused: a setting that silently does nothing is worse.
key.later = {
  neon = true,
}
key.later_values = {}

--- All key names, sorted, for the nearest one to a misspelt name.
---@return string[]
function key.names()
  local names = {}
  for known in pairs(key.known) do names[#names + 1] = known end
  for later in pairs(key.later) do names[#names + 1] = later end
  table.sort(names)
  return names
end

return key
