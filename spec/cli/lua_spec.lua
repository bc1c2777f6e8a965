local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("moontide lua", function()
  it("runs a file with its arguments, needing no environment", function()
    local folder = cli.project {
      ["a.lua"] = "#!/usr/bin/env -S moontide lua\nprint(arg[0], arg[1], os.getenv('X'), ...)",
      ["migrations/env.lua"] = false,
    }
    local out = cli.ok({ "lua", "a.lua", "--json", "-q" }, { cwd = folder, env = { X = "y" } })
    assert.equal("a.lua\t--json\ty\t--json\t-q\n", out)
  end)

  it("runs code of the command line and of standard input", function()
    assert.equal("1\tb\n", cli.ok { "lua", "-e", "print(1, ...)", "b" })
    assert.equal("stdin\n", cli.ok({ "lua", "-" }, { input = "print 'stdin'" }))
  end)

  it("has the standard libraries in full and the machine's module path", function()
    local code = "print(type(os.execute), type(io.popen), package.path:find('/share/lua/5.4', 1, true) ~= nil)"
    assert.equal("function\tfunction\ttrue\n", cli.ok { "lua", "-e", code })
  end)

  it("answers with the exit code of the script", function()
    assert.equal(7, cli.run({ "lua", "-e", "os.exit(7, true)" }).status)
  end)

  it("says where a script failed", function()
    local folder = cli.project { ["bad.lua"] = "local x\nerror 'broken'", ["worse.lua"] = "x = = 1" }
    local ran = cli.run({ "lua", "bad.lua" }, { cwd = folder })
    assert.equal(1, ran.status)
    assert.equal("error: bad.lua:2: broken\n", ran.stderr)
    ran = cli.run({ "lua", "worse.lua" }, { cwd = folder })
    assert.equal("error: worse.lua:1: unexpected symbol near '='\n", ran.stderr)
  end)

  it("says which file it could not read, and how it is called", function()
    local ran = cli.run { "lua", "missing.lua" }
    assert.equal(1, ran.status)
    assert.equal('error: could not read "missing.lua"\n', ran.stderr)
    assert.equal(2, cli.run({ "lua" }).status)
  end)

  it("has op and the connection, made at the first use", function()
    local url = server.database()
    local folder = cli.project { ["work.lua"] = [[
      op.create_table("t", { { "id", "int", primary_key = true } })
      op.transaction(function() op.execute("INSERT INTO t VALUES ($1)", 1) end)
      pcall(op.transaction, function()
        op.execute("INSERT INTO t VALUES (2)")
        error "undo"
      end)
      print(op.scalar("SELECT sum(id) FROM t"), db:status(), config.schema)]] }
    assert.equal("1\tidle\tmoontide\n", cli.ok({ "lua", "work.lua" }, { cwd = folder, env = { DATABASE_URL = url } }))
    server.drop(url)
  end)
end)
