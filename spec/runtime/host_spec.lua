local cli = require "spec.support.cli"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local function lua(code, options)
  return cli.run({ "lua", "-e", code }, options)
end

-- Starts code that prints "ready" when it is about to do what shall be interrupted.
local function start(code)
  local started = cli.start { "lua", "-e", [[
    sys = require "moontide.runtime.sys"
    function say(text) io.stdout:write(text, "\n") io.stdout:flush() end
  ]] .. code }
  function started:until_said(text)
    cli.eventually(text, function() return self:output():find(text, 1, true) end)
  end
  started:until_said("ready")
  return started
end

describe("Ctrl-C", function()
  for _, name in ipairs { "INT", "TERM" } do
    it("ends running Lua code with exit code 130 on SIG" .. name, function()
      local started = start "say 'ready' while true do end"
      started:signal(name)
      assert.equal(130, started:wait(10).status)
    end)
  end

  it("is an error that closes what is open", function()
    local started = start [[
      local resource <close> = setmetatable({}, { __close = function(_, why) say("closed by " .. why.kind) end })
      say "ready"
      while true do end
    ]]
    started:signal("INT")
    local ran = started:wait(10)
    assert.equal(130, ran.status)
    assert.equal("ready\nclosed by interrupted\n", ran.stdout)
  end)

  it("ends a sleep, and is then used up", function()
    local started = start [[
      say "ready"
      local ok, problem = pcall(sys.sleep, 60)
      for _ = 1, 1000000 do end
      say(problem.kind .. " " .. problem.message .. " " .. tostring(sys.interrupted()))
    ]]
    started:signal("INT")
    local ran = started:wait(10)
    assert.equal("ready\ninterrupted interrupted false\n", ran.stdout)
    assert.equal(0, ran.status)
  end)

  it("ends the process at once the second time", function()
    local started = start [[
      say "ready"
      pcall(function() while true do end end)
      say "caught"
      local resource <close> = setmetatable({}, { __close = function() say "closed" end })
      while true do end
    ]]
    started:signal("INT")
    started:until_said("caught")
    started:signal("INT")
    local ran = started:wait(10)
    assert.equal(130, ran.status)
    assert.equal("ready\ncaught\n", ran.stdout)
  end)

  it("ends a child process, too", function()
    local path = tmp.name("pid")
    local started = start(("say 'ready' sys.run{'sh', '-c', 'echo $$ >%s; exec sleep 60'}"):format(path))
    local pid = cli.eventually("child", function() return tonumber(shell.read(path) or "") end)
    started:signal("INT")
    assert.equal(130, started:wait(10).status)
    assert.truthy((shell.read(("/proc/%d/status"):format(pid)) or "State: Z"):find("State:%s*Z"))
  end)

  it("belongs to a child in the foreground while that runs", function()
    local ran = lua [[
      local sys = require "moontide.runtime.sys"
      local ran = sys.run({ "sh", "-c", "kill -INT $PPID; exit 4" }, { foreground = true })
      print(ran.status, sys.interrupted(), ran.stdout)
      pcall(function()
        sys.run({ "sh", "-c", "kill -INT $PPID" })
        while true do end
      end)
      print "back"
    ]]
    assert.equal("4\tfalse\tnil\nback\n", ran.stdout)
    assert.equal(0, ran.status)
  end)
end)

describe("sys.readline", function()
  it("reads line by line and no further", function()
    local ran = lua([[
      local sys = require "moontide.runtime.sys"
      print(sys.readline("name? "), sys.readline(), io.read("a"), sys.readline())
    ]], { input = "one\n\nthree\nfour" })
    assert.equal("one\t\tthree\nfour\tnil\n", ran.stdout)
    assert.equal("name? ", ran.stderr)
  end)

  it("answers a last line without an end, then nil", function()
    local ran = lua([[
      local sys = require "moontide.runtime.sys"
      print(sys.readline(), sys.readline())
    ]], { input = "last" })
    assert.equal("last\tnil\n", ran.stdout)
  end)

  it("makes the next Ctrl-C a first one", function()
    local ran = lua([[
      local sys = require "moontide.runtime.sys"
      for _ = 1, 3 do
        print(sys.readline())
        print(pcall(function() sys.run({ "sh", "-c", "kill -INT $PPID" }) while true do end end))
      end
    ]], { input = "one\ntwo\nthree\n" })
    assert.equal(0, ran.status)
    assert.same({ "one", "two", "three" }, { ran.stdout:match("(%a+)\nfalse.-\n(%a+)\nfalse.-\n(%a+)\nfalse") })
  end)
end)

describe("the host", function()
  it("has its modules inside", function()
    local ran = lua [[
      for _, name in ipairs { "lpeg", "re", "cjson", "cjson.safe", "lfs", "argparse", "moontide.runtime.sys",
        "moontide.runtime.digest", "moontide.runtime.resource" } do
        package.path, package.cpath = "", ""
        print(name, type(require(name)))
      end
    ]]
    assert.equal(0, ran.status, ran.stderr)
    assert.is_nil(ran.stdout:find("nil"))
  end)

  for _, name in ipairs { "sys", "digest" } do
    it("has every function of its module " .. name .. " described for editors, and no other", function()
      local described, present = {}, {}
      for found in shell.read("lua/moontide/meta/" .. name .. ".lua"):gmatch("\nfunction " .. name .. "%.([%w_]+)%(") do
        described[found] = true
      end
      for found in pairs(require("moontide.runtime." .. name)) do present[found] = true end
      assert.same(present, described)
    end)
  end

  it("names its chunks like the files of the tree, embedded or not", function()
    local code = "print(debug.getinfo(require 'moontide.fault'.raise, 'S').source)"
    for _, path in ipairs { false, shell.capture("pwd") .. "/lua" } do
      assert.equal("@lua/moontide/fault.lua\n", lua(code, { env = { MOONTIDE_LUA_PATH = path } }).stdout)
    end
  end)

  it("answers the text of its files", function()
    local code = [[
      local resource = require "moontide.runtime.resource"
      io.write(resource("fault.lua"):match("^[^\n]*"), "|", tostring(resource("none.lua")))
    ]]
    for _, path in ipairs { false, shell.capture("pwd") .. "/lua" } do
      local ran = lua(code, { env = { MOONTIDE_LUA_PATH = path } })
      assert.truthy(ran.stdout:find("^%-%-%- Errors as values.*|nil$"), ran.stdout .. ran.stderr)
    end
  end)

  it("looks for its own modules nowhere else", function()
    local folder = tmp.folder()
    shell.write(folder .. "/moontide/alien.lua", "return 'loaded'")
    local ran = lua("print(pcall(require, 'moontide.alien'))", { cwd = folder, env = { MOONTIDE_LUA_PATH = false } })
    assert.equal("false\tmodule 'moontide.alien' is not part of this program\n", ran.stdout)
  end)

  it("says what is wrong with a tree, and ends with 1", function()
    local folder = tmp.folder()
    local ran = cli.run("--version", { env = { MOONTIDE_LUA_PATH = folder } })
    assert.equal(1, ran.status)
    assert.truthy(ran.stderr:find("^moontide: module 'moontide.main' is not in " .. folder:gsub("%p", "%%%0") .. "\n"))
    shell.write(folder .. "/moontide/main.lua", "return =")
    ran = cli.run("--version", { env = { MOONTIDE_LUA_PATH = folder } })
    assert.equal(1, ran.status)
    assert.truthy(ran.stderr:find("lua/moontide/main.lua:1: unexpected symbol near '='", 1, true))
  end)

  it("gives a traceback with a mistake in the tree, and its exit code as the process's", function()
    local folder = tmp.folder()
    shell.write(folder .. "/moontide/main.lua",
      "return function(argv) if argv[1] then return #argv end error 'oops' end")
    local options = { env = { MOONTIDE_LUA_PATH = folder } }
    assert.equal(3, cli.run({ "a", "b", "c" }, options).status)
    local ran = cli.run({}, options)
    assert.equal(1, ran.status)
    assert.truthy(ran.stderr:find("^moontide: lua/moontide/main.lua:1: oops\nstack traceback:\n"))
  end)

  -- The sanitizers need address space without end, and have a limit of their own.
  it("survives running out of memory", function()
    local ran = cli.run({ "-c", [[(ulimit -v 400000; "$0" --version >/dev/null 2>&1) && ulimit -v 400000
      exec "$0" lua -e "local text = ('x'):rep(1 << 30)"]], cli.binary() },
      { program = { "sh" }, env = { ASAN_OPTIONS = "allocator_may_return_null=1:max_allocation_size_mb=100" } })
    assert.equal(1, ran.status)
    assert.truthy(ran.stderr:find("not enough memory", 1, true), ran.stderr)
  end)

  it("ends quietly, as SIGPIPE would end it, when its reader has gone away", function()
    local ran = cli.run({ "-c", '{ "$0" lua -e "for _ = 1, 100000 do io.write(0) end"; echo $? >&2; } | true',
      cli.binary() }, { program = { "sh" } })
    assert.equal("141\n", ran.stderr)
  end)
end)
