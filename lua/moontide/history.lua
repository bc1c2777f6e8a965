--- The bookkeeping tables: which revisions are applied (`version`, one row a head,
--- as in Alembic), what was done when by whom (`log`), and the finished segments of
--- a revision that is not one transaction (`journal`). Pure: it makes statements
--- and reads their results.
---
--- Values are written as literals, so that the same statement is executed and printed.

local quote = require "moontide.sql.quote"

---@class moontide.History
---@field schema string
---@field version string   the version table as SQL
---@field log string
---@field journal string
---@field captured string
---@field repeatable string
local History = {}
History.__index = History

local history = {}

-- In a schema of its own the tables have plain names; among others' tables they are prefixed.
local function table_name(schema, name)
  return quote.qualified(schema, schema == "moontide" and name or "moontide_" .. name)
end

--- The bookkeeping of an environment.
---@param config { schema: string, version_table: { schema: string, name: string } }
---@return moontide.History
function history.open(config)
  local version = config.version_table
  return setmetatable({
    schema = config.schema,
    version_schema = version.schema,
    version_name = version.name,
    version = quote.qualified(version.schema, version.name),
    log = table_name(config.schema, "log"),
    journal = table_name(config.schema, "journal"),
    captured = table_name(config.schema, "captured"),
    repeatable = table_name(config.schema, "repeatable"),
  }, History)
end

local log_columns = [[(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  revision text NOT NULL,
  direction text NOT NULL CHECK (direction IN ('upgrade', 'downgrade', 'stamp')),
  outcome text NOT NULL CHECK (outcome IN ('done', 'failed')),
  started_at timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  checksum text,
  message text,
  error text,
  applied_by text NOT NULL DEFAULT current_user,
  host text,
  moontide_version text NOT NULL,
  run text
)]]

local journal_columns = [[(
  revision text NOT NULL,
  direction text NOT NULL,
  segment integer NOT NULL,
  state text NOT NULL CHECK (state IN ('started', 'done')),
  digest text NOT NULL,
  statement text,
  reads text,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (revision, direction, segment)
)]]

local captured_columns = "(revision text NOT NULL PRIMARY KEY, operations text NOT NULL)"

--- Statements that create what is missing of the tables.
---@return string[]
function History:create_statements()
  local list = {}
  local function add(text, ...) list[#list + 1] = text:format(...) end
  add("CREATE SCHEMA IF NOT EXISTS %s", quote.ident(self.schema))
  if self.version_schema ~= self.schema then
    add("CREATE SCHEMA IF NOT EXISTS %s", quote.ident(self.version_schema))
  end
  add("CREATE TABLE IF NOT EXISTS %s (version_num text NOT NULL, CONSTRAINT %s PRIMARY KEY (version_num))",
    self.version, quote.ident(self.version_name .. "_pkc"))
  add("CREATE TABLE IF NOT EXISTS %s %s", self.log, log_columns)
  add("CREATE TABLE IF NOT EXISTS %s %s", self.journal, journal_columns)
  add("CREATE TABLE IF NOT EXISTS %s %s", self.captured, captured_columns)
  list[#list + 1] = self:mark_statement()
  list[#list + 1] = require("moontide.repeatable.books").create(self)
  return list
end

--- Statements that read the state: version rows, what was logged as done, oldest
--- first, and journal rows. Sorting and picking is left to us: in a new backend it
--- costs more to find the operators for it than to send the rows. They fail with
--- 42P01 or 3F000 where the tables are not there yet.
---@return { sql: string, rows: true }[]
function History:read_statements()
  return {
    self:version_statement(),
    { rows = true, sql = ("SELECT revision, direction, checksum FROM %s WHERE outcome = 'done' ORDER BY id")
      :format(self.log) },
    { rows = true, sql = self:journal_query() },
    { rows = true, sql = ("SELECT %s AS owner"):format(self:owner()) },
  }
end

-- A comment says whose the tables are: segments and checksums of two projects must not be mixed up.
function History:mark() return "moontide: of the version table " .. self.version end

function History:owner()
  return ("obj_description(to_regclass(%s), 'pg_class')"):format(quote.literal(self.journal))
end

local mark_sql = [[DO $mark$ BEGIN
  IF %s IS NULL AND (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(%s)) THEN
    COMMENT ON TABLE %s IS %s;
  END IF;
END $mark$]]

--- The statement that says which version table the other tables belong to, unless they say so, or are somebody else's.
---@return string
function History:mark_statement()
  return mark_sql:format(self:owner(), quote.literal(self.journal), self.journal, quote.literal(self:mark()))
end

--- A statement that fails (22012) where the tables belong to another version table.
---@return string
function History:own_statement()
  local mark = quote.literal(self:mark())
  return ("SELECT 1 / (NOT starts_with(coalesce(%s, ''), 'moontide: ') OR %s = %s)::integer")
    :format(self:owner(), self:owner(), mark)
end

--- The version table of another project, by the comment that the server has.
---@param comment string?
---@return string?
function History:stranger(comment)
  local version = comment and comment:match "^moontide: of the version table (.*)$"
  return version ~= self.version and version or nil
end

--- The query of the journal rows.
---@return string
function History:journal_query()
  return ("SELECT revision, direction, segment, state, digest, statement, reads FROM %s"):format(self.journal)
end

--- The statement that reads the version rows alone.
---@return { sql: string, rows: true }
function History:version_statement()
  return { rows = true, sql = ("SELECT version_num FROM %s"):format(self.version) }
end

local function column(result, name)
  local list = {}
  for index, row in ipairs(result) do list[index] = row[name] end
  return list
end

--- Version rows from the result of `version_statement`, sorted.
---@return string[]
function history.rows(result)
  local rows = column(result, "version_num")
  table.sort(rows)
  return rows
end

-- The last row of each revision.
local function by_revision(result)
  local map = {}
  for _, row in ipairs(result) do map[row.revision] = row end
  return map
end

local function journals(result)
  local map = {}
  for _, row in ipairs(result) do
    map[row.revision] = map[row.revision] or {}
    table.insert(map[row.revision], row)
  end
  for _, list in pairs(map) do
    table.sort(list, function(a, b) return a.segment < b.segment end)
  end
  return map
end

---@class moontide.State
---@field rows string[]                    version rows, sorted
---@field recorded table<string, table>    revision -> its last { direction, checksum } in the log
---@field journal table<string, table[]>   revision -> its journal rows, in the order of segments

--- The state from the results of `read_statements`.
---@param version table
---@param log table
---@param journal table
---@return moontide.State
function history.state(version, log, journal)
  return { rows = history.rows(version), recorded = by_revision(log), journal = journals(journal) }
end

-- A statement that fails with division by zero (22012) unless it changed one row: inside a
-- pipelined transaction the server must refuse by itself, the answer is read after COMMIT.
local function exactly_one(sql)
  return ("WITH changed AS (%s RETURNING 1) SELECT 1 / count(*) FROM changed"):format(sql)
end

local change_sql = {
  insert = function(self, change)
    return ("INSERT INTO %s (version_num) VALUES (%s)"):format(self.version, quote.literal(change.id))
  end,
  delete = function(self, change)
    return ("DELETE FROM %s WHERE version_num = %s"):format(self.version, quote.literal(change.id))
  end,
  update = function(self, change)
    return ("UPDATE %s SET version_num = %s WHERE version_num = %s")
      :format(self.version, quote.literal(change.to), quote.literal(change.from))
  end,
}

--- The statement of one change of the version rows.
---@param change { kind: "insert"|"delete"|"update", id?: string, from?: string, to?: string }
---@param guarded boolean  make it fail (22012) unless it hits exactly one row
---@return string
function History:change_statement(change, guarded)
  local sql = change_sql[change.kind](self, change)
  return guarded and change.kind ~= "insert" and exactly_one(sql) or sql
end

local function literal_or_null(text) return text and quote.literal(text) or "NULL" end

---@class moontide.LogEntry
---@field revision string
---@field direction "upgrade"|"downgrade"|"stamp"
---@field outcome "done"|"failed"
---@field checksum? string
---@field message? string
---@field error? string
---@field host? string
---@field version string    of the program
---@field run? string       which call of the program it was: what it has settled is looked up by this
---@field started? string   SQL for the start; default: the start of the transaction

--- The statement that logs a change. It runs in the transaction that it reports.
---@param entry moontide.LogEntry
---@return string
function History:log_statement(entry)
  return ("INSERT INTO %s (revision, direction, outcome, started_at, finished_at, checksum, message, error, host, "
    .. "moontide_version, run) VALUES (%s, %s, %s, %s, clock_timestamp(), %s, %s, %s, %s, %s, %s)"):format(
    self.log, quote.literal(entry.revision), quote.literal(entry.direction), quote.literal(entry.outcome),
    entry.started or "now()", literal_or_null(entry.checksum), literal_or_null(entry.message),
    literal_or_null(entry.error), literal_or_null(entry.host), quote.literal(entry.version),
    literal_or_null(entry.run))
end

--- The statement that counts how many steps a run has settled: each has one row in the log.
---@param run string
---@return string
function History:settled_statement(run)
  return ("SELECT count(*) AS settled FROM %s WHERE run = %s AND outcome = 'done'")
    :format(self.log, quote.literal(run))
end

local function text_array(list)
  local items = {}
  for index, item in ipairs(list) do items[index] = quote.literal(item) end
  return ("ARRAY[%s]::text[]"):format(table.concat(items, ", "))
end

--- A statement that fails (22012) unless the version rows are the expected ones.
---@param rows string[]
---@return string
function History:expect_statement(rows)
  return ("SELECT 1 / (ARRAY(SELECT version_num::text FROM %s ORDER BY version_num COLLATE \"C\") = %s)::integer")
    :format(self.version, text_array(rows))
end

---@class moontide.JournalRow
---@field revision string
---@field direction string
---@field segment integer      from 1
---@field state "started"|"done"
---@field digest string        of the statements of the segment
---@field statement? string    the last of them, for messages
---@field reads? string        the answers of its reads, serialized

--- When the first segment of a revision began, as SQL.
---@param revision string
---@param direction "upgrade"|"downgrade"
---@return string
function History:start_of(revision, direction)
  return ("least(now(), (SELECT min(at) FROM %s WHERE revision = %s AND direction = %s))")
    :format(self.journal, quote.literal(revision), quote.literal(direction))
end

--- Record a segment of a revision in the journal. Its time is that of its beginning.
---@param row moontide.JournalRow
---@return string
function History:journal_statement(row)
  return ("INSERT INTO %s (revision, direction, segment, state, digest, statement, reads, at) "
    .. "VALUES (%s, %s, %d, %s, %s, %s, %s, now()) "
    .. "ON CONFLICT (revision, direction, segment) DO UPDATE SET state = excluded.state, digest = excluded.digest, "
    .. "statement = excluded.statement, reads = excluded.reads"):format(
    self.journal, quote.literal(row.revision), quote.literal(row.direction), row.segment, quote.literal(row.state),
    quote.literal(row.digest), literal_or_null(row.statement), literal_or_null(row.reads))
end

--- Remove what the journal holds of a revision.
---@param revision string
---@return string
function History:forget_statement(revision)
  return ("DELETE FROM %s WHERE revision = %s"):format(self.journal, quote.literal(revision))
end

--- Keep what the downgrade of a change() function will need of the catalog as it was.
---@param revision string
---@param operations string  serialized
---@return string
function History:capture_statement(revision, operations)
  return ("INSERT INTO %s (revision, operations) VALUES (%s, %s) "
    .. "ON CONFLICT (revision) DO UPDATE SET operations = excluded.operations")
    :format(self.captured, quote.literal(revision), quote.literal(operations))
end

--- The statement that reads what was kept of a revision.
---@param revision string
---@return string
function History:captured_statement(revision)
  return ("SELECT operations FROM %s WHERE revision = %s"):format(self.captured, quote.literal(revision))
end

--- Remove what was kept of a revision.
---@param revision string
---@return string
function History:release_statement(revision)
  return ("DELETE FROM %s WHERE revision = %s"):format(self.captured, quote.literal(revision))
end

--- Whether a failure only says that the tables are not there yet.
---@param problem any
---@return boolean
function history.is_missing(problem)
  return type(problem) == "table" and (problem.sqlstate == "42P01" or problem.sqlstate == "3F000")
end

return history
