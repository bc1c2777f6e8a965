local cli = require "spec.support.cli"
local json = require "moontide.json"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local function files()
  return {
    ["migrations/versions/1.lua"] = cli.revision("1975ea83b712", nil, { doc = "create account table" }),
    ["migrations/versions/2.lua"] = cli.revision("27c6a30d7c24", "1975ea83b712",
      { doc = "add shopping cart table", head = 'branch_labels = { "shoppingcart" }' }),
    ["migrations/versions/3.lua"] = cli.revision("ae1027a6acf", "1975ea83b712", { doc = "add a column" }),
    ["migrations/versions/4.lua"] = cli.revision("53fffde5ad5", { "ae1027a6acf", "27c6a30d7c24" },
      { doc = "merge ae1 and 27c" }),
    ["migrations/versions/5.lua"] = cli.revision("9ff6d1cbe001", nil,
      { doc = "networking", head = 'depends_on = "27c6a30d7c24"' }),
  }
end

describe("graph", function()
  local folder
  before_each(function() folder = cli.project(files()) end)
  local function run(...) return cli.run({ "graph", ... }, { cwd = folder }) end

  for _, format in ipairs { "dot", "mermaid", "svg" } do
    it("writes " .. format, function() cli.golden("graph." .. format, run("--format", format).stdout) end)
  end

  it("is DOT on standard output", function() assert.equal(run("--format=dot").stdout, run().stdout) end)

  it("takes the format from the ending of the file", function()
    for name, format in pairs { ["a.svg"] = "svg", ["a.gv"] = "dot", ["a.MMD"] = "mermaid" } do
      local ran = run("-o", name)
      assert.equal(("Generating %s ...  done\n"):format(name), ran.stdout)
      assert.equal(run("--format", format).stdout, shell.read(folder .. "/" .. name))
    end
    local ran = run("-o", "a.png")
    assert.equal(2, ran.status)
    assert.equal('error: cannot tell the format of "a.png" by its ending\n'
      .. "  hint: Name the file .svg, .dot, .gv, .mmd or .mermaid, or say --format.\n", ran.stderr)
    assert.equal(0, run("-o", "a.png", "--format", "svg").status)
  end)

  it("draws what a range has", function()
    local text = run("-r", ":27c").stdout
    assert.matches('"1975ea83b712" -> "27c6a30d7c24";', text, 1, true)
    assert.is_nil(text:find("53fffde5ad5", 1, true))
  end)

  it("highlights what is applied with -i", function()
    local url = server.database()
    cli.ok("upgrade 27c", { cwd = folder, env = { DATABASE_URL = url } })
    local text = cli.ok("graph -i", { cwd = folder, env = { DATABASE_URL = url } })
    for id, count in pairs { ["1975ea83b712"] = 1, ["27c6a30d7c24"] = 1, ["53fffde5ad5"] = 0 } do
      local line = text:match('\n  "' .. id .. '" %[[^\n]*')
      assert.equal(count, select(2, line:gsub("filled", "")))
    end
    server.drop(url)
  end)

  it("prints a document with --json", function()
    local document = json.decode(run("--json", "--format", "mermaid").stdout)
    assert.equal("mermaid", document.format)
    assert.equal(run("--format", "mermaid").stdout, document.text)
    assert.same({ format = "svg", output = "a.svg" }, json.decode(run("--json", "-o", "a.svg").stdout))
  end)
end)
