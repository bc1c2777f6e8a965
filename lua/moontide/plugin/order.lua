--- In which order plugins are set up: as they are listed, but after those they
--- require. Pure.

local fault = require "moontide.fault"
local sorted_keys = require "moontide.sorted_keys"
local version = require "moontide.plugin.version"

local order = {}

local function named(one)
  return one.version and ("%s %s"):format(one.name, one.version) or one.name
end

local function refuse(one, message, fields)
  fields.where = one.where or one.path
  fault.raise("config", ('plugin "%s" %s'):format(one.name, message), fields)
end

local function by_name(list)
  local found = {}
  for _, one in ipairs(list) do
    local earlier = found[one.name]
    if earlier then
      refuse(one, "is listed twice", {
        detail = ("in %s and in %s"):format(earlier.path, one.path),
        hint = "A plugin gives itself another name with moontide.name { name = ... }.",
      })
    end
    found[one.name] = one
  end
  return found
end

local function refuse_missing(one, requirement, found)
  local nearest = require("moontide.suggest").nearest(requirement.name, sorted_keys(found))
  refuse(one, ('requires the plugin "%s", which is not there'):format(requirement.name), {
    hint = nearest and ('Did you mean "%s"?'):format(nearest) or "Add it to plugins in env.lua.",
  })
end

local function check(one, requirement, found, own_version)
  local other = requirement.name == "moontide" and { name = "moontide", version = own_version }
    or found[requirement.name] or refuse_missing(one, requirement, found)
  if version.meets(requirement, other.version) then return end
  refuse(one, ("requires %s %s, but this is %s"):format(requirement.name, requirement.text, named(other)), {
    hint = other.version == nil and ('"%s" does not say its version.'):format(other.name) or nil,
  })
end

local function refuse_cycle(path, name)
  local names, inside = {}, false
  for _, one in ipairs(path) do
    inside = inside or one.name == name
    if inside then names[#names + 1] = one.name end
  end
  refuse(path[#path], "requires itself", { detail = table.concat(names, " -> ") .. " -> " .. name })
end

local function visit(one, found, path, done, sorted)
  if done[one] then return end
  if done[one] == false then refuse_cycle(path, one.name) end
  done[one], path[#path + 1] = false, one
  for _, requirement in ipairs(one.requires) do
    local other = found[requirement.name]
    if other then visit(other, found, path, done, sorted) end
  end
  path[#path], done[one] = nil, true
  sorted[#sorted + 1] = one
end

--- Plugins in the order in which they are set up.
---@param list { name: string, version: string?, path: string, where: string?, requires: moontide.Requirement[] }[]
---@param own_version string  the version of the program, for requirements of "moontide"
---@return table[]
function order.sort(list, own_version)
  local found, done, sorted = by_name(list), {}, {}
  for _, one in ipairs(list) do
    for _, requirement in ipairs(one.requires) do check(one, requirement, found, own_version) end
  end
  for _, one in ipairs(list) do visit(one, found, {}, done, sorted) end
  return sorted
end

return order
