--- The bad states a database can be in, and the way out of each. Pure, but for the
--- one query that looks for invalid indexes.

local concurrent = require "moontide.object.concurrent"
local halves = require "moontide.partial"
local migrate = require "moontide.migrate"
local repeatable = require "moontide.repeatable"

local trouble = {}

---@class moontide.Trouble
---@field kind "partial"|"edited"|"unknown"|"missing"|"invalid_index"
---@field name string      the revision, or the index as SQL
---@field text string      what is wrong, one line
---@field way string       the arguments of `moontide repair` that end it
---@field detail? string

local function partial(journal, found)
  for id, rows in pairs(journal) do
    local last = rows[#rows]
    local stopped = last.state == "started" and ", and a statement outside of a transaction was interrupted" or ""
    found[#found + 1] = {
      kind = "partial", name = id, way = "finish " .. id, detail = last.statement,
      text = halves.words(halves.committed(rows), last.direction) .. stopped,
    }
  end
end

local function edited(graph, state, found)
  for _, item in ipairs(migrate.edited(graph, state)) do
    found[#found + 1] = {
      kind = "edited", name = item.revision.id, way = "accept " .. item.revision.id,
      text = ("its file %s was edited after it had been applied"):format(item.revision.path),
    }
  end
end

local function unknown(graph, rows, found)
  for _, id in ipairs(rows) do
    if not graph:get(id) then
      found[#found + 1] = {
        kind = "unknown", name = id, way = "forget " .. id, text = "a version row that no file has",
      }
    end
  end
end

-- Applied, by the log, above what the version rows say the database stands on; their files are gone. A repeatable
-- object without a file is one that is no longer kept in one.
local function missing(graph, state, found)
  for id, record in pairs(state.recorded) do
    if record.direction == "upgrade" and not graph:get(id) and not repeatable.is_id(id) then
      found[#found + 1] = { kind = "missing", name = id, way = "", text = "applied by the log, but no file has it" }
    end
  end
end

local invalid_sql = [[
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
       quote_ident(tn.nspname) || '.' || quote_ident(t.relname) AS of_table
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
WHERE NOT i.indisvalid AND c.relkind = 'i' AND n.nspname <> 'pg_toast' AND NOT EXISTS (%s)
ORDER BY 1]]

local function invalid_indexes(db, found)
  for _, row in ipairs(db:exec(invalid_sql:format(concurrent.builders))) do
    found[#found + 1] = {
      kind = "invalid_index", name = row.name, way = "indexes",
      text = ("an invalid index of %s, left by a concurrent build"):format(row.of_table),
    }
  end
end

--- Everything that is wrong, sorted.
---@param graph moontide.Graph
---@param live moontide.Session
---@return moontide.Trouble[]
function trouble.find(graph, live)
  local found = {}
  partial(live.state.journal, found)
  edited(graph, live.state, found)
  unknown(graph, live.state.rows, found)
  missing(graph, live.state, found)
  invalid_indexes(live.db, found)
  table.sort(found, function(a, b)
    if a.kind ~= b.kind then return a.kind < b.kind end
    return a.name < b.name
  end)
  return found
end

return trouble
