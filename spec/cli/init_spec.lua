local cli = require "spec.support.cli"
local lfs = require "lfs"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local function run(folder, ...) return cli.run({ "init", ... }, { cwd = folder }) end

describe("init", function()
  it("writes an environment that works, and says what is next", function()
    local folder = tmp.folder()
    local ran = run(folder)
    assert.equal(0, ran.status)
    assert.equal([[
Creating directory migrations ...  done
Creating directory migrations/versions ...  done
Generating migrations/env.lua ...  done
Generating migrations/versions/.gitkeep ...  done
Generating migrations/.luarc.json ...  done
Generating migrations/.luals ...  done
]], ran.stdout)
    assert.equal([[

Next: set $DATABASE_URL or the url in migrations/env.lua, then

  moontide revision -m "create users"   # write the first revision
  moontide upgrade                      # apply it
]], ran.stderr)
    cli.ok("revision -m first --rev-id a1", { cwd = folder })
    assert.equal("a1 (head)\n", cli.ok("heads", { cwd = folder }))
  end)

  it("shows every setting, with examples that are accepted", function()
    local folder = tmp.folder()
    run(folder)
    local path = folder .. "/migrations/env.lua"
    local text = shell.read(path)
    for name in pairs(require("moontide.config.key").known) do
      assert.matches("%f[%w_]" .. name .. " = ", text)
    end
    shell.write(path, (text:gsub("\n  %-%- ([%w_]+ = [^\n]-,)", "\n  %1")))
    assert.matches("\n  trusted = false,", shell.read(path), 1, true)
    cli.ok("heads", { cwd = folder })
  end)

  it("keeps what is there", function()
    local folder = cli.project { ["migrations/env.lua"] = "return { timezone = 'UTC' }" }
    assert.equal([[
File migrations/env.lua already exists, skipping
Generating migrations/versions/.gitkeep ...  done
Generating migrations/.luarc.json ...  done
Generating migrations/.luals ...  done
]], run(folder).stdout)
    assert.equal("return { timezone = 'UTC' }", shell.read(folder .. "/migrations/env.lua"))
  end)

  it("refuses a folder that holds other things, and writes nothing", function()
    local folder = tmp.folder()
    shell.write(folder .. "/src/main.c", "")
    local ran = run(folder, "src")
    assert.equal(1, ran.status)
    assert.equal('error: directory "src" already exists and is not empty\n'
      .. "  hint: Choose another folder; nothing was written.\n", ran.stderr)
    assert.is_nil(lfs.attributes(folder .. "/src/env.lua"))
  end)

  it("takes another folder and names it in what is next; --json says the same", function()
    local folder = tmp.folder()
    assert.matches("moontide -c db/app/env.lua revision", run(folder, "db/app/").stderr, 1, true)
    local document = require("moontide.json").decode(run(folder, "db/app", "--json").stdout)
    assert.same({ "db/app/env.lua", "db/app/versions/.gitkeep", "db/app/.luarc.json", "db/app/.luals/op.lua",
      "db/app/.luals/context.lua", "db/app/.luals/model.lua", "db/app/.luals/plugin.lua" }, document.kept)
    assert.same({}, document.created)
  end)

  it("describes op, revision files, models and plugins for editors, and --editor renews that alone", function()
    local folder = tmp.folder()
    run(folder)
    local described = shell.read("lua/moontide/meta/op.lua")
    local path = folder .. "/migrations/.luals/op.lua"
    assert.equal(described, shell.read(path))
    local settings = require("moontide.json").decode(shell.read(folder .. "/migrations/.luarc.json"))
    assert.same({ ".luals" }, settings["workspace.library"])
    shell.write(path, "-- of an earlier version")
    shell.write(folder .. "/migrations/.luarc.json", "{}")
    run(folder)
    assert.equal("-- of an earlier version", shell.read(path))
    assert.equal("Generating migrations/.luals ...  done\n", run(folder, "--editor").stdout)
    assert.equal(described, shell.read(path))
    assert.equal("{}", shell.read(folder .. "/migrations/.luarc.json"))
    local ran = run(folder, "--editor", "elsewhere")
    assert.equal(1, ran.status)
    assert.matches('no env.lua in "elsewhere"', ran.stderr, 1, true)
    assert.is_nil(lfs.attributes(folder .. "/elsewhere"))
  end)

  it("lists the templates in Alembic's words", function()
    local folder = cli.project { ["migrations/env.lua"] = false }
    assert.equal([[
Available templates:

generic - one database, every setting shown with its default

Templates are used via the 'init' command, e.g.:

  moontide init --template generic migrations
]], (cli.ok("init --list-templates", { cwd = folder })))
    assert.is_nil(io.open(folder .. "/migrations/env.lua"))
  end)
end)
