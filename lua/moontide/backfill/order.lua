--- How a backfill goes through a table: by the primary key, else a unique index, else
--- another index of NOT NULL columns, else, where the condition makes that safe, in the
--- order in which rows are stored.

local cjson = require "cjson"
local fault = require "moontide.fault"
local quote = require "moontide.sql.quote"
local report = require "moontide.report"

local order = {}

local function refuse(o, message, more)
  more = more or {}
  more.where, more.operation = o.where, o.kind
  fault.raise("operation", ('backfill "%s": %s'):format(o.name, message), more)
end

order.refuse = refuse

-- Plain columns that are never NULL, complete, in one direction. The primary key first, then what is unique.
local index_sql = [[
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

local function indexes(db, leaf)
  local list = {}
  for number, row in ipairs(db:exec(index_sql:format(leaf.oid))) do
    list[number] = { unique = row.is_unique, key = cjson.decode(row.columns) }
  end
  return list
end

local function unique_of(list) return list[1] and list[1].unique and list[1].key or nil end

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
  for _, index in ipairs(list) do
    if index.unique and covers(key, index.key) then return true end
  end
  return false
end

-- The order in which rows are stored. A row that is changed moves, and may be met again further on.
local function physical(db, o, leaf)
  if not (o.condition or o.delete) then
    refuse(o, ("table %s has no key to go through it by"):format(leaf.name), {
      detail = "a key is a primary key, or an index of NOT NULL columns without expression or condition",
      hint = "Name columns with an index: key = { \"created_at\" }. Without a key rows can only be changed in the "
        .. "order in which they are stored, which needs a `where` that a changed row does not match any more.",
    })
  end
  local row = db:exec(("SELECT current_setting('block_size')::integer AS bytes, "
    .. "pg_relation_size(%d) / current_setting('block_size')::integer AS blocks"):format(leaf.oid))[1]
  local density = math.max(1, leaf.rows // math.max(row.blocks, 1))
  return { { name = "ctid", type = "tid" } }, { density = density, slots = row.bytes // 28 }
end

-- A copy, since leaves are written down.
local function variant(leaf, name, key, stored, only)
  return { oid = leaf.oid, name = leaf.name, rows = leaf.rows, row_bytes = leaf.row_bytes, variant = name, key = key,
    physical = stored, only = only }
end

local function null_test(columns, test, between)
  local list = {}
  for index, name in ipairs(columns) do list[index] = ("%%s.%s IS %s"):format(quote.ident(name), test) end
  return "(" .. table.concat(list, between) .. ")"
end

-- Rows with NULL in the key have no place in its order: they are a part of their own, by another order.
local function part_nulls(db, o, leaf, nullable, unique)
  local key, stored = unique, nil
  if not (key or o.condition or o.delete) then
    refuse(o, ('the key column "%s" may be NULL'):format(nullable[1]), {
      detail = "rows with NULL have no place in the order of the key, and no unique index to go through them by",
      hint = "Use NOT NULL columns, or give a `where` that a changed row does not match any more.",
    })
  end
  if not key then key, stored = physical(db, o, leaf) end
  leaf.only = null_test(nullable, "NOT NULL", " AND ")
  leaf.nulls = variant(leaf, "nulls", key, stored, null_test(nullable, "NULL", " OR "))
  leaf.sweep = variant(leaf, "sweep", key, stored)
end

local function given(db, o, leaf, columns, list)
  local key, nullable = {}, {}
  for index, name in ipairs(o.key) do
    local column = columns[name]
    if not column then refuse(o, ('the key column "%s" is not in the table'):format(name)) end
    if not column.required then nullable[#nullable + 1] = name end
    key[index] = { name = name, type = column.type }
  end
  local unique = unique_of(list)
  leaf.key, leaf.unique = key, is_unique(list, key)
  if not leaf.unique and unique then
    leaf.unique = true
    for _, column in ipairs(unique) do
      if not has(key, column.name) then key[#key + 1] = column end
    end
  end
  if #nullable > 0 then part_nulls(db, o, leaf, nullable, unique) end
end

local skew_sql = [[
SELECT (most_common_freqs[1] * %d)::bigint AS rows FROM pg_stats s
WHERE format('%%I.%%I', s.schemaname, s.tablename) = %s AND s.attname = %s AND NOT s.inherited]]

-- About how many rows have the most frequent value of a key that is not unique: all of them are one chunk.
local function ties(db, leaf, key)
  if #key > 1 then return 0 end
  local row = db:exec(skew_sql:format(leaf.rows, quote.literal(leaf.name), quote.literal(key[1].name)))[1]
  return row and row.rows or 0
end

local function found(db, o, leaf, list)
  leaf.key, leaf.unique = unique_of(list), true
  if leaf.key then return end
  leaf.key, leaf.unique = list[1] and list[1].key, false
  local most = leaf.key and ties(db, leaf, leaf.key) or 0
  local many = most > 4 * o.max_rows
  if leaf.key and not many then return end
  if leaf.key and not (o.condition or o.delete) then
    local message = "backfill %s: about %d rows of %s have the same %s, which makes them one chunk"
    return report.warn(message:format(o.name, most, leaf.name, leaf.key[1].name),
      { hint = "A `where` that changed rows do not match lets them be divided." })
  end
  leaf.key, leaf.physical = physical(db, o, leaf)
end

--- Decide how to go through a table: its fields key, unique, physical, only, nulls and sweep.
---@param db moontide.Db
---@param o table
---@param leaf moontide.BackfillLeaf
---@param columns table<string, table>
function order.choose(db, o, leaf, columns)
  if o.order == "physical" then
    leaf.key, leaf.physical = physical(db, o, leaf)
    return
  end
  local list = indexes(db, leaf)
  if o.key then given(db, o, leaf, columns, list) else found(db, o, leaf, list) end
end

--- The ways through a table, for whoever has to know each.
---@param leaf moontide.BackfillLeaf
---@return moontide.BackfillLeaf[]
function order.variants(leaf)
  local list = { leaf }
  list[#list + 1] = leaf.nulls
  list[#list + 1] = leaf.sweep
  return list
end

--- The way through a table in a pass.
---@param leaf moontide.BackfillLeaf
---@param pass integer
---@return moontide.BackfillLeaf
function order.of_pass(leaf, pass)
  if pass == 1 then return leaf.nulls end
  return pass > 1 and leaf.sweep or leaf
end


return order
