--- A database as a set of facts. Whatever its size, it is read by the same
--- statements in one round trip, under an empty search path, so that the server prints
--- every name in full.

local json = require "moontide.sql.json"
local scope = require "moontide.fact.scope"
local sets = require "moontide.fact.set"
local sorted_keys = require "moontide.sorted_keys"

---@class moontide.FactKind
---@field name string
---@field from? string                     who registers it, where that is a plugin
---@field queries table<string, string|fun(version: integer): string>  statements by the names that `add` finds their
---  rows under; a function where they are not the same on every version of the server
---@field documents? table<string, string[]>  columns that are JSON, of a query that answers plain columns
---@field add fun(set: moontide.FactSet, rows: table<string, table[]>)
---@field objects? table<string, moontide.ObjectKind>  what is new about the kinds of objects that it adds
---@field declared? table<string, string>  what models call operations

---@class moontide.ObjectKind
---@field after string     the kind that it comes after when everything is created
---@field movable boolean  it can be dropped and created again without a loss
---@field alteration? fun(old: moontide.Fact, new: moontide.Fact): moontide.Alteration?

local fact = {}

-- The planner takes catalogs for larger than they are, and would compile.
local settings = "SELECT set_config('search_path', '', true), set_config('jit', 'off', true)"

local kinds, queries = {}, {}

-- What looks at all the facts that there are.
local unmodelled = require "moontide.fact.unmodelled"
local last = { require "moontide.fact.depend", unmodelled }

local function each_kind()
  return ipairs(table.move(last, 1, #last, #kinds + 1, table.move(kinds, 1, #kinds, 1, {})))
end

-- A query of a large kind answers plain columns, some of which are JSON documents: `kind.documents` says which. All
-- others answer one document a row.
local function documents_of(kind, query) return (kind.documents or {})[query] end

local function refuse_taken(kind)
  require("moontide.fault").raise("config", ('the kind "%s" is there already'):format(kind.name), {
    where = require("moontide.caller").where(), detail = kind.from and "registered by " .. kind.from })
end

local function add_object(name, object)
  require("moontide.fact.arrange").add(name, object.after)
  require("moontide.diff.rule").add(name, object.alteration)
  if object.movable then require("moontide.diff").add_movable(name) end
end

--- Add kinds of objects. Those of plugins are registered by the same call as those that come with Moontide.
---@param kind moontide.FactKind
function fact.register(kind)
  local known = require("moontide.fact.arrange").has
  for name in pairs(kind.objects or {}) do
    if known(name) then refuse_taken(kind) end
  end
  for name in pairs(kind.queries) do
    if queries[name] then refuse_taken(kind) end
    queries[name] = true
  end
  for name, operation in pairs(kind.declared or {}) do require("moontide.model").add(name, operation, kind.from) end
  for name, object in pairs(kind.objects or {}) do add_object(name, object) end
  kinds[#kinds + 1] = kind
end

for _, name in ipairs {
  "type", "sequence", "table", "view", "routine", "aggregate", "part", "statistics", "publication",
  "privilege" } do
  local kind = require("moontide.fact." .. name)
  fact.register { name = name, queries = kind.queries, documents = kind.documents, add = kind.add }
end

local newest = 180000

local function text_of(query, options)
  if type(query) == "string" then return query end
  return query(options and options.version or newest)
end

--- The statements that read a database.
---@param options? moontide.ScopeOptions
---@return { sql: string, rows?: boolean, flush?: boolean }[]
function fact.statements(options)
  local fill, list = scope.new(options), { { sql = settings } }
  for _, kind in each_kind() do
    for _, query in ipairs(sorted_keys(kind.queries)) do
      local sql = fill(text_of(kind.queries[query], options))
      list[#list + 1] = { rows = true,
        sql = documents_of(kind, query) and sql or ("SELECT row_to_json(q)::text AS doc FROM (%s) q"):format(sql) }
    end
    if kind.documents then list[#list].flush = true end
  end
  return list
end

--- The kinds of objects that there are, modelled or not, sorted.
---@return string[]
function fact.kinds()
  local list = require("moontide.fact.arrange").kinds()
  for word in unmodelled.queries.unmodelled:gmatch("SELECT '(%l[%l ]+)'") do list[#list + 1] = word end
  table.sort(list)
  return list
end

local function decode(rows, documents)
  if not documents then
    for i, row in ipairs(rows) do rows[i] = json.document(row.doc) end
  end
  for _, column in ipairs(documents or {}) do
    for _, row in ipairs(rows) do row[column] = row[column] and json.document(row[column]) end
  end
  return rows
end

--- The facts that the results of the statements tell.
---@param result fun(place: integer): table  of a statement, by its place; they are asked for in their order
---@return moontide.FactSet
function fact.assemble(result)
  local set, place = sets.new(), 1
  for _, kind in each_kind() do
    local rows = {}
    for _, query in ipairs(sorted_keys(kind.queries)) do
      place = place + 1
      rows[query] = decode(result(place), documents_of(kind, query))
    end
    kind.add(set, rows)
  end
  return set
end

-- The facts of one kind are made while the server reads the next.
local function read(db, list)
  db:launch(list)
  local landed = 0
  local set = fact.assemble(function(place)
    local first = landed + 1
    landed = place + 1
    return db:land(list, first, landed)[landed]
  end)
  db:land(list, landed + 1)
  return set
end

--- Read the database of a connection, in a transaction of its own.
---@param db moontide.Db
---@param options? moontide.ScopeOptions
---@return moontide.FactSet
function fact.read(db, options)
  local list = fact.statements(scope.on(db, options))
  table.insert(list, 1, { sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" })
  list[#list + 1] = { sql = "COMMIT" }
  local ok, set = pcall(read, db, list)
  if ok then return set end
  db:rollback()
  error(set, 0)
end

return fact
