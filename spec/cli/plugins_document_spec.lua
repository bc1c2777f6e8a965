-- docs/plugins.md is true: its files are written, its commands run, and what they print is what it shows.
-- MOONTIDE_GOLDEN=1 writes the real output into it instead.

local lfs = require "lfs"
local api = require "moontide.plugin.api"
local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local document = lfs.currentdir() .. "/docs/plugins.md"

local function run(command, folder, url)
  local ran = cli.run({ "-c", "{ " .. command .. "; } 2>&1" }, {
    program = { "sh" }, cwd = folder, env = { DATABASE_URL = url, PATH = folder .. "/bin:" .. os.getenv("PATH") },
  })
  return ran.stdout
end

-- A console block with what its commands print now.
local function typed(body, folder, url)
  local lines = {}
  for line in (body .. "\n"):gmatch("([^\n]*)\n") do
    if line:sub(1, 2) == "$ " then
      lines[#lines + 1] = line .. "\n" .. run(line:sub(3), folder, url)
    end
  end
  return (table.concat(lines):gsub("\n+$", ""))
end

local function now(text, folder, url)
  return (text:gsub("```([^\n]*)\n(.-)\n```\n", function(info, body)
    local title = info:match("^lua title=(.+)$")
    if title then shell.write(folder .. "/" .. title, body .. "\n") end
    if info == "lua" then assert(load(body, "=example", "t")) end
    if info ~= "console" then return nil end
    return ("```console\n%s\n```\n"):format(typed(body, folder, url))
  end))
end

describe("docs/plugins.md", function()
  it("shows what happens", function()
    local url, folder = server.database(), tmp.folder("d")
    assert(lfs.mkdir(folder .. "/bin"))
    assert(lfs.link(cli.binary(), folder .. "/bin/moontide", true))
    local text = shell.read(document)
    local real = now(text, folder, url)
    server.drop(url)
    if os.getenv("MOONTIDE_GOLDEN") == "1" then return shell.write(document, real) end
    assert.equal(text, real)
  end)

  it("has every registration point with an example, and every helper", function()
    local text = shell.read(document)
    local points, helpers = api.names()
    for _, name in ipairs(points) do
      assert.matches("\n## moontide." .. name .. "\n", text, 1, true)
      assert.matches("\n *moontide%." .. name .. " ?[{(]", text)
    end
    for _, name in ipairs(helpers) do assert.matches("`moontide." .. name, text, 1, true) end
  end)
end)
