--- What of a database is looked at: `include` of env.lua, by schema, kind and name, or
--- by a function. Pure.

local fault = require "moontide.fault"

---@class moontide.IncludeObject
---@field kind string        "table", "index", ...
---@field name string
---@field schema? string     what is in no schema has none
---@field table? string      what it is a part of
---@field reflected boolean  it was read from a live database; otherwise it is declared
---@field both? boolean      the other side of the comparison has it, too; nil where there is no other side

---@class moontide.IncludeTest
---@field schema? string[]
---@field kind? string[]
---@field name? string[]

---@class moontide.Include: moontide.IncludeTest
---@field except moontide.IncludeTest[]
---@field where? fun(object: moontide.IncludeObject): boolean

local include = {}

local expected = [[a function, or a table of patterns as in { schema = { "app", "app_*" }, except = { kind = "table", ]]
  .. [[name = "tmp_*" } }; the fields are schema, kind, name, except and where]]

-- Reading ---------------------------------------------------------------------

local function patterns(given)
  if type(given) == "string" then given = { given } end
  if type(given) ~= "table" or #given == 0 then return nil end
  for key, item in pairs(given) do
    if math.type(key) ~= "integer" or type(item) ~= "string" or item == "" then return nil end
  end
  return table.move(given, 1, #given, 1, {})
end

local test_fields = { schema = true, kind = true, name = true }

-- A table of patterns; further fields may stand beside them.
local function read_test(given, others)
  local test = {}
  for field, item in pairs(given) do
    if test_fields[field] then
      test[field] = patterns(item)
      if not test[field] then return nil end
    elseif not others[field] then
      return nil
    end
  end
  return test
end

-- One table of patterns, or a list of such tables.
local function read_exceptions(given)
  if type(given) ~= "table" then return nil end
  local list = {}
  for i, item in pairs(given[1] and given or { given }) do
    local test = math.type(i) == "integer" and type(item) == "table" and read_test(item, {})
    if not test or not next(test) then return nil end
    list[i] = test
  end
  return list
end

--- The checked form of what env.lua says; nil and what was expected.
---@param given any
---@return moontide.Include?
---@return string? expected
function include.read(given)
  if type(given) == "function" then return { except = {}, where = given } end
  if type(given) ~= "table" or not next(given) then return nil, expected end
  local rule = read_test(given, { except = true, where = true })
  local exceptions = read_exceptions(given.except or { { kind = "*" } })
  if not rule or not exceptions then return nil, expected end
  if given.where ~= nil and type(given.where) ~= "function" then return nil, expected end
  rule.except, rule.where = given.except and exceptions or {}, given.where
  return rule
end

local function refuse_kind(name, known, where)
  local nearest = require("moontide.suggest").nearest(name, known)
  fault.raise("config", ('include: unknown kind "%s"'):format(name), { where = where,
    hint = nearest and ('Did you mean "%s"?'):format(nearest) or "The kinds are " .. table.concat(known, ", ") .. "." })
end

-- The kinds that a rule names in full.
local function kinds_of(rule)
  local list = {}
  for _, test in ipairs(table.move(rule.except, 1, #rule.except, 2, { rule })) do
    for _, name in ipairs(test.kind or {}) do
      if not name:find("[*?]") then list[#list + 1] = name end
    end
  end
  return list
end

--- Refuse kinds that there are not; plugins may have some.
---@param rule moontide.Include
---@param kinds fun(): string[]  asked only where one is named
---@param where string
function include.check_kinds(rule, kinds, where)
  local named = kinds_of(rule)
  local known, is_known = named[1] and kinds() or {}, {}
  for _, name in ipairs(known) do is_known[name] = true end
  for _, name in ipairs(named) do
    if not is_known[name] then refuse_kind(name, known, where) end
  end
end

-- Asking ----------------------------------------------------------------------

local function as_lua(pattern)
  return "^" .. pattern:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".") .. "$"
end

local function matches(list, text)
  for _, pattern in ipairs(list) do
    if text:find(as_lua(pattern)) then return true end
  end
  return false
end

-- What is in no schema is asked about none.
local function passes(test, object)
  if test.schema and object.schema and not matches(test.schema, object.schema) then return false end
  return (not test.kind or matches(test.kind, object.kind)) and (not test.name or matches(test.name, object.name))
end

local function excepted(rule, object)
  for _, test in ipairs(rule.except) do
    local is_elsewhere = test.schema and not object.schema
    if not is_elsewhere and passes(test, object) then return true end
  end
  return false
end

local function asked(rule, object)
  local ok, answer = xpcall(rule.where, require("moontide.gate").explain, object)
  if ok then return answer and true or false end
  answer.detail = answer.detail or ("in include of env.lua, asked about %s %s"):format(object.kind, object.name)
  error(answer, 0)
end

--- Whether an object is looked at. What is a part of another is asked about only by exceptions and the function.
---@param rule moontide.Include
---@param object moontide.IncludeObject
---@param is_part? boolean
---@return boolean
function include.takes(rule, object, is_part)
  if not is_part and not passes(rule, object) or excepted(rule, object) then return false end
  return not rule.where or asked(rule, object)
end

--- Whether a schema is left out by its name, with everything in it.
---@param rule moontide.Include
---@param name string
---@return boolean
function include.leaves_schema(rule, name)
  if rule.schema and not matches(rule.schema, name) then return true end
  for _, test in ipairs(rule.except) do
    if test.schema and not test.kind and not test.name and matches(test.schema, name) then return true end
  end
  return false
end

--- Tables that other programs keep their books in: what `include` leaves out unless env.lua says something else.
include.default = { except = { { kind = { "table" }, name = { "alembic_version", "flyway_schema_history",
  "schema_migrations", "ar_internal_metadata", "databasechangelog", "databasechangeloglock", "django_migrations",
  "_prisma_migrations", "knex_migrations", "knex_migrations_lock", "goose_db_version", "__EFMigrationsHistory",
  "spatial_ref_sys" } } } }

return include
