--- Changes of storage parameters: { fillfactor = 70, autovacuum_enabled = null }, where
--- `null` takes a parameter back to its default.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local value = require "moontide.value"

---@class moontide.ParameterChanges
---@field set table<string, any>
---@field reset string[]  sorted

local parameter = {}

--- A check: parameters to set, and with `null` to reset.
function parameter.read_changes(given, what)
  local names, changes = {}, { set = {}, reset = {} }
  for key, setting in pairs(check.table(given, what)) do
    local is_null = value.kind(setting) == "null"
    names[key] = is_null and 0 or setting
    if is_null then changes.reset[#changes.reset + 1] = key else changes.set[key] = setting end
  end
  check.parameters(names, what)
  table.sort(changes.reset)
  return changes
end

--- The reverse of `parameter.read_changes`.
---@param changes moontide.ParameterChanges
---@return table
function parameter.write(changes)
  local written = {}
  for key, setting in pairs(changes.set) do written[key] = setting end
  for _, key in ipairs(changes.reset) do written[key] = value.null end
  return written
end

local function reset_sql(names)
  local places = {}
  for _, name in ipairs(names) do places[name] = 0 end
  return "RESET " .. clause.parameters(places):gsub(" = 0", "")
end

--- The actions of an ALTER.
---@param changes moontide.ParameterChanges?
---@return string[]
function parameter.clauses(changes)
  local list = {}
  if not changes then return list end
  if next(changes.set) then list[1] = "SET " .. clause.parameters(changes.set) end
  if #changes.reset > 0 then list[#list + 1] = reset_sql(changes.reset) end
  return list
end

--- The changes that bring back what there was, of those parameters that change.
---@param changes moontide.ParameterChanges
---@param before table<string, any>  all that was set
---@return moontide.ParameterChanges
function parameter.before(changes, before)
  local back = { set = {}, reset = {} }
  local function add(key)
    if before[key] == nil then back.reset[#back.reset + 1] = key else back.set[key] = before[key] end
  end
  for key in pairs(changes.set) do add(key) end
  for _, key in ipairs(changes.reset) do add(key) end
  table.sort(back.reset)
  return back
end

return parameter
