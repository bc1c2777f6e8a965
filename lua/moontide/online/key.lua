--- Primary keys and unique constraints online: the index is built concurrently, and
--- the constraint then takes it over in a moment.

local alter = require "moontide.object.alter"
local clause = require "moontide.object.clause"
local not_null = require "moontide.online.not_null"
local online_index = require "moontide.online.index"
local quote = require "moontide.sql.quote"
local step = require "moontide.online.step"
local tree = require "moontide.online.tree"

local key = {}

local function index_of(o, name)
  local columns = {}
  for i, column in ipairs(o.columns) do columns[i] = { name = column } end
  return {
    name = name, unique = true, columns = columns, include = o.include, with = o.with, tablespace = o.tablespace,
    nulls_not_distinct = o.nulls_not_distinct,
  }
end

---@class moontide.OnlineKey
---@field word string     PRIMARY KEY or UNIQUE
---@field name string     of the constraint, and of its index
---@field plain string    the SQL after ADD CONSTRAINT and the name
---@field timing string?
---@field write fun(o: table, schema: string?, relation: string): string  CREATE INDEX as SQL

-- The constraint takes over its index.
local function on_table(o, k, name, schema, relation)
  local add = clause.words("ADD CONSTRAINT", quote.ident(name), k.word, "USING INDEX", quote.ident(name), k.timing)
  return {
    online_index.build(index_of(o, name), schema, relation, k.write),
    step.transaction(alter.statements(schema, relation, { add })),
  }
end

local function on_parent(k, name, schema, relation)
  return step.transaction(("ALTER TABLE ONLY %s ADD CONSTRAINT %s %s")
    :format(quote.qualified(schema, relation), quote.ident(name), k.plain))
end

local function on_partitions(o, k)
  return online_index.of_partitions({ schema = o.schema, table = o.table, name = k.name }, {
    parent = function(own, schema, relation) return on_parent(k, own.name, schema, relation) end,
    leaf = function(own, schema, relation) return on_table(o, k, own.name, schema, relation) end,
  })
end

--- The steps that add a key.
---@param o moontide.Operation
---@param k moontide.OnlineKey
---@param ctx { server_version: integer? }
---@param ask? fun(sql: string): table
---@return moontide.Step[]
function key.steps(o, k, ctx, ask)
  local steps = {}
  for _, column in ipairs(k.word == "PRIMARY KEY" and o.columns or {}) do
    alter.append(steps, not_null.steps(o, column, ctx))
  end
  local is_parent = tree.kind(ask, o.schema, o.table) == "p"
  return alter.append(steps, is_parent and on_partitions(o, k) or on_table(o, k, k.name, o.schema, o.table))
end

return key
