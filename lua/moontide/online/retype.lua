--- The type of a column changed online. Where the values stay as they are, the change
--- takes a moment. Otherwise there is a second column for a while, its shadow: a trigger
--- keeps it, a backfill fills it, it gets the indexes and constraints of the column, and
--- one short transaction puts it in its place.

local alter = require "moontide.object.alter"
local constraint = require "moontide.online.constraint"
local clause = require "moontide.object.clause"
local default_name = require "moontide.object.name"
local not_null = require "moontide.online.not_null"
local operation = require "moontide.operation"
local plan = require "moontide.online.plan"
local probe = require "moontide.online.probe"
local quote = require "moontide.sql.quote"
local step = require "moontide.online.step"
local value = require "moontide.value"

local retype = {}

---@class moontide.Retyping
---@field shadow string    the name of the column in the meantime
---@field own string       the name of the function and of the backfill
---@field trigger string

-- Triggers fire in the order of their names, and this one is to see what the others have made of the row.
local function names_of(o)
  local own = default_name.make(o.table, o.name, "shadow")
  return { shadow = default_name.make(o.name, nil, "shadow"), own = own,
    trigger = default_name.make("~" .. o.table, o.name, "shadow") }
end

-- A value is what the change itself would make of it, whatever the settings of the session that writes it.
local body = [[
CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql
  SET search_path FROM CURRENT SET timezone FROM CURRENT SET datestyle FROM CURRENT SET intervalstyle FROM CURRENT
  SET bytea_output FROM CURRENT SET extra_float_digits FROM CURRENT AS %s]]

local by_expression = [[
#variable_conflict use_column
BEGIN
  NEW.%s := (SELECT %s FROM (SELECT NEW.*) AS %s);
  RETURN NEW;
END]]

local by_assignment = "BEGIN\n  NEW.%s := NEW.%s;\n  RETURN NEW;\nEND"

local function create_function(o, names)
  local shadow = quote.ident(names.shadow)
  local text = o.using and by_expression:format(shadow, o.using, quote.ident(o.table))
    or by_assignment:format(shadow, quote.ident(o.name))
  return body:format(quote.qualified(o.schema, names.own), quote.dollar(text))
end

local function alter_table(o, ...) return alter.statements(o.schema, o.table, { clause.words(...) })[1] end

local column_there = "EXISTS (SELECT FROM pg_attribute WHERE attrelid = %s AND attname = %s)"

local function shadow_there(o, names)
  return column_there:format(probe.relation(o.schema, o.table), quote.literal(names.shadow))
end

local create_trigger = "CREATE TRIGGER %s BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s()"

-- A trigger that fires always fires for a subscription, too.
local function add(o, names)
  local trigger = quote.ident(names.trigger)
  return step.transaction({
    alter_table(o, "ADD COLUMN", quote.ident(names.shadow), o.type,
      o.collation and "COLLATE " .. clause.object_name(o.collation)),
    create_function(o, names),
    create_trigger:format(trigger, quote.qualified(o.schema, o.table), quote.qualified(o.schema, names.own)),
    alter_table(o, "ENABLE ALWAYS TRIGGER", trigger),
  }, probe.all(shadow_there(o, names)))
end

-- The trigger knows the value: it is enough to touch the row.
local function fill(o, names)
  local shadow = quote.ident(names.shadow)
  local condition = shadow .. " IS NULL" .. (o.using and "" or (" AND %s IS NOT NULL"):format(quote.ident(o.name)))
  local backfill = operation.build("backfill", { names.own, table = o.table, schema = o.schema,
    set = { [names.shadow] = value.sql(shadow) }, where = condition })
  backfill.where, backfill.only_if, backfill.own_trigger = o.where, plan.exists "shadow", names.trigger
  return { operation = backfill }
end

local function phases(o, names, ctx, last)
  local list = {
    { rows = "change", as = "together" },
    { when = "nullable", steps = o.nullable == false and not_null.steps(o, o.name, ctx) or {} },
    { when = "shadow", steps = { add(o, names), fill(o, names) } },
    { rows = "index", as = "index" },
    { when = "not_null", steps = not_null.steps(o, names.shadow, ctx) },
    { rows = "constraint", as = "each" },
    { rows = "validate", as = "each", failed = constraint.explain },
    { when = "shadow", steps = { step.transaction("ANALYZE " .. quote.qualified(o.schema, o.table)) } },
    { rows = "leave", as = "each" },
    { rows = "exchange", as = "together", done = probe.all("NOT " .. shadow_there(o, names)) },
  }
  return list, last[1] and { step.transaction(last) } or {}
end

local function array(statements)
  local list = {}
  for index, sql in ipairs(statements) do list[index] = quote.literal(sql) end
  return "ARRAY[" .. table.concat(list, ", ") .. "]"
end

local function using_view(o)
  if not o.using then return "SELECT 1" end
  return ("CREATE TEMPORARY VIEW moontide_using AS SELECT %s AS value FROM pg_temp.moontide_model AS %s")
    :format(o.using, quote.ident(o.table))
end

local rename_model = "ALTER TABLE pg_temp.%s RENAME TO %s"

local function words_of(o, names, part)
  local model = { schema = "pg_temp", table = o.table, name = o.name, type = o.type, using = o.using,
    collation = o.collation }
  local relation = quote.ident(o.table)
  return {
    TABLE = quote.literal(quote.qualified(o.schema, o.table)), COLUMN = quote.literal(o.name),
    SHADOW = quote.literal(names.shadow), NEW_DEFAULT = tostring(o.default ~= nil),
    AS_TABLE = quote.literal(rename_model:format("moontide_model", relation)),
    AS_MODEL = quote.literal(rename_model:format(relation, "moontide_model")),
    ALTER = quote.literal(part.model(model)[1]), CHANGE = array(part.change), MORE = array(part.more),
    USING_VIEW = quote.literal(using_view(o)),
    REQUIRED = tostring(o.nullable == false), NULLABLE = tostring(o.nullable == true),
    SHADOW_NOT_NULL = quote.literal(default_name.make(o.table, names.shadow, "not_null")),
    NOT_NULL = quote.literal(default_name.make(o.table, o.name, "not_null")),
    DROP_TRIGGER = quote.literal(("DROP TRIGGER %s ON %s"):format(quote.ident(names.trigger),
      quote.qualified(o.schema, o.table))),
    DROP_FUNCTION = quote.literal(("DROP FUNCTION %s()"):format(quote.qualified(o.schema, names.own))),
  }
end

---@class moontide.RetypingParts
---@field model fun(o: table): string[]  statements of the change of the type alone
---@field change string[]   the change where it takes a moment, without NOT NULL and the new name
---@field more string[]     what else changes
---@field last string[]     what follows it all

--- The steps of a change of a type.
---@param o moontide.Operation
---@param part moontide.RetypingParts
---@param ctx { server_version: integer?, offline: boolean? }
---@return moontide.Step[]
function retype.steps(o, part, ctx)
  local names = names_of(o)
  local block = plan.block(require "moontide.online.retype_plan", words_of(o, names, part))
  local list, last = phases(o, names, ctx, part.last)
  return alter.append(plan.steps(o, block, list, ctx), last)
end

return retype
