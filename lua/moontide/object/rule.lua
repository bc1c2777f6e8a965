--- Rules: what is done besides, or instead of, a statement on a table or view.

local alter = require "moontide.object.alter"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lexer = require "moontide.sql.lexer"
local lifecycle = require "moontide.object.lifecycle"
local lookup = require "moontide.object.lookup"
local lpeg = require "lpeg"
local quote = require "moontide.sql.quote"
local scan = require "moontide.sql.scan"

local Cp, P = lpeg.Cp, lpeg.P

local function read_commands(given, what)
  if type(given) == "string" then given = { given } end
  local commands = {}
  for i, text in ipairs(check.list_of(check.sql)(given, what)) do
    for _, found in ipairs(scan.split(text)) do
      commands[#commands + 1] = check.expression(found.sql, ("%s %d"):format(what, i))
    end
  end
  return #commands > 0 and commands or nil
end

local shape = {
  event = check.choice("select", "insert", "update", "delete"), condition = check.expression,
  instead = check.flag, commands = read_commands, enabled = check.choice("origin", "always", "replica", "disabled"),
}

local function settle(o)
  if not o.event then check.expected('option "event"', "an event", nil, 'Write event = "insert".') end
  if o.enabled == "origin" then o.enabled = nil end
end

local function commands_sql(list)
  if not list then return "NOTHING" end
  if #list == 1 then return list[1] end
  return "(" .. table.concat(list, "; ") .. ")"
end

local function create(o)
  return clause.words("CREATE", o.replace and "OR REPLACE", "RULE", quote.ident(o.name), "AS ON", o.event:upper(), "TO",
    quote.qualified(o.schema, o.table), o.condition and "WHERE (" .. o.condition .. ")", "DO",
    o.instead and "INSTEAD" or "ALSO", commands_sql(o.commands))
end

local switches = { always = "ENABLE ALWAYS", replica = "ENABLE REPLICA", disabled = "DISABLE" }

local function after(o)
  if not o.enabled then return {} end
  return alter.statements(o.schema, o.table, { ("%s RULE %s"):format(switches[o.enabled], quote.ident(o.name)) })
end

local describe = [[
SELECT pg_get_ruledef(r.oid) AS definition, obj_description(r.oid, 'pg_rewrite') AS comment, r.is_instead AS instead,
  CASE r.ev_type WHEN '1' THEN 'select' WHEN '2' THEN 'update' WHEN '3' THEN 'insert' ELSE 'delete' END AS event,
  CASE r.ev_enabled WHEN 'A' THEN 'always' WHEN 'R' THEN 'replica' WHEN 'D' THEN 'disabled' END AS enabled
FROM pg_rewrite r WHERE r.oid = w.oid]]

-- Condition and commands have no column that a query could print: they are read from the printed rule.
local token = lexer.string + lexer.quoted + lexer.word + 1
local to_do = (token - P " DO ") ^ 0 * Cp() * " DO " * P "INSTEAD " ^ -1 * Cp()
local where_word = P "\n" * P " " ^ 1 * "WHERE "
local to_where = (token - where_word) ^ 0 * where_word * Cp()

local function read_definition(definition)
  local head, first = to_do:match(definition)
  local where = to_where:match(definition:sub(1, head - 1))
  local text = definition:sub(first):gsub("[%s;]+$", "")
  local inner = text:match("^%(%s+(.*)%)$") or text
  return where and definition:sub(where, head - 1), text ~= "NOTHING" and read_commands(inner, "the rule") or nil
end

local function definition_of(found)
  local condition, commands = read_definition(found.definition)
  return { event = found.event, instead = found.instead or nil, enabled = found.enabled, comment = found.comment,
    condition = condition, commands = commands }
end

local function look(o, query)
  local found = lookup.row(query, ("SELECT oid FROM pg_rewrite WHERE ev_class = to_regclass(%s) AND rulename = %s")
    :format(quote.reference(o.schema, o.table), quote.literal(o.name)), describe)
  return found and definition_of(found)
end

local function name_of(o)
  return ("%s ON %s"):format(quote.ident(o.name), quote.qualified(o.schema, o.table))
end

local lock = lifecycle.lock_on("ACCESS EXCLUSIVE", "table")

lifecycle.register {
  thing = "rule",
  summaries = { "Create a rule, or replace one", "Drop a rule", "Rename a rule" },
  identity = { { "name", check.name, "the rule name" }, { "table", check.name, "the table name" } },
  shape = shape,
  making = { replace = check.flag },
  example = 'event = "delete", instead = true',
  settle = settle,
  create = create,
  after = after,
  name = name_of,
  look = look,
  create_lock = lock,
  drop_lock = lock,
  rename_lock = lock,
  rename = function(o) return "ALTER RULE " .. name_of(o) .. " RENAME" end,
}

return {
  --- A SELECT of one row about a rule, w.oid, and what such a row says.
  describe = describe, definition = definition_of,
}
