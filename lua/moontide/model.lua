--- Models: the objects that a database should have, declared in a Lua file in the
--- shapes of the operations that create them.
---
---     model.table("users", { { "id", "bigint", identity = "always", primary_key = true } })
---     model.view("names", "SELECT name FROM users")

local caller = require "moontide.caller"
local fault = require "moontide.fault"
local operation = require "moontide.operation"
local value = require "moontide.value"

local model = {}

-- What is declared under another name than that of its operation without `create_`.
local special = {
  func = "create_function", foreign_key = "create_foreign_key", comment = "comment",
  row_security = "enable_row_security", forced_row_security = "force_row_security",
  replica_identity = "set_replica_identity", cluster = "set_cluster", grant = "grant", revoke = "revoke",
}

local plain = {
  "schema", "extension", "enum", "domain", "type", "range_type", "sequence", "table", "partition", "index",
  "primary_key", "unique_constraint", "check_constraint", "exclude_constraint", "view", "materialized_view",
  "procedure", "trigger", "rule", "policy", "aggregate", "statistics",
  "publication",
}

local operations, names = {}, {}
for name, kind in pairs(special) do operations[name] = kind end
for _, name in ipairs(plain) do operations[name] = "create_" .. name end
for name, kind in pairs(operations) do names[kind] = name end

--- The names of what can be declared, sorted.
---@return string[]
function model.names()
  local list = {}
  for name in pairs(operations) do list[#list + 1] = name end
  table.sort(list)
  return list
end

--- The operation that a declaration stands for.
---@param name string  behind `model.`
---@return string?
function model.operation(name) return operations[name] end

--- Add what can be declared.
---@param name string       behind `model.`
---@param kind string       of the operation
---@param from? string      who registers it
function model.add(name, kind, from)
  if operations[name] or names[kind] then
    fault.raise("config", ("model.%s is there already"):format(operations[name] and name or names[kind]),
      { where = caller.where(), detail = from and "registered by " .. from })
  end
  operations[name], names[kind] = kind, name
end

--- The text of an operation as a declaration.
---@param kind string  of the operation
---@param text string
---@return string
function model.declaration(kind, text)
  local name = names[kind]
  if not name then fault.raise("internal", ('a model cannot say "%s"'):format(kind)) end
  return "model." .. name .. text:match("^op%.[%w_]+(.*)")
end

--- A declaration as Lua text.
---@param o moontide.Operation
---@return string
function model.source(o) return model.declaration(o.kind, operation.source(o)) end

local function unknown(name)
  local nearest = require("moontide.suggest").nearest(tostring(name), model.names())
  fault.raise("config", ("model.%s does not exist"):format(tostring(name)), { where = caller.where(),
    hint = nearest and ("Did you mean model.%s?"):format(nearest)
      or "docs/models.md lists what can be declared; anything else belongs into revisions." })
end

-- Names that env.lua has rules for are given as they are in a revision.
local function collector(list, renames, naming, known)
  local take = require("moontide.model.renamed").take
  return setmetatable({}, { __index = function(_, name)
    local kind = operations[name] or unknown(name)
    return function(...)
      local arguments = take(name, table.pack(...), renames)
      local o = known and known:take(kind, arguments) or operation.build(kind, table.unpack(arguments, 1, arguments.n))
      if naming and not o.repeated then require("moontide.naming").apply(naming, o) end
      list[#list + 1] = o
    end
  end })
end

--- The declarations of a model file, in its order.
---@param path string
---@param config { directory: string, trusted: boolean, naming?: table }
---@param known? moontide.Known  what needs not be built
---@return (moontide.Operation|moontide.Repeated)[]
---@return moontide.Rename[]
function model.load(path, config, known)
  local text, problem = require("moontide.runtime.sys").read(path)
  if not text then fault.raise("config", ('could not read the models "%s": %s'):format(path, problem)) end
  require "moontide.op"
  local list, renames = {}, {}
  local visible = { model = collector(list, renames, config.naming, known), sql = value.sql, null = value.null,
    array = value.array, json = value.json, bytea = value.bytea }
  local scope = require("moontide.environment").open({ directory = path:match("^(.*)/[^/]*$") or ".", kind = "config",
    trusted = config.trusted }, visible)
  scope:run(path, text, scope:fresh())
  return list, renames
end

local function without(o, ...)
  local copy = {}
  for key, field in pairs(o) do copy[key] = field end
  for _, key in ipairs { ... } do copy[key] = nil end
  return copy
end

local function call(o, ...)
  local built = operation.build(...)
  built.where = o.where
  return built
end

local reference_options = { "on_delete", "on_update", "match", "on_delete_columns", "deferrable", "initially" }

local function reference_key(o, c)
  local reference, options = c.references, { schema = o.schema, referent_schema = c.references.schema }
  for _, name in ipairs(reference_options) do options[name] = reference[name] end
  return call(o, "create_foreign_key", reference.name, o.name, reference.table, { c.name },
    reference.column and { reference.column }, options)
end

local function item_key(o, key)
  local options = { schema = o.schema, referent_schema = key.referent_schema }
  for _, name in ipairs(reference_options) do options[name] = key[name] end
  return call(o, "create_foreign_key", key.name, o.name, key.referent, key.columns, key.referenced, options)
end

-- Foreign keys may refer to tables that are declared later.
local function split_table(o, later)
  local columns = {}
  for i, c in ipairs(o.columns) do
    columns[i] = c.references and without(c, "references") or c
    if c.references then later[#later + 1] = reference_key(o, c) end
  end
  for _, key in ipairs(o.foreign_keys or {}) do later[#later + 1] = item_key(o, key) end
  local bare = without(o, "foreign_keys")
  bare.columns = columns
  return bare
end

-- A sequence may be declared before the table whose column owns it.
local function split_sequence(o, later)
  if o.owned_by == nil or value.kind(o.owned_by) == "null" then return o end
  later[#later + 1] = call(o, "alter_sequence", o.name, { schema = o.schema, owned_by = o.owned_by })
  return without(o, "owned_by")
end

local splitters = { create_table = split_table, create_sequence = split_sequence }

--- Declarations as operations that can be run one after the other.
---@param list moontide.Operation[]
---@return moontide.Operation[]
function model.operations(list)
  local now, later, at_end = {}, {}, {}
  for _, o in ipairs(list) do
    local split = splitters[o.kind]
    if o.kind == "create_foreign_key" then at_end[#at_end + 1] = o
    else now[#now + 1] = split and split(o, later) or o end
  end
  table.move(later, 1, #later, #now + 1, now)
  return table.move(at_end, 1, #at_end, #now + 1, now)
end

return model
