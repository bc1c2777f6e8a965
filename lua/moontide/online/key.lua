--- Primary keys and unique constraints online: the index is built concurrently, and
--- the constraint then takes it over in a moment.

local alter = require "moontide.object.alter"
local clause = require "moontide.object.clause"
local not_null = require "moontide.online.not_null"
local online_index = require "moontide.online.index"
local quote = require "moontide.sql.quote"
local step = require "moontide.online.step"

local key = {}

local function index_of(o, name)
  local columns = {}
  for i, column in ipairs(o.columns) do columns[i] = { name = column } end
  return {
    name = name, unique = true, columns = columns, include = o.include, with = o.with, tablespace = o.tablespace,
    nulls_not_distinct = o.nulls_not_distinct,
  }
end

--- The steps that add a key.
---@param o moontide.Operation
---@param name string  of the constraint, and of its index
---@param word string  PRIMARY KEY or UNIQUE
---@param timing string?
---@param write fun(o: table, schema: string?, relation: string): string  CREATE INDEX as SQL
---@param ctx { server_version: integer? }
---@return moontide.Step[]
function key.steps(o, name, word, timing, write, ctx)
  local steps = {}
  for _, column in ipairs(word == "PRIMARY KEY" and o.columns or {}) do
    alter.append(steps, not_null.steps(o, column, ctx))
  end
  steps[#steps + 1] = online_index.build(index_of(o, name), o.schema, o.table, write)
  local add = clause.words("ADD CONSTRAINT", quote.ident(name), word, "USING INDEX", quote.ident(name), timing)
  steps[#steps + 1] = step.transaction(alter.statements(o.schema, o.table, { add }))
  return steps
end

return key
