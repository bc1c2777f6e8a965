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

describe("merge", function()
  local folder
  before_each(function() folder = cli.project(files()) end)
  local function run(...) return cli.run({ "merge", ... }, { cwd = folder }) end

  it("joins the heads", function()
    assert.equal("Generating migrations/versions/53fffde5ad5_merge_ae1_and_27c.lua ...  done\n",
      run("ae1", "27c", "-m", "merge ae1 and 27c", "--rev-id", "53fffde5ad5").stdout)
    assert.equal([[
ae1027a6acf, 27c6a30d7c24 -> 53fffde5ad5 (shoppingcart) (head) (mergepoint), merge ae1 and 27c
]], cli.ok("history", { cwd = folder }):match("[^\n]*\n"))
    assert.equal(1, run("heads").status)
  end)

  it("has a message of its own", function()
    run("heads", "--rev-id", "m1")
    assert.matches("merge 27c6a30d7c24 and ae1027a6acf", cli.ok("show m1", { cwd = folder }), 1, true)
    assert.matches("Merges: 27c6a30d7c24, ae1027a6acf\n", cli.ok("show m1", { cwd = folder }), 1, true)
  end)

  it("refuses what is no merge", function()
    assert.matches("duplicate head revisions specified", run("ae1", "ae1").stderr, 1, true)
    assert.matches("nothing to merge", run("ae1").stderr, 1, true)
    assert.matches("--splice", run("ae1", "1975").stderr, 1, true)
  end)
end)
