--- A database as a set of facts. Whatever its size, it is read by the same
--- statements in one round trip, under an empty search path, so that the server prints
--- every name in full.

local cjson = require "cjson"
local scope = require "moontide.fact.scope"
local sets = require "moontide.fact.set"

local fact = {}

-- The planner takes catalogs for larger than they are, and would compile.
local settings = "SELECT set_config('search_path', '', true), set_config('jit', 'off', true)"

local kinds = { "type", "sequence", "table", "view", "routine", "part", "depend", "unmodelled" }

local function kind(name) return require("moontide.fact." .. name) end

-- A query of a large kind answers plain columns, some of which are JSON documents: `kind.documents` says which. All
-- others answer one document a row.
local function documents_of(query)
  for _, name in ipairs(kinds) do
    local found = (kind(name).documents or {})[query]
    if found then return found end
  end
end

local function without_nulls(given)
  for key, field in pairs(given) do
    if field == cjson.null then given[key] = nil elseif type(field) == "table" then without_nulls(field) end
  end
  return given
end

--- The statements that read a database, and the names of what they answer.
---@param options? moontide.ScopeOptions
---@return { sql: string, rows: boolean }[]
---@return string[] names  by the place of the statement; "" for one that answers nothing
function fact.statements(options)
  local fill = scope.new(options)
  local list, names = { { sql = settings } }, { "" }
  for _, name in ipairs(kinds) do
    local queries = {}
    for query in pairs(kind(name).queries) do queries[#queries + 1] = query end
    table.sort(queries)
    for _, query in ipairs(queries) do
      local sql = fill(kind(name).queries[query])
      list[#list + 1] = { rows = true,
        sql = documents_of(query) and sql or ("SELECT row_to_json(q)::text AS doc FROM (%s) q"):format(sql) }
      names[#names + 1] = query
    end
  end
  return list, names
end

--- The kinds of objects that there are, modelled or not, sorted.
---@return string[]
function fact.kinds()
  local list = require("moontide.fact.arrange").kinds()
  for word in kind("unmodelled").queries.unmodelled:gmatch("SELECT '(%l[%l ]+)'") do list[#list + 1] = word end
  table.sort(list)
  return list
end

local function document(text) return without_nulls(cjson.decode(text)) end

local function decode(rows, documents)
  if not documents then
    for i, row in ipairs(rows) do rows[i] = document(row.doc) end
  end
  for _, column in ipairs(documents or {}) do
    for _, row in ipairs(rows) do row[column] = row[column] and document(row[column]) end
  end
  return rows
end

--- The facts that the results of the statements tell.
---@param results table[]
---@param names string[]
---@param first? integer  the place of the first result
---@return moontide.FactSet
function fact.assemble(results, names, first)
  local set, rows = sets.new(), {}
  for i, name in ipairs(names) do
    if name ~= "" then rows[name] = decode(results[(first or 1) + i - 1], documents_of(name)) end
  end
  for _, name in ipairs(kinds) do kind(name).add(set, rows) end
  return set
end

--- Read the database of a connection, in a transaction of its own.
---@param db moontide.Db
---@param options? moontide.ScopeOptions
---@return moontide.FactSet
function fact.read(db, options)
  local list, names = fact.statements(options)
  table.insert(list, 1, { sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" })
  list[#list + 1] = { sql = "COMMIT" }
  local ok, results = pcall(db.pipeline, db, list)
  if not ok then
    db:rollback()
    error(results, 0)
  end
  return fact.assemble(results, names, 2)
end

return fact
