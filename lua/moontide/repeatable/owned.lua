--- What repeatable files make: it belongs to them, whatever the models say. Their functions are run
--- without a server, and the CREATE statements that come of it are read.

local gate = require "moontide.gate"
local operation = require "moontide.operation"
local token = require "moontide.sql.token"

local owned = {}

---@class moontide.Owned
---@field kind string
---@field name string
---@field schema? string
---@field table? string   of a trigger, rule or policy

local kinds = { "materialized view", "view", "function", "procedure", "trigger", "rule", "policy", "index", "type",
  "domain", "sequence" }

local function kind_at(cursor)
  for _, kind in ipairs(kinds) do
    if cursor:take(kind:upper()) then return kind end
  end
end

-- What a CREATE statement makes.
local function made_by(sql)
  local cursor = token.cursor(token.list(sql))
  if not cursor:take "CREATE" then return nil end
  cursor:skip("OR REPLACE", "TEMP", "TEMPORARY", "RECURSIVE", "CONSTRAINT", "UNIQUE")
  local kind = kind_at(cursor)
  cursor:skip("CONCURRENTLY", "IF NOT EXISTS")
  local found = kind and cursor:relation()
  if not found then return nil end
  local on = (kind == "trigger" or kind == "policy") and cursor:find "ON" or kind == "rule" and cursor:find "TO"
  if on then
    cursor.at = on
    local relation = cursor:relation() or {}
    return { kind = kind, name = found.name, schema = relation.schema, table = relation.name }
  end
  return { kind = kind, name = found.name, schema = found.schema }
end

-- Where the operations of a file go: what they ask is answered with nothing.
local function sink(list)
  local function keep(_, o)
    if operation.get(o.kind).job then return nil end
    local ok, entries = pcall(operation.statements, o, { offline = true })
    for _, entry in ipairs(ok and entries or {}) do list[#list + 1] = made_by(entry.sql) end
  end
  return { run = keep, block = function(_, _, fn) return fn() end }
end

--- What the files of an environment make.
---@param app moontide.App
---@return moontide.Owned[]
function owned.of(app)
  local steps, list, config = {}, {}, app:config()
  require("moontide.repeatable.plan").offline(steps, "upgrade", "heads", config, {})
  local door = gate.new(config.naming)
  local load = steps[1] and require("moontide.loading").loader(app, { sink = door, dry = true, offline = true })
  for _, step in ipairs(steps) do
    local file = load(step)
    pcall(door.through, door, sink(list), file.upgrade or file.change)   -- what needs answers of a server ends here
  end
  return list
end

local function has(list, word)
  for _, item in ipairs(list) do
    if item == word then return true end
  end
  return false
end

--- A test of whether an object is one of those; nil where there are none.
---@param list moontide.Owned[]
---@param search_path? string[]  where names without a schema are
---@return (fun(object: moontide.IncludeObject): boolean)?
function owned.test(list, search_path)
  if #list == 0 then return nil end
  search_path = search_path or { "public" }
  return function(object)
    for _, made in ipairs(list) do
      local is_there = made.schema == object.schema or not made.schema and has(search_path, object.schema)
      local is_on = made.table == nil or made.table == object.table
      if made.kind == object.kind and made.name == object.name and is_there and is_on then return true end
    end
    return false
  end
end

return owned
