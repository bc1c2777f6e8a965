-- One backfill on two machines, each with a copy of the files and, where that is allowed, a name of its own.

local cjson = require "cjson"
local cli = require "spec.support.cli"
local server = require "spec.support.server"
local torture = require "spec.torture.backfill"

local has_names = os.execute "unshare -u sh -c 'hostname machine-a' 2>/dev/null" == true

describe("a backfill on two machines", function()
  local url, machines
  local more = ", max_rows = 50, rows_per_s = 3000"

  before_each(function()
    url, machines = server.database(), {}
    torture.fill(url, 25000)
  end)
  after_each(function() server.drop(url) end)

  local function begin(mode)
    for _, name in ipairs { "machine-a", "machine-b" } do
      machines[name:sub(-1)] = { env = { DATABASE_URL = url }, cwd = torture.project(torture.modes[mode] .. more),
        program = has_names and { "unshare", "-u", "sh", "-c", 'hostname "$0" && exec "$@"', name, cli.binary() }
          or nil }
    end
  end

  local function start(machine, words) return cli.start(words, machines[machine]) end
  local function ok(machine, words) return cli.ok(words, machines[machine]) end
  local function job(machine) return cjson.decode((ok(machine, "backfill status plus --json"))).backfill end
  local function changed()
    return tonumber(server.sql(url, "SELECT coalesce(sum(rows_changed), 0) FROM moontide.backfill_range"))
  end
  local function has_begun(least)
    cli.eventually("rows are changed", function()
      local there = server.sql(url, "SELECT to_regclass('moontide.backfill_range') IS NOT NULL") == "t"
      return there and changed() > least
    end)
  end
  local function check_done()
    assert.same({}, torture.problems(url))
    assert.equal("20000", server.sql(url, "SELECT sum(rows_changed) FROM moontide.backfill_range"))
  end

  local function names(workers)
    local seen = {}
    for _, item in ipairs(workers) do
      if item.lanes > 0 then seen[#seen + 1] = has_names and item.worker:match "^machine%-%a" or "machine" end
    end
    table.sort(seen)
    return table.concat(seen, " ")
  end

  for mode in pairs(torture.modes) do
    it("is paused on one and goes on, on the other: " .. mode, function()
      begin(mode)
      local upgrade = start("a", "upgrade")
      has_begun(500)
      ok("b", { "backfill", "pause", "plus", "--reason", "moving house" })
      cli.eventually("the other says so", function()
        return select(2, upgrade:output()):find("backfill plus: paused: moving house", 1, true)
      end)
      upgrade:signal "INT"
      assert.equal(130, upgrade:wait().status)
      local before = changed()
      assert.truthy(before < 20000)
      ok("b", "backfill resume plus")
      ok("b", "backfill set plus rows_per_s=1000000")
      ok("b", "backfill work plus --wait")
      ok("a", "upgrade")
      check_done()
      assert.equal("1", server.sql(url, "SELECT count(*) FROM pg_class WHERE relname = 'after'"))
    end)

    it("is done by both at once: " .. mode, function()
      begin(mode)
      local upgrade = start("a", "upgrade")
      has_begun(200)
      local work = start("b", "backfill work plus --wait")
      cli.eventually("both are at work", function()
        return names(job("b").workers) == (has_names and "machine-a machine-b" or "machine machine")
          and server.sql(url, "SELECT count(DISTINCT worker) FROM moontide.backfill_range") == "2"
      end)
      ok("a", "backfill set plus rows_per_s=1000000")
      for _, process in ipairs { upgrade, work } do
        local ran = process:wait()
        assert.equal(0, ran.status, ran.stderr)
      end
      check_done()
    end)
  end
end)
