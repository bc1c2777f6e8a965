--- A backfill as an SQL script: a procedure that commits after each chunk and goes on
--- where it stopped when it is called again. The server finds the key and the leaves
--- when it runs, since a script is written without a database.

local books = require "moontide.backfill.books"
local digest = require "moontide.runtime.digest"
local fault = require "moontide.fault"
local fingerprint = require "moontide.backfill.fingerprint"
local patience = require "moontide.backfill.patience"
local quote = require "moontide.sql.quote"
local strategy = require "moontide.backfill.strategy"
local write = require "moontide.backfill.write"

local procedure = {}

local function name_of(o, ctx)
  local place = ("%s/%s/%s"):format(ctx.revision or "", o.name, ctx.direction or "upgrade")
  return quote.qualified(ctx.schema or "moontide", "backfill_" .. digest.sha256(place):sub(1, 16))
end

-- Each leaf is a range, whose key is found in the catalog each time. When all are done, partitions that were attached
-- meanwhile and sweeps are ranges as well. Whatever people say to the job is read before each chunk.
local body = [[
DECLARE
  job bigint; told record; tally record; part record; key text; bound text; changed bigint; still bigint; fresh bigint;
  size integer := 500; started timestamptz; took float8; wal pg_lsn; after text; own text; columns text; names text[];
  upto text[]; archived text; last boolean; ok boolean; why text; answer text; asked timestamptz;
  waits boolean := false; tries integer := 0;
BEGIN
  SELECT id INTO job FROM @JOB@ WHERE revision = @REVISION@ AND step = @STEP@ AND direction = @DIRECTION@
    AND (state <> 'abandoned' OR reason = 'cancelled') AND NOT EXISTS (SELECT 1 FROM @LOG@ l
      WHERE l.revision = @REVISION@ AND l.direction = @BACK@ AND l.outcome = 'done' AND l.finished_at > started_at)
    ORDER BY attempt DESC LIMIT 1;
  IF job IS NULL THEN
    INSERT INTO @JOB@ (revision, step, direction, attempt, fingerprint, state, started_at)
      SELECT @REVISION@, @STEP@, @DIRECTION@, coalesce(max(attempt), 0) + 1, @FINGERPRINT@, 'running',
        clock_timestamp() FROM @JOB@ WHERE revision = @REVISION@ AND step = @STEP@ AND direction = @DIRECTION@
      RETURNING id INTO job;
  END IF;
  UPDATE @JOB@ SET state = 'running', reason = NULL, started_at = coalesce(started_at, clock_timestamp())
    WHERE id = job AND state IN ('planned', 'paused', 'failed');
  COMMIT;
  LOOP
    SELECT @KNOBS@ INTO told FROM @JOB@ j WHERE j.id = job;
    IF told.state = 'abandoned' THEN
      RAISE EXCEPTION USING MESSAGE = @CANCELLED@, HINT = @RESUME@;
    END IF;
    EXIT WHEN told.state = 'done';
    why := told.pause;
    @WAIT@
    IF why IS NOT NULL OR waits THEN
      IF waits <> (why IS NOT NULL) THEN
        RAISE NOTICE USING MESSAGE = @NAME@ || coalesce('paused: ' || why, 'goes on');
      END IF;
      waits := why IS NOT NULL;
      UPDATE @JOB@ SET state = CASE WHEN waits THEN 'paused' ELSE 'running' END, reason = why
        WHERE id = job AND state NOT IN ('done', 'abandoned');
      COMMIT;
      PERFORM pg_sleep(CASE WHEN waits THEN 0.5 ELSE 0 END);
      CONTINUE WHEN waits;
    END IF;
    PERFORM set_config('lock_timeout', '2s', true), set_config('synchronous_commit', 'off', true),
      set_config('row_security', 'off', true), set_config('enable_seqscan', 'off', true),
      set_config('datestyle', 'ISO, MDY', true), set_config('timezone', 'UTC', true),
      set_config('intervalstyle', 'postgres', true), set_config('extra_float_digits', '3', true),
      set_config('bytea_output', 'hex', true), set_config('jit', 'off', true)@SESSION@;
    SELECT r.*, format('%I.%I', n.nspname, c.relname) AS name INTO part FROM @RANGE@ r
      JOIN pg_class c ON c.oid = r.leaf JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE r.backfill_id = job AND NOT r.done ORDER BY r.no LIMIT 1 FOR UPDATE OF r;
    IF NOT FOUND THEN
      SELECT coalesce(max(r.pass), 0) AS pass, coalesce(max(r.no), 0) AS no, coalesce(sum(r.rows_still), 0) AS still,
        coalesce(sum(r.rows_changed) FILTER (WHERE r.pass = p.pass), 0) AS changed INTO tally FROM @RANGE@ r,
        (SELECT max(pass) AS pass FROM @RANGE@ WHERE backfill_id = job) p WHERE r.backfill_id = job;
      INSERT INTO @RANGE@ (backfill_id, no, leaf, est_rows) @LEAVES@
        AND NOT EXISTS (SELECT FROM @RANGE@ r WHERE r.backfill_id = job AND r.leaf = c.oid);
      GET DIAGNOSTICS fresh = ROW_COUNT;
      IF fresh = 0 THEN
        EXIT WHEN tally.still > 0
          OR CASE WHEN tally.pass < 2 THEN @SWEEP@ = 0 ELSE tally.changed = 0 OR tally.pass > @SWEEP@ END;
        INSERT INTO @RANGE@ (backfill_id, no, leaf, pass) @SWEPT@;
      END IF;
      UPDATE @JOB@ SET est_rows = (SELECT sum(r.est_rows) FROM @RANGE@ r WHERE r.backfill_id = job) WHERE id = job;
      COMMIT;
      CONTINUE;
    END IF;
    @KEY@
    IF key IS NULL THEN RAISE EXCEPTION 'table % has no key to go through it by', part.name; END IF;
    names := string_to_array(key, E'\n');
    IF EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = part.leaf AND NOT a.attnotnull
        AND a.attname = ANY (ARRAY(SELECT (parse_ident(c))[1] FROM unnest(names) c))) THEN
      RAISE EXCEPTION 'the key of table % may be NULL: such rows would be passed over', part.name;
    END IF;
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO archived FROM pg_attribute a
      WHERE a.attrelid = part.leaf AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
    columns := array_to_string(ARRAY(SELECT 't.' || c || '::text' FROM unnest(names) c), ', ');
    IF part.hi IS NULL THEN
      EXECUTE format('SELECT ARRAY[%s] FROM ONLY %s t ORDER BY %s LIMIT 1', columns, part.name,
        array_to_string(ARRAY(SELECT 't.' || c || ' DESC' FROM unnest(names) c), ', ')) INTO upto;
      UPDATE @RANGE@ SET hi = upto, done = upto IS NULL WHERE backfill_id = job AND no = part.no;
      COMMIT;
      CONTINUE;
    END IF;
    size := greatest(1, least(size, told.max_rows, told.rows_per_s));
    bound := '(' || array_to_string(ARRAY(SELECT 't.' || c FROM unnest(names) c), ', ') || ')';
    own := '(' || array_to_string(ARRAY(SELECT @ALIAS@ || '.' || c FROM unnest(names) c), ', ') || ')';
    after := CASE WHEN part.cur IS NULL THEN 'IS NOT NULL'
      ELSE '> (' || array_to_string(ARRAY(SELECT quote_literal(v) FROM unnest(part.cur) v), ', ') || ')' END;
    EXECUTE format('SELECT ARRAY[%s] FROM ONLY %s t WHERE %s %s AND %s <= (%s) ORDER BY %s OFFSET %s LIMIT 1',
      columns, part.name, bound, after, bound,
      array_to_string(ARRAY(SELECT quote_literal(v) FROM unnest(part.hi) v), ', '),
      array_to_string(ARRAY(SELECT 't.' || c FROM unnest(names) c), ', '), size - 1) INTO upto;
    last := upto IS NULL OR upto = part.hi;
    upto := coalesce(upto, part.hi);
    started := clock_timestamp();
    wal := pg_current_wal_insert_lsn();
    ok := true;
    BEGIN
      EXECUTE replace(replace(replace(@CHUNK@, '{moontide leaf}', part.name), '{moontide columns}', archived),
        '{moontide range}',
        CASE WHEN part.cur IS NULL THEN '' ELSE own || ' ' || after || ' AND ' END || own || ' <= (' ||
        array_to_string(ARRAY(SELECT quote_literal(v) FROM unnest(upto) v), ', ') || ')') INTO changed, still;
      UPDATE @RANGE@ SET cur = upto, done = last, rows_seen = rows_seen + CASE WHEN last THEN changed ELSE size END,
        rows_changed = rows_changed + changed, rows_still = rows_still + still, chunks = chunks + 1, chunk_rows = size,
        committed_at = clock_timestamp() WHERE backfill_id = job AND no = part.no;
    EXCEPTION WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN
      ok := false;
      tries := tries + 1;
      IF tries > 20 THEN RAISE; END IF;
    END;
    COMMIT;
    took := extract(epoch FROM clock_timestamp() - started) * 1000;
    IF ok THEN
      tries := 0;
      PERFORM pg_sleep(greatest(0, told.rest * took, size * 1000 / told.rows_per_s - took,
        pg_wal_lsn_diff(pg_current_wal_insert_lsn(), wal) / 1048.576 / told.wal_mb_s - took) / 1000);
      size := greatest(1, least(told.max_rows, size * 2,
        greatest(size / 2, size * told.chunk_ms / greatest(took, 0.1))))::integer;
    ELSE
      size := greatest(1, size / 2);
      PERFORM pg_sleep(0.1 * tries);
    END IF;
  END LOOP;
  UPDATE @JOB@ SET state = 'done', reason = NULL, finished_at = clock_timestamp() WHERE id = job AND state <> 'done';
  COMMIT;
END ]]

-- The tables of the tree, as ranges.
local leaves = [[WITH RECURSIVE tree AS (SELECT @TABLE@::regclass::oid AS oid
          UNION SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid)
        SELECT job, tally.no + row_number() OVER (ORDER BY c.oid), c.oid, @MORE@ FROM tree JOIN pg_class c USING (oid)
          WHERE c.relkind = 'r']]

local from_catalog = [[
SELECT string_agg(quote_ident(a.attname), E'\n' ORDER BY k.place) INTO key FROM (
      SELECT i.* FROM pg_index i WHERE i.indrelid = part.leaf AND i.indisunique AND i.indisvalid AND i.indimmediate
        AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS (
          SELECT 1 FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
          WHERE k.place <= i.indnkeyatts AND NOT a.attnotnull)
      ORDER BY i.indisprimary DESC, i.indnkeyatts LIMIT 1) i,
      unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place), pg_attribute a
    WHERE a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.place <= i.indnkeyatts;]]

local function key_sql(o)
  if not o.key then return from_catalog end
  local names = {}
  for index, name in ipairs(o.key) do names[index] = quote.ident(name) end
  return ("key := %s;"):format(quote.literal(table.concat(names, "\n")))
end

-- The chunk's statement with places for the table and the range.
local function chunk_sql(o)
  local spec = setmetatable({ columns = "{moontide columns}" }, { __index = o })
  return write.plain(spec, { name = "{moontide leaf}", range = "{moontide range}" }, {},
    "count(*) AS changed, count(*) FILTER (WHERE still) AS still")
end

local function filled(text, words)
  return (text:gsub("@(%u[%u_]*)@", function(name) return words[name] end))
end

-- What the backfill sets by itself, for its triggers above all.
local function settings_of(o)
  local list = {}
  for name, setting in pairs(o.session or {}) do
    list[#list + 1] = (", set_config(%s, %s, true)"):format(quote.literal(name), quote.literal(tostring(setting)))
  end
  table.sort(list)
  return table.concat(list)
end

local function leaves_of(o, more)
  return filled(leaves, { TABLE = quote.literal(quote.qualified(o.schema, o.table)), MORE = more })
end

local function words_of(o, ctx)
  local own = books.open(ctx.schema or "moontide")
  return {
    JOB = own.job, RANGE = own.range,
    REVISION = quote.literal(ctx.revision or ""), STEP = quote.literal(o.name),
    DIRECTION = quote.literal(ctx.direction or "upgrade"), LOG = own.log,
    BACK = quote.literal(ctx.direction == "downgrade" and "upgrade" or "downgrade"),
    FINGERPRINT = quote.literal(fingerprint(o)), LEAVES = leaves_of(o, "greatest(c.reltuples, 0)::bigint"),
    SWEPT = leaves_of(o, "greatest(tally.pass + 1, 2)"), SWEEP = tostring(o.condition and o.sweep or 0),
    KEY = key_sql(o), CHUNK = quote.literal(chunk_sql(o)), ALIAS = quote.literal(quote.ident(o.table)),
    KNOBS = patience.knobs(o), WAIT = patience.wait(o), NAME = quote.literal(("backfill %s: "):format(o.name)),
    CANCELLED = quote.literal(('backfill "%s" was cancelled'):format(o.name)),
    RESUME = quote.literal(("`moontide backfill resume %s` lets it go on; then run the script again."):format(o.name)),
    SESSION = settings_of(o),
  }
end

-- What Lua does cannot be written as a script, unless the revision says how SQL does the same.
local function in_sql(o)
  if not o.write then return o end
  local same = o.sql_equivalent
  if same then return setmetatable({ set = same.set, condition = same.where or o.condition }, { __index = o }) end
  fault.raise("operation", ('backfill "%s" is a Lua function, which cannot be printed as a script'):format(o.name), {
    where = o.where, operation = o.kind,
    hint = "Give sql_equivalent = { set = ... }, or run the upgrade on the database itself.",
  })
end

-- `only_if` is a condition, known to psql alone.
local function call(o, name)
  local text = ("CALL %s()"):format(name)
  if not o.only_if then return text end
  return ("SELECT %s WHERE %s \\gexec"):format(quote.literal(text), o.only_if)
end

local warning = "-- Backfill %s: run this script with psql in autocommit mode, not with -1; what was done stays when\n"
  .. "-- it is stopped, and the CALL goes on from there.\n"

-- What a plugin says in Lua of the way through the table does not change what becomes of its rows.
local function head_of(o)
  local head = warning:format((o.name:gsub("%c", " ")))
  local foreign = o.order and strategy.get(o.order).plugin
  return foreign and head .. ("-- It goes by the key, not by the strategy %s of a plugin.\n"):format(o.order) or head
end

--- The statements of a script. CALL commits, so nothing may stand around it in a transaction.
---@param o table
---@param ctx table
---@return string[]
function procedure.statements(o, ctx)
  o = in_sql(o)
  local name = name_of(o, ctx)
  local list = books.open(ctx.schema or "moontide"):create_statements()
  list[#list + 1] = ("%sCREATE OR REPLACE PROCEDURE %s() LANGUAGE plpgsql AS %s"):format(head_of(o), name,
    quote.dollar(filled(body, words_of(o, ctx))))
  list[#list + 1] = "SET statement_timeout = 0"
  list[#list + 1] = call(o, name)
  list[#list + 1] = "RESET statement_timeout"
  list[#list + 1] = ("DROP PROCEDURE %s()"):format(name)
  return list
end

return procedure
