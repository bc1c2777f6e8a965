local cli = require "spec.support.cli"

-- The worked example of branches: 1975 parts into 27c6 and ae10, and 53ff joins them.
local function files()
  return {
    ["migrations/versions/1.lua"] = cli.revision("1975ea83b712", nil, { doc = "create account table" }),
    ["migrations/versions/2.lua"] = cli.revision("27c6a30d7c24", "1975ea83b712",
      { doc = "add shopping cart table", head = 'branch_labels = { "shoppingcart" }' }),
    ["migrations/versions/3.lua"] = cli.revision("ae1027a6acf", "1975ea83b712", { doc = "add a column" }),
  }
end

describe("show", function()
  local folder
  before_each(function() folder = cli.project(files()) end)
  local function run(...) return cli.run({ "show", ... }, { cwd = folder }) end

  it("shows a revision by a short name, a label and heads", function()
    local entry = [[
Rev: 27c6a30d7c24 (head)
Parent: 1975ea83b712
Branch names: shoppingcart
Path: migrations/versions/2.lua

    add shopping cart table

]]
    assert.equal(entry, run("27c").stdout)
    assert.equal(entry, run("shoppingcart").stdout)
    assert.equal(entry, run("heads").stdout:sub(1, #entry))
  end)

  it("prints nothing for base", function()
    assert.same({ status = 0, stdout = "", stderr = "" }, run("base"))
  end)

  it("shows all of a long message", function()
    folder = cli.project { ["migrations/versions/1.lua"] =
      "--- One.\n--\n-- Two\n-- three.\n-- Revision ID: a1\nrevision = 'a1'\nfunction upgrade() end\n" }
    assert.equal("Rev: a1 (head)\nParent: <base>\nPath: migrations/versions/1.lua\n\n"
      .. "    One.\n\n    Two\n    three.\n\n", run("a1").stdout)
  end)

  it("says what it does not find", function()
    local ran = run("27d")
    assert.equal(1, ran.status)
    assert.matches("can't locate revision identified by \"27d\"", ran.stderr, 1, true)
  end)
end)
