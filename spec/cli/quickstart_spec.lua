local lfs = require "lfs"
local cli = require "spec.support.cli"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

describe("examples/quickstart.sh", function()
  local root = lfs.currentdir()

  -- A copy of the tree, so that the project's own development server is left alone; the build is shared.
  local function copy()
    local folder = tmp.folder("q")
    shell.capture(("cd %s && cp -a .ci examples migrations %s && ln -s %s/build %s/build"):format(
      shell.quote(root), folder, shell.quote(root), folder))
    return folder
  end

  local function quickstart(folder)
    local options = { program = { "sh" }, cwd = folder, timeout = 300, env = { PAGER = "cat" } }
    return cli.run({ "examples/quickstart.sh" }, options)
  end

  it("shows the way from nothing to a migrated database, and can be run again", function()
    if not lfs.attributes(root .. "/build/release/CMakeCache.txt") then pending("there is no release build") end
    local folder = copy()
    local first = quickstart(folder)
    assert.equal("", first.status == 0 and "" or first.stderr)
    for _, text in ipairs {
      "$ moontide dev start\nstarted PostgreSQL", "$ moontide current\n5b2e84c6a1f9 (head)", "<base> -> 2f6d1c0a9b47",
      " orders ", " documents ", "$ moontide downgrade -2", "pending   none", "Everything works.",
    } do
      assert(first.stdout:find(text, 1, true), "missing in the output: " .. text .. "\n" .. first.stdout)
    end
    local second = quickstart(folder)
    assert.equal(0, second.status)
    assert.matches("^\n%$ moontide dev start\nPostgreSQL [%d.]+ is already running", second.stdout)
    for _, word in ipairs { "Installing", "Building", "creating" } do
      assert.is_nil(second.stderr:find(word, 1, true))
    end
    cli.ok("dev stop", { cwd = folder })
  end)
end)
