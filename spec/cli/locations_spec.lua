local cli = require "spec.support.cli"
local lfs = require "lfs"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

describe("several version locations with dated sub-folders in a zone of their own", function()
  local env = [[return {
    version_locations = { "versions", "../billing/migrations" }, recursive = true, timezone = "Pacific/Kiritimati",
    file_template = "%(year)d/%(month).2d/%(day).2d_%(rev)s_%(slug)s",
  }]]

  -- Fourteen hours ahead of Greenwich all year: the date there.
  local function there() return os.date("!%Y/%m/%d", os.time() + 14 * 3600) end

  it("are written, found again, applied and reverted together", function()
    local url = server.database()
    local folder = cli.project { ["migrations/env.lua"] = env }
    local options = { cwd = folder, env = { DATABASE_URL = url } }
    local before = there()
    cli.ok({ "revision", "-m", "Add users", "--rev-id", "a1",
      "--version-path", folder .. "/migrations/versions" }, options)
    cli.ok({ "revision", "-m", "Bills", "--rev-id", "b1", "--head", "base", "--branch-label", "billing",
      "--version-path", folder .. "/billing/migrations" }, options)
    cli.ok({ "revision", "-m", "More bills", "--rev-id", "b2", "--head", "billing@head" }, options)
    if before ~= there() then return pending("midnight passed") end
    local first = folder .. "/migrations/versions/" .. before .. "_a1_add_users.lua"
    local last = folder .. "/billing/migrations/" .. before .. "_b2_more_bills.lua"
    assert.equal("file", lfs.attributes(first, "mode"), first)
    assert.equal("file", lfs.attributes(last, "mode"), last)
    assert.matches("Create Date: " .. before:gsub("/", "%%-") .. " .*%+14:00", shell.read(first))
    cli.ok({ "upgrade", "heads" }, options)
    assert.equal("a1 b2", server.sql(url,
      "SELECT string_agg(version_num, ' ' ORDER BY version_num) FROM moontide.version"))
    cli.ok({ "downgrade", "billing@base" }, options)
    assert.equal("a1", server.sql(url, "SELECT version_num FROM moontide.version"))
    server.drop(url)
  end)
end)
