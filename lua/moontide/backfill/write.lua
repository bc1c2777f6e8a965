--- The statement of a chunk in SQL: it changes the rows between two keys and moves the
--- checkpoint of their range, all at once. Pure.

local key = require "moontide.backfill.key"
local quote = require "moontide.sql.quote"
local sorted_keys = require "moontide.sorted_keys"
local value = require "moontide.value"

local write = {}

--- The assignments of an UPDATE.
---@param set table<string, any>
---@return string
function write.assignments(set)
  local list = {}
  for index, name in ipairs(sorted_keys(set)) do
    list[index] = quote.ident(name) .. " = " .. value.literal(set[name])
  end
  return table.concat(list, ", ")
end

--- The part of a table that a chunk is.
---@param spec table
---@param leaf table
---@param after string[]?
---@param upto string[]?
---@return string
function write.range(spec, leaf, after, upto)
  return leaf.range or key.between(leaf.key, spec.table, after, upto) .. key.only(leaf, spec.table)
end

--- The condition of a chunk: its keys, and what the user asks for.
---@param spec table   of the backfill
---@param leaf table
---@param after string[]?
---@param upto string[]?
---@return string
function write.condition(spec, leaf, after, upto)
  local range = write.range(spec, leaf, after, upto)
  return spec.condition and ("%s AND (%s)"):format(range, spec.condition) or range
end

--- What is answered for each changed row: whether it matches the condition still.
---@param spec table
---@return string
function write.still(spec)
  return spec.condition and ("coalesce((%s), false) AS still"):format(spec.condition) or "false AS still"
end

local function update(spec, leaf, condition)
  return ("UPDATE ONLY %s AS %s SET %s WHERE %s RETURNING %s"):format(leaf.name, quote.ident(spec.table),
    write.assignments(spec.set), condition, write.still(spec))
end

local function delete(spec, leaf, condition, returning)
  return ("DELETE FROM ONLY %s AS %s WHERE %s RETURNING %s"):format(leaf.name, quote.ident(spec.table), condition,
    returning)
end

local function columns(spec)
  if type(spec.columns) == "string" then return spec.columns end
  local list = {}
  for index, name in ipairs(spec.columns) do list[index] = quote.ident(name) end
  return table.concat(list, ", ")
end

-- What is archived is inserted by the statement that deletes it. The last part answers a row for each.
local function parts(spec, leaf, condition)
  if not spec.delete then return ("w AS (%s)"):format(update(spec, leaf, condition)) end
  if not spec.into then return ("w AS (%s)"):format(delete(spec, leaf, condition, "false AS still")) end
  local names = spec.columns and columns(spec) or "*"
  local into = quote.qualified(spec.into.schema, spec.into.table) .. (spec.columns and " (" .. names .. ")" or "")
  return ("gone AS (%s), w AS (INSERT INTO %s OVERRIDING SYSTEM VALUE SELECT %s FROM gone "
    .. "RETURNING false AS still)"):format(delete(spec, leaf, condition, "*"), into, names)
end

--- The statement that changes the rows of a chunk and moves the checkpoint. It answers the number of rows.
---@param spec table
---@param leaf table
---@param chunk { after: string[]?, upto: string[]? }
---@param checkpoint fun(changed: string, still: string): string, string  assignments and condition
---@param range_table string
---@return string
function write.chunk(spec, leaf, chunk, checkpoint, range_table)
  local assignments, condition = checkpoint("n.n", "n.still")
  local changing = parts(spec, leaf, write.condition(spec, leaf, chunk.after, chunk.upto))
  local still = spec.condition and "count(*) FILTER (WHERE still)" or "0"
  return ("WITH %s, n AS (SELECT count(*) AS n, %s AS still FROM w) "
    .. "UPDATE %s SET %s FROM n WHERE %s RETURNING n.n AS changed"):format(changing, still, range_table, assignments,
    condition)
end

--- The same change without a checkpoint; it answers the number of rows.
---@param spec table
---@param leaf table
---@param chunk { after: string[]?, upto: string[]? }
---@param answer? string  another expression to answer
---@return string
function write.plain(spec, leaf, chunk, answer)
  local changing = parts(spec, leaf, write.condition(spec, leaf, chunk.after, chunk.upto))
  return ("WITH %s SELECT %s FROM w"):format(changing, answer or "count(*) AS changed")
end

return write
