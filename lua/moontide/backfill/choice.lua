--- A key of columns that somebody names: it is made unique where that can be, and rows with NULL
--- in it, which have no place in its order, are gone through by themselves.

local index = require "moontide.backfill.index"
local order = require "moontide.backfill.order"
local physical = require "moontide.backfill.strategy.physical"
local quote = require "moontide.sql.quote"

local choice = {}

local function null_test(columns, test, between)
  local list = {}
  for number, name in ipairs(columns) do list[number] = ("%%s.%s IS %s"):format(quote.ident(name), test) end
  return "(" .. table.concat(list, between) .. ")"
end

local function refuse_null(o, nullable)
  order.refuse(o, ('the key column "%s" may be NULL'):format(nullable[1]), {
    detail = "rows with NULL have no place in the order of the key, and no unique index to go through them by",
    hint = "Use NOT NULL columns, or give a `where` that a changed row does not match any more.",
  })
end

-- Another way through the same table; a copy, since leaves are written down.
local function variant(db, o, leaf, name, unique, only)
  local way = { oid = leaf.oid, name = leaf.name, rows = leaf.rows, row_bytes = leaf.row_bytes, variant = name,
    strategy = "key", key = unique, only = only }
  if not unique then physical.choose(db, o, way) end
  return way
end

-- Rows with NULL in the key are a part of their own, by another order, and so are sweeps.
local function part_nulls(db, o, leaf, nullable, unique)
  if not (unique or o.condition or o.delete) then refuse_null(o, nullable) end
  leaf.only = null_test(nullable, "NOT NULL", " AND ")
  leaf.nulls = variant(db, o, leaf, "nulls", unique, null_test(nullable, "NULL", " OR "))
  leaf.sweep = variant(db, o, leaf, "sweep", unique)
end

--- Go through a table by these columns.
---@param db moontide.Db
---@param o table
---@param leaf moontide.BackfillLeaf
---@param columns table<string, table>
---@param names string[]
function choice.take(db, o, leaf, columns, names)
  local key, nullable, list = {}, {}, index.list(db, leaf)
  for number, name in ipairs(names) do
    local column = columns[name]
    if not column then order.refuse(o, ('the key column "%s" is not in the table'):format(name)) end
    if not column.required then nullable[#nullable + 1] = name end
    key[number] = { name = name, type = column.type }
  end
  leaf.key, leaf.unique = key, index.complete(list, key)
  if #nullable > 0 then part_nulls(db, o, leaf, nullable, index.unique(list)) end
end

return choice
