--- What the catalog says about the table of a backfill: the tables that hold its rows
--- (itself, or the leaves of its partitions), the key to go through each by, and the
--- triggers that will fire.

local fault = require "moontide.fault"
local quote = require "moontide.sql.quote"

local survey = {}

local function refuse(o, message, more)
  more = more or {}
  more.where, more.operation = o.where, o.kind
  fault.raise("operation", ('backfill "%s": %s'):format(o.name, message), more)
end

-- The table and everything below it; those that hold rows. Declared partitions and inheritance are found alike.
local leaves_sql = [[
WITH RECURSIVE tree AS (
  SELECT %s::regclass::oid AS oid UNION SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid)
SELECT c.oid::bigint AS oid, format('%%I.%%I', n.nspname, c.relname) AS name, c.relkind::text AS relkind,
  c.reltuples::bigint AS reltuples, pg_relation_size(c.oid) AS bytes, pg_table_size(c.oid) AS full_bytes
FROM tree JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind <> 'p' ORDER BY c.oid]]

-- Indexes that give every row one place: unique, complete, plain columns that are never NULL. The primary key first.
local key_sql = [[
SELECT i.indexrelid::regclass::text AS index, array_to_json(array(
  SELECT json_build_object('name', a.attname, 'type', format_type(a.atttypid, -1))
  FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE k.place <= i.indnkeyatts ORDER BY k.place))::text AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
WHERE i.indrelid = %d AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
  AND i.indexprs IS NULL AND m.amname = 'btree'
  AND NOT EXISTS (SELECT 1 FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE k.place <= i.indnkeyatts AND NOT a.attnotnull)
  AND NOT EXISTS (SELECT 1 FROM unnest(i.indoption::int2[]) o(bits) WHERE o.bits <> i.indoption[0])
ORDER BY i.indisprimary DESC, i.indnkeyatts, c.relname LIMIT 1]]

local columns_sql = [[
SELECT attname AS name, format_type(atttypid, -1) AS type, atttypid::bigint AS oid, attnotnull AS required,
  attgenerated <> '' AS generated
FROM pg_attribute WHERE attrelid = %d AND attnum > 0 AND NOT attisdropped ORDER BY attnum]]

--- The columns of a table, by name and in their order.
---@param db moontide.Db
---@param oid integer
---@return table<string, { name: string, type: string, oid: integer, required: boolean, generated: boolean }>
---@return string[] names
function survey.columns(db, oid)
  local map, names = {}, {}
  for _, row in ipairs(db:exec(columns_sql:format(oid))) do
    map[row.name], names[#names + 1] = row, row.name
  end
  return map, names
end

local function given_key(db, o, leaf)
  local columns, found = survey.columns(db, leaf.oid), {}
  for index, name in ipairs(o.key) do
    local column = columns[name]
    if not column then refuse(o, ('the key column "%s" is not in the table'):format(name)) end
    if not column.required then
      refuse(o, ('the key column "%s" may be NULL'):format(name),
        { hint = "Rows with NULL in the key would be passed over; use NOT NULL columns." })
    end
    found[index] = { name = name, type = column.type }
  end
  return found
end

local function key_of(db, o, leaf)
  if o.key then return given_key(db, o, leaf) end
  local row = db:exec(key_sql:format(leaf.oid))[1]
  if row then return require("cjson").decode(row.columns) end
  refuse(o, ("table %s has no key to go through it by"):format(leaf.name), {
    detail = "a key is a primary key or a unique index of NOT NULL columns, without expression or condition",
    hint = "Name NOT NULL columns with a btree index: key = { \"created_at\", \"id\" }.",
  })
end

local function check_set(o, leaf)
  for _, column in ipairs(leaf.key) do
    if o.set and o.set[column.name] ~= nil then
      refuse(o, ('the key column "%s" is changed'):format(column.name),
        { hint = "A row whose key changes could be met twice or never. Go by another key." })
    end
  end
end

---@class moontide.BackfillLeaf
---@field oid integer
---@field name string   as SQL, with its schema
---@field key moontide.BackfillKey
---@field rows integer  an estimate
---@field row_bytes number

-- Rows of a table that was never analyzed, by its size.
local function estimate(row)
  if row.reltuples > 0 then return row.reltuples end
  return row.bytes // 100
end

--- The tables that hold the rows of a backfill, each with its key.
---@param db moontide.Db
---@param o table
---@return moontide.BackfillLeaf[]
function survey.leaves(db, o)
  local name = quote.literal(quote.qualified(o.schema, o.table))
  local list = {}
  for _, row in ipairs(db:exec(leaves_sql:format(name))) do
    if row.relkind ~= "r" then refuse(o, ("%s is not a table"):format(row.name)) end
    local rows = estimate(row)
    local leaf = { oid = row.oid, name = row.name, rows = rows, row_bytes = row.full_bytes / math.max(rows, 1) }
    leaf.key = key_of(db, o, leaf)
    check_set(o, leaf)
    list[#list + 1] = leaf
  end
  return list
end

return survey
