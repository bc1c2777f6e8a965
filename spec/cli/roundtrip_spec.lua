local cli = require "spec.support.cli"
local proxy = require "spec.support.proxy"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local function ten_statements(id, down)
  local lines = {}
  for index = 1, 10 do lines[index] = ('  op.execute("CREATE TABLE %s_%d (id integer)")'):format(id, index) end
  return cli.revision(id, down, { upgrade = table.concat(lines, "\n") })
end

describe("round trips", function()
  local url, cluster

  setup(function()
    -- Over TCP, where sslmode=prefer asks the server for TLS first.
    cluster = server.cluster { tcp = true }
  end)
  teardown(function() cluster:remove() end)
  before_each(function() url = cluster:database() end)

  local function upgrade(folder, wire, ...)
    return cli.run({ "upgrade", ... }, { cwd = folder, env = { DATABASE_URL = wire.url, PGSSLMODE = "prefer" } })
  end

  it("are at most four for a connection and an upgrade with nothing to do", function()
    local folder = cli.project { ["migrations/versions/a.lua"] = ten_statements "a1" }
    local wire <close> = proxy.start(url, { tcp = true })
    assert.equal(0, upgrade(folder, wire).status)
    wire:reset()
    local ran = upgrade(folder, wire)
    assert.equal(0, ran.status, ran.stderr)
    assert.equal(1, wire:counts().connections)
    assert.equal(3, wire:counts().round_trips)
  end)

  it("are one for a revision of ten statements", function()
    local folder = cli.project { ["migrations/versions/a.lua"] = ten_statements "a1" }
    local wire <close> = proxy.start(url, { tcp = true })
    assert.equal(0, upgrade(folder, wire).status)
    local more = cli.project {
      ["migrations/versions/a.lua"] = ten_statements "a1", ["migrations/versions/b.lua"] = ten_statements("b2", "a1"),
    }
    wire:reset()
    local ran = upgrade(more, wire)
    assert.equal(0, ran.status, ran.stderr)
    assert.equal(3 + 1, wire:counts().round_trips)
    assert.equal("20", server.sql(url, "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^[ab][12]_'"))
  end)

  it("are two for a revision that reads once", function()
    local folder = cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil, {
      upgrade = '  op.execute("CREATE TABLE t (id integer)")\n  op.scalar("SELECT count(*) FROM t")\n'
        .. '  op.execute("DROP TABLE t")' }) }
    local wire <close> = proxy.start(url, { tcp = true })
    assert.equal(0, upgrade(cli.project {}, wire).status)
    wire:reset()
    assert.equal(0, upgrade(folder, wire).status)
    assert.equal(3 + 2, wire:counts().round_trips)
  end)

  -- The models are the database's own, or written by hand, which have to be built on the server.
  local function comparing_trips(tables)
    local database = cluster:database()
    for i = 1, tables do
      server.sql(database, ([[CREATE TABLE t%d (id int PRIMARY KEY, a text, b int REFERENCES t1);
        CREATE INDEX ON t%d (a)]]):format(i, i))
    end
    local folder = cli.project { ["migrations/env.lua"] = 'return { models = "models.lua" }\n' }
    local wire <close> = proxy.start(database, { tcp = true })
    local function count(wanted, ...)
      wire:reset()
      local ran = cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = wire.url, PGSSLMODE = "prefer" } })
      assert.equal(wanted, ran.status, ran.stderr)
      return wire:counts().round_trips
    end
    local trips = { count(0, "reflect", "-o", "migrations/models.lua"), count(0, "check") }
    local path = folder .. "/migrations/models.lua"
    shell.write(path, (shell.read(path):gsub('"text"', '"varchar"')))
    trips[3] = count(1, "check")
    return trips
  end

  it("are as many for reflect and check of forty tables as of one, and at most eight", function()
    local few, many = comparing_trips(1), comparing_trips(40)
    assert.same(few, many)
    for _, trips in ipairs(many) do assert.is_true(trips <= 8, "round trips: " .. trips) end
    assert.same({ 3, 3 }, { many[1], many[2] })
  end)
end)
