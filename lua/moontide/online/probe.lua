--- Questions to the catalog about what an online operation has made already, as SQL
--- that answers one boolean, `done`.

local quote = require "moontide.sql.quote"

local probe = {}

local function relation(schema, name)
  return ("to_regclass(%s)"):format(quote.literal(quote.qualified(schema, name)))
end

probe.relation = relation

--- The column is NOT NULL, and that was checked.
---@return string condition
function probe.not_null(schema, name, column)
  return ("EXISTS (SELECT FROM pg_attribute WHERE attrelid = %s AND attname = %s AND attnotnull)")
    :format(relation(schema, name), quote.literal(column))
end

--- The table has a constraint of this name.
---@param more? string  a condition on its row
---@return string condition
function probe.constraint(schema, name, constraint, more)
  return ("EXISTS (SELECT FROM pg_constraint WHERE conrelid = %s AND conname = %s%s)")
    :format(relation(schema, name), quote.literal(constraint), more and " AND " .. more or "")
end

--- The column has a NOT NULL constraint, as they are from PostgreSQL 18 on.
---@param valid boolean  and its rows were checked
---@return string condition
function probe.not_null_constraint(schema, name, column, valid)
  return ("EXISTS (SELECT FROM pg_constraint WHERE conrelid = %s AND contype = 'n'%s AND conkey = ARRAY["
    .. "(SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = %s)])")
    :format(relation(schema, name), valid and " AND convalidated" or "", quote.literal(column))
end

--- The question whether all conditions hold.
---@return string sql
function probe.all(...) return "SELECT " .. table.concat({ ... }, " AND ") .. " AS done" end

--- The question whether one of the conditions holds.
---@return string sql
function probe.any(...) return "SELECT " .. table.concat({ ... }, " OR ") .. " AS done" end

return probe
