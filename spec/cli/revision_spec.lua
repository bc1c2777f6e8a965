local cli = require "spec.support.cli"
local lfs = require "lfs"
local shell = require "spec.support.shell"

local function run(folder, ...) return cli.run({ "revision", ... }, { cwd = folder }) end

local function versions(folder)
  local names = {}
  for name in lfs.dir(folder .. "/migrations/versions") do
    if name:sub(1, 1) ~= "." then names[#names + 1] = name end
  end
  table.sort(names)
  return table.concat(names, " ")
end

describe("revision", function()
  it("writes a file on top of the head", function()
    local folder = cli.project()
    assert.equal("Generating migrations/versions/a1_create_users.lua ...  done\n",
      run(folder, "-m", "Create users", "--rev-id", "a1").stdout)
    run(folder, "--message=Add email.", "--rev-id", "b2")
    local text = shell.read(folder .. "/migrations/versions/b2_add_email.lua")
    assert.equal([[
--- Add email.
-- Revision ID: b2
-- Revises: a1
-- Create Date: TIME
revision = "b2"
down_revision = "a1"
branch_labels = nil
depends_on = nil

function upgrade()
end

function downgrade()
end
]], (text:gsub("%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d%+00:00", "TIME")))
  end)

  it("makes up twelve hexadecimal digits", function()
    local folder = cli.project()
    assert.matches("^Generating migrations/versions/%x%x%x%x%x%x%x%x%x%x%x%x_%.lua %.%.%.  done\n$", run(folder).stdout)
    assert.matches("empty message", cli.ok("history", { cwd = folder }), 1, true)
  end)

  it("starts branches with labels and dependencies, by short names", function()
    local folder = cli.project()
    for _, id in ipairs { "aaaa1", "bbbb1" } do run(folder, "--rev-id", id) end
    local ran = run(folder, "--rev-id", "cccc1", "--head", "aaa")
    assert.equal('error: revision "aaaa1" is not a head revision\n  revision: aaaa1\n'
      .. '  detail: It is the down_revision of "bbbb1".\n'
      .. "  hint: Please specify --splice to create a new branch from this revision.\n", ran.stderr)
    run(folder, "--rev-id", "cccc1", "--head", "aaa", "--splice", "--branch-label", "shop")
    run(folder, "--rev-id", "dddd1", "--head", "base", "--branch-label", "net", "--depends-on", "bbb",
      "--depends-on", "shop")
    assert.equal([[
<base> (bbbb1, shop) -> dddd1 (net) (head), empty message
aaaa1 -> bbbb1 (effective head), empty message
aaaa1 -> cccc1 (shop) (effective head), empty message
<base> -> aaaa1 (branchpoint), empty message
]], cli.ok("history", { cwd = folder }))
  end)

  it("asks for the head where there are several", function()
    local folder = cli.project {
      ["migrations/versions/a.lua"] = cli.revision("a1"), ["migrations/versions/b.lua"] = cli.revision("b1"),
    }
    local ran = run(folder)
    assert.equal(1, ran.status)
    assert.matches("multiple heads are present", ran.stderr, 1, true)
  end)

  local refused = {
    { { "--rev-id", "a@b" }, 2, 'character(s) "@" not allowed in revision identifier "a@b"' },
    { { "--rev-id", "../x" }, 2, 'character(s) "/" not allowed in revision identifier "../x"' },
    { { "--rev-id", "head" }, 2, '"head" is reserved and cannot be a revision identifier' },
    { { "--rev-id", ("x"):rep(33) }, 2, "is longer than 32 characters" },
    { { "--rev-id", "a1" }, 1, '"a1" is already taken' },
    { { "--branch-label", "a-b" }, 2, 'character(s) "-" not allowed in branch label "a-b"' },
    { { "--branch-label", "shop" }, 1, 'branch label "shop" is already taken' },
    { { "--version-path", "elsewhere" }, 2, "path elsewhere is not represented in current version locations" },
    { { "--depends-on", "nope" }, 1, "can't locate revision identified by \"nope\"" },
  }
  for _, case in ipairs(refused) do
    it("refuses before it writes: " .. case[3], function()
      local folder = cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil,
        { head = "branch_labels = 'shop'" }) }
      local ran = run(folder, table.unpack(case[1]))
      assert.equal(case[2], ran.status)
      assert.matches(case[3], ran.stderr, 1, true)
      assert.equal("a.lua", versions(folder))
    end)
  end

  it("never overwrites a file", function()
    local folder = cli.project { ["migrations/env.lua"] = "return { file_template = 'same' }" }
    run(folder)
    local before = shell.read(folder .. "/migrations/versions/same.lua")
    local ran = run(folder)
    assert.equal(1, ran.status)
    assert.equal('error: file "migrations/versions/same.lua" already exists\n'
      .. "  hint: It was left as it is.\n", ran.stderr)
    assert.equal(before, shell.read(folder .. "/migrations/versions/same.lua"))
  end)

  it("names files by the template, in sub-folders and in a time zone", function()
    local folder = cli.project { ["migrations/env.lua"] = [[return { recursive = true,
      file_template = "%(year)d/%(rev)s_%(slug)s", truncate_slug_length = 8, timezone = "local" }]] }
    local ran = cli.run({ "revision", "-m", "one two three", "--rev-id", "a1" },
      { cwd = folder, env = { TZ = "XYZ-05:30" } })
    assert.matches("^Generating migrations/versions/%d%d%d%d/a1_one_two_.lua ...  done\n$", ran.stdout)
    local text = shell.read(folder .. "/" .. ran.stdout:match("migrations/[^ ]+"))
    assert.matches("Create Date: .*%+05:30\n", text)
    assert.equal("a1 (head)\n", cli.ok("heads", { cwd = folder }))
  end)

  it("knows the zones of the time zone database, and no others", function()
    local folder = cli.project { ["migrations/env.lua"] = 'return { timezone = "Mars/Olympus" }' }
    local ran = run(folder)
    assert.equal(2, ran.status)
    assert.matches('cannot find time zone "Mars/Olympus"', ran.stderr, 1, true)
    assert.equal("", versions(folder))
    if not lfs.attributes("/usr/share/zoneinfo/Asia/Kolkata") then return end
    folder = cli.project { ["migrations/env.lua"] = 'return { timezone = "Asia/Kolkata" }' }
    local text = shell.read(folder .. "/" .. run(folder).stdout:match("migrations/[^ ]+"))
    assert.matches("Create Date: .*%+05:30\n", text)
  end)

  it("writes beside its parent, or where it is told", function()
    local folder = cli.project {
      ["migrations/env.lua"] = "return { version_locations = { 'versions', 'shop' } }",
      ["migrations/shop/s.lua"] = cli.revision("s1"), ["migrations/versions/a.lua"] = cli.revision("a1"),
    }
    assert.matches("^Generating migrations/shop/s2_", run(folder, "--rev-id", "s2", "--head", "s1").stdout)
    assert.matches("^Generating migrations/shop/x1_",
      run(folder, "--rev-id", "x1", "--head", "base", "--version-path", "migrations/shop").stdout)
    local ran = run(folder, "--rev-id", "y1", "--head", "base")
    assert.equal(2, ran.status)
    assert.matches("multiple version locations are present", ran.stderr, 1, true)
  end)

  it("makes the folder that a fresh clone lacks", function()
    local folder = cli.project { ["migrations/env.lua"] = "return { version_locations = { 'new/versions' } }" }
    assert.matches("^Generating migrations/new/versions/a1_", run(folder, "--rev-id", "a1").stdout)
  end)

  it("prints a document with --json", function()
    local document = require("moontide.json").decode(run(cli.project(), "--json", "-m", "Go", "--rev-id", "a1").stdout)
    document.create_date = nil
    assert.same({ revision = "a1", path = "migrations/versions/a1_go.lua", message = "Go", down_revision = {},
      branch_labels = {}, depends_on = {} }, document)
  end)
end)

describe("a post-write hook", function()
  local function project(hooks)
    return cli.project { ["migrations/env.lua"] = ("return { post_write_hooks = { %s } }"):format(hooks) }
  end

  it("gets the file as one word, without a shell", function()
    local folder = project [[{ name = "mark", command = { "sed", "-i", "1s/.*/--- a $HOME;b/", "$FILE" } },
      { name = "appended", command = { "test", "-f" } }]]
    local ran = run(folder, "--rev-id", "a1")
    assert.equal(0, ran.status, ran.stderr)
    assert.matches("^%-%-%- a %$HOME;b\n", shell.read(folder .. "/migrations/versions/a1_.lua"))
  end)

  it("that fails is reported with its output; the file is kept, the exit code is 1", function()
    local folder = project [[{ name = "bad", command = { "ls", "--no-such-option", "$FILE" } },
      { name = "gone", command = { "no-such-program" } }, { name = "last", command = { "touch", "$FILE.seen" } }]]
    local ran = run(folder, "--rev-id", "a1")
    assert.equal(1, ran.status)
    assert.matches('warning: post-write hook "bad" failed: exit code 2\n  detail: ls: unrecognized option', ran.stderr,
      1, true)
    assert.matches('warning: post-write hook "gone" failed: ', ran.stderr, 1, true)
    assert.matches("hint: The file migrations/versions/a1_.lua was kept.", ran.stderr, 1, true)
    assert.equal("a1_.lua a1_.lua.seen", versions(folder))
  end)
end)
