--- Indexes online: built and dropped concurrently. An index of a partitioned table is
--- made on the parent alone, built concurrently on each partition, and attached.

local alter = require "moontide.object.alter"
local clause = require "moontide.object.clause"
local default_name = require "moontide.object.name"
local probe = require "moontide.online.probe"
local quote = require "moontide.sql.quote"
local step = require "moontide.online.step"
local tree = require "moontide.online.tree"

local index = {}

-- One more than is shown tells whether there are more.
local duplicates = [[
SELECT '(%s)=(' || concat_ws(', ', %s) || ')' AS value, count(*) AS count FROM %s
WHERE %s GROUP BY %s HAVING count(*) > 1 ORDER BY count(*) DESC, 1 LIMIT %d]]

local function subjects(o)
  local list = {}
  for i, e in ipairs(o.columns) do list[i] = e.name and quote.ident(e.name) or "(" .. e.expression .. ")" end
  return list
end

local function duplicates_of(o, schema, relation)
  if not o.unique then return nil end
  local keys, conditions = subjects(o), { o.predicate and "(" .. o.predicate .. ")" or "true" }
  local list = table.concat(keys, ", ")
  for _, key in ipairs(o.nulls_not_distinct and {} or keys) do conditions[#conditions + 1] = key .. " IS NOT NULL" end
  return duplicates:format(list:gsub("'", "''"), list, quote.qualified(schema, relation),
    table.concat(conditions, " AND "), list, step.shown_duplicates + 1)
end

local function variant(o, changes)
  local copy = {}
  for key, field in pairs(o) do copy[key] = field end
  copy.online, copy.concurrently = nil, nil
  for key, field in pairs(changes) do copy[key] = field end
  return copy
end

--- The step that builds an index concurrently.
---@param o moontide.Index
---@param schema string?
---@param relation string
---@param write fun(o: table, schema: string?, relation: string): string  CREATE INDEX as SQL
---@return moontide.Step
function index.build(o, schema, relation, write)
  local sql = write(variant(o, { concurrently = true }), schema, relation)
  return step.build(schema, o.name, sql, duplicates_of(o, schema, relation))
end

local function unused_name(relation, name, taken)
  local number = ""
  local candidate = default_name.make(relation, name, "idx")
  while taken[candidate] do
    number = (tonumber(number) or 0) + 1
    candidate = default_name.make(relation, name, "idx" .. number)
  end
  taken[candidate] = true
  return candidate
end

local attached = "EXISTS (SELECT FROM pg_inherits WHERE inhrelid = %s AND inhparent = %s)"

local function attach(parent, child)
  return step.transaction(("ALTER INDEX %s ATTACH PARTITION %s")
    :format(quote.qualified(parent.schema, parent.name), quote.qualified(child.schema, child.name)),
    probe.all(attached:format(probe.relation(child.schema, child.name), probe.relation(parent.schema, parent.name))))
end

local function on_parent(write, o, schema, relation)
  return step.transaction(write(variant(o, { only = true }), schema, relation),
    probe.all(probe.relation(schema, o.name) .. " IS NOT NULL"))
end

-- The partitions are read after the index of their parent is there: one that is added later gets its index from it.
local function partitions(o, schema, relation, way, taken)
  return { more = function(ask)
    local steps = {}
    for _, child in ipairs(tree.children(ask, schema, relation)) do
      local own = variant(o, { name = unused_name(child.name, o.name, taken) })
      if child.partitioned then
        steps[#steps + 1] = way.parent(own, child.schema, child.name)
        steps[#steps + 1] = partitions(own, child.schema, child.name, way, taken)
      else
        alter.append(steps, way.leaf(own, child.schema, child.name))
      end
      steps[#steps + 1] = attach({ schema = schema, name = o.name }, { schema = child.schema, name = own.name })
    end
    return steps
  end }
end

--- The steps that give a partitioned table an index, or a constraint that has one: the parent's first, which is not
--- valid until each partition has its own and all are attached.
---@param o { schema: string?, table: string, name: string }
---@param way { parent: fun(o: table, schema: string?, relation: string): moontide.Step,
---  leaf: fun(o: table, schema: string?, relation: string): moontide.Step[] }
---@return moontide.Step[]
function index.of_partitions(o, way)
  return { way.parent(o, o.schema, o.table), partitions(o, o.schema, o.table, way, {}) }
end

--- The steps of create_index.
---@param o moontide.Operation
---@param ask? fun(sql: string): table
---@param write fun(o: table, schema: string?, relation: string): string
---@return moontide.Step[]
function index.create(o, ask, write)
  if o.online and tree.kind(ask, o.schema, o.table) == "p" then
    return index.of_partitions(o, {
      parent = function(...) return on_parent(write, ...) end,
      leaf = function(own, schema, relation) return { index.build(own, schema, relation, write) } end,
    })
  end
  return { index.build(o, o.schema, o.table, write) }
end

--- The steps of drop_index. PostgreSQL cannot drop the index of a partitioned table concurrently.
---@param o moontide.Operation
---@param ask? fun(sql: string): table
---@return moontide.Step[]
function index.drop(o, ask)
  local name = quote.qualified(o.schema, o.name)
  local if_exists = o.if_exists and "IF EXISTS"
  if o.online and tree.kind(ask, o.schema, o.name) == "I" then
    return { step.transaction(clause.words("DROP INDEX", if_exists, name)) }
  end
  return { step.drop(o.schema, o.name, clause.words("DROP INDEX CONCURRENTLY", if_exists, name)) }
end

return index
