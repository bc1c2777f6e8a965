--- Targets: the named databases, or schemas of one, that env.lua gives as a list, as
--- a table by name, or as a function that returns either. A target holds what differs
--- from the rest of env.lua.

local fault = require "moontide.fault"

local target = {}

---@class moontide.Target
---@field name string
---@field given table<string, any>   keys of env.lua, as they were written

-- What belongs to the environment as a whole.
local common = {
  targets = true, canary = true, jobs = true, trusted = true, plugins = true, log = true, confirm = true,
}

local function refuse(message, fields) fault.raise("config", message, fields) end

local function expected(where)
  refuse('"targets" must be a list of { name = "...", url = "..." }, a table of such by name, or a function that '
    .. "returns one", { where = where })
end

local function check_name(name, where)
  if type(name) == "string" and name:find("^[%w_][%w_.:@-]*$") then return end
  refuse(("invalid name of a target: %s"):format(type(name) == "string" and '"' .. name .. '"' or type(name)), {
    where = where, hint = "A name is letters, digits and any of _ . : @ -, beginning with a letter or digit.",
  })
end

local function check_key(name, key, where)
  if common[key] then
    refuse(('target "%s" cannot set "%s", which is for all targets'):format(name, key), { where = where })
  end
end

-- A target of a list names itself; in a table by name it is named by its key.
local function read_one(key, given, where)
  if type(given) ~= "table" then expected(where) end
  local name = given.name
  if type(key) == "string" then name = key end
  check_name(name, where)
  local one = { name = name, given = {} }
  for field, value in pairs(given) do
    check_key(name, field, where)
    if field ~= "name" then one.given[field] = value end
  end
  return one
end

local function refuse_twice(list, where)
  local seen = {}
  for _, one in ipairs(list) do
    if seen[one.name] then refuse(('target "%s" is there twice'):format(one.name), { where = where }) end
    seen[one.name] = true
  end
end

--- The targets of a list or of a table by name; the latter sorted by name.
---@param declared any
---@param where string  the place in env.lua
---@return moontide.Target[]
function target.read(declared, where)
  if type(declared) ~= "table" then expected(where) end
  local list, is_list = {}, #declared > 0
  for key, given in pairs(declared) do
    if is_list ~= (math.type(key) == "integer") then expected(where) end
    list[is_list and key or #list + 1] = read_one(key, given, where)
  end
  if not is_list then table.sort(list, function(a, b) return a.name < b.name end) end
  refuse_twice(list, where)
  return list
end

-- "tenant_*" and "shard-?" as a Lua pattern.
local function pattern_of(glob)
  local pattern = glob:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".")
  return "^" .. pattern .. "$"
end

local function names_of(list)
  local names = {}
  for index, one in ipairs(list) do names[index] = one.name end
  return names
end

local function refuse_unknown(list, glob, file)
  local names = names_of(list)
  local nearest = require("moontide.suggest").nearest(glob, names)
  refuse(('no target "%s" in %s'):format(glob, file), {
    hint = nearest and ('Did you mean "%s"?'):format(nearest)
      or #names > 0 and "The targets are: " .. table.concat(names, ", ", 1, math.min(#names, 20)) .. "."
      or "Name databases with the key targets.",
  })
end

--- The targets whose names one of the patterns matches, in their own order; all of them without patterns.
---@param list moontide.Target[]
---@param globs string[]
---@param file string  env.lua
---@return moontide.Target[]
function target.select(list, globs, file)
  if #globs == 0 then return list end
  local wanted, selected = {}, {}
  for _, glob in ipairs(globs) do
    local pattern, matched = pattern_of(glob), false
    for _, one in ipairs(list) do
      if one.name:find(pattern) then wanted[one.name], matched = true, true end
    end
    if not matched then refuse_unknown(list, glob, file) end
  end
  for _, one in ipairs(list) do
    if wanted[one.name] then selected[#selected + 1] = one end
  end
  return selected
end

return target
