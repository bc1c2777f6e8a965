--- The indexes of a table that a backfill can go by: complete ones of plain columns that are
--- never NULL, in one direction. The primary key comes first, then what is unique.

local cjson = require "cjson"

---@class moontide.BackfillIndex
---@field unique boolean
---@field key moontide.BackfillKey

local index = {}

local sql = [[
SELECT i.indisunique AND i.indimmediate AS is_unique, array_to_json(array(
  SELECT json_build_object('name', a.attname, 'type', format_type(a.atttypid, -1))
  FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE k.place <= i.indnkeyatts ORDER BY k.place))::text AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
WHERE i.indrelid = %d AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND m.amname = 'btree'
  AND NOT EXISTS (SELECT 1 FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE k.place <= i.indnkeyatts AND NOT a.attnotnull)
  AND NOT EXISTS (SELECT 1 FROM unnest(i.indoption::int2[]) o(bits) WHERE o.bits <> i.indoption[0])
ORDER BY i.indisprimary DESC, (i.indisunique AND i.indimmediate) DESC, i.indnkeyatts, c.relname]]

--- The indexes of a table.
---@param db moontide.Db
---@param leaf moontide.BackfillLeaf
---@return moontide.BackfillIndex[]
function index.list(db, leaf)
  local list = {}
  for number, row in ipairs(db:exec(sql:format(leaf.oid))) do
    list[number] = { unique = row.is_unique, key = cjson.decode(row.columns) }
  end
  return list
end

--- The columns of the best unique one, or nil.
---@param list moontide.BackfillIndex[]
---@return moontide.BackfillKey?
function index.unique(list) return list[1] and list[1].unique and list[1].key or nil end

local function has(key, name)
  for _, column in ipairs(key) do
    if column.name == name then return true end
  end
  return false
end

local function covers(key, unique)
  for _, column in ipairs(unique) do
    if not has(key, column.name) then return false end
  end
  return true
end

local function is_unique(list, key)
  for _, item in ipairs(list) do
    if item.unique and covers(key, item.key) then return true end
  end
  return false
end

--- Add the columns of a unique index to a key that is not unique by itself, where there is one.
---@param list moontide.BackfillIndex[]
---@param key moontide.BackfillKey
---@return boolean unique  whether no two rows have the same key now
function index.complete(list, key)
  if is_unique(list, key) then return true end
  local unique = index.unique(list)
  for _, column in ipairs(unique or {}) do
    if not has(key, column.name) then key[#key + 1] = column end
  end
  return unique ~= nil
end

return index
