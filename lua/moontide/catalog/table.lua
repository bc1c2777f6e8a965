--- One table as the catalog has it: the body that creates it, and as calls of
--- operations, { name, argument, ... }, what comes before and after. Everything is
--- read in one query, with names that mean the same under any search path.

local attached = require "moontide.catalog.attached"
local column = require "moontide.catalog.column"
local constraint = require "moontide.catalog.constraint"
local index = require "moontide.catalog.index"
local default_name = require "moontide.object.name"
local lookup = require "moontide.object.lookup"
local quote = require "moontide.sql.quote"
local relation = require "moontide.catalog.relation"

---@class moontide.CatalogTable
---@field row table                     of the relation
---@field columns table[]               rows
---@field constraints table[]           rows
---@field indexes table[]               rows
---@field by_oid table<string, table>   rows of the indexes
---@field attached table[]              rows

local catalog = {}

local function list(query) return ("(SELECT json_agg(row_to_json(q)) FROM (%s) q)"):format(query:format("= w.oid")) end

local describe = ("SELECT %s AS relations, %s AS columns, %s AS constraints, %s AS indexes, %s AS attached"):format(
  list(relation.query), list(column.query), list(constraint.query), list(index.query_with_uses), list(attached.query))

--- SQL that answers the oid of a relation.
---@param schema string?
---@param name string
---@return string
function catalog.oid(schema, name)
  return ("to_regclass(%s)"):format(quote.reference(schema, name))
end

--- Everything about a table; nil when there is none.
---@param query fun(sql: string): table
---@param oid string  SQL
---@return moontide.CatalogTable?
function catalog.read(query, oid)
  local found = lookup.row(query, oid, describe)
  if not found or not found.relations then return nil end
  local indexes, by_oid = found.indexes or {}, {}
  for _, row in ipairs(indexes) do by_oid[row.oid] = row end
  return {
    row = found.relations[1], columns = found.columns or {}, constraints = found.constraints or {}, indexes = indexes,
    by_oid = by_oid, attached = found.attached or {},
  }
end

catalog.item, catalog.storage, catalog.compression = column.item, column.storage, column.compression

--- The row of a column.
---@param t moontide.CatalogTable
---@param name string
---@return table?
function catalog.column(t, name)
  for _, row in ipairs(t.columns) do
    if row.name == name then return row end
  end
end

local lists = { unique = "unique", check = "checks", foreign_key = "foreign_keys", exclude = "excludes" }

-- What a body cannot say, is said as it is.
local function definition_call(t, row)
  return { "execute", ("ALTER TABLE %s ADD CONSTRAINT %s %s"):format(quote.qualified(t.row.schema, t.row.name),
    quote.ident(row.name), row.definition) }
end

local positions = {
  primary_key = { "create_primary_key" }, unique = { "create_unique_constraint" },
  exclude = { "create_exclude_constraint" }, check = { "create_check_constraint" },
  foreign_key = { "create_foreign_key" },
}

-- The parts of an item: what is in the list, and the named options.
local function split(item)
  local first, options = {}, {}
  for key, field in pairs(item) do
    if math.type(key) == "integer" then first[key] = field else options[key] = field end
  end
  options.name = nil
  return first, options
end

--- The call of the operation that adds a constraint to a table that is there.
---@param t moontide.CatalogTable
---@param row table
---@return table
function catalog.constraint_call(t, row)
  if not constraint.is_plain(row) then return definition_call(t, row) end
  local kind, item = constraint.item(row, t.by_oid)
  local first, options = split(item)
  options.schema, options.not_valid = t.row.schema, not row.validated or nil
  local call = { positions[kind][1], row.name, t.row.name }
  if kind == "foreign_key" then return table.move({ first[2], first[1], first[3], options }, 1, 4, 4, call) end
  return table.move({ kind == "check" and first[1] or first, options }, 1, 2, 4, call)
end

--- The call of the operation that creates an index.
---@param t moontide.CatalogTable
---@param row table
---@return table
function catalog.index_call(t, row)
  local first, options = split(index.item(row))
  options.schema = t.row.schema
  return { "create_index", row.name, t.row.name, first, options }
end

-- Constraints of a parent are its own affair, except that a check must be there to attach a partition.
local function is_own(t, row)
  if row.is_inherited then return false end
  return row.is_local or (t.row.bound ~= nil and (row.type == "c" or row.type == "n"))
end

-- NOT NULL comes with its column; only its name may be another than the server's choice.
local function add_not_null_name(t, row, after)
  local name = default_name.make(t.row.name, row.columns[1], "not_null")
  if name == row.name then return end
  after[#after + 1] = { "rename_constraint", t.row.name, name, row.name, { schema = t.row.schema } }
end

local function add_constraint(t, row, body, after)
  if row.type == "n" then return add_not_null_name(t, row, after) end
  if not constraint.is_plain(row) or not row.validated then
    after[#after + 1] = catalog.constraint_call(t, row)
    return
  end
  local kind, item = constraint.item(row, t.by_oid)
  if kind == "primary_key" then body.primary_key = item return end
  local name = lists[kind]
  body[name] = body[name] or {}
  table.insert(body[name], item)
end

local function is_own_index(row)
  return not row.of_constraint and not row.is_inherited
end

-- Attached statements about one thing of the table, such as its comment.
local function about(t, rank, place, after)
  for _, row in ipairs(t.attached) do
    if row.rank == rank and row.place == place then after[#after + 1] = { "execute", row.statement } end
  end
  return after
end

--- What brings back a constraint that was dropped.
---@param t moontide.CatalogTable
---@param row table
---@return table[] calls
function catalog.restore_constraint(t, row)
  local after = about(t, attached.constraint_comment, row.name, { catalog.constraint_call(t, row) })
  return about(t, attached.index_comment, row.name, after)
end

--- What brings back an index that was dropped; nil when there is none of this name.
---@param query fun(sql: string): table
---@param schema string?
---@param name string
---@return table[]? calls
function catalog.read_index(query, schema, name)
  local oid = catalog.oid(schema, name)
  local t = catalog.read(query, ("(SELECT indrelid FROM pg_index WHERE indexrelid = %s)"):format(oid))
  if not t then return nil end
  local found = query(("SELECT %s::oid::bigint::text AS oid"):format(oid))[1].oid
  local row = t.by_oid[found]
  return about(t, attached.index_comment, row.name, { catalog.index_call(t, row) })
end

--- The body of a table, and the calls that belong behind it.
---@param t moontide.CatalogTable
---@return table body
---@return table[] after
function catalog.body(t)
  local body, after = relation.complete(t.row, {}), {}
  for _, row in ipairs(t.columns) do
    if row.is_local or t.row.bound then body[#body + 1] = column.item(row) end
  end
  for _, row in ipairs(t.constraints) do
    if is_own(t, row) then add_constraint(t, row, body, after) end
  end
  for _, row in ipairs(t.indexes) do
    if is_own_index(row) then
      body.indexes = body.indexes or {}
      table.insert(body.indexes, index.item(row))
    end
  end
  return body, after
end

-- Rank 0: sequences, which the defaults of columns call.
local function append_attached(t, before, after, wanted)
  for _, row in ipairs(t.attached) do
    if wanted(row) then
      local calls = row.rank == 0 and before or after
      calls[#calls + 1] = { "execute", row.statement }
    end
  end
end

local function attach_call(t)
  local parent = t.row.parents[1]
  return { "attach_partition", t.row.name, parent.table,
    { schema = t.row.schema, parent_schema = parent.schema, bound = t.row.bound } }
end

local function all() return true end

--- What creates a table and everything on it again.
---@param query fun(sql: string): table  for the partitions of a partitioned table, which go with it
---@param t moontide.CatalogTable
---@return { body: table, before: table[], after: table[] }
function catalog.whole(query, t)
  local before, body, after = {}, catalog.body(t)
  append_attached(t, before, after, all)
  if t.row.bound then after[#after + 1] = attach_call(t) end
  for _, oid in ipairs(t.row.partitions or {}) do
    local child = assert(catalog.read(query, oid))
    local part = catalog.whole(query, child)
    part.body.schema = child.row.schema
    table.move(part.before, 1, #part.before, #before + 1, before)
    after[#after + 1] = { "create_table", child.row.name, part.body }
    table.move(part.after, 1, #part.after, #after + 1, after)
  end
  return { body = body, before = before, after = after }
end

local function includes(names, name)
  for _, other in ipairs(names or {}) do
    if other == name then return true end
  end
  return false
end

local function add_to_column(t, row, after)
  if row.type == "n" then return add_not_null_name(t, row, after) end
  after[#after + 1] = catalog.constraint_call(t, row)
end

--- What goes with a column when it is dropped: constraints, indexes, statistics, privileges and comments.
---@param t moontide.CatalogTable
---@param name string
---@return { item: table, before: table[], after: table[] }?
function catalog.column_whole(t, name)
  local found = catalog.column(t, name)
  if not found then return nil end
  local before, after = {}, {}
  for _, row in ipairs(t.constraints) do
    if is_own(t, row) and includes(row.columns, name) then add_to_column(t, row, after) end
  end
  for _, row in ipairs(t.indexes) do
    if is_own_index(row) and includes(row.uses, name) then after[#after + 1] = catalog.index_call(t, row) end
  end
  append_attached(t, before, after, function(row) return includes(row.columns, name) end)
  return { item = column.item(found), before = before, after = after }
end

return catalog
