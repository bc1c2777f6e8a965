local cli = require "spec.support.cli"
local proxy = require "spec.support.proxy"
local server = require "spec.support.server"

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
end)
