-- The connection is cut before or after a message of an upgrade with a backfill, also by
-- each single one of them: MOONTIDE_CUT_STRIDE=1. The command is run again, and every row
-- is changed exactly once.

local cli = require "spec.support.cli"
local proxy = require "spec.support.proxy"
local server = require "spec.support.server"
local torture = require "spec.torture.backfill"

local stride = tonumber(os.getenv("MOONTIDE_CUT_STRIDE") or "401")

describe("a backfill cut at a message", function()
  local cluster
  setup(function() cluster = server.cluster { settings = { full_page_writes = "on" } } end)
  teardown(function() cluster:remove() end)

  local function run(folder, url)
    return cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
  end

  local function check(url, message)
    assert.same({}, torture.problems(url), message)
    assert.equal("80|a1", server.sql(url, "SELECT sum(rows_changed), (SELECT version_num FROM moontide.version) "
      .. "FROM moontide.backfill_range"), message)
    server.sql(cluster:url(), ("DROP DATABASE %s WITH (FORCE)"):format(url:match("/([^/?]+)%?")))
  end

  -- Answers whether there was such a message, and whether the run survived.
  local function one(folder, cut)
    local url = cluster:database()
    torture.fill(url, 100)
    local wire <close> = proxy.start(url, { cut = cut })
    local ran = run(folder, wire.url)
    local message, cuts = cut .. "\n" .. ran.stderr, wire:counts().cuts
    assert.is_true(ran.status == 0 or cuts > 0 and ran.status == 1, message)
    if ran.status ~= 0 then assert.equal(0, run(folder, url).status, message) end
    check(url, message)
    return cuts > 0, ran.status == 0
  end

  for mode, options in pairs(torture.modes) do
    for _, side in ipairs { "client", "server" } do
      for _, when in ipairs { "before", "after" } do
        it(("of the %s, %s it, changes every row exactly once: %s"):format(side, when, mode), function()
          local folder = torture.project((options:gsub("max_rows = 200, lanes = 2", "max_rows = 20, lanes = 1")))
          local number, tried, survived = math.random(1, stride), 0, 0
          while true do
            local cut, good = one(folder, ("%s:%s:%d"):format(side, when, number))
            if not cut then break end
            tried, survived, number = tried + 1, survived + (good and 1 or 0), number + stride
          end
          io.stderr:write(("\n%s, %s %s: %d cuts, %d of them survived by the same run\n"):format(mode, side, when,
            tried, survived))
          assert.is_true(tried > 0)
        end)
      end
    end
  end
end)
