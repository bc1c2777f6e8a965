--- What a plugin is given: the registration points, and the helpers of the library.
--- meta/plugin.lua documents each; a spec keeps the two in step.
---
--- The first call that registers something hands control back to the loader once,
--- which then knows of every plugin what it is called and requires, and goes on in
--- the right order. `moontide.name` therefore comes first.

local caller = require "moontide.caller"
local fault = require "moontide.fault"
local sorted_keys = require "moontide.sorted_keys"
local version = require "moontide.plugin.version"

local api = {}

local function refuse(message, hint)
  fault.raise("config", message, { where = caller.where(), hint = hint })
end

-- Checking --------------------------------------------------------------------

-- A registration is a table with these fields and no others.
local function check_fields(what, given, fields)
  if type(given) ~= "table" then refuse(("%s needs a table, not %s"):format(what, type(given))) end
  for field in pairs(given) do
    if not fields[field] then refuse(('%s: unknown field "%s"'):format(what, tostring(field))) end
  end
  for _, field in ipairs(sorted_keys(fields)) do
    local kind, wanted = type(given[field]), fields[field]:gsub("%?$", "")
    if kind ~= wanted and not (kind == "nil" and wanted ~= fields[field]) then
      refuse(('%s: field "%s" must be a %s, not %s'):format(what, field, wanted, kind))
    end
  end
end

local function check_name(what, name, pattern, words)
  if name:find(pattern) then return end
  refuse(('%s: invalid name "%s"'):format(what, name), "A name is " .. words .. ".")
end

--- The fields of each registration and their types; those with "?" may be left out.
api.fields = {
  name = { name = "string?", version = "string?", requires = "table?" },
  ["type"] = { name = "string", spelling = "function?", modifiers = "function?", summary = "string?" },
  command = { name = "string", summary = "string", description = "string?", options = "function?", run = "function" },
  formatter = { name = "string", summary = "string?", run = "function" },
  model_kind = { name = "string", declare = "string", operation = "string", query = "string", create = "function",
    drop = "function", alter = "function?", catalog = "string?", after = "string?", movable = "boolean?" },
  backfill_signal = {
    name = "string", summary = "string", sample = "function", limit = "number?", unit = "string?", every = "number?",
    patience = "number?",
  },
  backfill_transform = { name = "string", summary = "string", each = "function?", each_chunk = "function?" },
  backfill_strategy = {
    name = "string", summary = "string", choose = "function?", probe = "function?", splits = "function?",
  },
  lint_rule = { name = "string", summary = "string", level = "string?", check = "function" },
}

local name_pattern, name_words = "^[%a_][%w_-]*$", "letters, digits, underscores and dashes, beginning with a letter"

-- The identity ----------------------------------------------------------------

local function requirement(key, item)
  local name, text = tostring(key), item
  if math.type(key) == "integer" and type(item) == "string" then name, text = item:match("^%s*([%w_-]+)(.*)$") end
  local read = name and type(text) == "string" and version.requirement(name, text)
  if not read then
    refuse(("moontide.name: cannot read the requirement %s"):format(tostring(item)),
      'Write requires = { "other >= 1.2", moontide = ">= 0.1" }.')
  end
  return read
end

local function requirements(given)
  local list = {}
  for key, item in pairs(given or {}) do list[#list + 1] = requirement(key, item) end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

--- Keep what a plugin says of itself.
---@param plugin moontide.LoadedPlugin
---@param given { name: string?, version: string?, requires: table? }
function api.identify(plugin, given)
  check_fields("moontide.name", given, api.fields.name)
  check_name("moontide.name", given.name or plugin.name, name_pattern, name_words)
  if given.version and not version.is(given.version) then
    refuse(('moontide.name: invalid version "%s"'):format(given.version), 'Write numbers with dots, as in "1.2.0".')
  end
  plugin.name, plugin.version = given.name or plugin.name, given.version
  plugin.requires, plugin.where = requirements(given.requires), caller.where()
end

-- Registering -----------------------------------------------------------------

local function admit(plugin)
  if plugin.admitted then return end
  plugin.admitted = true
  coroutine.yield()
end

local function registrant(plugin)
  return ('plugin "%s" (%s)'):format(plugin.name, caller.where() or plugin.path)
end

local point = {}

function point.name(plugin, given)
  if plugin.admitted then
    refuse("moontide.name must come before everything that is registered, and once")
  end
  api.identify(plugin, given)
  admit(plugin)
end

function point.operation(plugin, registration)
  admit(plugin)
  if type(registration) ~= "table" then refuse("moontide.operation needs a table, not " .. type(registration)) end
  local entry = { from = registrant(plugin) }
  for key, item in pairs(registration) do entry[key] = item end
  require("moontide.operation").register(entry)
end

point["type"] = function(plugin, registration)
  admit(plugin)
  check_fields("moontide.type", registration, api.fields["type"])
  check_name("moontide.type", registration.name, "^[%l_][%l%d_]*$", "lower-case letters, digits and underscores")
  require("moontide.sql.type").register {
    name = registration.name, spelling = registration.spelling, check = registration.modifiers,
    from = registrant(plugin),
  }
end

-- A mistake in a plugin is not one of the program; a fault is told as it is.
local function explained(plugin, what, fn)
  local function explain(problem)
    if fault.is(problem) then return problem end
    local found = require("moontide.gate").explain(problem)
    found.kind, found.detail = "plugin", ('in the %s of plugin "%s"'):format(what, plugin.name)
    return found
  end
  return function(...)
    local ok, answer = xpcall(fn, explain, ...)
    if not ok then error(answer, 0) end
    return answer
  end
end

function point.command(plugin, registration)
  admit(plugin)
  check_fields("moontide.command", registration, api.fields.command)
  check_name("moontide.command", registration.name, "^%l[%l%d-]*$", "lower-case letters, digits and dashes")
  local module = { run = explained(plugin, "command " .. registration.name, registration.run) }
  for field in pairs(api.fields.command) do module[field] = module[field] or registration[field] end
  require("moontide.command").register(module, registrant(plugin))
end

function point.hook(plugin, name, fn)
  admit(plugin)
  local names = require("moontide.config.key").hook_names
  if not table.concat(names, " "):find("%f[%w_]" .. tostring(name) .. "%f[^%w_]") then
    local nearest = require("moontide.suggest").nearest(tostring(name), names)
    refuse(('moontide.hook: unknown hook "%s"'):format(tostring(name)), nearest
      and ('Did you mean "%s"?'):format(nearest) or "The hooks are " .. table.concat(names, ", ") .. ".")
  end
  if type(fn) ~= "function" then refuse("moontide.hook needs a function, not " .. type(fn)) end
  plugin.hooks[#plugin.hooks + 1] = { name = name, fn = fn, from = ('plugin "%s"'):format(plugin.name) }
end

function point.formatter(plugin, registration)
  admit(plugin)
  check_fields("moontide.formatter", registration, api.fields.formatter)
  check_name("moontide.formatter", registration.name, name_pattern, name_words)
  local earlier = plugin.set.formatters[registration.name]
  if earlier then
    fault.raise("config", ('formatter "%s" is already registered by %s'):format(registration.name, earlier.from),
      { where = caller.where(), detail = "registered by " .. registrant(plugin) })
  end
  plugin.set.formatters[registration.name] = { run = registration.run, from = registrant(plugin) }
end

function point.lint_rule(plugin, registration)
  admit(plugin)
  check_fields("moontide.lint_rule", registration, api.fields.lint_rule)
  check_name("moontide.lint_rule", registration.name, "^%l[%l%d-]*$", "lower-case letters, digits and dashes")
  local rule = { level = "warn", from = registrant(plugin) }
  for field, item in pairs(registration) do rule[field] = item end
  require("moontide.lint").register(rule)
end

local function check_kind(registration)
  check_name("moontide.model_kind", registration.name, "^%l[%l ]*%l$", "lower-case words")
  check_name("moontide.model_kind", registration.declare, "^%l[%l%d_]*$", "lower-case letters, digits and underscores")
  if not require("moontide.operation").get(registration.operation) then
    refuse(('moontide.model_kind: there is no operation "%s"'):format(registration.operation),
      "Register it first, with moontide.operation.")
  end
  local after = registration.after
  if after and not require("moontide.fact.arrange").has(after) then
    refuse(('moontide.model_kind: there is no kind "%s" to come after'):format(after))
  end
end

function point.model_kind(plugin, registration)
  admit(plugin)
  check_fields("moontide.model_kind", registration, api.fields.model_kind)
  require "moontide.op"
  check_kind(registration)
  local given = { from = registrant(plugin) }
  for field, item in pairs(registration) do
    given[field] = type(item) == "function"
      and explained(plugin, ('field %s of the kind "%s"'):format(field, registration.name), item) or item
  end
  require("moontide.fact").register(require("moontide.plugin.kind").new(given))
end

-- An entry of a plugin's own, with its version.
local function entry_of(plugin, registration)
  local entry = { from = registrant(plugin), version = plugin.version }
  for field, item in pairs(registration) do entry[field] = item end
  return entry
end

local plain_pattern, plain_words = "^%l[%l%d_]*$", "lower-case letters, digits and underscores"

function point.backfill_signal(plugin, registration)
  admit(plugin)
  check_fields("moontide.backfill_signal", registration, api.fields.backfill_signal)
  check_name("moontide.backfill_signal", registration.name, plain_pattern, plain_words)
  require("moontide.backfill.signal").register(entry_of(plugin, registration))
end

function point.backfill_transform(plugin, registration)
  admit(plugin)
  check_fields("moontide.backfill_transform", registration, api.fields.backfill_transform)
  check_name("moontide.backfill_transform", registration.name, plain_pattern, plain_words)
  if (registration.each == nil) == (registration.each_chunk == nil) then
    refuse "moontide.backfill_transform: give one of each and each_chunk"
  end
  require("moontide.backfill.named").register(entry_of(plugin, registration))
end

function point.backfill_strategy(plugin, registration)
  admit(plugin)
  check_fields("moontide.backfill_strategy", registration, api.fields.backfill_strategy)
  check_name("moontide.backfill_strategy", registration.name, plain_pattern, plain_words)
  if not (registration.choose or registration.probe) then
    refuse "moontide.backfill_strategy: give choose or probe, or both"
  end
  local entry = require("moontide.plugin.strategy").new(entry_of(plugin, registration))
  require("moontide.backfill.strategy").register(entry)
end

-- Helpers ---------------------------------------------------------------------

--- The parts of the library that plugins may rely on.
api.libraries = {
  check = { "moontide.check", [[refuse expected within name names table list sql expression text flag boolean integer
    value type relation parameters choice list_of shape options join]] },
  quote = { "moontide.sql.quote", "ident qualified idents literal dollar" },
  value = { "moontide.value", "sql null array json bytea kind literal" },
  source = { "moontide.source", "value string call block" },
  fault = { "moontide.fault", "new raise is" },
  report = { "moontide.report", "out json is_json is_quiet info verbose warn style" },
}

local helper = { version = require "moontide.version" }

-- Plugins share the library with the program, so they cannot change it.
local function frozen(name)
  local library, visible = require(api.libraries[name][1]), {}
  for part in api.libraries[name][2]:gmatch("%S+") do visible[part] = library[part] end
  return setmetatable({}, {
    __metatable = false, __pairs = function() return pairs(visible) end,
    __index = function(_, key)
      if visible[key] ~= nil then return visible[key] end
      local nearest = require("moontide.suggest").nearest(tostring(key), sorted_keys(visible))
      refuse(("moontide.%s.%s does not exist"):format(name, tostring(key)),
        nearest and ("Did you mean moontide.%s.%s?"):format(name, nearest) or nil)
    end,
    __newindex = function(_, key) error(("cannot set moontide.%s.%s"):format(name, tostring(key)), 2) end,
  })
end

--- The value of an operation, built-in or a plugin's: to answer it as an inverse, or to ask it for its statements.
function helper.build(name, ...) return require("moontide.operation").build(name, ...) end

function helper.statements(o, ctx) return require("moontide.operation").statements(o, ctx) end

local later = { sandbox = true, output = true, comparator = true }

--- The names of the registration points, and of the helpers.
---@return string[] points
---@return string[] helpers
function api.names()
  local helpers = {}
  for name in pairs(helper) do helpers[name] = true end
  for name in pairs(api.libraries) do helpers[name] = true end
  return sorted_keys(point), sorted_keys(helpers)
end

local function unknown(name)
  if later[name] then refuse(("moontide.%s is not supported by this version"):format(name)) end
  local points, helpers = api.names()
  table.move(helpers, 1, #helpers, #points + 1, points)
  local nearest = require("moontide.suggest").nearest(tostring(name), points)
  refuse(("moontide.%s does not exist"):format(tostring(name)),
    nearest and ("Did you mean moontide.%s?"):format(nearest) or nil)
end

local function find(plugin, name)
  if point[name] then return function(...) return point[name](plugin, ...) end end
  if api.libraries[name] then return frozen(name) end
  return helper[name] or unknown(name)
end

--- The table that one plugin is given.
---@param plugin moontide.LoadedPlugin
---@return moontide.PluginApi
function api.new(plugin)
  return setmetatable({}, {
    __index = function(self, name)
      local found = find(plugin, name)
      rawset(self, name, found)
      return found
    end,
    __newindex = function(_, name) error(("cannot set moontide.%s"):format(tostring(name)), 2) end,
    __metatable = false,
  })
end

return api
