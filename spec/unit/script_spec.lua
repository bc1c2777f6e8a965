local cli = require "spec.support.cli"
local config = require "moontide.config"
local script = require "moontide.script"
local shell = require "spec.support.shell"

local function open(files, options)
  local folder = cli.project(files)
  return script.open(config.load { config = folder .. "/migrations/env.lua" }, options), folder
end

local function ids(opened)
  local list = {}
  for index, rev in ipairs(opened.revisions) do
    assert.equal(index, rev.order)
    list[index] = rev.id
  end
  return table.concat(list, " ")
end

local function problem_of(files, options)
  local ok, problem = pcall(open, files, options)
  assert.is_false(ok)
  return problem
end

describe("script.open", function()
  it("reads the Lua files of a location in the order of their names", function()
    assert.equal("c1 a1 b1", ids(open {
      ["migrations/versions/1.lua"] = cli.revision("c1"), ["migrations/versions/2.lua"] = cli.revision("a1", "c1"),
      ["migrations/versions/3.lua"] = cli.revision("b1", "a1"),
      ["migrations/versions/.#3.lua"] = "no", ["migrations/versions/notes.txt"] = "no",
      ["migrations/versions/data.sql"] = "select 1;", ["migrations/versions/sub/4.lua"] = cli.revision("d1"),
    }))
  end)

  it("reads sub-folders when recursive, and one location after the other", function()
    assert.equal("d1 a1 b1", ids(open {
      ["migrations/env.lua"] = "return { version_locations = { 'versions', 'more' }, recursive = true }",
      ["migrations/versions/sub/deep/4.lua"] = cli.revision("d1"), ["migrations/versions/x.lua"] = cli.revision("a1"),
      ["migrations/more/1.lua"] = cli.revision("b1"),
    }))
  end)

  it("counts a file that is reached twice once", function()
    local folder = cli.project {
      ["migrations/env.lua"] = "return { version_locations = { 'versions', 'versions/', 'linked', 'copies' } }",
      ["migrations/versions/a.lua"] = cli.revision("a1"), ["migrations/copies/x"] = "",
    }
    shell.capture(("cd %s/migrations && ln -s versions linked && ln -s ../versions/a.lua copies/b.lua"):format(folder))
    assert.equal("a1", ids(script.open(config.load { config = folder .. "/migrations/env.lua" })))
  end)

  it("refuses two files for one identifier, and names both", function()
    local problem = problem_of {
      ["migrations/versions/a.lua"] = cli.revision("a1"), ["migrations/versions/b.lua"] = cli.revision("a1"),
    }
    assert.equal("graph", problem.kind)
    assert.matches('"a1"', problem.message, 1, true)
    assert.matches("versions/a.lua", problem.detail, 1, true)
    assert.matches("versions/b.lua", problem.detail, 1, true)
  end)

  it("names a location that is not there", function()
    local problem = problem_of { ["migrations/env.lua"] = "return { version_locations = { 'gone' } }" }
    assert.equal("config", problem.kind)
    assert.matches('the folder for revisions ".*/migrations/gone" does not exist', problem.message)
    assert.matches("moontide init", problem.hint, 1, true)
  end)

  it("names file and line of a syntax error", function()
    local files = { ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = "  op.execute(" }) }
    assert.equal("a1", ids(open(files)))
    assert.matches("versions/a.lua:%d+$", problem_of(files, { check = true }).where)
  end)

  it("lets a file that is run require helpers", function()
    assert.equal("x9", ids(open {
      ["migrations/versions/a.lua"] = "revision = require('lib').id()\nfunction upgrade() end",
      ["migrations/lib/init.lua"] = "return { id = function() return 'x9' end }",
    }))
  end)
end)
