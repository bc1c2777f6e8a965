--- The end of a chunk that may not cross a boundary: the boundary is what a query answers, one
--- value for each of the first few columns of the key. Within it a chunk has as many rows as any
--- other; it never goes behind the end of its range, and always goes on. Pure: it makes statements.

local key = require "moontide.backfill.key"

local boundary = {}

local function names_of(leaf, alias)
  local list = {}
  for index = 1, leaf.own do list[index] = alias .. index end
  return list
end

local function each(list, form, between)
  local parts = {}
  for index, name in ipairs(list) do parts[index] = form:format(name) end
  return table.concat(parts, between)
end

-- What a query answers, in the types of the key.
local function typed(leaf, sql)
  local names, casts = names_of(leaf, "b"), {}
  for index, name in ipairs(names) do casts[index] = ("%s::%s AS %s"):format(name, leaf.key[index].type, name) end
  return ("SELECT %s FROM (\n%s\n) s(%s)"):format(table.concat(casts, ", "), sql, table.concat(names, ", "))
end

local function as_json(names) return ("to_json(ARRAY[%s])::text"):format(each(names, "%s::text", ", ")) end

local function exists(leaf, condition)
  return ("EXISTS (SELECT FROM ONLY %s t WHERE %s)"):format(leaf.name, condition)
end

-- The last row of a full chunk: within the boundary, or where there is none, behind all that is done.
local function full(leaf, rest, within, missing, n)
  return ("SELECT key FROM ((%s) UNION ALL (%s)) u LIMIT 1"):format(key.nth(leaf, rest .. " AND " .. within, n),
    key.nth(leaf, ("%s AND (%s)"):format(rest, missing), n))
end

--- The query for the end of a chunk of at most n rows. Its row says `key`, the end, or NULL where that is the end of
--- the range; `rows`, so many are in the chunk, or NULL where that is not known; `boundary`; and whether the boundary
--- is `stuck`: not behind the first row that is left.
---@param leaf moontide.BackfillLeaf
---@param after string[]?
---@param upto string[]?
---@param n integer
---@param sql string   the query for the boundary
---@return string
function boundary.probe(leaf, after, upto, n, sql)
  local names, rest = names_of(leaf, "b.b"), key.rest(leaf, after, upto)
  local within, missing = key.upto(leaf.key, "t", names), each(names, "%s IS NULL", " OR ")
  local inside = upto and key.before(leaf.key, names, upto) or "true"
  return ("WITH b AS MATERIALIZED (%s LIMIT 2)\nSELECT %s AS boundary, "
    .. "CASE WHEN f.key IS NOT NULL THEN f.key WHEN %s THEN NULL WHEN %s THEN %s END AS key, "
    .. "CASE WHEN f.key IS NOT NULL THEN %d WHEN %s THEN NULL "
    .. "ELSE (SELECT count(*) FROM ONLY %s t WHERE %s AND %s) END AS rows, "
    .. "CASE WHEN f.key IS NOT NULL OR %s THEN false WHEN %s THEN false ELSE %s END AS stuck\n"
    .. "FROM (VALUES (1)) o(one) LEFT JOIN b ON true LEFT JOIN LATERAL (%s) f ON true"):format(
    typed(leaf, sql), as_json(names), missing, inside, as_json(names), n, missing, leaf.name, rest, within,
    missing, exists(leaf, rest .. " AND " .. within), exists(leaf, rest),
    full(leaf, rest, within, missing, n))
end

--- The query for boundaries before the last key, in their order, of what a query answers.
---@param leaf moontide.BackfillLeaf
---@param last string[]
---@param sql string
---@return string
function boundary.splits(leaf, last, sql)
  local names = names_of(leaf, "b")
  return ("SELECT %s AS key FROM (SELECT DISTINCT * FROM (%s) s WHERE %s) d ORDER BY %s"):format(as_json(names),
    typed(leaf, sql), key.before(leaf.key, names, last),
    each(names, leaf.key.descending and "%s DESC" or "%s", ", "))
end

return boundary
