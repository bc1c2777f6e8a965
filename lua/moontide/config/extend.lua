--- What plugins add to a configuration: their hooks, before those of env.lua, and
--- the formatters that post_write_hooks names.

local fault = require "moontide.fault"

local extend = {}

local function load_plugins(values, x, place_of)
  if #values.plugins == 0 then return { list = {}, formatters = {} } end
  local ok, set = pcall(function() return require("moontide.plugin").load(values, x) end)
  if ok then return set end
  if fault.is(set) then set.where = set.where or place_of "plugins" end
  error(set, 0)
end

-- Functions by hook, each with who gave it: plugins in their order, then env.lua.
local function gather_hooks(values, set)
  local gathered = {}
  local function add(name, fn, from)
    gathered[name] = gathered[name] or {}
    table.insert(gathered[name], { fn = fn, from = from })
  end
  for _, plugin in ipairs(set.list) do
    for _, hook in ipairs(plugin.hooks) do add(hook.name, hook.fn, hook.from) end
  end
  for name, fn in pairs(values.hooks or {}) do add(name, fn, values.file) end
  return next(gathered) and gathered or nil
end

local function refuse_formatter(name, formatters, where)
  local names = {}
  for known in pairs(formatters) do names[#names + 1] = known end
  local nearest = require("moontide.suggest").nearest(name, names)
  fault.raise("config", ('unknown formatter "%s"'):format(name), {
    where = where, hint = nearest and ('Did you mean "%s"?'):format(nearest)
      or 'Name one that a plugin registers, or write { name = "...", command = { "program", "$FILE" } }.',
  })
end

local function find_formatter(hook, set, place_of)
  if not hook.formatter then return hook end
  local found = set.formatters[hook.name] or refuse_formatter(hook.name, set.formatters, place_of "post_write_hooks")
  return { name = hook.name, formatter = true, run = found.run }
end

-- Rules may be those of plugins.
local function check_rules(values, place_of)
  for name in pairs(values.lint) do require("moontide.lint").check_name(name, "config", place_of "lint") end
end

-- So may kinds of objects.
local function check_kinds(values, place_of)
  if not values.include then return end
  local function kinds() return require("moontide.fact").kinds() end
  require("moontide.include").check_kinds(values.include, kinds, place_of "include")
end

--- Load the plugins of an environment, and put what they give in its place.
---@param values table                          the checked keys, with file and directory
---@param x table                               the -x values
---@param place_of fun(name: string): string    the line of env.lua that sets a key
function extend.with_plugins(values, x, place_of)
  local set, writers = load_plugins(values, x, place_of), {}
  for index, hook in ipairs(values.post_write_hooks) do writers[index] = find_formatter(hook, set, place_of) end
  check_rules(values, place_of)
  check_kinds(values, place_of)
  values.hooks, values.post_write_hooks, values.plugins = gather_hooks(values, set), writers, set.list
end

return extend
