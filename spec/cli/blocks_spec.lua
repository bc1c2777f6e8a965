-- op.transaction and op.autocommit are done as a whole; a coroutine that is left in the middle is an error.
local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("a block that is left by a coroutine", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function upgrade(body, words)
    local folder = cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil, {
      upgrade = '  op.execute("CREATE TABLE t (id integer)")\n' .. body }) }
    local ran = cli.run({ "upgrade", table.unpack(words or {}) }, { cwd = folder, env = { DATABASE_URL = url } })
    return ran, server.sql(url, "SELECT coalesce(to_regclass('t')::text, 'none')")
  end

  local function assert_left(ran, kind)
    assert.equal(1, ran.status, ran.stderr)
    assert.matches(("op.%s was left before its end"):format(kind), ran.stderr, 1, true)
    assert.matches("a%.lua:%d", ran.stderr)
    assert.equal("0", server.sql(url, "SELECT count(*) FROM moontide.version"))
    assert.equal("0", server.sql(url, "SELECT count(*) FROM t"))
  end

  local function left(kind, rest)
    return ([[
  local co = coroutine.create(function()
    op.%s(function()
      coroutine.yield()
      op.execute("INSERT INTO t VALUES (1)")
    end)
  end)
  assert(coroutine.resume(co))
]]):format(kind) .. rest
  end

  for _, kind in ipairs { "transaction", "autocommit" } do
    it(("op.%s that is never resumed"):format(kind), function() assert_left(upgrade(left(kind, "")), kind) end)

    it(("op.%s whose coroutine is closed"):format(kind), function()
      assert_left(upgrade(left(kind, "  coroutine.close(co)")), kind)
    end)

    it(("op.%s with an operation in between"):format(kind), function()
      assert_left(upgrade(left(kind, '  op.execute("INSERT INTO t VALUES (2)")\n  coroutine.resume(co)')), kind)
    end)
  end

  it("and resumed to its end is as good as any", function()
    local ran = upgrade(left("transaction", "  assert(coroutine.resume(co))"))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("1", server.sql(url, "SELECT count(*) FROM t"))
  end)

  it("operations of a coroutine inside of a block belong to it", function()
    local ran = upgrade [[
  op.transaction(function()
    local each = coroutine.wrap(function()
      for i = 1, 3 do
        op.execute("INSERT INTO t VALUES ($1)", i)
        coroutine.yield(i)
      end
    end)
    for i in each do op.execute("INSERT INTO t VALUES ($1)", i + 10) end
  end)]]
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("6", server.sql(url, "SELECT count(*) FROM t"))
  end)
end)
