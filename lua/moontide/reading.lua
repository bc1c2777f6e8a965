--- What a database has, read with what belongs to Moontide itself left out.

local reading = {}

--- What is left out: the bookkeeping tables, wherever they are.
---@param config table
---@return moontide.ScopeOptions
function reading.scope(config)
  local prefixed = { { schema = config.version_table.schema, name = config.version_table.name } }
  for _, name in ipairs { "log", "journal", "captured", "repeatable" } do
    prefixed[#prefixed + 1] = { schema = config.schema, name = "moontide_" .. name }
  end
  return { schemas = config.schema == "moontide" and { "moontide" } or {}, relations = prefixed }
end

--- What of a database is looked at.
---@param config table
---@return moontide.Include
function reading.rule(config) return config.include or require("moontide.include").default end

--- The same as `scope` for declarations, with the schemas that stay where they are while those are built.
---@param config table
---@return moontide.ScopeOptions
function reading.scratch_scope(config)
  local options, rule = reading.scope(config), reading.rule(config)
  options.stays = function(schema) return require("moontide.include").leaves_schema(rule, schema) end
  return options
end

--- The facts of the database of a connection.
---@param db moontide.Db
---@param config table
---@return moontide.FactSet
function reading.live(db, config)
  require "moontide.op"
  return require("moontide.fact").read(db, reading.scope(config))
end

--- The same, as far as env.lua includes it.
---@param db moontide.Db
---@param config table
---@return moontide.FactSet
function reading.included(db, config)
  return require("moontide.fact.choice").of(reading.live(db, config), reading.rule(config), { reflected = true })
end

return reading
