--- A kind of object that a plugin adds to models, as the registration that the kinds
--- take that come with Moontide.

local fault = require "moontide.fault"
local operation = require "moontide.operation"

---@class moontide.PluginKind
---@field name string
---@field declare string
---@field operation string
---@field from string      who registers it
---@field query string
---@field create fun(row: table): table
---@field drop fun(row: table): table
---@field alter? fun(old: table, new: table): table[]?
---@field catalog? string
---@field after? string
---@field movable? boolean

local kind = {}

local function key_of(word, row)
  local parts = {}
  for _, field in ipairs { "schema", "table", "name" } do parts[#parts + 1] = row[field] end
  return word .. " " .. table.concat(parts, ".")
end

local function oid_of(given, row)
  local number = given.catalog and math.tointeger(tonumber(row.oid))
  return number and ("%s:%d"):format(given.catalog, number)
end

-- A call is built once here, so that a wrong one is told of as the plugin's.
local function checked(given, call)
  local detail = ('in the kind "%s" of %s'):format(given.name, given.from)
  if type(call) ~= "table" or type(call[1]) ~= "string" then
    fault.raise("plugin", 'a call must be a list such as { "create_thing", row.name }', { detail = detail })
  end
  local ok, problem = pcall(operation.build, table.unpack(call, 1, #call))
  if ok then return call end
  problem = fault.of(problem)
  problem.detail = detail
  error(problem, 0)
end

local function add(set, given, row)
  local parent = row.table and ("table %s.%s"):format(row.schema, row.table)
  local fact = set:add { key = key_of(given.name, row), kind = given.name, oid = oid_of(given, row), parent = parent,
    name = row.name, schema = row.schema, table = row.table,
    call = checked(given, given.create(row)), drop = checked(given, given.drop(row)) }
  if parent then set:depend(fact.key, parent) end
  set:comment(fact, row.comment, given.name, row.name, { schema = row.schema, table = row.table })
end

local function alteration(given)
  return given.alter and function(old, new)
    local list = given.alter(old.call, new.call)
    for _, call in ipairs(list or {}) do checked(given, call) end
    return list and { now = list }
  end
end

--- The registration of a plugin's kind.
---@param given moontide.PluginKind
---@return moontide.FactKind
function kind.new(given)
  return { name = given.name, from = given.from, queries = { [given.name] = given.query },
    declared = { [given.declare] = given.operation },
    objects = { [given.name] = { after = given.after or "policy", movable = given.movable ~= false,
      alteration = alteration(given) } },
    add = function(set, rows)
      for _, row in ipairs(rows[given.name]) do add(set, given, row) end
    end }
end

return kind
