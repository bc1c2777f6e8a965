--- An application that goes on while a backfill runs. Sessions of it insert rows, delete
--- rows, change the column that the backfill reads and the one that it changes, and lock
--- two rows in the wrong order, often just where the backfill is. What they did they count in
--- the same transaction, so that a lost change is found by adding up.

local cli = require "spec.support.cli"
local server = require "spec.support.server"

local application = {}

---@class spec.Application
---@field url string
---@field rows integer
---@field sessions spec.Started[]
local Application = {}
Application.__index = Application

local tables = [[
CREATE TABLE tally (hits bigint NOT NULL, deadlock boolean NOT NULL DEFAULT false);
CREATE TABLE gone (id bigint NOT NULL, hits integer NOT NULL)]]

-- Each turn is a transaction. The value goes up by a hundred with each hit, by one with the backfill.
local session = [[
DO $$
DECLARE
  at bigint; near bigint; changed bigint; n bigint;
BEGIN
  WHILE NOT EXISTS (SELECT FROM pg_class WHERE relname = 'quitting') LOOP
    IF random() < 0.2 AND to_regclass('moontide.backfill_range') IS NOT NULL THEN
      EXECUTE 'SELECT cur[1]::bigint FROM moontide.backfill_range WHERE NOT done ORDER BY random() LIMIT 1' INTO near;
    END IF;
    at := coalesce(near + floor(random() * 250), 1 + floor(random() * %d));
    near := NULL;
    BEGIN
      UPDATE t SET v = v + 100, hits = hits + 1 WHERE id = at + 20;
      GET DIAGNOSTICS changed = ROW_COUNT;
      PERFORM pg_sleep(0.002);
      UPDATE t SET v = v + 100, hits = hits + 1 WHERE id = at;
      GET DIAGNOSTICS n = ROW_COUNT;
      INSERT INTO tally VALUES (changed + n);
      UPDATE t SET name = 'changed ' || name WHERE id = at + 3 AND name <> 'bad';
      IF at %% 10 = 0 THEN
        INSERT INTO t (id, name) VALUES (5 * (at / 5), 'new'), (5 * (%d + at), 'new') ON CONFLICT DO NOTHING;
      ELSIF at %% 10 = 1 THEN
        WITH d AS (DELETE FROM t WHERE id = at + 7 AND name <> 'bad' RETURNING id, hits)
        INSERT INTO gone SELECT id, hits FROM d;
      END IF;
    EXCEPTION WHEN deadlock_detected THEN INSERT INTO tally VALUES (0, true);
    END;
    COMMIT;
  END LOOP;
END $$]]

--- An application on the table t.
---@param url string
---@param rows integer  the highest key
---@return spec.Application
function application.new(url, rows)
  server.sql(url, tables)
  return setmetatable({ url = url, rows = rows, sessions = {} }, Application)
end

local function start(self)
  return cli.start({ "-XAtq", "-d", self.url, "-c", session:format(self.rows, self.rows) },
    { program = { server.program "psql" } })
end

--- Start what is not there, at the beginning or after the server was struck.
function Application:keep_on()
  for number = 1, 3 do
    local process = self.sessions[number]
    if not process or process:has_ended() then self.sessions[number] = start(self) end
  end
end

local sums = [[SELECT (SELECT sum(hits) FROM tally) - (SELECT sum(hits) FROM t)
  - (SELECT coalesce(sum(hits), 0) FROM gone)]]

--- End it. Answers what is wrong with what it counted.
---@return string[]
function Application:stop()
  server.sql(self.url, "CREATE TABLE quitting ()")
  for _, process in ipairs(self.sessions) do process:wait() end
  local lost = server.sql(self.url, sums)
  return lost == "0" and {} or { "changes of the application that were lost: " .. lost }
end

--- How many changes it made, and how often somebody was the victim of a deadlock.
---@return string
function Application:counts()
  return server.sql(self.url, "SELECT sum(hits) || ' changes, ' || (SELECT count(*) FROM gone) || ' rows deleted, ' "
    .. "|| (SELECT count(*) FROM t WHERE name = 'new') || ' inserted, ' || count(*) FILTER (WHERE deadlock) "
    .. "|| ' of its transactions and ' || (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()) "
    .. "- count(*) FILTER (WHERE deadlock) || ' others ended by a deadlock' FROM tally")
end

return application
