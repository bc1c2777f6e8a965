-- The connection is cut before or after a message of an upgrade with a backfill, also by
-- each single one of them: MOONTIDE_CUT_STRIDE=1. The command is run again, and every row
-- is changed exactly once.

local cli = require "spec.support.cli"
local proxy = require "spec.support.proxy"
local server = require "spec.support.server"
local torture = require "spec.torture.backfill"

local stride = tonumber(os.getenv("MOONTIDE_CUT_STRIDE") or "401")

-- Two ranges, so that two lanes are at work.
local halves = [[
ALTER TABLE t RENAME TO whole;
CREATE TABLE t (LIKE whole INCLUDING DEFAULTS INCLUDING INDEXES) PARTITION BY RANGE (id);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (21);
CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (21) TO (1000);
INSERT INTO t SELECT * FROM whole; DROP TABLE whole; ANALYZE t;
CREATE TRIGGER note AFTER UPDATE ON t FOR EACH ROW WHEN (current_setting('app.backfill', true) = 'on')
  EXECUTE FUNCTION note()]]

local bad = "UPDATE t SET name = 'bad' WHERE id IN (7, 31); ALTER TABLE t ADD CHECK (name <> 'bad' OR v = 0)"

-- 32 rows in three or four chunks.
local shapes = {
  ["one lane"] = { options = "max_rows = 10, lanes = 1", changed = 32 },
  ["two lanes"] = { options = "max_rows = 8, lanes = 2", changed = 32, setup = halves },
  quarantine = { options = 'max_rows = 10, lanes = 1, on_error = "quarantine"', changed = 30, setup = bad },
}

-- Where it is cut: of a message of whom, before or after it. A short run takes one after the other.
local turns = { "client:before", "client:after", "server:before", "server:after" }
if not os.getenv "MOONTIDE_CUT_STRIDE" then turns = { turns[os.time() % #turns + 1] } end

-- As it was before the first run, except that the tables of the bookkeeping are there.
local reset = [[
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT oid::regclass FROM pg_class WHERE relnamespace = 'moontide'::regnamespace AND relkind = 'r' LOOP
    EXECUTE 'TRUNCATE ' || name || ' CASCADE';
  END LOOP;
END $$;
DROP TABLE before, after; TRUNCATE audit; UPDATE t SET v = 0 WHERE v <> 0]]

describe("a backfill cut at a message", function()
  local cluster
  setup(function() cluster = server.cluster { settings = { full_page_writes = "on" } } end)
  teardown(function() cluster:remove() end)

  local function run(folder, url)
    return cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
  end

  local function check(place, message)
    assert.same({}, torture.problems(place.url), message)
    assert.equal(place.shape.changed .. "|a1", server.sql(place.url, "SELECT sum(rows_changed), "
      .. "(SELECT version_num FROM moontide.version) FROM moontide.backfill_range"), message)
    server.sql(place.url, reset)
  end

  -- Answers whether there was such a message, and whether the run survived.
  local function one(place, cut)
    local wire <close> = proxy.start(place.url, { cut = cut })
    local ran = run(place.folder, wire.url)
    local message, cuts = cut .. "\n" .. ran.stderr, wire:counts().cuts
    assert.is_true(ran.status == 0 or cuts > 0 and ran.status == 1, message)
    if ran.status ~= 0 then
      local again = run(place.folder, place.url)
      assert.equal(0, again.status, message .. "\n" .. again.stderr)
    end
    check(place, message)
    return cuts > 0, ran.status == 0
  end

  local function prepare(mode, shape)
    local place = { url = cluster:database(), shape = shape,
      folder = torture.project((torture.modes[mode]:gsub("max_rows = 200, lanes = 2", shape.options))) }
    torture.fill(place.url, 40)
    if shape.setup then server.sql(place.url, shape.setup) end
    assert.equal(0, run(place.folder, place.url).status)
    check(place, "undisturbed")
    return place
  end

  for mode in pairs(torture.modes) do
    for name, shape in pairs(shapes) do
      for _, side in ipairs(turns) do
        it(("changes every row exactly once: %s, %s, %s"):format(side, mode, name), function()
          local place, number, tried, survived = prepare(mode, shape), math.random(1, stride), 0, 0
          while true do
            local cut, good = one(place, ("%s:%d"):format(side, number))
            if not cut then break end
            tried, survived, number = tried + 1, survived + (good and 1 or 0), number + stride
          end
          local words = "\n%s, %s, %s: %d cuts, %d of them survived by the same run\n"
          io.stderr:write(words:format(mode, name, side, tried, survived))
        end)
      end
    end
  end
end)
