--- Plugins: Lua files of the project that register operations, types, commands,
--- hooks and formatters. env.lua lists them; each is set up once, in the listed
--- order but after those it requires, before any revision file is read.

local environment = require "moontide.environment"
local fault = require "moontide.fault"
local api = require "moontide.plugin.api"

---@class moontide.LoadedPlugin
---@field name string
---@field version? string
---@field path string
---@field source string                    as env.lua lists it
---@field options table                    what env.lua gives it
---@field requires moontide.Requirement[]
---@field where? string                    the line that says its name
---@field hooks { name: string, fn: function, from: string }[]
---@field set moontide.PluginSet
---@field admitted? boolean                it has come to its first registration
---@field thread thread

---@class moontide.PluginSet
---@field list moontide.LoadedPlugin[]     in the order in which they were set up
---@field formatters table<string, { run: function, from: string }>

local plugin = {}

-- Finding ---------------------------------------------------------------------

local function is_path(source)
  return source:find("/", 1, true) ~= nil or source:find("%.lua$") ~= nil
end

local function endings(base)
  return { base .. ".lua", base .. "/init.lua" }
end

-- A name is looked for in plugins/ first, then beside env.lua; a path is itself.
local function candidates(directory, source)
  if is_path(source) then
    local base = source:sub(1, 1) == "/" and source or directory .. "/" .. source
    return base:find("%.lua$") and { base } or endings(base)
  end
  local file = source:gsub("%.", "/")
  local list = endings(directory .. "/plugins/" .. file)
  return table.move(endings(directory .. "/" .. file), 1, 2, 3, list)
end

local function find(directory, source)
  local paths = candidates(directory, source)
  for _, path in ipairs(paths) do
    local text = require("moontide.runtime.sys").read(path)
    if text then return path, text end
  end
  fault.raise("config", ('plugin "%s" not found'):format(source), {
    detail = "looked for " .. table.concat(paths, ", "),
  })
end

-- Setting up ------------------------------------------------------------------

-- A failure names the plugin, and a plugin is a part of the configuration.
local function named(self, problem)
  problem = fault.of(problem)
  if problem.kind == "interrupted" then return problem end
  local mention = ('plugin "%s"'):format(self.name)
  if problem.message:sub(1, #mention) ~= mention then problem.message = mention .. ": " .. problem.message end
  problem.kind = "config"
  return problem
end

local function guarded(self, fn, ...)
  local ok, answer = pcall(fn, ...)
  if not ok then error(named(self, answer), 0) end
  return answer
end

-- A file answers its setup function, or a table with it and what `moontide.name` takes.
local function setup_of(self, answer)
  if type(answer) == "function" then return answer end
  if type(answer) ~= "table" or type(answer.setup) ~= "function" then
    fault.raise("config", ("the file must return a function, not %s"):format(type(answer)), {
      where = self.path, hint = "End it with `return function(moontide, options) ... end`.",
    })
  end
  local identity = {}
  for key, item in pairs(answer) do
    if key ~= "setup" then identity[key] = item end
  end
  api.identify(self, identity)
  return answer.setup
end

local function resume(self)
  if coroutine.status(self.thread) == "dead" then return end
  local ok, problem = coroutine.resume(self.thread)
  if not ok then error(named(self, problem), 0) end
end

-- Ctrl-C reaches the main thread only; a plugin that runs for ever must look for it itself.
local function heed_interrupts(thread)
  local interrupted = require("moontide.runtime.sys").interrupted
  debug.sethook(thread, function()
    if interrupted() then fault.raise("interrupted", "interrupted") end
  end, "", 10000)
end

local function read(self, scope, text)
  local setup = setup_of(self, scope:run(self.path, text, scope:fresh()))
  self.thread = coroutine.create(function() scope:call(self.path, setup, api.new(self), self.options) end)
  heed_interrupts(self.thread)
end

local function open(entry, values, scope, set)
  local path, text = find(values.directory, entry.source)
  local self = {
    name = entry.source:gsub("%.lua$", ""):gsub("/init$", ""):match("[^./]+$") or entry.source,
    path = path, source = entry.source, options = entry.options, requires = {}, hooks = {}, set = set,
  }
  guarded(self, read, self, scope, text)
  resume(self)
  return self
end

local function load_all(values, x)
  local options = { directory = values.directory, kind = "config", trusted = values.trusted }
  local scope = environment.open(options, { context = { x = x } })
  local set, opened = { formatters = {} }, {}
  for index, entry in ipairs(values.plugins) do opened[index] = open(entry, values, scope, set) end
  set.list = require("moontide.plugin.order").sort(opened, require "moontide.version")
  for _, self in ipairs(set.list) do resume(self) end
  return set
end

-- Registrations are the process's own, so the plugins of an environment are loaded once.
local loaded = {}

--- Load the plugins of an environment, the first time it is asked; a failure then is a failure ever after.
---@param values table  the checked keys of env.lua, with file and directory
---@param x table       the -x values
---@return moontide.PluginSet
function plugin.load(values, x)
  local known = loaded[values.file]
  if not known then
    local ok, answer = pcall(load_all, values, x)
    known = ok and { set = answer } or { problem = answer }
    loaded[values.file] = known
  end
  if known.problem then error(known.problem, 0) end
  return known.set
end

return plugin
