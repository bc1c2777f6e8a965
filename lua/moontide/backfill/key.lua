--- The order in which a backfill goes through a table, and the SQL of it. A key is a
--- list of columns { name =, type = }, perhaps descending; a bound is a list of texts, one
--- for each column or for the first few of them. Pure.

local quote = require "moontide.sql.quote"

---@class moontide.BackfillKey
---@field [integer] { name: string, type: string }
---@field descending? boolean

local key = {}

local function columns(of, alias, count)
  local list = {}
  for index = 1, count do list[index] = quote.ident(alias) .. "." .. quote.ident(of[index].name) end
  return list
end

local function row(list)
  return #list == 1 and list[1] or "(" .. table.concat(list, ", ") .. ")"
end

local function values(of, bound)
  local list = {}
  for index, text in ipairs(bound) do list[index] = ("%s::%s"):format(quote.literal(text), of[index].type) end
  return list
end

local opposite = { [">"] = "<", [">="] = "<=", ["<="] = ">=", ["<"] = ">" }

local function sign(of, operator) return of.descending and opposite[operator] or operator end

local function compared(of, alias, operator, bound)
  return ("%s %s %s"):format(row(columns(of, alias, #bound)), sign(of, operator), row(values(of, bound)))
end

--- The condition that rows lie behind one bound and not behind the other; nil is an open end.
--- Rows are compared whole, so that an index on the key bounds the scan at both ends.
---@param of moontide.BackfillKey
---@param alias string
---@param after string[]?
---@param upto string[]?
---@return string
function key.between(of, alias, after, upto)
  local parts = {}
  if after then parts[#parts + 1] = compared(of, alias, ">", after) end
  if upto then parts[#parts + 1] = compared(of, alias, "<=", upto) end
  return #parts > 0 and table.concat(parts, " AND ") or "true"
end

--- The condition that rows do not lie behind a bound that expressions are.
---@param of moontide.BackfillKey
---@param alias string
---@param expressions string[]
---@return string
function key.upto(of, alias, expressions)
  return ("%s %s %s"):format(row(columns(of, alias, #expressions)), sign(of, "<="), row(expressions))
end

--- The condition that a bound that expressions are lies before another, so that rows may lie between the two.
---@param of moontide.BackfillKey
---@param expressions string[]
---@param bound string[]
---@return string
function key.before(of, expressions, bound)
  local both = math.min(#expressions, #bound)
  local operator = #expressions > #bound and "<=" or "<"
  return ("%s %s %s"):format(row(table.move(expressions, 1, both, 1, {})), sign(of, operator),
    row(values(of, table.move(bound, 1, both, 1, {}))))
end

--- The condition that rows lie between two of them, inclusive.
---@param of moontide.BackfillKey
---@param alias string
---@param from string[]
---@param upto string[]
---@return string
function key.within(of, alias, from, upto)
  return compared(of, alias, ">=", from) .. " AND " .. compared(of, alias, "<=", upto)
end

--- The condition for the one row with a key.
---@param of moontide.BackfillKey
---@param alias string
---@param bound string[]
---@return string
function key.exact(of, alias, bound) return compared(of, alias, "=", bound) end

--- The columns of the key in their order, for ORDER BY.
---@param of moontide.BackfillKey
---@param alias string
---@param backwards? boolean
---@return string
function key.order(of, alias, backwards)
  local list = columns(of, alias, #of)
  local falls = (of.descending or false) ~= (backwards or false)
  for index, column in ipairs(list) do list[index] = falls and column .. " DESC" or column end
  return table.concat(list, ", ")
end

--- An expression for the key of a row as JSON text.
---@param of moontide.BackfillKey
---@param alias string
---@return string
function key.as_json(of, alias)
  local list = columns(of, alias, #of)
  for index, column in ipairs(list) do list[index] = column .. "::text" end
  return ("to_json(ARRAY[%s])::text"):format(table.concat(list, ", "))
end

--- The condition for the rows that have a place in the order.
---@param leaf moontide.BackfillLeaf
---@param alias string
---@return string
function key.only(leaf, alias)
  return leaf.only and " AND " .. leaf.only:gsub("%%s", (quote.ident(alias):gsub("%%", "%%%%"))) or ""
end

--- The condition for the rows between two bounds that have a place in the order, of the alias t.
---@param leaf moontide.BackfillLeaf
---@param after string[]?
---@param upto string[]?
---@return string
function key.rest(leaf, after, upto) return key.between(leaf.key, "t", after, upto) .. key.only(leaf, "t") end

--- The query for the key of the n-th row of those that match a condition.
---@param leaf { name: string, key: moontide.BackfillKey }
---@param condition string   of the alias t
---@param n integer
---@return string
function key.nth(leaf, condition, n)
  local names = {}
  for index, column in ipairs(leaf.key) do names[index] = "t." .. quote.ident(column.name) end
  return ("SELECT %s AS key FROM (SELECT %s FROM ONLY %s t WHERE %s ORDER BY %s OFFSET %d LIMIT 1) s"):format(
    key.as_json(leaf.key, "s"), table.concat(names, ", "), leaf.name, condition, key.order(leaf.key, "t"), n - 1)
end

--- The query for the key of the n-th row behind a bound: the end of a chunk. It
--- answers no row where fewer are left.
---@param leaf { name: string, key: moontide.BackfillKey }
---@param after string[]?
---@param upto string[]?
---@param n integer
---@return string
function key.probe(leaf, after, upto, n) return key.nth(leaf, key.rest(leaf, after, upto), n) end

--- The query for the last key of a table.
---@param leaf { name: string, key: moontide.BackfillKey }
---@return string
function key.last(leaf)
  return ("SELECT %s AS key FROM ONLY %s t WHERE true%s ORDER BY %s LIMIT 1"):format(key.as_json(leaf.key, "t"),
    leaf.name, key.only(leaf, "t"), key.order(leaf.key, "t", true))
end

return key
