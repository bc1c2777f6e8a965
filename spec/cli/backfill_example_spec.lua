-- examples/backfill is a story that can be run; here with fewer rows.

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

describe("examples/backfill", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  it("splits names while others write, is killed, and goes on", function()
    local folder = cli.project {}
    shell.capture(("cp -r examples/backfill %s/"):format(shell.quote(folder)))
    local ran = cli.run({ "backfill/run.sh" }, { program = { "sh" }, cwd = folder, timeout = 300, env = {
      DATABASE_URL = url, ROWS = "5000", MOONTIDE_BINARY = cli.binary(), PATH = server.bin() .. ":" .. os.getenv "PATH",
    } })
    assert.equal("", ran.status == 0 and "" or ran.stdout .. ran.stderr)
    for _, text in ipairs { "customers: 5000\n", "kill -9: exit code 137\n", "written meanwhile: t\n",
      "names that are wrong: 0\n", "pending   none" } do
      assert(ran.stdout:find(text, 1, true), "missing in the output: " .. text .. "\n" .. ran.stdout .. ran.stderr)
    end
    assert.equal("id,first_name,last_name", server.sql(url, [[SELECT string_agg(column_name, ',' ORDER BY
      ordinal_position) FROM information_schema.columns WHERE table_name = 'customers']]))
    -- The application may have changed some first, and no row is changed twice.
    local changed = tonumber(server.sql(url, [[SELECT sum(r.rows_changed) FROM moontide.backfill_range r
      JOIN moontide.backfill b ON b.id = r.backfill_id WHERE b.step = 'split_name']]))
    assert.is_true(changed > 1000 and changed <= 5000)
  end)

  it("has a way back", function()
    local env = { DATABASE_URL = url }
    cli.ok("-c examples/backfill upgrade 3c91e2a7f058", { env = env })
    server.sql(url, "INSERT INTO customers (full_name) SELECT 'A' || i || ' B' || i FROM generate_series(1, 100) i")
    cli.ok("-c examples/backfill upgrade head --yes", { env = env })
    cli.ok("-c examples/backfill downgrade 3c91e2a7f058 --yes", { env = env })
    assert.equal("100", server.sql(url, "SELECT count(*) FROM customers WHERE full_name = 'A' || id || ' B' || id"))
    cli.ok("-c examples/backfill downgrade base --yes", { env = env })
  end)
end)
