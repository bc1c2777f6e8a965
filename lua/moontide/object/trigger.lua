--- Triggers of tables and views.

local alter = require "moontide.object.alter"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local constraint = require "moontide.object.constraint"
local lexer = require "moontide.sql.lexer"
local lifecycle = require "moontide.object.lifecycle"
local lookup = require "moontide.object.lookup"
local lpeg = require "lpeg"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local sorted_keys = require "moontide.sorted_keys"

local C, Cp, Ct, P = lpeg.C, lpeg.Cp, lpeg.Ct, lpeg.P

local event = check.choice("insert", "update", "delete", "truncate")
local states = check.choice("origin", "always", "replica", "disabled")

local function read_events(given, what)
  if type(given) == "string" then given = { given } end
  local events, seen = check.list_of(event)(given, what), {}
  if #events == 0 then check.refuse(what .. " must not be empty") end
  for _, name in ipairs(events) do
    if seen[name] then check.refuse(('%s names "%s" twice'):format(what, name)) end
    seen[name] = true
  end
  return events
end

local function read_referencing(given, what)
  local names = check.shape(given, what, { old = check.name, new = check.name })
  if not next(names) then check.refuse(what .. " must not be empty", 'Write { old = "before", new = "after" }.') end
  return names
end

local shape = check.join(constraint.deferrable, {
  timing = check.choice("before", "after", "instead of"), events = read_events, update_of = check.names,
  for_each = check.choice("row", "statement"), when = check.expression, execute = clause.object,
  args = check.list_of(check.text), constraint = check.flag, from = check.relation, referencing = read_referencing,
  enabled = states,
})

local function has_event(o, name)
  for _, given in ipairs(o.events) do
    if given == name then return true end
  end
  return false
end

local function settle_constraint(o)
  if o.constraint and (o.timing ~= "after" or o.for_each ~= "row") then
    check.refuse('constraint = true needs timing = "after" and for_each = "row"')
  end
  for _, option in ipairs { "deferrable", "initially", "from" } do
    if o[option] and not o.constraint then check.refuse(option .. " needs constraint = true") end
  end
  if o.constraint and o.replace then check.refuse("constraint and replace cannot be given together") end
end

local function settle(o, given)
  if not o.events then check.expected('option "events"', "events", nil, 'Write events = { "insert", "update" }.') end
  if not o.execute then check.expected('option "execute"', "the name of a function", nil) end
  o.timing, o.for_each = o.timing or "after", o.for_each or "statement"
  o.enabled = o.enabled ~= "origin" and o.enabled or nil
  constraint.check_deferrable(given)
  settle_constraint(o)
  if o.update_of and not has_event(o, "update") then check.refuse('update_of needs the event "update"') end
  if o.timing == "instead of" and o.for_each ~= "row" then
    check.refuse('timing = "instead of" needs for_each = "row"')
  end
  if o.referencing and o.timing ~= "after" then check.refuse('referencing needs timing = "after"') end
end

local function events_sql(o)
  local parts = {}
  for i, name in ipairs(o.events) do
    parts[i] = name:upper() .. (name == "update" and o.update_of and " OF " .. quote.idents(o.update_of) or "")
  end
  return table.concat(parts, " OR ")
end

local function referencing_sql(names)
  return clause.words("REFERENCING", names.old and "OLD TABLE AS " .. quote.ident(names.old),
    names.new and "NEW TABLE AS " .. quote.ident(names.new))
end

local function call_sql(o)
  local literals = {}
  for i, text in ipairs(o.args or {}) do literals[i] = quote.literal(text) end
  return ("EXECUTE FUNCTION %s(%s)"):format(clause.object_name(o.execute), table.concat(literals, ", "))
end

local function create(o)
  return clause.words("CREATE", o.replace and "OR REPLACE", o.constraint and "CONSTRAINT", "TRIGGER",
    quote.ident(o.name), o.timing:upper(), events_sql(o), "ON", quote.qualified(o.schema, o.table),
    o.from and "FROM " .. quote.qualified(o.from.schema, o.from.table), constraint.timing(o),
    o.referencing and referencing_sql(o.referencing), "FOR EACH", o.for_each:upper(),
    o.when and "WHEN (" .. o.when .. ")", call_sql(o))
end

local switches = { always = "ENABLE ALWAYS", replica = "ENABLE REPLICA", disabled = "DISABLE", origin = "ENABLE" }

local function switch_sql(o, state)
  return ("%s TRIGGER %s"):format(switches[state], quote.ident(o.name))
end

local function after(o)
  return o.enabled and alter.statements(o.schema, o.table, { switch_sql(o, o.enabled) }) or {}
end

local function oid(o)
  return ("SELECT oid FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgname = %s AND NOT tgisinternal")
    :format(quote.reference(o.schema, o.table), quote.literal(o.name))
end

local describe = [[
SELECT pg_get_triggerdef(t.oid) AS definition, obj_description(t.oid, 'pg_trigger') AS comment,
  CASE t.tgenabled WHEN 'A' THEN 'always' WHEN 'R' THEN 'replica' WHEN 'D' THEN 'disabled' END AS enabled,
  CASE WHEN t.tgtype & 64 <> 0 THEN 'instead of' WHEN t.tgtype & 2 <> 0 THEN 'before' ELSE 'after' END AS timing,
  CASE WHEN t.tgtype & 1 <> 0 THEN 'row' ELSE 'statement' END AS for_each,
  array_remove(ARRAY[CASE WHEN t.tgtype & 4 <> 0 THEN 'insert' END, CASE WHEN t.tgtype & 8 <> 0 THEN 'delete' END,
    CASE WHEN t.tgtype & 16 <> 0 THEN 'update' END, CASE WHEN t.tgtype & 32 <> 0 THEN 'truncate' END], NULL) AS events,
  array(SELECT a.attname FROM unnest(t.tgattr) WITH ORDINALITY u(number, place) JOIN pg_attribute a
    ON a.attrelid = t.tgrelid AND a.attnum = u.number ORDER BY u.place) AS update_of,
  t.tgconstraint <> 0 AS is_constraint, t.tgdeferrable AS deferrable,
  CASE WHEN t.tginitdeferred THEN 'deferred' END AS initially,
  (SELECT json_build_object('table', r.relname, 'schema', s.nspname) FROM pg_class r
    JOIN pg_namespace s ON s.oid = r.relnamespace WHERE r.oid = t.tgconstrrelid) AS "from",
  t.tgoldtable AS old_table, t.tgnewtable AS new_table,
  (SELECT json_build_object('name', p.proname, 'schema', s.nspname) FROM pg_proc p
    JOIN pg_namespace s ON s.oid = p.pronamespace WHERE p.oid = t.tgfoid) AS execute
FROM pg_trigger t WHERE t.oid = w.oid]]

-- Condition and arguments have no column that a query could print: they are read from the printed trigger.
local token = lexer.string + lexer.quoted + lexer.word
local called = P "EXECUTE FUNCTION "
local to_when = ((token + 1) - (P " WHEN (" + called)) ^ 0 * " WHEN (" * Cp()
local to_call = ((token + 1) - (P ") " * called)) ^ 0 * Cp()
local part = lexer.quoted ^ 1 + lexer.word
local to_arguments = ((token + 1) - called) ^ 0 * called * part * ("." * part) ^ -1 * "("
local half = P "'" * (1 - P "'") ^ 0 * "'"
local literal = C(lpeg.S "eE" * lexer.string + half ^ 1)
local arguments = to_arguments * Ct((literal * P ", " ^ -1) ^ 0)

local function condition_of(definition)
  local first = to_when:match(definition)
  return first and definition:sub(first, to_call:match(definition, first) - 1)
end

local function text_of(printed)
  local inner = printed:match("^[eE]?'(.*)'$"):gsub("''", "'")
  return printed:find("^[eE]") and (inner:gsub("\\(.)", "%1")) or inner
end

local function arguments_of(definition)
  local list = {}
  for i, printed in ipairs(arguments:match(definition)) do list[i] = text_of(printed) end
  return #list > 0 and list or nil
end

local same_fields = { "comment", "enabled", "timing", "for_each", "events", "initially", "from", "execute" }

local function definition_of(found)
  local definition = { constraint = found.is_constraint or nil, deferrable = found.deferrable or nil }
  for _, key in ipairs(same_fields) do definition[key] = found[key] end
  definition.update_of = #found.update_of > 0 and found.update_of or nil
  definition.when, definition.args = condition_of(found.definition), arguments_of(found.definition)
  if found.old_table or found.new_table then
    definition.referencing = { old = found.old_table, new = found.new_table }
  end
  return definition
end

local function look(o, query)
  local found = lookup.row(query, oid(o), describe)
  return found and definition_of(found)
end

local function name_of(o)
  return ("%s ON %s"):format(quote.ident(o.name), quote.qualified(o.schema, o.table))
end

lifecycle.register {
  thing = "trigger",
  summaries = { "Create a trigger, or replace one", "Drop a trigger", "Rename a trigger" },
  identity = { { "name", check.name, "the trigger name" }, { "table", check.name, "the table name" } },
  shape = shape,
  making = { replace = check.flag },
  example = 'timing = "before", events = { "insert" }, execute = "f"',
  settle = settle,
  create = create,
  after = after,
  name = name_of,
  look = look,
  create_lock = lifecycle.lock_on("SHARE ROW EXCLUSIVE", "table"),
  drop_lock = lifecycle.lock_on("ACCESS EXCLUSIVE", "table"),
  rename_lock = lifecycle.lock_on("ACCESS EXCLUSIVE", "table"),
  rename = function(o) return "ALTER TRIGGER " .. name_of(o) .. " RENAME" end,
}

local place = { schema = check.name }

local function switch_lock(o)
  return { { relation = quote.qualified(o.schema, o.table), mode = "SHARE ROW EXCLUSIVE" } }
end

local function look_state(o, query)
  local found = lookup.row(query, oid(o), describe)
  return found and { existing = found.enabled or "origin" }
end

-- The operation that brings a trigger into a state.
local function switch(o, state, existing)
  local options = { schema = o.schema, existing = existing }
  if state == "disabled" then return { operation.build("disable_trigger", o.name, o.table, options) } end
  options.mode = state ~= "origin" and state or nil
  return { operation.build("enable_trigger", o.name, o.table, options) }
end

local function register_switch(registration, shape_of, state_of)
  registration.position = 2
  registration.build = function(name, relation, options)
    local o = check.options(options, shape_of)
    o.name, o.table = check.name(name, "the trigger name"), check.name(relation, "the table name")
    return o
  end
  registration.clauses = function(o) return { switch_sql(o, state_of(o)) } end
  registration.arguments = function(o) return o.name, o.table, clause.pick(o, shape_of) end
  registration.lock, registration.capture = switch_lock, look_state
  local otherwise = registration.otherwise
  registration.inverse = function(o) return switch(o, o.existing or otherwise, state_of(o)) end
  registration.otherwise = nil
  alter.register(registration)
end

register_switch({ name = "enable_trigger", summary = "Let a trigger fire", otherwise = "disabled" },
  check.join(place, { mode = check.choice("always", "replica"), existing = states }),
  function(o) return o.mode or "origin" end)

register_switch({ name = "disable_trigger", summary = "Keep a trigger from firing", otherwise = "origin" },
  check.join(place, { existing = states }), function() return "disabled" end)

local function read_all_states(given, what)
  local all = {}
  for name, state in pairs(check.table(given, what, "a table of triggers")) do
    all[check.name(name, what .. " trigger")] = states(state, ('%s "%s"'):format(what, name))
  end
  return all
end

local all_place = check.join(place, { internal = check.flag })
local all_shape = check.join(all_place, { existing = read_all_states })

local state_query = [[
SELECT tgname AS name, tgenabled AS state FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal]]
local letters = { O = "origin", A = "always", R = "replica", D = "disabled" }

local function look_all(o, query)
  local existing = {}
  for _, row in ipairs(query(state_query:format(quote.reference(o.schema, o.table)))) do
    existing[row.name] = letters[row.state]
  end
  return { existing = existing }
end

-- Each trigger fires again when it did before; what belongs to constraints can only be switched at once.
local function undo_all(o, opposite)
  local plain = { operation.build(opposite, o.table, clause.pick(o, all_place)) }
  if not o.existing then return plain end
  local list = o.internal and plain or {}
  for _, name in ipairs(sorted_keys(o.existing)) do
    alter.append(list, switch({ name = name, table = o.table, schema = o.schema }, o.existing[name]))
  end
  return list
end

local function register_all(name, summary, words, opposite)
  alter.register {
    name = name,
    summary = summary,
    position = 1,
    build = function(relation, options)
      local o = check.options(options, all_shape)
      o.table = check.name(relation, "the table name")
      return o
    end,
    clauses = function(o) return { ("%s TRIGGER %s"):format(words, o.internal and "ALL" or "USER") } end,
    inverse = function(o) return undo_all(o, opposite) end,
    lock = switch_lock,
    capture = look_all,
    arguments = function(o) return o.table, clause.pick(o, all_shape) end,
  }
end

register_all("enable_triggers", "Let all triggers of a table fire", "ENABLE", "disable_triggers")
register_all("disable_triggers", "Keep all triggers of a table from firing", "DISABLE", "enable_triggers")

return {
  --- A SELECT of one row about a trigger, w.oid, and what such a row says.
  describe = describe, definition = definition_of,
}
