--- What the catalog says about the table of a backfill: the tables that hold its rows
--- (itself, or the leaves of its partitions), the key to go through each by, and the
--- triggers that will fire.

local order = require "moontide.backfill.order"
local quote = require "moontide.sql.quote"

local survey = {}

local refuse = order.refuse

-- The table and everything below it; those that hold rows. Declared partitions and inheritance are found alike.
local leaves_sql = [[
WITH RECURSIVE tree AS (
  SELECT %s::regclass::oid AS oid UNION SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid)
SELECT c.oid::bigint AS oid, format('%%I.%%I', n.nspname, c.relname) AS name, c.relkind::text AS relkind,
  c.reltuples::bigint AS reltuples, pg_relation_size(c.oid) AS bytes, pg_table_size(c.oid) AS full_bytes,
  pg_total_relation_size(c.oid) AS all_bytes
FROM tree JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind <> 'p' ORDER BY c.oid]]

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

local function check_set(o, leaf)
  local changed = {}
  for name in pairs(o.set or {}) do changed[name] = true end
  for _, name in ipairs(o.write or {}) do changed[name] = true end
  for _, way in ipairs(order.variants(leaf)) do
    for _, column in ipairs(way.key) do
      if changed[column.name] then
        refuse(o, ('the key column "%s" is changed'):format(column.name),
          { hint = "A row whose key changes could be met twice or never. Go by another key." })
      end
    end
  end
end

local function refuse_unknown(o, name, what, columns)
  local names = {}
  for known in pairs(columns) do names[#names + 1] = known end
  local near = require("moontide.suggest").nearest(name, names)
  refuse(o, ('the column "%s" of %s is not in the table'):format(name, what),
    { hint = near and ('Did you mean "%s"?'):format(near) or nil })
end

--- Check that the columns which a backfill names are there.
---@param o table
---@param columns table<string, table>
function survey.check_columns(o, columns)
  local named = { set = {}, read = o.read or {}, write = o.write or {} }
  for name in pairs(o.set or {}) do table.insert(named.set, name) end
  for _, what in ipairs { "set", "read", "write" } do
    for _, name in ipairs(named[what]) do
      if not columns[name] then refuse_unknown(o, name, what, columns) end
    end
  end
end

---@class moontide.BackfillLeaf
---@field oid integer
---@field name string   as SQL, with its schema
---@field key moontide.BackfillKey
---@field unique boolean        no two rows have the same key
---@field strategy string      the name of the way through its rows
---@field data? any            what the strategy has found out about it
---@field own? integer          how many columns of the key are those of a plugin's strategy
---@field only? string          the rows that have a place in the order; %s is the alias
---@field nulls? moontide.BackfillLeaf  the way to the others
---@field sweep? moontide.BackfillLeaf  the way to all
---@field rows integer  an estimate
---@field row_bytes number
---@field bytes integer   of the table and its indexes, when the backfill came to it

local absent = { ["42P01"] = true, ["3F000"] = true }

-- Rows of a table that was never analyzed, by its size.
local function estimate(row)
  if row.reltuples > 0 then return row.reltuples end
  return row.bytes // 100
end

-- That a table is not there needs no statement to be understood.
local function leaves_of(db, name)
  local ok, answer = pcall(db.exec, db, leaves_sql:format(name))
  if ok then return answer end
  if absent[answer.sqlstate] then answer.statement, answer.position = nil, nil end
  error(answer, 0)
end

--- The tables that hold the rows of a backfill, each with its key.
---@param db moontide.Db
---@param o table
---@return moontide.BackfillLeaf[]
function survey.leaves(db, o)
  local name = quote.literal(quote.qualified(o.schema, o.table))
  local list = {}
  for _, row in ipairs(leaves_of(db, name)) do
    if row.relkind ~= "r" then refuse(o, ("%s is not a table"):format(row.name)) end
    local rows = estimate(row)
    local leaf = { oid = row.oid, name = row.name, rows = rows, row_bytes = row.full_bytes / math.max(rows, 1),
      bytes = row.all_bytes }
    local columns = survey.columns(db, leaf.oid)
    survey.check_columns(o, columns)
    order.choose(db, o, leaf, columns)
    check_set(o, leaf)
    list[#list + 1] = leaf
  end
  return list
end

return survey
