local cli = require "spec.support.cli"
local json = require "moontide.json"
local lfs = require "lfs"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local function file(id, down, date)
  return ("--- Message of %s.\n-- Revision ID: %s\n-- Revises: %s\n-- Create Date: 2026-01-%s 10:00:00+00:00\n"
    .. "revision = %q\ndown_revision = %s -- kept\n\nfunction upgrade()\nend\n\nfunction downgrade()\nend\n")
    :format(id, id, down or "", date, id, down and ("%q"):format(down) or "nil")
end

-- a1 parts into b1 - b2 and c1.
local function files(more)
  local all = {
    ["migrations/versions/1_a1.lua"] = file("a1", nil, "01"),
    ["migrations/versions/2_b1.lua"] = file("b1", "a1", "02"),
    ["migrations/versions/3_b2.lua"] = file("b2", "b1", "03"),
    ["migrations/versions/4_c1.lua"] = file("c1", "a1", "04"),
  }
  for name, text in pairs(more or {}) do all[name] = text end
  return all
end

local function text_of(folder, name) return shell.read(folder .. "/migrations/versions/" .. name) end

describe("rebase without a database", function()
  local folder
  before_each(function() folder = cli.project(files()) end)
  local function run(...) return cli.run({ "rebase", ... }, { cwd = folder }) end

  it("asks for the database or --offline", function()
    local ran = run "-y"
    assert.equal(2, ran.status)
    assert.matches("^error: no database URL\n", ran.stderr)
    assert.matches("With %-%-offline it is not asked", ran.stderr)
    assert.equal(file("c1", "a1", "04"), text_of(folder, "4_c1.lua"))
  end)

  it("shows the change, and needs a yes", function()
    local ran = run "--offline"
    assert.equal(2, ran.status)
    assert.equal("c1: a1 -> b2, migrations/versions/4_c1.lua\n", ran.stdout)
    assert.equal("error: this needs a yes, and there is no terminal to ask on\n  detail: Rewrite this file?\n"
      .. "  hint: Say --yes to go ahead.\n", ran.stderr)
    assert.equal(file("c1", "a1", "04"), text_of(folder, "4_c1.lua"))
  end)

  it("changes the parent and the comment, and keeps every other byte", function()
    local ran = run("--offline", "--yes")
    assert.equal("c1: a1 -> b2, migrations/versions/4_c1.lua\nRewriting migrations/versions/4_c1.lua ...  done\n",
      ran.stdout)
    assert.equal("", ran.stderr)
    assert.equal(file("c1", "b2", "04"), text_of(folder, "4_c1.lua"))
    assert.equal(file("b1", "a1", "02"), text_of(folder, "2_b1.lua"))
    assert.equal("c1 (head)\n", (cli.ok("heads --single", { cwd = folder })))
    ran = run()
    assert.equal("nothing to rebase\n", ran.stderr)
    assert.equal(0, ran.status)
  end)

  it("puts the branch it is told on the one it is told", function()
    assert.equal(0, run("b2", "--onto", "c1", "--offline", "-y").status)
    assert.equal(file("b1", "c1", "02"), text_of(folder, "2_b1.lua"))
    assert.equal("b2 (head)\n", (cli.ok("heads", { cwd = folder })))
  end)

  it("only shows with --dry-run", function()
    local ran = run("--offline", "--dry-run")
    assert.equal("c1: a1 -> b2, migrations/versions/4_c1.lua\n", ran.stdout)
    assert.equal(0, ran.status)
    assert.equal(file("c1", "a1", "04"), text_of(folder, "4_c1.lua"))
  end)

  it("asks on a terminal", function()
    local function typed(answer)
      local command = shell.join { cli.binary(), "rebase", "--offline" }
      return cli.run({}, { cwd = folder, input = answer .. "\n", program = { "script", "-qec", command, "/dev/null" } })
    end
    local ran = typed "n"
    assert.matches("Rewrite this file%? %[y/N%] ", ran.stdout)
    assert.matches("nothing was changed", ran.stdout)
    assert.equal(file("c1", "a1", "04"), text_of(folder, "4_c1.lua"))
    assert.matches("Rewriting", typed("yes").stdout)
    assert.equal(file("c1", "b2", "04"), text_of(folder, "4_c1.lua"))
  end)

  it("prints a document with --json", function()
    assert.same({
      changes = { { revision = "c1", path = "migrations/versions/4_c1.lua", from = { "a1" }, to = { "b2" } } },
      heads = { "c1" }, written = true,
    }, json.decode(run("--offline", "-y", "--json").stdout))
    assert.equal('{"changes":[],"heads":["c1"],"written":false}\n', run("--json").stdout)
  end)

  it("keeps line ends, the mode of a file and links to it", function()
    local path = folder .. "/migrations/versions/4_c1.lua"
    local text = file("c1", "a1", "04"):gsub("\n", "\r\n")
    shell.write(folder .. "/elsewhere.lua", text)
    os.remove(path)
    assert(lfs.link("../../elsewhere.lua", path, true))
    shell.capture("chmod 640 " .. shell.quote(folder .. "/elsewhere.lua"))
    assert.equal(0, run("--offline", "-y").status)
    assert.equal("link", lfs.symlinkattributes(path, "mode"))
    assert.equal("rw-r-----", lfs.attributes(path, "permissions"))
    assert.equal((file("c1", "b2", "04"):gsub("\n", "\r\n")), text_of(folder, "4_c1.lua"))
  end)

  it("rewrites SQL revisions", function()
    folder = cli.project(files {
      ["migrations/versions/4_c1.lua"] = false,
      ["migrations/versions/4_c1.sql"] = "-- Text.\n-- moontide: revision=c1, down_revision=a1\n\n-- upgrade\n",
    })
    assert.equal(0, run("c1", "--offline", "-y").status)
    assert.equal("-- Text.\n-- moontide: revision=c1, down_revision=b2\n\n-- upgrade\n",
      text_of(folder, "4_c1.sql"))
  end)

  it("refuses a file that computes its parent, and changes no other", function()
    local computed = 'revision = "d1"\ndown_revision = string.lower "A1"\nfunction upgrade() end\n'
    folder = cli.project(files { ["migrations/versions/5_d1.lua"] = computed })
    local ran = run("d1", "--onto", "c1", "--offline", "-y")
    assert.equal(1, ran.status)
    assert.equal([[
error: migrations/versions/5_d1.lua:1: could not give revision "d1" other parents
  detail: the file does not set down_revision to a plain value
  hint: Change down_revision by hand; no file was changed.
]], ran.stderr)
    shell.write(folder .. "/migrations/versions/5_d1.lua", 'revision = "d1"\ndown_revision = "b2"\n'
      .. '_ENV["down_revision"] = "a1"\nfunction upgrade() end\n')
    ran = run("d1", "--onto", "c1", "--offline", "-y")
    assert.matches("The file computes its parents, or sets them again further down", ran.stderr)
  end)

  it("gives the first files their text back when a later one cannot be written", function()
    local elsewhere = tmp.folder "r"
    shell.write(elsewhere .. "/d1.lua", file("d1", "a1", "05"))
    shell.capture(("chmod -R a+rwX %s && chmod a=rX %s && ln -s %s/d1.lua %s/migrations/versions/5_d1.lua")
      :format(folder, elsewhere, elsewhere, folder))
    local ran = cli.run({}, { cwd = folder, program = { "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
      cli.binary(), "rebase", "--offline", "-y" } })
    assert.equal(1, ran.status)
    assert.matches("^error: could not write.*The files written before it have their old text again", ran.stderr)
    assert.matches("Rewriting migrations/versions/4_c1.lua", ran.stdout)
    assert.equal(file("c1", "a1", "04"), text_of(folder, "4_c1.lua"))
    assert.equal(file("d1", "a1", "05"), text_of(folder, "5_d1.lua"))
  end)
end)

describe("rebase with a database", function()
  local url, folder, options
  before_each(function()
    url, folder = server.database(), cli.project(files())
    options = { cwd = folder, env = { DATABASE_URL = url } }
  end)
  after_each(function() server.drop(url) end)
  local function run(...) return cli.run({ "rebase", "-y", ... }, options) end

  it("leaves the applied branch where it is", function()
    cli.ok("upgrade c1", options)
    assert.equal("b1: a1 -> c1, migrations/versions/2_b1.lua\n", run("--dry-run").stdout)
    assert.equal(0, run().status)
    cli.ok("upgrade head", options)
    assert.equal("b2 (head)\n", (cli.ok("current", options)))
  end)

  it("takes a database without bookkeeping tables for an empty one", function()
    assert.equal("c1: a1 -> b2, migrations/versions/4_c1.lua\n", run("--dry-run").stdout)
  end)

  it("never moves what is applied", function()
    cli.ok("upgrade c1", options)
    local ran = run("c1", "--onto", "b2")
    assert.equal(1, ran.status)
    assert.equal('error: cannot rebase what is applied: "c1"\n  detail: "c1" (migrations/versions/4_c1.lua)\n'
      .. "  hint: Put the other branch on top of this one, or join the heads with `moontide merge heads`.\n",
      ran.stderr)
    cli.ok("upgrade heads", options)
    ran = run()
    assert.equal(1, ran.status)
    assert.matches("^error: several branches are applied\n", ran.stderr)
    assert.matches("hint: Join them with: moontide merge heads\n", ran.stderr)
  end)

  it("refuses when the database is at a revision that no file has", function()
    cli.ok("upgrade c1", options)
    server.sql(url, "UPDATE moontide.version SET version_num = 'gone'")
    assert.matches('^error: the database is at revision "gone", which no file has\n', run().stderr)
  end)
end)
