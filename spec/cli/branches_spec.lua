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

describe("branches", function()
  local folder
  before_each(function() folder = cli.project(files()) end)
  local function ok(...) return (cli.ok({ "branches", ... }, { cwd = folder })) end

  it("lists what branches from where", function()
    assert.equal([[
1975ea83b712 (branchpoint)
             -> 27c6a30d7c24 (shoppingcart) (head)
             -> ae1027a6acf (head)

]], ok())
  end)

  it("shows more with -v", function()
    assert.equal([[
Rev: 1975ea83b712 (branchpoint)
Parent: <base>
Branches into: 27c6a30d7c24, ae1027a6acf
Path: migrations/versions/1.lua

    create account table

             -> 27c6a30d7c24 (shoppingcart) (head), add shopping cart table
             -> ae1027a6acf (head), add a column

]], ok("-v"))
  end)

  it("prints a document with --json", function()
    local document = require("moontide.json").decode(ok("--json"))
    assert.equal(1, #document.branches)
    assert.same({ "27c6a30d7c24", "ae1027a6acf" }, document.branches[1].children)
  end)
end)
