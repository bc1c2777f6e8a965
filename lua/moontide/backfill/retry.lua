--- Rows that a backfill has put aside, tried again: with the operation as the file has
--- it now, one transaction a row. What is changed is marked as resolved in the same one.

local books = require "moontide.backfill.books"
local cjson = require "cjson"
local fault = require "moontide.fault"
local key = require "moontide.backfill.key"
local quote = require "moontide.sql.quote"
local rowfault = require "moontide.backfill.rowfault"
local serialize = require "moontide.serialize"
local session = require "moontide.backfill.session"
local triggers = require "moontide.backfill.triggers"
local write = require "moontide.backfill.write"

local retry = {}

---@class moontide.BackfillRetry
---@field o table
---@field id integer
---@field db moontide.Db
---@field books moontide.BackfillBooks
---@field spec table
---@field by_oid table<integer, moontide.BackfillLeaf>
---@field transform? moontide.Transform
---@field settings_sql string

local function latest(o, place, own)
  return place.db:exec(own:latest_statement { revision = place.revision, direction = place.direction,
    step = o.name })[1]
end

local function open(o, place, own, row)
  local found, by_oid = serialize.decode(row.spec), {}
  for _, leaf in ipairs(found.leaves) do by_oid[leaf.oid] = leaf end
  local spec = setmetatable({ leaves = found.leaves, columns = found.columns }, { __index = o })
  local path = place.db:exec("SELECT current_setting('search_path') AS path")[1].path
  return {
    o = o, id = row.id, books = own, db = place.db, spec = spec, by_oid = by_oid,
    transform = o.write and require("moontide.backfill.transform").new(spec, place.db),
    settings_sql = session.statement(o, place.db:server_version(), path, true),
  }
end

local function same_row(self, leaf, of)
  return ("backfill_id = %d AND leaf = %d AND key = %s"):format(self.id, leaf, books.array(of))
end

local function open_rows(self)
  return self.db:exec(("SELECT leaf::bigint AS leaf, to_json(key)::text AS key FROM %s WHERE backfill_id = %d "
    .. "AND resolved_at IS NULL ORDER BY at, leaf, key"):format(self.books.error, self.id))
end

-- The row as a chunk of its own.
local function changes(self, leaf, of)
  local own = setmetatable({ range = key.exact(leaf.key, self.spec.table, of) }, { __index = leaf })
  if not self.transform then
    return { { sql = write.plain(self.spec, own, {}, "set_config('moontide.backfill_rows', count(*)::text, true)") } }
  end
  local lane = { pipeline = function(_, list) return self.db:pipeline(list) end }
  local list, changed, _, bad = self.transform:chunk({ lane = lane, leaf = own }, {})
  if bad then error(bad[1].problem, 0) end
  return list, changed
end

local function resolve(self, row, changed)
  local range = ("(SELECT min(no) FROM %s WHERE backfill_id = %d AND leaf = %d AND rows_bad > 0)"):format(
    self.books.range, self.id, row.leaf)
  return {
    { sql = ("UPDATE %s SET resolved_at = clock_timestamp(), tries = tries + 1 WHERE %s"):format(self.books.error,
      same_row(self, row.leaf, row.key)) },
    { sql = ("UPDATE %s SET rows_changed = rows_changed + %s, rows_bad = rows_bad - 1 WHERE backfill_id = %d "
      .. "AND no = %s"):format(self.books.range, changed, self.id, range) },
    { sql = "COMMIT" },
  }
end

-- Whoever has the row of the error locked tries it; another process that retries waits and then finds it resolved.
local function attempt(self, row)
  local held = self.db:pipeline({ { sql = "BEGIN" }, { sql = self.settings_sql },
    { rows = true, sql = ("SELECT 1 FROM %s WHERE %s AND resolved_at IS NULL FOR UPDATE"):format(self.books.error,
      same_row(self, row.leaf, row.key)) } })[3]
  if #held == 0 then return self.db:rollback() end
  local leaf = self.by_oid[row.leaf]
  local list, changed = changes(self, leaf, row.key)
  self.sent = list
  for _, item in ipairs(resolve(self, row, changed or "current_setting('moontide.backfill_rows')::integer")) do
    list[#list + 1] = item
  end
  self.db:pipeline(list)
end

local undefined_table = "42P01"

-- A failure of the row is noted, and that its table is gone; any other ends the command.
local function note(self, row, problem)
  local leaf, sent = self.by_oid[row.leaf], self.sent
  self.db:rollback()
  if rowfault.swallowed(problem, sent) then
    problem = rowfault.explained(triggers.words(self.db, self.o, { leaf }), problem)
  end
  if not (rowfault.is(problem) or problem.sqlstate == undefined_table) then error(problem, 0) end
  self.db:exec(("UPDATE %s SET tries = tries + 1, at = clock_timestamp(), sqlstate = %s, message = %s WHERE %s"):format(
    self.books.error, problem.sqlstate and quote.literal(problem.sqlstate) or "NULL", quote.literal(problem.message),
    same_row(self, row.leaf, row.key)))
end

local function try(self, row)
  self.sent = nil
  local ok, problem = xpcall(attempt, require("moontide.gate").explain, self, row)
  if not ok then note(self, row, problem) end
  return ok
end

---@class moontide.RetryResult
---@field tried integer
---@field resolved integer
---@field left integer

--- Try the rows again that a backfill has put aside.
---@param o table                   the operation as the revision's file has it
---@param place moontide.JobPlace   { db, schema, revision, direction }
---@param each? fun(leaf: string, key: string[], ok: boolean)  told of each row
---@return moontide.RetryResult
function retry.run(o, place, each)
  local own = books.open(place.schema)
  local row = latest(o, place, own)
  if not row then fault.raise("operation", ('there is no backfill "%s"'):format(o.name), { where = o.where }) end
  local self = open(o, place, own, row)
  local result = { tried = 0, resolved = 0, left = 0 }
  for _, bad in ipairs(open_rows(self)) do
    bad.key = cjson.decode(bad.key)
    local ok = try(self, bad)
    local field = ok and "resolved" or "left"
    result.tried, result[field] = result.tried + 1, result[field] + 1
    if each then each(self.by_oid[bad.leaf].name, bad.key, ok) end
  end
  return result
end

return retry
