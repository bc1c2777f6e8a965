--- Objects of every kind as the catalog knows them: their comments and schemas.

local quote = require "moontide.sql.quote"

local address = {}

---@class moontide.CatalogAddress
---@field kind string       as in COMMENT ON, in lower case: "table", "constraint", "materialized view"
---@field name string
---@field schema? string
---@field table? string     whose column, constraint, trigger, rule or policy it is
---@field domain? string    whose constraint it is
---@field arguments? string[]  types

local function array(list)
  local quoted = {}
  for i, text in ipairs(list) do quoted[i] = quote.literal(text) end
  return ("ARRAY[%s]::text[]"):format(table.concat(quoted, ", "))
end

local function with_schema(target, ...)
  return target.schema and { target.schema, ... } or { ... }
end

local function by_type(name)
  return function(target) return "type", { quote.qualified(target.schema, target[name]) }, {} end
end

local function of_table(kind)
  return function(target) return kind, with_schema(target, target.table, target.name), {} end
end

-- The kind, the names and the arguments as pg_get_object_address() takes them, where they are not as in COMMENT ON.
local addresses = {
  type = by_type "name", domain = by_type "name", policy = of_table "policy", rule = of_table "rule",
  trigger = of_table "trigger", statistics = function(target)
    return "statistics object", with_schema(target, target.name), {}
  end,
  constraint = function(target)
    if not target.domain then return of_table "table constraint"(target) end
    return "domain constraint", { quote.qualified(target.schema, target.domain) }, { target.name }
  end,
}

local function place(target)
  local special = addresses[target.kind]
  if special then return special(target) end
  return target.kind, with_schema(target, target.name), target.arguments or {}
end

-- Columns of views and of foreign tables have kinds of their own there, but one catalog.
local column = [[(SELECT 'pg_class'::regclass AS classid, attrelid AS objid, attnum::int AS objsubid FROM pg_attribute
  WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped)]]

-- Without arguments it is the only one of its name.
local routine = [[(SELECT 'pg_proc'::regclass AS classid, to_regproc(%s)::oid AS objid, 0 AS objsubid)]]

local function object_of(target)
  if target.kind == "column" then
    return column:format(quote.reference(target.schema, target.table), quote.literal(target.name))
  end
  local is_routine = target.kind == "function" or target.kind == "procedure" or target.kind == "routine"
  if is_routine and not target.arguments then
    return routine:format(quote.reference(target.schema, target.name))
  end
  local kind, names, arguments = place(target)
  return ("pg_get_object_address(%s, %s, %s)"):format(quote.literal(kind), array(names), array(arguments))
end

--- What is kept of a comment before it changes: { existing = text }, or { absent = true }.
---@param query fun(sql: string): table
---@param target moontide.CatalogAddress
---@return { existing?: string, absent?: true }
function address.comment(query, target)
  local row = query(([[
SELECT coalesce(d.description, s.description) AS text FROM %s a
LEFT JOIN pg_description d ON d.classoid = a.classid AND d.objoid = a.objid AND d.objsubid = a.objsubid
LEFT JOIN pg_shdescription s ON s.classoid = a.classid AND s.objoid = a.objid]]):format(object_of(target)))[1]
  if row and row.text then return { existing = row.text } end
  return { absent = true }
end

--- The schema an object is in; nil where its kind has none.
---@param query fun(sql: string): table
---@param target moontide.CatalogAddress
---@return string?
function address.schema(query, target)
  local row = query(([[SELECT (pg_identify_object(a.classid, a.objid, 0)).schema AS name FROM %s a]])
    :format(object_of(target)))[1]
  return row and row.name
end

return address
