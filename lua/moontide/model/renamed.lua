--- What declarations say of earlier names: `renamed_from` in the options of an object, in a
--- column, in an attribute, and in { label, renamed_from = } of an enum. It is for comparisons
--- alone, so it is taken away before an operation is built.

local caller = require "moontide.caller"
local fault = require "moontide.fault"
local value = require "moontide.value"

---@class moontide.Rename
---@field kind string     "table", "column", "label", "attribute", "enum" ...
---@field name string     as it is called now
---@field from string     as it was called
---@field schema string   of the object, or of the one that it is a part of
---@field of? string      the object that it is a part of
---@field where? string

local renamed = {}

-- What can be renamed, and what its kind is called among facts.
local objects = {
  schema = "schema", table = "table", partition = "table", view = "view", materialized_view = "materialized view",
  sequence = "sequence", enum = "enum", domain = "domain", type = "type", range_type = "range type",
}
local attached = { trigger = "trigger", rule = "rule", policy = "policy" }

local function is_table(given) return value.kind(given) == "table" end

local function checked(name, from)
  if type(from) ~= "string" or from == "" then
    fault.raise("config", ('renamed_from of "%s" must be the earlier name'):format(tostring(name)),
      { where = caller.where() })
  end
  return from
end

-- The table without renamed_from, and what that was.
local function split(given)
  local copy = {}
  for key, field in pairs(given) do copy[key] = field end
  local from = copy.renamed_from
  copy.renamed_from = nil
  return copy, from
end

local function add(list, kind, name, from, schema, of)
  list[#list + 1] = { kind = kind, name = name, from = checked(name, from), schema = schema, of = of,
    where = caller.where() }
end

-- Parts of a list: columns, attributes, labels.
local function split_parts(list, given, kind, schema, of)
  for i, part in ipairs(given) do
    if is_table(part) and part.renamed_from ~= nil then
      local copy, from = split(part)
      add(list, kind, copy[1], from, schema, of)
      given[i] = kind == "label" and not next(copy, 1) and copy[1] or copy
    end
  end
end

local parts = { table = { 2, "column" }, type = { 2, "attribute" }, enum = { 2, "label" } }

local function last_table(arguments)
  local last = arguments[arguments.n]
  return is_table(last) and last or nil
end

--- Whether what is declared may have an earlier name.
---@param name string  as behind `model.`
---@return boolean
function renamed.has(name) return (objects[name] or attached[name]) ~= nil end

--- Take `renamed_from` out of the arguments of a declaration.
---@param name string          as behind `model.`
---@param arguments table      packed; what it holds is not changed
---@param list moontide.Rename[]  where to add what was found
---@return table arguments
function renamed.take(name, arguments, list)
  local last, place = last_table(arguments), parts[name]
  local kind = objects[name] or attached[name]
  if not last or not kind then return arguments end
  local taken, options, from = table.move(arguments, 1, arguments.n, 1, { n = arguments.n }), split(last)
  local schema = options.schema or "public"
  if from ~= nil then
    add(list, kind, arguments[1], from, schema, attached[name] and arguments[2])
    taken[taken.n] = options
  end
  if place and is_table(taken[place[1]]) then
    taken[place[1]] = split(taken[place[1]])
    split_parts(list, taken[place[1]], place[2], schema, arguments[1])
  end
  return taken
end

return renamed
