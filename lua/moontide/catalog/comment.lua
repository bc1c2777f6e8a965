--- The comment of anything that can have one.

local quote = require "moontide.sql.quote"

local comment = {}

---@class moontide.CommentTarget
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

local function with_schema(target, name)
  return target.schema and { target.schema, name } or { name }
end

-- The kind, the names and the arguments as pg_get_object_address() takes them.
local function address(target)
  if target.domain then
    return "domain constraint", { quote.qualified(target.schema, target.domain) }, { target.name }
  end
  if target.kind == "type" or target.kind == "domain" then
    return "type", { quote.qualified(target.schema, target.name) }, {}
  end
  local names = with_schema(target, target.table or target.name)
  if target.table then names[#names + 1] = target.name end
  return target.table and target.kind == "constraint" and "table constraint" or target.kind, names,
    target.arguments or {}
end

-- Columns of views and foreign tables have kinds of their own there, and all have one catalog.
local function object_of(target)
  if target.kind ~= "column" then
    local kind, names, arguments = address(target)
    return ("pg_get_object_address(%s, %s, %s)"):format(quote.literal(kind), array(names), array(arguments))
  end
  return ([[(SELECT 'pg_class'::regclass AS classid, attrelid AS objid, attnum::int AS objsubid FROM pg_attribute
    WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped)]]):format(
    quote.literal(quote.qualified(target.schema, target.table)), quote.literal(target.name))
end

--- What is kept of a comment before it changes: { existing = text }, or { absent = true }.
---@param query fun(sql: string): table
---@param target moontide.CommentTarget
---@return { existing?: string, absent?: true }
function comment.capture(query, target)
  local row = query(([[
SELECT coalesce(d.description, s.description) AS text FROM %s a
LEFT JOIN pg_description d ON d.classoid = a.classid AND d.objoid = a.objid AND d.objsubid = a.objsubid
LEFT JOIN pg_shdescription s ON s.classoid = a.classid AND s.objoid = a.objid]]):format(object_of(target)))[1]
  if row and row.text then return { existing = row.text } end
  return { absent = true }
end

return comment
