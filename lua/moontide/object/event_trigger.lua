--- Event triggers: functions that are called when the schema changes. They belong to the whole database.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lifecycle = require "moontide.object.lifecycle"
local lookup = require "moontide.object.lookup"
local quote = require "moontide.sql.quote"

local shape = {
  tags = check.list_of(check.text), execute = clause.object, owner = check.name,
  enabled = check.choice("origin", "always", "replica", "disabled"),
}

local function settle(o)
  if not o.execute then check.expected('option "execute"', "the name of a function", nil) end
  if o.enabled == "origin" then o.enabled = nil end
end

local function create(o)
  local literals = {}
  for i, tag in ipairs(o.tags or {}) do literals[i] = quote.literal(tag:upper()) end
  return clause.words("CREATE EVENT TRIGGER", quote.ident(o.name), "ON", o.event,
    #literals > 0 and "WHEN TAG IN (" .. table.concat(literals, ", ") .. ")",
    ("EXECUTE FUNCTION %s()"):format(clause.object_name(o.execute)))
end

local switches = { always = "ENABLE ALWAYS", replica = "ENABLE REPLICA", disabled = "DISABLE" }

local function after(o)
  local list, head = {}, "ALTER EVENT TRIGGER " .. quote.ident(o.name)
  if o.enabled then list[1] = head .. " " .. switches[o.enabled] end
  if o.owner then list[#list + 1] = head .. " OWNER TO " .. quote.ident(o.owner) end
  return list
end

local describe = [[
SELECT e.evtevent AS event, e.evttags AS tags, pg_get_userbyid(e.evtowner) AS owner,
  CASE e.evtenabled WHEN 'A' THEN 'always' WHEN 'R' THEN 'replica' WHEN 'D' THEN 'disabled' END AS enabled,
  (SELECT json_build_object('name', p.proname, 'schema', s.nspname) FROM pg_proc p
    JOIN pg_namespace s ON s.oid = p.pronamespace WHERE p.oid = e.evtfoid) AS execute,
  obj_description(e.oid, 'pg_event_trigger') AS comment
FROM pg_event_trigger e WHERE e.oid = w.oid]]

local function look(o, query)
  return lookup.row(query, "SELECT oid FROM pg_event_trigger WHERE evtname = " .. quote.literal(o.name), describe)
end

lifecycle.register {
  thing = "event_trigger",
  summaries = { "Create an event trigger", "Drop an event trigger", "Rename an event trigger" },
  identity = { { "name", check.name, "the trigger name" } },
  content = { { "event", check.name, "the event" } },
  place = {},
  shape = shape,
  example = 'event = "ddl_command_end", execute = "f"',
  settle = settle,
  create = create,
  after = after,
  look = look,
}
