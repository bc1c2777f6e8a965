--- Event triggers: functions that are called when the schema changes. They belong to the whole database.

local catalog = require "moontide.catalog.names"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lifecycle = require "moontide.object.lifecycle"
local lookup = require "moontide.object.lookup"
local quote = require "moontide.sql.quote"

local shape = {
  tags = check.list_of(check.text), execute = clause.object,
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
  return { o.enabled and ("ALTER EVENT TRIGGER %s %s"):format(quote.ident(o.name), switches[o.enabled]) }
end

local describe = [[
SELECT e.evtevent AS event, e.evttags AS tags, pg_get_userbyid(e.evtowner) AS owner,
  CASE e.evtenabled WHEN 'A' THEN 'always' WHEN 'R' THEN 'replica' WHEN 'D' THEN 'disabled' END AS enabled,
  ]] .. catalog.object("pg_proc", "pro", "e.evtfoid") .. [[ AS execute,
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
  owned = { words = "EVENT TRIGGER" },
  example = 'event = "ddl_command_end", execute = "f"',
  settle = settle,
  create = create,
  after = after,
  look = look,
}
