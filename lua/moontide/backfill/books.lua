--- The tables of backfills: `backfill` has a row a job, `backfill_range` a row for each
--- part of its table (queue, cursor and lease in one: whoever has the row locked works
--- on the part), `backfill_error` the rows that failed. Pure: it makes statements.

local identity = require "moontide.backfill.identity"
local quote = require "moontide.sql.quote"
local serialize = require "moontide.serialize"
local value = require "moontide.value"

---@class moontide.BackfillBooks
---@field schema string
---@field job string     the tables as SQL
---@field range string
---@field error string
---@field log string     of runs
---@field worker? string  the process that writes checkpoints
local Books = {}
Books.__index = Books

local books = {}

local function table_name(schema, name)
  return quote.qualified(schema, schema == "moontide" and name or "moontide_" .. name)
end

--- The tables in the schema of the bookkeeping.
---@param schema string
---@return moontide.BackfillBooks
function books.open(schema)
  return setmetatable({
    schema = schema, job = table_name(schema, "backfill"), range = table_name(schema, "backfill_range"),
    error = table_name(schema, "backfill_error"), log = table_name(schema, "log"),
  }, Books)
end

local job_columns = [[(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  revision text NOT NULL, step text NOT NULL, direction text NOT NULL, attempt integer NOT NULL DEFAULT 1,
  fingerprint text NOT NULL,
  spec text NOT NULL DEFAULT '{}',
  state text NOT NULL CHECK (state IN ('planned', 'running', 'paused', 'sweeping', 'failed', 'done', 'abandoned')),
  control jsonb NOT NULL DEFAULT '{}',
  est_rows bigint, reason text, error text,
  started_at timestamptz, finished_at timestamptz,
  UNIQUE (revision, step, direction, attempt)
)]]

-- No index on what changes with each chunk: every checkpoint is a HOT update of one page.
local range_columns = [[(
  backfill_id bigint NOT NULL, no integer NOT NULL,
  leaf oid NOT NULL, pass smallint NOT NULL DEFAULT 0,
  lo text[], hi text[], cur text[],
  est_rows bigint, rows_seen bigint NOT NULL DEFAULT 0, rows_changed bigint NOT NULL DEFAULT 0,
  rows_bad bigint NOT NULL DEFAULT 0, rows_still bigint NOT NULL DEFAULT 0,
  chunks bigint NOT NULL DEFAULT 0, busy_ms bigint NOT NULL DEFAULT 0,
  chunk_rows integer, done boolean NOT NULL DEFAULT false, worker text, committed_at timestamptz,
  PRIMARY KEY (backfill_id, no)
) WITH (fillfactor = 40, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200)]]

local error_columns = [[(
  backfill_id bigint NOT NULL, leaf oid NOT NULL, key text[] NOT NULL, sqlstate text, message text, row_before text,
  tries integer NOT NULL DEFAULT 1, at timestamptz NOT NULL DEFAULT now(), resolved_at timestamptz,
  PRIMARY KEY (backfill_id, leaf, key)
)]]

--- Statements that create what is missing of the tables.
---@return string[]
function Books:create_statements()
  return {
    ("CREATE TABLE IF NOT EXISTS %s %s"):format(self.job, job_columns),
    ("CREATE TABLE IF NOT EXISTS %s %s"):format(self.range, range_columns),
    ("CREATE TABLE IF NOT EXISTS %s %s"):format(self.error, error_columns),
  }
end

--- A statement that creates the tables where they are missing, and is quiet where they are there.
---@return string
function Books:ensure_statement()
  return "DO " .. quote.dollar(("BEGIN\nIF to_regclass(%s) IS NULL THEN\n%s;\nEND IF;\nEND "):format(
    quote.literal(self.job), table.concat(self:create_statements(), ";\n")))
end

---@class moontide.BackfillPlace
---@field revision string
---@field direction string
---@field step string

local function same_step(place)
  return ("revision = %s AND step = %s AND direction = %s"):format(quote.literal(place.revision),
    quote.literal(place.step), quote.literal(place.direction))
end

--- The statement that registers a new attempt of a job.
---@param place moontide.BackfillPlace
---@param fingerprint string
---@param more? { spec: string, control: string }
---@return string
function Books:register_statement(place, fingerprint, more)
  return ("INSERT INTO %s (revision, step, direction, attempt, fingerprint, spec, control, state) "
    .. "SELECT %s, %s, %s, coalesce(max(attempt), 0) + 1, %s, %s, %s, 'planned' FROM %s WHERE %s"):format(self.job,
    quote.literal(place.revision), quote.literal(place.step), quote.literal(place.direction),
    quote.literal(fingerprint), quote.literal(more and more.spec or "{}"),
    quote.literal(more and more.control or "{}"), self.job, same_step(place))
end

--- A statement that fails where a script has begun a job and not ended it: another attempt would change its rows
--- again.
---@param place moontide.BackfillPlace
---@return string
function Books:no_script_statement(place)
  local words = ('backfill "%s" was begun by a script'):format(place.step)
  local hint = ("Run the script again, which goes on where it stopped; or `moontide backfill cancel %s`, "
    .. "and all is done again."):format(place.step)
  return "DO " .. quote.dollar(("BEGIN\nIF EXISTS (SELECT FROM %s WHERE %s AND spec = '{}' "
    .. "AND started_at IS NOT NULL AND state NOT IN ('done', 'abandoned')) THEN\n"
    .. "RAISE EXCEPTION USING MESSAGE = %s, HINT = %s;\nEND IF;\nEND "):format(self.job, same_step(place),
    quote.literal(words), quote.literal(hint)))
end

--- The statement that ends what a revision has left to the background, when it is reverted.
---@param revision string
---@param direction string  in which it was left
---@return string
function Books:revert_statement(revision, direction)
  local update = ("UPDATE %s SET state = 'abandoned', reason = 'the revision was reverted' WHERE revision = %s "
    .. "AND direction = %s AND state NOT IN ('done', 'abandoned')"):format(self.job, quote.literal(revision),
    quote.literal(direction))
  return "DO " .. quote.dollar(("BEGIN\nIF to_regclass(%s) IS NOT NULL THEN\n%s;\nEND IF;\nEND "):format(
    quote.literal(self.job), update))
end

--- The statement for a job that was edited, when nothing was done of it yet or the edit was accepted.
---@param id integer
---@param fingerprint string
---@return string
function Books:renew_statement(id, fingerprint)
  return ("UPDATE %s SET fingerprint = %s WHERE id = %d AND (state = 'planned' OR fingerprint = '')"):format(self.job,
    quote.literal(fingerprint), id)
end

-- In a chunk that is on its way its range is locked, and behind no pooler its worker is seen. What a script does is
-- not seen from here.
local again = [[
WITH free AS MATERIALIZED (SELECT chunks FROM @RANGE@ WHERE backfill_id = @ID@ FOR UPDATE SKIP LOCKED),
  old AS (DELETE FROM @JOB@ WHERE id = @ID@ AND state NOT IN ('done', 'abandoned') AND spec <> '{}'
    AND (SELECT count(*) FROM free WHERE chunks = 0) = (SELECT count(*) FROM @RANGE@ WHERE backfill_id = @ID@)
    AND NOT EXISTS (@WORKERS@) RETURNING *),
  gone AS (DELETE FROM @RANGE@ WHERE backfill_id IN (SELECT id FROM old))
INSERT INTO @JOB@ (revision, step, direction, attempt, fingerprint, spec, control, state)
SELECT revision, step, direction, attempt, '', spec, control, 'planned' FROM old RETURNING id]]

--- The statement that lets a job which nothing was done of yet begin as it would if it had not begun, under another
--- id; it answers that, or nothing where something was done or somebody is at work.
---@param id integer
---@return string
function Books:again_statement(id)
  local words = { JOB = self.job, RANGE = self.range, ID = tostring(id), WORKERS = identity.pids(id) }
  return (again:gsub("@(%u+)@", function(name) return words[name] end))
end

local job_fields = "id, revision, step, direction, attempt, fingerprint, spec, state, control::text AS control, "
  .. "est_rows, reason, error"

--- The query for a job that keeps others from beginning it as well, until the transaction ends.
---@param id integer
---@return string
function Books:hold_statement(id)
  return ("SELECT %s FROM %s WHERE id = %d FOR UPDATE"):format(job_fields, self.job, id)
end

--- The query for a job.
---@param id integer
---@return string
function Books:job_statement(id) return ("SELECT %s FROM %s WHERE id = %d"):format(job_fields, self.job, id) end

--- The query for the latest attempt of a job.
---@param place moontide.BackfillPlace
---@return string
function Books:latest_statement(place)
  return ("SELECT %s FROM %s WHERE %s ORDER BY attempt DESC LIMIT 1"):format(job_fields, self.job, same_step(place))
end

--- A list of texts, or nil, as a literal of type text[].
---@param list string[]?
---@return string
function books.array(list)
  if not list then return "NULL::text[]" end
  local items = {}
  for index, item in ipairs(list) do items[index] = quote.literal(item) end
  return ("ARRAY[%s]::text[]"):format(table.concat(items, ", "))
end

---@class moontide.BackfillRange
---@field no integer
---@field leaf integer      oid of the table
---@field pass integer
---@field lo string[]?      behind this key; nil: from the start
---@field hi string[]?      up to this key, inclusive
---@field cur string[]?     up to here it is done
---@field est_rows integer
---@field chunk_rows integer?

local function add_ranges(self, id, ranges, before)
  local rows = {}
  for index, range in ipairs(ranges) do
    rows[index] = ("(%d, %d, %d, %d, %s, %s, %d)"):format(id, before + index, range.leaf, range.pass or 0,
      books.array(range.lo), books.array(range.hi), range.est_rows)
  end
  return ("INSERT INTO %s (backfill_id, no, leaf, pass, lo, hi, est_rows) VALUES\n  %s"):format(self.range,
    table.concat(rows, ",\n  "))
end

--- The statements that add ranges to a job which has none left.
---@param id integer
---@param ranges moontide.BackfillRange[]
---@param tally { last: integer }
---@param state string
---@param spec? table  what is known of its tables now
---@return string[]
function Books:more_statements(id, ranges, tally, state, spec)
  local list = { ("UPDATE %s SET state = %s%s WHERE id = %d"):format(self.job, quote.literal(state),
    spec and ", spec = " .. quote.literal(serialize.encode(spec)) or "", id) }
  if #ranges > 0 then list[2] = add_ranges(self, id, ranges, tally.last) end
  return list
end

--- The query for what the passes of a job have done so far: the last pass, the rows it changed, and the rows of
--- all that match the condition after they were changed too.
---@param id integer
---@return string
function Books:tally_statement(id)
  return ("SELECT (SELECT state FROM %s WHERE id = %d) AS state, count(*) FILTER (WHERE NOT done) AS open, "
    .. "coalesce(max(pass), 0) AS pass, coalesce(max(no), 0) AS last, coalesce(sum(rows_still), 0)::bigint AS still, "
    .. "coalesce(sum(rows_changed) FILTER (WHERE pass = (SELECT max(pass) FROM %s WHERE backfill_id = %d)), 0)::bigint "
    .. "AS changed FROM %s WHERE backfill_id = %d"):format(self.job, id, self.range, id, self.range, id)
end

--- The statements that begin a planned job: its ranges, and what was found out about its table.
---@param id integer
---@param ranges moontide.BackfillRange[]
---@param spec table
---@param estimate integer
---@return string[]
function Books:start_statements(id, ranges, spec, estimate)
  local list = {}
  if #ranges > 0 then list[1] = add_ranges(self, id, ranges, 0) end
  list[#list + 1] = ("UPDATE %s SET state = 'running', spec = %s, est_rows = %d, started_at = clock_timestamp() "
    .. "WHERE id = %d"):format(self.job, quote.literal(serialize.encode(spec)), estimate, id)
  return list
end

--- The statement that changes the state of a job, unless somebody cancelled it or it is over.
---@param id integer
---@param state string
---@param fields? { reason?: string, error?: string }
---@return string
function Books:state_statement(id, state, fields)
  fields = fields or {}
  return ("UPDATE %s SET state = %s, reason = %s, error = %s%s WHERE id = %d "
    .. "AND state NOT IN ('abandoned', 'done')"):format(self.job,
    quote.literal(state), fields.reason and quote.literal(fields.reason) or "NULL",
    fields.error and quote.literal(fields.error) or "NULL",
    state == "done" and ", finished_at = clock_timestamp()" or "", id)
end

--- The statement that notes why the workers of a process wait, or that they go on.
---@param id integer
---@param reason? string
---@return string
function Books:throttle_statement(id, reason)
  return ("UPDATE %s SET state = %s, reason = %s WHERE id = %d AND state %s"):format(self.job,
    reason and "'paused'" or "'running'", reason and quote.literal(reason) or "NULL", id,
    reason and "IN ('running', 'sweeping', 'paused')" or "= 'paused'")
end

local range_fields = "no, leaf::bigint AS leaf, pass, to_json(lo)::text AS lo, to_json(hi)::text AS hi, "
  .. "to_json(cur)::text AS cur, est_rows, chunk_rows"

--- The query that takes a range nobody works on. Its lock is the lease, so it is the
--- first statement of a transaction.
---@param id integer
---@return string
function Books:claim_statement(id)
  return ("SELECT %s FROM %s WHERE backfill_id = %d AND NOT done ORDER BY no LIMIT 1 FOR UPDATE SKIP LOCKED")
    :format(range_fields, self.range, id)
end

--- The query for the number of ranges that are not done.
---@param id integer
---@return string
function Books:open_statement(id)
  return ("SELECT count(*) AS open FROM %s WHERE backfill_id = %d AND NOT done"):format(self.range, id)
end

--- The query for the state of a job.
---@param id integer
---@return string
function Books:standing_statement(id)
  return ("SELECT state, control::text AS control, error FROM %s WHERE id = %d"):format(self.job, id)
end

local function this_range(id, range)
  return ("backfill_id = %d AND no = %d AND NOT done AND cur IS NOT DISTINCT FROM %s")
    :format(id, range.no, books.array(range.cur))
end

--- The query every chunk begins with: it fails (22012) unless the range is still where
--- we left it, and answers the live settings of the job, or NULL when it is not running.
--- $1 is the range, $2 where it was left.
---@param id integer
---@return string
function Books:fence_statement(id)
  return ("SELECT 1 / count(*) AS mine, (SELECT control::text FROM %s WHERE id = %d "
    .. "AND state IN ('running', 'sweeping')) AS control FROM (SELECT 1 FROM %s WHERE backfill_id = %d "
    .. "AND no = $1::integer AND NOT done AND cur IS NOT DISTINCT FROM $2::text[] FOR UPDATE NOWAIT) s")
    :format(self.job, id, self.range, id)
end

--- The parameters of that query.
---@param range moontide.BackfillRange
---@return table params
function books.fence_params(range)
  return { range.no, value.param(range.cur and value.array(range.cur)), n = 2 }
end

---@class moontide.Checkpoint
---@field to string[]       the key up to which the range is done now
---@field done boolean
---@field seen integer|string
---@field changed string    SQL for the number of changed rows
---@field bad? integer
---@field still? string    SQL for the number of changed rows that match the condition all the same
---@field busy_ms integer
---@field chunk_rows integer

--- The assignments of a checkpoint, and the condition on its range.
---@param id integer
---@param range moontide.BackfillRange
---@param point moontide.Checkpoint
---@return string assignments
---@return string condition
function Books:checkpoint(id, range, point)
  return ("cur = %s, done = %s, rows_seen = rows_seen + %s, rows_changed = rows_changed + %s, "
    .. "rows_bad = rows_bad + %d, rows_still = rows_still + %s, chunks = chunks + 1, busy_ms = busy_ms + %d, "
    .. "chunk_rows = %d, worker = %s, committed_at = clock_timestamp()"):format(books.array(point.to), point.done,
    tostring(point.seen), point.changed, point.bad or 0, point.still or "0", point.busy_ms, point.chunk_rows,
    self.worker and quote.literal(self.worker) or "pg_backend_pid()::text"), this_range(id, range)
end

--- The query for the progress of a job.
---@param id integer
---@return string
function Books:progress_statement(id)
  return ("SELECT count(*) FILTER (WHERE NOT done) AS open, coalesce(sum(est_rows), 0)::bigint AS est_rows, "
    .. "coalesce(sum(rows_seen), 0)::bigint AS rows_seen, coalesce(sum(rows_changed), 0)::bigint AS rows_changed, "
    .. "coalesce(sum(rows_bad), 0)::bigint AS rows_bad, coalesce(sum(chunks), 0)::bigint AS chunks, "
    .. "coalesce(sum(CASE WHEN done THEN est_rows ELSE least(est_rows, rows_seen) END), 0)::bigint AS est_done, "
    .. "coalesce(max(chunk_rows), 0) AS chunk_rows, "
    .. "(SELECT state FROM %s WHERE id = %d) AS state, (SELECT reason FROM %s WHERE id = %d) AS reason "
    .. "FROM %s WHERE backfill_id = %d"):format(self.job, id, self.job, id, self.range, id)
end

return books
