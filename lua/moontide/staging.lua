--- What revisions make: they are run one after the other in the transaction in which
--- declarations are built, as in a dry run of an upgrade of an empty database. Batched
--- changes of rows are left out, since there are none.

local fault = require "moontide.fault"
local gate = require "moontide.gate"
local history = require "moontide.history"
local loading = require "moontide.loading"
local operation = require "moontide.operation"
local plan = require "moontide.plan"
local segment = require "moontide.segment"

local staging = {}

local unsafe_use_of_label = "55P04"

local function nothing() return {} end

-- Before PostgreSQL 17 no label can be used in the transaction that adds it, unless its type is a new one.
local function anew(o)
  local quote, rebuild = require "moontide.sql.quote", require "moontide.object.enum_rebuild"
  local built = operation.build("execute", rebuild.with(quote.qualified(o.schema, o.name), o.label, o.before, o.after))
  built.where = o.where
  return built
end

-- Schemas and extensions may be there for the sake of an extension of the real database.
local function settle(o, declared, declare_sql)
  if o.kind == "add_enum_value" and declared.anew and not o.if_not_exists then return anew(o) end
  local sql = o.kind == "execute" and o.sql
  if type(sql) == "string" then
    local copy = {}
    for key, field in pairs(o) do copy[key] = field end
    copy.sql = declare_sql(declared, sql)
    return copy
  end
  require("moontide.scratch").add_declaration(declared, o)
  return o
end

-- The operations of a revision on their way to its run.
local function sink(run, declared, declare_sql)
  return {
    run = function(_, o)
      if not operation.get(o.kind).job then return run:run(settle(o, declared, declare_sql)) end
    end,
    block = function(_, kind, fn, o) return run:block(kind, fn, o) end,
  }
end

local function transport_of(db, config)
  local settings = require "moontide.transport.settings"
  local transport = require("moontide.transport.execute").new { db = db, directory = config.directory, dry = true,
    settings = { search_path = config.search_path and settings.search_path(config.search_path) } }
  transport.is_open = true
  transport:renew()
  return transport
end

local function run_step(step, file, door, transport, declared)
  local run = segment.new { transport = transport, history = declared.history, revision = step.revision.id,
    direction = step.direction, guards = nothing }
  local wrapped = sink(run, declared, require("moontide.scratch").declare_sql)
  door:through(wrapped, file.upgrade or file.change)
  run:finish {}
end

local function run(app, steps, declared, db)
  local config = app:config()
  local door, transport = gate.new(config.naming), transport_of(db, config)
  local load = loading.loader(app, { sink = door, dry = true, server_version = db:server_version() })
  declared.history = history.open(config)
  for _, step in ipairs(steps) do
    loading.attempt(step, function() run_step(step, load(step), door, transport, declared) end)
  end
end

--- The revisions up to a target, as something to build.
---@param app moontide.App
---@param target string
---@return moontide.Declared
function staging.declared(app, target)
  local ok, steps = pcall(plan.upgrade, app:graph(), {}, target)
  if not ok then
    steps = fault.of(steps)
    steps.hint = "Give a revision, the URL of a database, a model file (.lua), or an SQL file (.sql) that creates "
      .. "everything."
    error(steps, 0)
  end
  local declared = { statements = {}, schemas = {}, extensions = {} }
  declared.run = function(db) run(app, steps, declared, db) end
  function declared.again(problem)
    local is_first = not declared.anew and problem.sqlstate == unsafe_use_of_label
    declared.anew, declared.schemas, declared.extensions = true, {}, {}
    return is_first
  end
  return declared
end

return staging
