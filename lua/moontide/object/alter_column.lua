--- Changing a column: everything that is given changes, in one ALTER TABLE; a
--- comment and a new name follow it.

local alter = require "moontide.object.alter"
local catalog = require "moontide.catalog.table"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local column = require "moontide.object.column"
local dependents = require "moontide.object.dependents"
local constraint = require "moontide.object.constraint"
local online = require "moontide.online.not_null"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local retype = require "moontide.online.retype"
local step = require "moontide.online.step"
local value = require "moontide.value"

local null = value.null

-- `null`, and for what is a switch elsewhere `false`, removes the thing.
local function or_null(item)
  return function(given, what)
    if given == false or value.kind(given) == "null" then return null end
    return item(given, what)
  end
end

local function read_comment(given, what)
  return value.kind(given) == "null" and null or check.text(given, what)
end

local function read_default(given, what)
  return value.kind(given) == "null" and null or check.value(given, what)
end

-- Options of the column; `null` takes one back to its default.
local function read_options(given, what)
  local set, answer = {}, {}
  for key, setting in pairs(check.table(given, what)) do
    set[key] = value.kind(setting) == "null" and 0 or setting
  end
  for key in pairs(check.parameters(set, what)) do
    answer[key] = value.kind(given[key]) == "null" and null or given[key]
  end
  return answer
end

-- What can be changed, and so what `existing` can tell.
local state_shape = {
  type = check.type, collation = clause.object, using = check.expression, nullable = check.boolean,
  default = read_default,
  comment = read_comment, identity = or_null(column.read_identity), generated = or_null(check.expression),
  storage = column.storage, compression = column.compression, statistics = check.integer, options = read_options,
}

local function read_existing(given, what)
  check.table(given, what)
  return check.shape(given, what, state_shape)
end

local shape = check.join(state_shape, { name = check.name, schema = check.name, existing = read_existing,
  online = check.boolean, dependents = dependents.read_word })

local function is_set(given)
  return given ~= nil and given ~= null
end

local contradictions = {
  { "default", "identity" }, { "default", "generated" }, { "identity", "generated" },
}

local function check_together(o)
  for _, pair in ipairs(contradictions) do
    if is_set(o[pair[1]]) and is_set(o[pair[2]]) then
      check.refuse(("%s and %s cannot be given together"):format(pair[1], pair[2]))
    end
  end
  if is_set(o.identity) and o.nullable then check.refuse("nullable = true contradicts identity") end
  for _, option in ipairs { "using", "collation" } do
    if o[option] and not o.type then
      check.refuse(option .. " needs type", "Give the type of the column too, even when it stays the same.")
    end
  end
end

local changes = { "type", "nullable", "default", "comment", "identity", "generated", "storage", "compression",
  "statistics", "options", "name" }

local function check_something(o)
  for _, change in ipairs(changes) do
    if o[change] ~= nil then return end
  end
  check.refuse("nothing to change", "Give at least one of " .. table.concat(changes, ", ") .. ".")
end

local function check_online(o)
  if is_set(o.generated) then check.refuse("a generated column cannot be changed online") end
  if o.type and (o.identity ~= nil or o.generated ~= nil) then
    check.refuse("type cannot be changed online together with identity or generated", "Use two operations.")
  end
end

local function check_dependents(o)
  if o.online then check.refuse("dependents and online cannot be given together") end
  if o.name then
    check.refuse("dependents and name cannot be given together", "Views follow a new name: use op.rename_column.")
  end
end

local function build(relation, name, options)
  local given = check.options(options, shape)
  check_together(given)
  check_something(given)
  if given.online then check_online(given) end
  if given.dependents then check_dependents(given) end
  given.new_name = given.name
  given.table, given.name = check.name(relation, "the table name"), check.name(name, "the column name")
  return given
end

local function type_clause(o)
  return clause.words("TYPE", o.type, o.collation and "COLLATE " .. clause.object_name(o.collation),
    o.using and "USING " .. o.using)
end

local defaults = { start = "START WITH 1", increment = "INCREMENT BY 1", minimum = "NO MINVALUE",
  maximum = "NO MAXVALUE", cache = "CACHE 1", cycle = "NO CYCLE" }
local sequence_keys = { "start", "increment", "minimum", "maximum", "cache", "cycle" }

-- SET GENERATED ... SET ...: what the old identity had and the new one has not, goes back to its default.
local function change_identity(old, new)
  local parts = { "SET GENERATED " .. (new.always and "ALWAYS" or "BY DEFAULT") }
  for _, option in ipairs(column.sequence_options(new)) do parts[#parts + 1] = "SET " .. option end
  for _, key in ipairs(sequence_keys) do
    if old[key] and not new[key] then parts[#parts + 1] = "SET " .. defaults[key] end
  end
  return table.concat(parts, " ")
end

local function identity_clause(o)
  if not is_set(o.identity) then return nil end
  local old = o.existing and o.existing.identity
  if is_set(old) then return change_identity(old, o.identity) end
  return "ADD " .. column.identity_sql(o.identity)
end

local function option_clauses(options)
  local set, reset = {}, {}
  for key, setting in pairs(options or {}) do
    if setting == null then reset[#reset + 1] = key else set[key] = setting end
  end
  table.sort(reset)
  return next(set) ~= nil and "SET " .. clause.parameters(set) or nil,
    reset[1] and "RESET " .. clause.columns(reset) or nil
end

local function nullability(o)
  if o.nullable == nil then return nil end
  return o.nullable and "DROP NOT NULL" or "SET NOT NULL"
end

-- An old default may have no cast to the new type, so it goes first when a new one is given.
local function drops_default(o)
  return o.default == null or o.default ~= nil and o.type ~= nil
end

local function actions(o)
  local set, reset = option_clauses(o.options)
  return table.pack(
    o.identity == null and "DROP IDENTITY", o.generated == null and "DROP EXPRESSION",
    drops_default(o) and "DROP DEFAULT", o.type and type_clause(o),
    is_set(o.default) and "SET DEFAULT " .. clause.default(o.default), nullability(o), identity_clause(o),
    is_set(o.generated) and ("SET EXPRESSION AS (%s)"):format(o.generated),
    o.storage and "SET STORAGE " .. o.storage:upper(), o.compression and "SET COMPRESSION " .. o.compression,
    o.statistics and "SET STATISTICS " .. o.statistics, set, reset)
end

local function clauses(o)
  local list, head, parts = {}, ("ALTER COLUMN %s "):format(quote.ident(o.name)), actions(o)
  for i = 1, parts.n do
    if parts[i] then list[#list + 1] = head .. parts[i] end
  end
  return list
end

local function rest(o)
  local statements = {}
  if o.comment ~= nil then
    statements[1] = column.comment_sql(o.schema, o.table, o.name, o.comment ~= null and o.comment or nil)
  end
  if o.new_name then
    statements[#statements + 1] = ("ALTER TABLE %s RENAME COLUMN %s TO %s")
      :format(quote.qualified(o.schema, o.table), quote.ident(o.name), quote.ident(o.new_name))
  end
  return statements
end

-- What each change was before; those that cannot be told from the change itself are listed in `missing`.
local function earlier(o, missing)
  local old, existing = {}, o.existing or {}
  for _, change in ipairs(changes) do
    if change ~= "name" and o[change] ~= nil then
      old[change] = existing[change]
      if old[change] == nil then missing[#missing + 1] = change end
    end
  end
  return old
end

-- The default is cast to the new type, and back to what may be another expression; storage is the new type's.
local lost_with_type = { "default", "storage", "compression" }

local function earlier_of_type(o, old)
  for _, key in ipairs(o.type and o.existing and lost_with_type or {}) do
    if old[key] == nil then old[key] = o.existing[key] end
  end
end

-- Adding an identity fails where there is one, and a change of nullability has one earlier state.
local function guess(o, old, missing)
  local left = {}
  for _, change in ipairs(missing) do
    if change == "nullable" then old.nullable = not o.nullable
    elseif change == "identity" and is_set(o.identity) then old.identity = null
    else left[#left + 1] = change .. " = ..." end
  end
  return left
end

-- Options set now and absent before are reset.
local function earlier_options(o, old)
  if not old.options then return end
  local options = {}
  for key in pairs(o.options) do options[key] = null end
  for key, setting in pairs(old.options) do options[key] = setting end
  old.options = options
end

local function write_state(o)
  local options = clause.pick(o, state_shape)
  if is_set(options.identity) then options.identity = column.write_identity(options.identity) end
  return options
end

local function present(o)
  local state = {}
  for _, change in ipairs(changes) do
    if change ~= "name" then state[change] = o[change] end
  end
  state.using, state.collation = o.using, o.collation
  return write_state(state)
end

local function inverse(o)
  if o.generated == null then
    return nil, "PostgreSQL cannot make an existing column a generated one: drop the column and add it instead"
  end
  local missing = {}
  local old = earlier(o, missing)
  local left = guess(o, old, missing)
  if left[1] then
    return nil, ('what the column "%s" was is not known: give existing = { %s }')
      :format(o.name, table.concat(left, ", "))
  end
  earlier_options(o, old)
  earlier_of_type(o, old)
  local existing = o.existing or {}
  if old.type then old.using, old.collation = existing.using, existing.collation end
  local options = write_state(old)
  options.schema, options.name, options.existing = o.schema, o.new_name and o.name, present(o)
  if next(options.existing) == nil then options.existing = nil end
  local is_empty = next(options) == nil
  options.online, options.dependents = o.online, o.dependents
  if is_empty or next(old) == nil and not options.name then return {} end
  local undo = operation.build("alter_column", o.table, o.new_name or o.name, options)
  undo.originals = o.originals
  return { undo }
end

-- How the catalog tells what each change was before.
local told = {
  type = function(_, item) return item[2] end,
  nullable = function(row) return not row.not_null end,
  default = function(_, item) return item.default or null end,
  comment = function(_, item) return item.comment or null end,
  identity = function(_, item) return item.identity or null end,
  generated = function(row) return row.generated ~= "" and row.expression or null end,
  storage = function(row) return catalog.storage(row) end,
  compression = function(row) return catalog.compression(row) or "default" end,
  statistics = function(_, item) return item.statistics or -1 end,
  options = function(_, item, o)
    local options = {}
    for key in pairs(o.options) do options[key] = item.options and item.options[key] or null end
    return options
  end,
}

-- Values become of the old type again the way `CAST` does it, which is more than the server does by itself.
local function add_type(o, item, state)
  state.collation, state.default = item.collation, state.default or item.default
  state.storage, state.compression = state.storage or item.storage, state.compression or item.compression
  state.using = ("%s::%s"):format(quote.ident(o.new_name or o.name), item[2])
end

local function capture(o, query)
  local found = catalog.read(query, catalog.oid(o.schema, o.table))
  local row = found and catalog.column(found, o.name)
  if not row then return nil end
  local state, item = {}, catalog.item(row)
  for change, tell in pairs(told) do
    if o[change] ~= nil then state[change] = tell(row, item, o) end
  end
  if o.type then add_type(o, item, state) end
  local prepared = dependents.prepare(o, query)
  return { existing = read_existing(state, "existing"), originals = prepared and prepared.recreation.originals }
end

-- The statements of some of the changes.
local function part(o, changed)
  local one = { schema = o.schema, table = o.table, name = o.name, existing = o.existing }
  for key in pairs(changed) do one[key] = o[key] end
  return alter.append(alter.statements(o.schema, o.table, clauses(one)), rest(one))
end

local before = { default = true, comment = true, identity = true, storage = true, compression = true,
  statistics = true, options = true }

-- What else changes is in a step of its own; the new name comes last.
local function expand_nullable(o, ctx)
  local first, last = part(o, before), part(o, { new_name = true })
  local steps = online.steps(o, o.name, ctx)
  if first[1] then table.insert(steps, 1, step.transaction(first)) end
  if last[1] then steps[#steps + 1] = step.transaction(last) end
  return steps
end

local function expand_type(o, ctx)
  local change = { type = true, using = true, collation = true, nullable = o.nullable or nil }
  for key in pairs(before) do change[key] = true end
  return retype.steps(o, {
    model = function(model) return alter.statements(model.schema, model.table, clauses(model)) end,
    change = part(o, change), more = part(o, before),
    last = part(o, { new_name = true }),
  }, ctx)
end

local function expand(o, ctx)
  if not o.online then return nil end
  if o.type then return expand_type(o, ctx) end
  return o.nullable == false and expand_nullable(o, ctx) or nil
end

local catalog_only = { statistics = true, options = true, comment = true }

-- Statistics, options and comments do not get in the way of readers or writers.
local function lock(o)
  if o.online and (o.nullable == false or o.type) then return constraint.online_lock(o) end
  local list = alter.lock(o)
  if o.new_name then return list end
  for _, change in ipairs(changes) do
    if change ~= "name" and o[change] ~= nil and not catalog_only[change] then return list end
  end
  list[1].mode = "SHARE UPDATE EXCLUSIVE"
  return list
end

alter.register {
  name = "alter_column",
  summary = "Change a column of a table",
  position = 1,
  build = build,
  clauses = clauses,
  rest = rest,
  inverse = inverse,
  lock = lock,
  capture = capture,
  prepare = dependents.prepare,
  expand = expand,
  online = function(o)
    if o.dependents or is_set(o.generated) then return false end
    if o.type then return o.identity == nil and o.generated == nil end
    return o.nullable == false
  end,
  arguments = function(o)
    local options = write_state(o)
    options.name, options.schema, options.online = o.new_name, o.schema, o.online
    options.dependents = o.dependents
    options.existing = o.existing and write_state(o.existing)
    return o.table, o.name, options
  end,
}
