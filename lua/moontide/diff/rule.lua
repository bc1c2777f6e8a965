--- How an object becomes another of the same name: for each kind, the calls that change
--- it. A kind without a rule is dropped and created again.

local sorted_keys = require "moontide.sorted_keys"
local source = require "moontide.source"
local value = require "moontide.value"

---@class moontide.Alteration
---@field first? table[]             calls that come before everything: points at which a revision commits
---@field before table[]             calls that come before types and functions go
---@field now table[]                calls that come when everything that is needed is there
---@field disturbed? table<string, boolean>  columns whose dependents have to make way
---@field rebuilt? table<string, boolean>    columns whose constraints and indexes have to, too
---@field everybody? boolean         all dependents that can be made again have to make way
---@field queries? boolean          views, rules and policies that use it have to make way
---@field unused? string             why no column of a table may be of this type
---@field impossible? string         why there are no calls

local rule = {}

--- Whether two parts of calls read the same.
---@param a any
---@param b any
---@return boolean
function rule.same(a, b)
  if a == nil or b == nil then return a == b end
  return source.value(a) == source.value(b)
end

local function place_of(fact) return fact.call[#fact.call].schema end

local by_kind = {}

-- Where each label stands in a list.
local function places(labels)
  local at = {}
  for i, label in ipairs(labels) do at[label] = i end
  return at
end

-- Each new label after the one before it, or before the first that there was.
local function added_labels(name, schema, old, new)
  local list, known = {}, places(old)
  for i, label in ipairs(new) do
    if not known[label] then
      local options = { schema = schema }
      if i > 1 then options.after = new[i - 1] elseif old[1] then options.before = old[1] end
      list[#list + 1] = { "add_enum_value", name, label, options }
    end
  end
  return list
end

by_kind["enum"] = function(old, new)
  local name, before, after, schema = new.call[2], old.call[3], new.call[3], place_of(new)
  if require("moontide.object.enum").only_adds(before, after) then
    return { first = added_labels(name, schema, before, after) }
  end
  return { now = { { "alter_enum", name, after, { schema = schema, existing = before } } }, everybody = true }
end

local function checks_by_name(options)
  local by_name = {}
  for _, c in ipairs(options.checks or {}) do by_name[c.name] = c end
  return by_name
end

local function domain_state(old, new)
  local state = {}
  if not rule.same(old.default, new.default) then state.default = new.default or value.null end
  if old.nullable ~= new.nullable then state.nullable = new.nullable == nil end
  return next(state) and state
end

local function domain_check(name, schema, c)
  return { "create_domain_constraint", c.name, name, c[1],
    { schema = schema, comment = c.comment, not_valid = c.not_valid } }
end

by_kind["domain"] = function(old, new)
  local name, before, after = new.call[2], old.call[4], new.call[4]
  if old.call[3] ~= new.call[3] or not rule.same(before.collation, after.collation) then
    return nil
  end
  local list, state, schema = {}, domain_state(before, after), after.schema
  local were, are = checks_by_name(before), checks_by_name(after)
  for _, key in ipairs(sorted_keys(were)) do
    if not rule.same(were[key], are[key]) then
      list[#list + 1] = { "drop_domain_constraint", key, name, { schema = schema } }
    end
  end
  if state then
    state.schema = schema
    list[#list + 1] = { "alter_domain", name, state }
  end
  for _, key in ipairs(sorted_keys(are)) do
    if not rule.same(were[key], are[key]) then list[#list + 1] = domain_check(name, schema, are[key]) end
  end
  return { now = list }
end

by_kind["type"] = function(old, new) return require("moontide.diff.composite")(old, new) end

local largest = { smallint = 32767, integer = 2147483647, bigint = math.maxinteger }

-- NO MINVALUE may mean the least of the type before, so the numbers are said.
local function bounds(kind, increment)
  local top = largest[kind]
  if increment < 0 then return -top - 1, -1 end
  return 1, top
end

by_kind["sequence"] = function(old, new)
  local before, after = old.call[3], new.call[3]
  local options = { schema = after.schema, type = after.type or "bigint", increment = after.increment or 1,
    cache = after.cache or 1, cycle = after.cycle or false }
  local least, most = bounds(options.type, options.increment)
  options.minimum, options.maximum = after.minimum or least, after.maximum or most
  options.start = after.start or (options.increment > 0 and options.minimum or options.maximum)
  local lowest, highest = bounds(before.type or "bigint", before.increment or 1)
  if (before.minimum or lowest) > options.maximum or (before.maximum or highest) < options.minimum then
    options.restart = options.start   -- wherever it is now, it cannot stay there
  end
  if before.unlogged ~= after.unlogged then options.unlogged = after.unlogged or false end
  return { now = { { "alter_sequence", new.call[2], options } } }
end

local function begins_with(columns, start)
  for i, column in ipairs(start) do
    if columns[i] ~= column then return false end
  end
  return true
end

-- A view can be replaced by one that has more columns at its end.
by_kind["view"] = function(old, new)
  if not begins_with(new.columns or {}, old.columns or {}) then return nil end
  local name, query, options = new.call[2], new.call[3], { replace = true }
  for key, option in pairs(new.call[4]) do options[key] = option end
  return { now = { { "create_view", name, query, options } } }
end

local function replaced(new)
  local options = { replace = true }
  for key, option in pairs(new.call[3]) do options[key] = option end
  return { now = { { new.call[1], new.call[2], options } } }
end

by_kind["function"] = function(old, new)
  local before, after = old.call[3], new.call[3]
  if not rule.same(before.args, after.args) or before.returns ~= after.returns then return nil end
  return replaced(new)
end
by_kind["procedure"] = by_kind["function"]

local function has_all(privileges, of)
  local has = places(privileges)
  for _, word in ipairs(of) do
    if not has[word] then return false end
  end
  return true
end

-- More privileges are given to those there are.
by_kind["grant"] = function(old, new)
  return has_all(new.call[2], old.call[2]) and { now = { new.call } } or nil
end

local published = { publish = { "insert", "update", "delete", "truncate" }, via_root = false, generated = "none",
  tables = {} }

by_kind["publication"] = function(old, new)
  local before, after, state, existing = old.call[3], new.call[3], {}, {}
  if before.all_tables ~= after.all_tables then return nil end
  for option, otherwise in pairs(published) do
    if not rule.same(before[option], after[option]) then
      state[option], existing[option] = after[option], before[option]
      if state[option] == nil then state[option] = otherwise end
      if existing[option] == nil then existing[option] = otherwise end
    end
  end
  state.existing = existing
  return { now = { { "alter_publication", new.call[2], state } } }
end

local function again(_, new) return { now = { new.call } } end
by_kind["setting"], by_kind["comment"], by_kind["sequence owner"] = again, again, again

by_kind["extension"] = function(_, new)
  return { now = { { "alter_extension", new.call[2], { schema = new.call[3].schema } } } }
end

-- A constraint that only became valid is validated.
local function validated(old, new)
  local copy = {}
  for i, field in ipairs(old.call) do copy[i] = field end
  local options = copy[#copy]
  if type(options) ~= "table" or not options.not_valid then return nil end
  copy[#copy] = {}
  for key, option in pairs(options) do
    if key ~= "not_valid" then copy[#copy][key] = option end
  end
  if not rule.same(copy, new.call) then return nil end
  return { now = { { "validate_constraint", new.call[2], new.call[3], { schema = options.schema } } } }
end
by_kind["constraint"], by_kind["foreign key"] = validated, validated

by_kind["table"] = function(old, new) return require("moontide.diff.table")(old, new) end

--- Add the rule of a kind.
---@param kind string
---@param alteration? fun(old: moontide.Fact, new: moontide.Fact): moontide.Alteration?
function rule.add(kind, alteration) by_kind[kind] = alteration end

--- How to change one object into another; nil: drop it and create it again.
---@param old moontide.Fact
---@param new moontide.Fact
---@return moontide.Alteration?
function rule.alteration(old, new)
  local alter = by_kind[new.kind]
  local found = alter and alter(old, new)
  if found then
    found.first, found.before, found.now = found.first or {}, found.before or {}, found.now or {}
  end
  return found
end

return rule
