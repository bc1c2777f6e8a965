--- Things of one kind that have a name: those that come with Moontide, each the file of its name, which is loaded when
--- it is asked for, and those that plugins add. A name is taken once.

local caller = require "moontide.caller"
local fault = require "moontide.fault"

---@class moontide.RegistryEntry
---@field name string
---@field from? string     who registers it
---@field version? string  of the plugin

---@class moontide.RegistryOptions
---@field what string                      in messages: "lint rule"
---@field builtin? string[]                names of those that come with Moontide
---@field folder? string                   of their files, as require has it; a dash of the name is an underscore there
---@field reserved? table<string, boolean> names that nobody may take

---@class moontide.Registry
---@field builtin string[]
---@field is_builtin fun(name: string): boolean  whether what has this name comes with Moontide
---@field register fun(entry: table)             adds an entry; raises where the name is taken
---@field names fun(): string[]                  of all: those that come with Moontide, then those of plugins
---@field get fun(name: string): table?          the entry of a name
---@field nearest fun(name: string): string?     the name that is most like one that does not exist
---@field identity fun(name: string): string     in a fingerprint: what a plugin has changed is another

local registry = {}

local own = "moontide itself"

local function contains(list, name)
  for _, known in ipairs(list) do
    if known == name then return true end
  end
  return false
end

-- Those that come with Moontide have their names from the beginning.
local function owner_of(self, entry)
  if self.entries[entry.name] then return self.entries[entry.name].from end
  local taken = self.reserved[entry.name] or entry.from ~= own and contains(self.builtin, entry.name)
  return taken and own or nil
end

local function register(self, entry)
  entry.from = entry.from or own
  local earlier = owner_of(self, entry)
  if earlier then
    fault.raise("config", ('%s "%s" is already registered by %s'):format(self.what, entry.name, earlier),
      { where = caller.where(), detail = "registered by " .. entry.from })
  end
  self.entries[entry.name] = entry
  if not contains(self.builtin, entry.name) then self.added[#self.added + 1] = entry.name end
end

local function names(self)
  local list = table.move(self.builtin, 1, #self.builtin, 1, {})
  return table.move(self.added, 1, #self.added, #list + 1, list)
end

local function get(self, name)
  if not self.entries[name] and contains(self.builtin, name) then
    register(self, require(self.folder .. "." .. name:gsub("-", "_")))
  end
  return self.entries[name]
end

local function identity(self, name)
  if contains(self.builtin, name) then return name end
  return name .. "@" .. (self.entries[name] and self.entries[name].version or "0")
end

--- A registry with what comes with Moontide.
---@param options moontide.RegistryOptions
---@return moontide.Registry
function registry.new(options)
  local self = { what = options.what, folder = options.folder, builtin = options.builtin or {},
    reserved = options.reserved or {}, entries = {}, added = {} }
  return {
    builtin = self.builtin,
    is_builtin = function(name) return contains(self.builtin, name) end,
    register = function(entry) register(self, entry) end,
    names = function() return names(self) end,
    get = function(name) return get(self, name) end,
    nearest = function(name) return require("moontide.suggest").nearest(name, names(self)) end,
    identity = function(name) return identity(self, name) end,
  }
end

return registry
