--- A database as a set of facts. Whatever its size, it is read by the same
--- statements in one round trip, under an empty search path, so that the server prints
--- every name in full.

local cjson = require "cjson"
local scope = require "moontide.fact.scope"
local sets = require "moontide.fact.set"

local fact = {}

local kinds = { "type", "sequence", "table", "view", "routine", "part", "depend", "unmodelled" }

local function kind(name) return require("moontide.fact." .. name) end

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
  local list, names = { { sql = "SET LOCAL search_path = ''" } }, { "" }
  for _, name in ipairs(kinds) do
    local queries = {}
    for query in pairs(kind(name).queries) do queries[#queries + 1] = query end
    table.sort(queries)
    for _, query in ipairs(queries) do
      list[#list + 1] = { rows = true,
        sql = ("SELECT row_to_json(q)::text AS doc FROM (%s) q"):format(fill(kind(name).queries[query])) }
      names[#names + 1] = query
    end
  end
  return list, names
end

local function decode(result)
  local rows = {}
  for i, row in ipairs(result) do rows[i] = without_nulls(cjson.decode(row.doc)) end
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
    if name ~= "" then rows[name] = decode(results[(first or 1) + i - 1]) end
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
