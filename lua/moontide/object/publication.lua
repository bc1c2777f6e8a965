--- Publications of logical replication: which tables are published, and which changes of them.
---
--- `tables` is the whole list: names, { "orders", schema =, columns =, where = } and, for
--- every table of a schema, { all_in = "app" }.

local catalog = require "moontide.catalog.names"
local changing = require "moontide.object.changing"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lifecycle = require "moontide.object.lifecycle"
local lookup = require "moontide.object.lookup"
local owned = require "moontide.object.owned"
local quote = require "moontide.sql.quote"

local table_shape = { schema = check.name, columns = check.names, where = check.expression, only = check.flag,
  all_in = check.name }

local function read_table(given, what)
  if type(given) == "string" then given = { given } end
  local item = check.shape(check.table(given, what), what, table_shape, 1)
  if not item.all_in then
    item.name = check.name(given[1], what .. " name")
  elseif given[1] or item.schema or item.columns or item.where or item.only then
    check.refuse(what .. ": all_in stands by itself", 'Write { all_in = "app" } for all tables of the schema app.')
  end
  return item
end

local function write_table(item)
  local written = clause.pick(item, table_shape)
  if next(written) == nil then return item.name end
  written[1] = item.name
  return written
end

-- Schemas stand behind the tables.
local function tables_sql(list, without_details)
  local tables, schemas = {}, {}
  for _, item in ipairs(list) do
    if item.all_in then schemas[#schemas + 1] = "TABLES IN SCHEMA " .. quote.ident(item.all_in) else
      tables[#tables + 1] = clause.words(#tables == 0 and "TABLE", item.only and "ONLY",
        quote.qualified(item.schema, item.name),
        not without_details and item.columns and clause.columns(item.columns),
        not without_details and item.where and "WHERE (" .. item.where .. ")")
    end
  end
  return table.concat(table.move(schemas, 1, #schemas, #tables + 1, tables), ", ")
end

local parameters = { { "publish", "publish" }, { "via_root", "publish_via_partition_root" },
  { "generated", "publish_generated_columns" } }

local function setting(given)
  if type(given) == "table" then return quote.literal(table.concat(given, ", ")) end
  return type(given) == "string" and quote.literal(given) or tostring(given)
end

local function parameters_sql(o)
  local parts = {}
  for _, parameter in ipairs(parameters) do
    local given = o[parameter[1]]
    if given ~= nil then parts[#parts + 1] = parameter[2] .. " = " .. setting(given) end
  end
  return #parts > 0 and "(" .. table.concat(parts, ", ") .. ")"
end

local state = {
  tables = check.list_of(read_table), publish = check.list_of(check.choice("insert", "update", "delete", "truncate")),
  via_root = check.boolean, generated = check.choice("none", "stored"),
}

local function write(options)
  if not options.tables then return options end
  local tables = {}
  for i, item in ipairs(options.tables) do tables[i] = write_table(item) end
  options.tables = tables
  return options
end

local function create(o)
  local tables, settings = o.tables and #o.tables > 0 and "FOR " .. tables_sql(o.tables), parameters_sql(o)
  return clause.words("CREATE PUBLICATION", quote.ident(o.name), o.all_tables and "FOR ALL TABLES" or tables,
    settings and "WITH " .. settings)
end

local function settle(o)
  if o.all_tables and o.tables then check.refuse("all_tables and tables cannot be given together") end
end

-- Row conditions, lists of columns and whole schemas came with PostgreSQL 15.
local older = "NULL::text AS condition, NULL::json AS columns"
local newer = "pg_get_expr(r.prqual, r.prrelid) AS condition, "
  .. catalog.columns("r.prrelid", "r.prattrs::int2[]") .. " AS columns"
local schemas = [[ UNION ALL
  SELECT 2, n.nspname, NULL, NULL, NULL, NULL FROM pg_publication_namespace s JOIN pg_namespace n ON n.oid = s.pnnspid
  WHERE s.pnpubid = w.oid]]

local describe = [[
SELECT p.puballtables AS all_tables, p.pubinsert AS insert, p.pubupdate AS update, p.pubdelete AS delete,
  p.pubtruncate AS truncate, p.pubviaroot AS via_root, to_jsonb(p) ->> 'pubgencols' AS generated,
  (SELECT json_agg(json_build_object('name', t.name, 'schema', t.schema, 'where', t.condition, 'columns', t.columns,
     'only', t.has_children)
     ORDER BY t.rank, t.schema, t.name) FROM (
  SELECT 1 AS rank, n.nspname AS schema, c.relname AS name, {details},
    nullif(c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid), false) AS has_children
  FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE r.prpubid = w.oid{schemas}) t) AS tables
FROM pg_publication p WHERE p.oid = w.oid]]

local function describe_on(version)
  local is_new = version >= 150000
  return (describe:gsub("{(%l+)}", { details = is_new and newer or older, schemas = is_new and schemas or "" }))
end

local function tables_of(found)
  local list = {}
  for i, item in ipairs(found.tables or {}) do
    list[i] = item.name and item or { all_in = item.schema }
  end
  return list
end

local function publish_of(found)
  local list = {}
  for _, kind in ipairs { "insert", "update", "delete", "truncate" } do
    if found[kind] then list[#list + 1] = kind end
  end
  return #list < 4 and list or nil
end

-- What the row of a publication says, added to a definition.
local function definition_of(found, definition)
  definition.all_tables, definition.via_root = found.all_tables or nil, found.via_root or nil
  definition.publish, definition.generated = publish_of(found), found.generated == "s" and "stored" or nil
  if not found.all_tables then definition.tables = tables_of(found) end
  return definition
end

local function look(o, query)
  local condition = "pubname = " .. quote.literal(o.name)
  local definition = owned.capture(query, { catalog = "pg_publication", prefix = "pub", condition = condition })
  local found = definition and lookup.row(query, "SELECT oid FROM pg_publication WHERE " .. condition,
    describe_on(math.tointeger(tonumber(query("SHOW server_version_num")[1].server_version_num))))
  return found and definition_of(found, definition)
end

-- What is published is read while it is made.
local function table_locks(o)
  local list, seen = {}, {}
  for _, tables in ipairs { o.tables or {}, o.tables and o.existing and o.existing.tables or {} } do
    for _, item in ipairs(tables) do
      local relation = item.name and quote.qualified(item.schema, item.name)
      if relation and not seen[relation] then
        list[#list + 1], seen[relation] = { relation = relation, mode = "SHARE UPDATE EXCLUSIVE" }, true
      end
    end
  end
  return list
end

lifecycle.register {
  thing = "publication",
  summaries = { "Create a publication", "Drop a publication", "Rename a publication" },
  identity = { { "name", check.name, "the publication name" } },
  place = {},
  shape = check.join(state, { all_tables = check.flag }),
  example = 'tables = { "orders" }',
  owned = { words = "PUBLICATION" },
  settle = settle,
  write = write,
  create = create,
  look = look,
  create_lock = table_locks,
}

-- Nothing can be taken away but by its name.
local function set_tables(o)
  if #o.tables > 0 then return "SET " .. tables_sql(o.tables) end
  return "DROP " .. tables_sql(o.existing.tables, true)
end

local function check_alter(o)
  local known = o.existing and o.existing.tables
  if o.tables and #o.tables == 0 and not (known and #known > 0) then
    check.refuse("to publish no table the tables that are published have to be known",
      'Give existing = { tables = { "orders" } }.')
  end
end

changing.register {
  thing = "publication",
  summary = "Change what a publication publishes",
  identity = { { "name", check.name, "the publication name" } },
  place = {},
  shape = state,
  write = write,
  check = check_alter,
  absent = { publish = { "insert", "update", "delete", "truncate" }, via_root = false, generated = "none" },
  sql = function(o)
    local head, settings = "ALTER PUBLICATION " .. quote.ident(o.name) .. " ", parameters_sql(o)
    local statements = { o.tables and head .. set_tables(o) }
    if settings then statements[#statements + 1] = head .. "SET " .. settings end
    return statements
  end,
  look = look,
  lock = table_locks,
}

return {
  describe = describe_on, definition = function(found) return write(definition_of(found, {})) end,
}
