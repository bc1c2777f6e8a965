--- Rules asked about operations: from what revisions do to a list of findings.

local allow = require "moontide.lint.allow"
local fault = require "moontide.fault"
local gate = require "moontide.gate"
local lint = require "moontide.lint"
local operation = require "moontide.operation"
local situation = require "moontide.lint.situation"

local judge = {}

---@class moontide.Finding
---@field rule string
---@field level "error"|"warn"
---@field message string
---@field hint? string
---@field where? string      "path:line"
---@field revision string
---@field operation string   the kind of the operation

--- What a rule is told besides the operation.
---@class moontide.LintContext
---@field effects moontide.Effect[]   what the operation's statements do, in order
---@field revision string
---@field direction "upgrade"
---@field server_version? integer     nil without a server
---@field indexes { table: table, columns: string[] }[]  of tables, as the revisions looked at create them
---@field columns { table: table, name: string }[]  that the revision has added to tables so far
local Context = {}
Context.__index = Context

-- The effects of some kinds that a condition holds for.
local function each(effects, wanted, condition)
  local kinds, index = {}, 0
  for _, kind in ipairs(wanted) do kinds[kind] = true end
  return function()
    repeat
      index = index + 1
      local e = effects[index]
      if e and kinds[e.kind] and condition(e) then return e end
    until not e
  end
end

--- The effects of some kinds on tables that were there before the revision.
---@param ... string  kinds of effects
---@return fun(): moontide.Effect?
function Context:on_existing(...)
  return each(self.effects, { ... }, function(e) return not e.fresh end)
end

--- The effects of some kinds, on whatever table.
---@param ... string  kinds of effects
---@return fun(): moontide.Effect?
function Context:each(...) return each(self.effects, { ... }, function() return true end) end

--- Whether a table was created in the revision, by this operation at the latest.
---@param name string
---@param schema? string
---@return boolean
function Context:created(name, schema) return self.situation:is_fresh { schema = schema, name = name } end

--- How to write an operation so that it is done online; nil where it cannot be.
---@param o moontide.Operation
---@return string?
function Context:online(o)
  local online = operation.get(o.kind).online
  if not online or not online(o) then return nil end
  local copy = {}
  for key, field in pairs(o) do copy[key] = field end
  copy.online = true
  return "Write " .. operation.source(copy) .. "."
end

-- Indexes ---------------------------------------------------------------------

local function add_index(list, relation, columns)
  if columns[1] then list[#list + 1] = { table = relation, columns = columns } end
end

local function constraint_index(list, relation, c)
  if c.type == "unique" or c.type == "primary key" then add_index(list, relation, c.columns) end
end

local function column_index(list, relation, c)
  if c.unique or c.primary_key then add_index(list, relation, { c.name }) end
end

local indexing = {
  create_index = function(list, e) if not e.partial then add_index(list, e.table, e.column_names) end end,
  add_constraint = function(list, e) constraint_index(list, e.table, e.constraint) end,
  add_column = function(list, e) column_index(list, e.table, e.column) end,
  create_table = function(list, e)
    for _, c in ipairs(e.columns) do column_index(list, e.table, c) end
    for _, c in ipairs(e.constraints) do constraint_index(list, e.table, c) end
  end,
}

-- What the operation says of a column's type before.
local function told_type(o, name)
  for _, child in ipairs(o.actions or { o }) do
    if child.kind == "alter_column" and child.name == name and child.existing then return child.existing.type end
  end
  return nil
end

-- All effects of a revision.
local function each_effect(one, fn)
  for _, call in ipairs(one.calls) do
    for _, statement in ipairs(call.statements) do
      for _, e in ipairs(statement.effects) do fn(e, call.o) end
    end
  end
end

local function indexes_of(collected)
  local list = {}
  for _, one in ipairs(collected) do
    each_effect(one, function(e)
      if indexing[e.kind] and e.table then indexing[e.kind](list, e) end
    end)
  end
  return list
end

-- The relations that a revision creates, and what its operations say of types before.
local function prepare(one)
  local coming = {}
  each_effect(one, function(e, o)
    if e.kind == "create_view" or e.kind == "create_table" then coming[#coming + 1] = e.table end
    if e.kind == "alter_type" then e.before = told_type(o, e.name) end
  end)
  return coming
end

-- Judging ---------------------------------------------------------------------

local function refuse_finding(rule, found)
  fault.raise("plugin", ('lint rule "%s" answered what is no finding'):format(rule.name), {
    detail = "registered by " .. rule.from .. "; it answered " .. type(found),
    hint = "Answer nil, { message = ..., hint = ... }, or a list of such tables.",
  })
end

local function explained(rule, o, ctx)
  local ok, answer = xpcall(rule.check, gate.explain, o, ctx)
  if ok then return answer end
  answer.detail = answer.detail or ('in the lint rule "%s" of %s'):format(rule.name, rule.from)
  error(answer, 0)
end

-- One finding, or several, as a list.
local function findings_of(rule, o, ctx)
  local answer = explained(rule, o, ctx)
  if answer == nil then return {} end
  if type(answer) ~= "table" then refuse_finding(rule, answer) end
  local list = answer.message and { answer } or answer
  for _, found in ipairs(list) do
    if type(found) ~= "table" or type(found.message) ~= "string" then refuse_finding(rule, found) end
  end
  return list
end

local function as_finding(found, rule, level, o, ctx)
  return { rule = rule.name, level = level, message = found.message, hint = found.hint, where = o.where,
    revision = ctx.revision, operation = o.kind }
end

local function ask(self, rule, o, ctx)
  local level = self.levels[rule.name] or rule.level
  if level == "off" then return end
  for _, found in ipairs(findings_of(rule, o, ctx)) do
    local is_allowed = self.allow:at(o.where)[rule.name]
    local list = is_allowed and self.allowed or self.findings
    list[#list + 1] = as_finding(found, rule, level, o, ctx)
  end
end

local function effects_of(call, here)
  local list = {}
  for _, statement in ipairs(call.statements) do
    here:see(statement)
    table.move(statement.effects, 1, #statement.effects, #list + 1, list)
  end
  return list
end

local function judge_one(self, one)
  local here = situation.new(prepare(one), self.types, self.server)
  for _, call in ipairs(one.calls) do
    local ctx = setmetatable({
      effects = effects_of(call, here), revision = one.revision.id, direction = "upgrade", situation = here,
      server_version = self.server_version, indexes = self.indexes, columns = here.columns,
    }, Context)
    for _, rule in ipairs(self.rules) do ask(self, rule, call.o, ctx) end
  end
end

--- The findings about what was collected.
---@param collected moontide.Collected[]
---@param options { levels?: table<string, string>, server?: moontide.LintServer, server_version?: integer }
---@return moontide.Finding[] findings
---@return moontide.Finding[] allowed  by comments
function judge.of(collected, options)
  local self = {
    rules = lint.rules(), levels = options.levels or {}, server = options.server, allow = allow.new(),
    server_version = options.server_version, indexes = indexes_of(collected), findings = {}, allowed = {},
    types = {},
  }
  for _, one in ipairs(collected) do judge_one(self, one) end
  return self.findings, self.allowed
end

return judge
