local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("op.backfill of a table that is not there", function()
  local folder = cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil, {
    upgrade = '  op.backfill { "x", table = "nowhere", set = { v = 1 } }' }) }

  for _, words in ipairs { { "upgrade" }, { "upgrade", "--dry-run" } } do
    it("is refused at the line of the call: " .. table.concat(words, " "), function()
      local url = server.database()
      local ran = cli.run(words, { cwd = folder, env = { DATABASE_URL = url } })
      assert.equal(1, ran.status)
      assert.matches('error: migrations/versions/a.lua:6: relation "nowhere" does not exist', ran.stderr)
      assert.matches("\n  operation: backfill\n", ran.stderr)
      assert.equal("", server.sql(url, "SELECT coalesce(max(version_num), '') FROM moontide.version"))
      server.drop(url)
    end)
  end
end)
