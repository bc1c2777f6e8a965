-- What a backfill has made of the disk, as it says at its end.

local cjson = require "cjson"
local cli = require "spec.support.cli"
local server = require "spec.support.server"

local function project(options)
  return cli.upgrading('  op.backfill { "plus", table = "t", ' .. options .. " }")
end

describe("the growth by a backfill", function()
  local url
  before_each(function()
    url = server.database()
    server.sql(url, [[CREATE TABLE t (id integer PRIMARY KEY, v integer) WITH (autovacuum_enabled = off);
      INSERT INTO t SELECT g, 0 FROM generate_series(1, 40000) g; ANALYZE t]])
  end)
  after_each(function() server.drop(url) end)

  local function sql(text) return server.sql(url, text) end
  local function size() return math.tointeger(tonumber(sql "SELECT pg_total_relation_size('t')")) end

  local function run(words, folder) return cli.run(words, { cwd = folder, env = { DATABASE_URL = url } }) end

  local function event(ran)
    for line in ran.stdout:gmatch "[^\n]+" do
      local document = cjson.decode(line)
      if document.event == "backfill" then return document end
    end
  end

  it("is said in words", function()
    local before = size() / 1048576
    local ran = run("upgrade heads", project 'set = { v = sql "v + 1" }')
    assert.equal(0, ran.status, ran.stderr)
    local from, to, wal = ran.stderr:match("backfill plus: t has grown from (%d+%.%d) MB to (%d+%.%d) MB with its "
      .. "indexes; the server has written (%d+%.?%d*) MB of WAL meanwhile\n")
    assert.same({ ("%.1f"):format(before), ("%.1f"):format(size() / 1048576) }, { from, to }, ran.stderr)
    assert.is_true(tonumber(wal) > 1 and tonumber(to) > tonumber(from))
  end)

  it("is not said where there is none to speak of, though an event tells", function()
    local before = size()
    local ran = run("upgrade heads --json", project 'where = "id <= 10", set = { v = 5 }, sweep = 0')
    assert.equal(0, ran.status, ran.stderr)
    assert.falsy(ran.stderr:find("indexes", 1, true), ran.stderr)
    local told = event(ran)
    assert.is_true(told.wal_bytes > 0 and told.wal_bytes < 1048576)
    told.wal_bytes, told.chunks = nil, nil
    assert.same({ event = "backfill", step = "plus", state = "done", rows_changed = 10, rows_bad = 0,
      bytes_before = before, bytes_after = size() }, told)
  end)

  it("counts from the first run to the last", function()
    local before = size()
    local folder = project 'set = { v = sql "v + 1" }, lanes = 1'
    sql "ALTER TABLE t ADD CHECK (id <> 30000 OR v <> 1)"
    assert.equal(1, run("upgrade heads", folder).status)
    assert.is_true(size() > before)
    sql "ALTER TABLE t DROP CONSTRAINT t_check"
    local ran = run("upgrade heads --json", folder)
    assert.equal(0, ran.status, ran.stderr)
    local told = event(ran)
    assert.same({ before, size(), 40000 }, { told.bytes_before, told.bytes_after, told.rows_changed })
  end)
end)
