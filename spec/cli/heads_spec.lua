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

describe("heads", function()
  local folder
  before_each(function() folder = cli.project(files()) end)
  local function ok(...) return (cli.ok({ "heads", ... }, { cwd = folder })) end

  it("lists the heads", function()
    assert.equal("27c6a30d7c24 (shoppingcart) (head)\nae1027a6acf (head)\n", ok())
  end)

  it("shows them in full with -v", function()
    assert.equal([[
Rev: 27c6a30d7c24 (head)
Parent: 1975ea83b712
Branch names: shoppingcart
Path: migrations/versions/2.lua

    add shopping cart table

Rev: ae1027a6acf (head)
Parent: 1975ea83b712
Path: migrations/versions/3.lua

    add a column

]], ok("-v"))
  end)

  it("tells a head from one that others depend on", function()
    folder = cli.project {
      ["migrations/versions/1.lua"] = cli.revision("a1"),
      ["migrations/versions/2.lua"] = cli.revision("b1", nil, { head = 'depends_on = "a1"' }),
    }
    assert.equal("a1 (effective head)\nb1 (head)\n", ok())
    assert.equal("b1 (head)\n", ok("--resolve-dependencies"))
  end)

  it("prints nothing for no revisions, and colours when told to", function()
    assert.equal("\27[33m27c6a30d7c24\27[0m\27[36m (shoppingcart)\27[0m\27[32m (head)\27[0m",
      ok("--color=always"):match("[^\n]+"))
    folder = cli.project()
    assert.equal("", ok())
  end)

  it("prints a document with --json", function()
    local document = require("moontide.json").decode(ok("--json"))
    assert.same({
      revision = "27c6a30d7c24", path = "migrations/versions/2.lua", message = "add shopping cart table",
      down_revision = { "1975ea83b712" }, depends_on = {}, branch_labels = { "shoppingcart" }, children = {},
      head = true, effective_head = false, branchpoint = false, mergepoint = false,
    }, document.heads[1])
  end)

  local wrong = {
    ["a missing parent"] = { { "a1", "gone" }, '"gone" referenced from "a1" is not present', "1.lua" },
    ["a cycle"] = { { "a1", "b1" }, { "b1", "a1" }, "cycle", "1.lua", "2.lua" },
    ["a self-loop"] = { { "a1", "a1" }, "self-loop", "1.lua" },
    ["two files for one id"] = { { "a1" }, { "a1" }, "more than once", "1.lua", "2.lua" },
  }
  for what, case in pairs(wrong) do
    it("refuses " .. what .. " with one message and the file names", function()
      local all, expected = {}, {}
      for _, item in ipairs(case) do
        if type(item) == "table" then
          all[("migrations/versions/%d.lua"):format(#expected + 1 + (all.n or 0))] = cli.revision(item[1], item[2])
          all.n = (all.n or 0) + 1
        else
          expected[#expected + 1] = item
        end
      end
      all.n = nil
      local ran = cli.run("heads", { cwd = cli.project(all) })
      assert.equal(1, ran.status)
      assert.equal("", ran.stdout)
      assert.matches("^error: ", ran.stderr)
      for _, text in ipairs(expected) do assert.matches(text, ran.stderr, 1, true) end
    end)
  end

  it("refuses a syntax error with its place", function()
    local all = files()
    all["migrations/versions/3.lua"] = cli.revision("ae1027a6acf", "1975ea83b712", { upgrade = "  op.x(" })
    local ran = cli.run("heads", { cwd = cli.project(all) })
    assert.equal("error: migrations/versions/3.lua:7: unexpected symbol near 'end'\n", ran.stderr)
  end)

  it("passes the guard with one head", function()
    folder = cli.project { ["migrations/versions/1.lua"] = cli.revision("a1") }
    local ran = cli.run("heads --single", { cwd = folder })
    assert.same({ status = 0, stdout = "a1 (head)\n", stderr = "" }, ran)
    assert.equal(0, cli.run("heads --single", { cwd = cli.project() }).status)
  end)

  it("stops at the guard with several heads, and says how to get to one", function()
    local ran = cli.run("heads --single", { cwd = folder })
    assert.equal(1, ran.status)
    assert.equal(ok(), ran.stdout)
    assert.equal([[
warning: there are 2 heads, and there must be one
  detail: 27c6a30d7c24 in migrations/versions/2.lua
          ae1027a6acf in migrations/versions/3.lua
  hint: Put one branch on top of the other with `moontide rebase`, as long as it is not applied anywhere ]]
      .. "that counts, or join them with `moontide merge heads`; then commit the files.\n", ran.stderr)
  end)

  it("counts the real heads alone at the guard with --resolve-dependencies", function()
    folder = cli.project {
      ["migrations/versions/1.lua"] = cli.revision("a1"),
      ["migrations/versions/2.lua"] = cli.revision("b1", nil, { head = 'depends_on = "a1"' }),
    }
    assert.equal(1, cli.run("heads --single", { cwd = folder }).status)
    assert.equal(0, cli.run("heads --single --resolve-dependencies", { cwd = folder }).status)
  end)
end)
