--- Rules that look at operations before they are run: what keeps others waiting, loses
--- data or breaks the program that uses the database, and how it is done safely.
--- The rules that come with Moontide and those of plugins are registered by the same call.

local caller = require "moontide.caller"
local fault = require "moontide.fault"
local registry = require "moontide.registry"

---@class moontide.LintFinding
---@field message string   a short fact, in lower case
---@field hint? string     the safe way, as a sentence or as Lua

---@class moontide.LintRule
---@field name string
---@field summary string   one line
---@field level "error"|"warn"|"off"   where env.lua does not say
---@field check fun(o: moontide.Operation, ctx: moontide.LintContext): moontide.LintFinding|moontide.LintFinding[]|nil
---@field from? string     who registers it

local builtin = {
  "index-not-concurrent", "reindex-not-concurrent", "check-reads-table", "foreign-key-reads-table",
  "unique-builds-index", "exclude-builds-index", "not-null-reads-table", "type-rewrites-table",
  "column-rewrites-table", "column-needs-default", "command-rewrites-table", "enum-rewrites-tables",
  "validate-under-lock", "several-tables-locked", "lock-table", "unbatched-write", "refresh-not-concurrent",
  "foreign-key-without-index",
  "drop-column", "drop-table", "truncate", "rename-column", "rename-table", "json-column", "char-column",
  "timestamp-without-zone", "small-key",
}

---@class moontide.LintRules: moontide.Registry
local lint = registry.new { what = "lint rule", folder = "moontide.lint.rule", builtin = builtin }

--- The levels a rule can have.
lint.levels = { error = true, warn = true, off = true }

local function refuse(message, detail, hint)
  fault.raise("config", message, { where = caller.where(), detail = detail, hint = hint })
end

local fields = { name = "string", summary = "string", level = "string", check = "function", from = "string" }

local function check_fields(rule)
  for field, wanted in pairs(fields) do
    if type(rule[field]) ~= wanted then
      refuse(('lint rule "%s": field "%s" must be a %s, not %s')
        :format(tostring(rule.name), field, wanted, type(rule[field])))
    end
  end
  if not lint.levels[rule.level] then
    refuse(('lint rule "%s": unknown level "%s"'):format(rule.name, rule.level), nil,
      'The levels are "error", "warn" and "off".')
  end
end

local register = lint.register

--- Add a rule. The name must be free.
---@param rule moontide.LintRule
function lint.register(rule)
  check_fields(rule)
  register(rule)
end

--- All rules, in the order of their names' list.
---@return moontide.LintRule[]
function lint.rules()
  local rules = {}
  for index, name in ipairs(lint.names()) do rules[index] = lint.get(name) end
  return rules
end

--- Raise unless there is a rule of this name.
---@param name string
---@param kind string    of the fault
---@param where? string  "path:line"
function lint.check_name(name, kind, where)
  for _, known in ipairs(lint.names()) do
    if known == name then return end
  end
  local nearest = lint.nearest(name)
  fault.raise(kind, ('unknown lint rule "%s"'):format(name), {
    where = where, hint = nearest and ('Did you mean "%s"?'):format(nearest)
      or "docs/lint.md lists them.",
  })
end

return lint
