-- The connection is cut before or after every single message of an upgrade. The
-- command is run again, and what it leaves must be what an undisturbed run leaves.
local cli = require "spec.support.cli"
local proxy = require "spec.support.proxy"
local server = require "spec.support.server"

local function effect(label) return ('  op.execute("INSERT INTO effects VALUES ($1)", "%s")\n'):format(label) end

local folder = cli.project {
  ["migrations/versions/a.lua"] = cli.revision("a1", nil, {
    upgrade = '  op.execute("CREATE TABLE t (id integer)")\n' .. effect "a" }),
  ["migrations/versions/b.lua"] = cli.revision("b2", "a1", { upgrade = effect "b" .. [[
  op.create_index("ix", "t", { "id" }, { concurrently = true })
  local n = op.scalar("SELECT count(*) FROM effects")
  op.transaction(function() op.execute("INSERT INTO t VALUES ($1)", n) end)
]] .. effect "c" }),
  ["migrations/versions/c.lua"] = cli.revision("c3", "b2", { upgrade = effect "d" }),
}

local function final(url)
  return server.sql(url, "SELECT (SELECT string_agg(label, ',' ORDER BY label) FROM effects), (SELECT sum(id) FROM t), "
    .. "(SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix')), "
    .. "(SELECT string_agg(version_num, ',') FROM moontide.version), (SELECT count(*) FROM moontide.journal)")
end

local function one(side, when, number, seen)
  local url = server.database()
  server.sql(url, "CREATE TABLE effects (label text)")
  local wire <close> = proxy.start(url, { cut = ("%s:%s:%d"):format(side, when, number) })
  local ran = cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = wire.url } })
  local cuts = wire:counts().cuts
  seen(ran)
  assert.is_true(ran.status == 0 or cuts > 0 and ran.status == 1, ran.stderr)
  if ran.status ~= 0 then
    local again = cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    assert.equal(0, again.status, again.stderr)
  end
  assert.equal("a,b,c,d|2|t|c3|0", final(url), ("cut %s %s message %d\n%s"):format(when, side, number, ran.stderr))
  server.drop(url)
  return cuts > 0
end

-- Every n-th message, so that the short run stays short.
local stride = tonumber(os.getenv("MOONTIDE_CUT_STRIDE") or "17")

describe("a connection cut at a message", function()
  for _, side in ipairs { "client", "server" } do
    for _, when in ipairs { "before", "after" } do
      it(("of the %s, %s it, loses and doubles nothing"):format(side, when), function()
        local number, tried, survived = 1 + math.random(0, stride - 1), 0, 0
        local function count(ran) survived = survived + (ran.status == 0 and 1 or 0) end
        while one(side, when, number, count) do
          tried, number = tried + 1, number + stride
        end
        io.stderr:write(("\n%s %s: %d cuts, %d of them survived by the same run\n"):format(side, when, tried, survived))
        assert.is_true(tried > 0)
      end)
    end
  end
end)
