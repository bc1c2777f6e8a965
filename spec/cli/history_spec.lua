local cli = require "spec.support.cli"

-- The worked example of branches: 1975 parts into 27c6 and ae10, and 53ff joins them.
local server = require "spec.support.server"

local function files()
  return {
    ["migrations/versions/1.lua"] = cli.revision("1975ea83b712", nil, { doc = "create account table" }),
    ["migrations/versions/2.lua"] = cli.revision("27c6a30d7c24", "1975ea83b712",
      { doc = "add shopping cart table", head = 'branch_labels = { "shoppingcart" }' }),
    ["migrations/versions/3.lua"] = cli.revision("ae1027a6acf", "1975ea83b712", { doc = "add a column" }),
    ["migrations/versions/4.lua"] = cli.revision("53fffde5ad5", { "ae1027a6acf", "27c6a30d7c24" },
      { doc = "merge ae1 and 27c" }),
  }
end

describe("history", function()
  local folder
  before_each(function() folder = cli.project(files()) end)
  local function run(...) return cli.run({ "history", ... }, { cwd = folder }) end

  it("lists the revisions, newest first", function()
    assert.equal([[
ae1027a6acf, 27c6a30d7c24 -> 53fffde5ad5 (shoppingcart) (head) (mergepoint), merge ae1 and 27c
1975ea83b712 -> ae1027a6acf, add a column
1975ea83b712 -> 27c6a30d7c24 (shoppingcart), add shopping cart table
<base> -> 1975ea83b712 (branchpoint), create account table
]], run().stdout)
  end)

  it("lists a range", function()
    assert.equal([[
1975ea83b712 -> 27c6a30d7c24 (shoppingcart), add shopping cart table
<base> -> 1975ea83b712 (branchpoint), create account table
]], run("-r", ":27c").stdout)
    assert.matches("^Rev: 53fffde5ad5", run("-v", "-r53ff:").stdout)
  end)

  it("explains a range that is none", function()
    local ran = run("-r", "27c")
    assert.equal(1, ran.status)
    assert.matches("history range requires [start]:[end], [start]:, or :[end]", ran.stderr, 1, true)
  end)

  it("prints a document with --json", function()
    local document = require("moontide.json").decode(run("--json").stdout)
    assert.equal(4, #document.revisions)
    assert.is_nil(document.revisions[1].current)
  end)

  it("marks what is applied with -i, and knows current", function()
    local url = server.database()
    local env = { DATABASE_URL = url }
    cli.ok("upgrade ae1", { cwd = folder, env = env })
    assert.equal("1975ea83b712 -> ae1027a6acf (current), add a column",
      cli.ok("history -i", { cwd = folder, env = env }):match("[^\n]*\n([^\n]*)"))
    assert.equal([[
1975ea83b712 -> ae1027a6acf, add a column
<base> -> 1975ea83b712 (branchpoint), create account table
]], (cli.ok("history -r -1:current", { cwd = folder, env = env })))
    server.drop(url)
  end)

  it("draws the lines of history with --graph", function()
    assert.equal([[
*   ae1027a6acf, 27c6a30d7c24 -> 53fffde5ad5 (shoppingcart) (head) (mergepoint), merge ae1 and 27c
|\
* | 1975ea83b712 -> ae1027a6acf, add a column
| * 1975ea83b712 -> 27c6a30d7c24 (shoppingcart), add shopping cart table
|/
* <base> -> 1975ea83b712 (branchpoint), create account table
]], run("--graph").stdout)
    assert.matches("*   Rev: 53fffde5ad5 (head) (mergepoint)\n|\\  Merges: ae1027a6acf, 27c6a30d7c24\n"
      .. "| | Branch names: shoppingcart\n", run("--graph", "-v").stdout, 1, true)
  end)

  it("draws each line in a colour of its own", function()
    assert.matches("\27[31m|\27[0m \27[32m*\27[0m 1975ea83b712 -> \27[33m27c6a30d7c24\27[0m",
      run("--graph", "--color=always").stdout, 1, true)
  end)

  it("draws what a range has", function()
    assert.equal([[
* 1975ea83b712 -> 27c6a30d7c24 (shoppingcart), add shopping cart table
* <base> -> 1975ea83b712 (branchpoint), create account table
]], run("--graph", "-r", ":27c").stdout)
  end)
end)
