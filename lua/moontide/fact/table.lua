--- Tables with their constraints and indexes, and the indexes of materialized views.

local catalog = require "moontide.catalog.table"
local column = require "moontide.catalog.column"
local constraint = require "moontide.catalog.constraint"
local index = require "moontide.catalog.index"
local relation = require "moontide.catalog.relation"
local source = require "moontide.source"
local value = require "moontide.value"

local kind = {}

local of_kinds = [[IN (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN (%s) AND {relations} AND {free pg_class c.oid})]]
local tables, with_indexes = of_kinds:format("'r', 'p'"), of_kinds:format("'r', 'p', 'm'")

kind.queries = {
  relations = relation.query:format(tables), columns = column.query:format(tables),
  constraints = constraint.query:format(tables .. " AND k.contype <> 'n'"), indexes = index.query:format(with_indexes),
}
kind.documents = {
  relations = { "key_columns", "parents", "partitions", "options", "toast_options" },
  columns = { "options", "sequence", "uses" },
  constraints = { "columns", "referenced", "on_delete_columns", "operators" },
  indexes = { "options", "include", "elements" },
}

local function key_of(schema, name) return ("table %s.%s"):format(schema, name) end

-- The rows by relation, as the reader of one table has them.
local function gather(rows)
  local all, by_oid = {}, {}
  for _, row in ipairs(rows.relations) do
    local t = { row = row, columns = {}, constraints = {}, indexes = {}, by_oid = {}, attached = {} }
    all[#all + 1], by_oid[row.relation] = t, t
  end
  for _, list in ipairs { "columns", "constraints", "indexes" } do
    for _, row in ipairs(rows[list]) do
      local t = by_oid[row.relation]
      if t then table.insert(t[list], row) end
      if t and list == "indexes" then t.by_oid[row.oid] = row end
    end
  end
  return all, by_oid
end

local function partition_call(t)
  local body, parent = relation.complete(t.row, {}), t.row.parents[1]
  body.schema, body.parent_schema, body.bound = t.row.schema, parent.schema, t.row.bound
  return { "create_partition", t.row.name, parent.table, body }
end

-- A column of a parent may be something else in the child, for which there are no words yet.
local ignored = { identity = true }

local function same_column(own, inherited)
  local a, b = column.item(own), column.item(inherited)
  for key in pairs(ignored) do a[key], b[key] = nil, nil end
  a.nullable, b.nullable = own.not_null or nil, inherited.not_null or nil
  return source.value(a) == source.value(b)
end

-- A column that is the same in a parent is the parent's affair.
local function is_own_column(t, row)
  if not row.is_local then return false end
  return not row.has_parent or not t.above[row.name] or not same_column(row, t.above[row.name])
end

local function create_call(t)
  local body = relation.complete(t.row, { schema = t.row.schema })
  for _, row in ipairs(t.columns) do
    if is_own_column(t, row) then body[#body + 1] = column.item(row) end
  end
  return { "create_table", t.row.name, body }
end

-- A column as it is when the table is no partition any more.
local function alone_item(t, row)
  local item = column.item(row)
  if t.row.bound and item.identity then item.identity, item.nullable = nil, false end
  return item
end

-- What the table is without its parents.
local function alone_call(t)
  local body = relation.complete(t.row, { schema = t.row.schema })
  body.inherits = nil
  for i, row in ipairs(t.columns) do body[i] = alone_item(t, row) end
  return { "create_table", t.row.name, body }
end

local function drop_call(t)
  if not t.row.bound then return { "drop_table", t.row.name, { schema = t.row.schema } } end
  local parent = t.row.parents[1]
  return { "drop_partition", t.row.name, parent.table, { schema = t.row.schema, parent_schema = parent.schema } }
end

-- What a constraint or an index is in the body of its table; nil where only a call can say it.
local lists = { unique = "unique", check = "checks", foreign_key = "foreign_keys", exclude = "excludes",
  primary_key = "primary_key" }

local function single(list) return #list == 1 and list[1] or list end

local function constraint_item(t, row)
  if not row.validated or t.row.bound then return nil end
  local name, item = constraint.item(row, t.by_oid)
  if name == "foreign_key" then item[1], item[3] = single(item[1]), single(item[3]) end
  return { list = lists[name], item = item }
end

-- The index of a constraint may have a comment of its own.
local function add_index_comment(set, fact, row)
  if not row or not row.comment or fact.kind == "foreign key" then return end
  local place, key = { schema = row.schema }, ("comment index %s.%s"):format(row.schema, row.name)
  set:add { key = key, kind = "comment", parent = fact.key, call = { "comment", "index", row.name, row.comment, place },
    drop = { "comment", "index", row.name, value.null, place } }
  set:depend(key, fact.key)
end

local function name_of(t, row) return ("%s.%s.%s"):format(t.row.schema, t.row.name, row.name) end

local function constraint_fact(t, row)
  return {
    key = "constraint " .. name_of(t, row), kind = row.type == "f" and "foreign key" or "constraint",
    oid = "pg_constraint:" .. row.oid,
    parent = key_of(t.row.schema, t.row.name), call = catalog.constraint_call(t, row), item = constraint_item(t, row),
    drop = { "drop_constraint", row.name, t.row.name, { schema = t.row.schema } },
  }
end

local function add_constraint(set, t, row)
  if row.type == "n" then return end
  if not constraint.is_plain(row) then
    set.unmodelled[#set.unmodelled + 1] = { kind = "constraint", name = name_of(t, row) }
    return
  end
  if row.is_inherited or row.has_parent or not row.is_local then return end
  local place = { table = t.row.name, schema = t.row.schema }
  local fact = set:add(constraint_fact(t, row))
  set:depend(fact.key, fact.parent)
  set:comment(fact, row.comment, "constraint", row.name, place)
  add_index_comment(set, fact, t.by_oid[row.index])
  if row.type ~= "f" and row.type ~= "c" then set.by_oid["pg_class:" .. row.index] = fact end
end

local function index_fact(parent, t, row)
  return {
    key = ("index %s.%s"):format(row.schema, row.name), kind = "index", oid = "pg_class:" .. row.oid, parent = parent,
    call = catalog.index_call(t, row), item = not t.row.bound and { list = "indexes", item = index.item(row) } or nil,
    drop = { "drop_index", row.name, { schema = row.schema, table = row.table } },
  }
end

local function add_index(set, parent, t, row)
  if row.of_constraint or row.is_inherited then return end
  local fact = set:add(index_fact(parent, t, row))
  set:depend(fact.key, parent)
  set:comment(fact, row.comment, "index", row.name, { schema = row.schema })
end

local function check_inherited(set, t)
  for _, row in ipairs(t.columns) do
    local above = t.above[row.name]
    if above and (t.row.bound or not row.is_local) and not same_column(row, above) then
      set.unmodelled[#set.unmodelled + 1] = { kind = "column different from its parent's", name = name_of(t, row) }
    end
  end
end

-- What a table has from its parents, which becomes its own without them.
local function inherited_parts(t, key)
  local list = {}
  for _, row in ipairs(t.indexes) do
    if row.is_inherited and not row.of_constraint then list[#list + 1] = index_fact(key, t, row) end
  end
  for _, row in ipairs(t.constraints) do
    local is_of_parent = row.of_parent or not row.is_inherited and row.has_parent
    if is_of_parent and row.type ~= "n" and constraint.is_plain(row) then
      list[#list + 1] = constraint_fact(t, row)
    end
  end
  return list
end

-- How the table is when it stands alone, and what its parents are: asked for where they change.
local function describe_alone(fact, t)
  fact.parents, fact.bound = t.row.parents, t.row.bound
  fact.alone = function() return alone_call(t), inherited_parts(t, fact.key) end
end

local function columns_above(t, by_name)
  local above = {}
  for _, parent in ipairs(t.row.parents or {}) do
    local found = by_name[key_of(parent.schema, parent.table)]
    for _, row in ipairs(found and found.columns or {}) do above[row.name] = above[row.name] or row end
  end
  return above
end

local function add_table(set, t, by_name)
  t.above = columns_above(t, by_name)
  local fact = set:add {
    key = key_of(t.row.schema, t.row.name), kind = "table", oid = "pg_class:" .. t.row.relation,
    call = t.row.bound and partition_call(t) or create_call(t), drop = drop_call(t), rows = t.columns,
    key_columns = t.row.key_columns, casts = set.casts,
  }
  for _, parent in ipairs(t.row.parents or {}) do
    local key = key_of(parent.schema, parent.table)
    set:depend(fact.key, key)
    if t.row.bound then fact.parent = key end
  end
  if t.row.parents then
    describe_alone(fact, t)
    check_inherited(set, t)
  end
end

-- The indexes of materialized views: their relation is a fact of another kind.
local function add_view_index(set, row)
  local t = { row = { schema = row.schema, name = row.table }, by_oid = { [row.oid] = row } }
  add_index(set, ("materialized view %s.%s"):format(row.schema, row.table), t, row)
  set.by_key[("index %s.%s"):format(row.schema, row.name)].item = nil
end

--- Add what the rows say.
---@param set moontide.FactSet
---@param rows table<string, table[]>
function kind.add(set, rows)
  local all, by_oid = gather(rows)
  local by_name = {}
  for _, t in ipairs(all) do by_name[key_of(t.row.schema, t.row.name)] = t end
  for _, t in ipairs(all) do add_table(set, t, by_name) end
  for _, t in ipairs(all) do
    for _, row in ipairs(t.indexes) do add_index(set, key_of(t.row.schema, t.row.name), t, row) end
    for _, row in ipairs(t.constraints) do add_constraint(set, t, row) end
  end
  for _, row in ipairs(rows.indexes) do
    if not by_oid[row.relation] then add_view_index(set, row) end
  end
end

return kind
