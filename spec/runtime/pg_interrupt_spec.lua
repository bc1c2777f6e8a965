local pg = require "moontide.runtime.pg"
local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local url, watcher

setup(function()
  url = server.database()
  watcher = pg.connect(url)
  watcher:exec("create table t (a int)")
end)
teardown(function() watcher:close() end)

-- The program connects as conn, does `body`, and prints what was raised and what became of the connection.
local program = [[
local pg = require "moontide.runtime.pg"
local conn = pg.connect(%q, { defaults = { application_name = "victim" } })
local ok, problem = pcall(function() %s end)
print(ok, type(problem) == "table" and problem.kind or problem, conn:status(), problem.index)
print(conn:status() == "closed" or conn:status() == "error" or conn:exec("select 'usable' as v")[1].v)
]]

local function active()
  return watcher:exec([[select 1 from pg_stat_activity where application_name = 'victim' and state = 'active'
    and datname = current_database()]])[1] ~= nil
end

local function interrupt(body)
  local path = tmp.name("victim") .. ".lua"
  shell.write(path, program:format(url, body))
  local child = cli.start { "lua", path }
  cli.eventually("the statement to run", active)
  child:signal("INT")
  local ran = child:wait(10)
  cli.eventually("the statement to be cancelled", function() return not active() end)
  return ran.stdout, ran.stderr
end

describe("Ctrl-C", function()
  local cases = {
    ["cancels a statement"] = { 'conn:exec("select pg_sleep(30)")', "false\tinterrupted\tidle\tnil\nusable\n" },
    ["cancels a script"] = { 'conn:script("select 1; select pg_sleep(30)")',
      "false\tinterrupted\tidle\tnil\nusable\n" },
    ["fails the transaction"] = { 'conn:exec("begin"); conn:exec("select pg_sleep(30)")',
      "false\tinterrupted\terror\tnil\ntrue\n" },
    ["cancels a pipeline and knows where"] = {
      'conn:pipeline { { sql = "select 1" }, { sql = "select pg_sleep(30)" }, { sql = "select 2" } }',
      "false\tinterrupted\tidle\t2\nusable\n" },
    ["cancels an iteration"] = { 'for _ in conn:rows("select pg_sleep(30)") do error("there is no row") end',
      "false\tinterrupted\tidle\tnil\nusable\n" },
    ["cancels a copy to the server"] = {
      'local c <close> = conn:copy_in("copy t from stdin"); while true do c:write("1\\n") end',
      "false\tinterrupted\tidle\tnil\nusable\n" },
    ["cancels a copy from the server"] = {
      'local c <close> = conn:copy_out("copy (select pg_sleep(30)) to stdout"); c:read()',
      "false\tinterrupted\tidle\tnil\nusable\n" },
  }
  for name, case in pairs(cases) do
    it(name, function()
      local stdout, stderr = interrupt(case[1])
      assert.equal(case[2], stdout)
      assert.equal("", stderr)
    end)
  end

  it("leaves nothing of an interrupted copy", function()
    assert.equal(0, watcher:exec("select count(*) as n from t")[1].n)
  end)
end)

describe("Ctrl-C in Lua code", function()
  local function run(text)
    local path = tmp.name("code") .. ".lua"
    shell.write(path, text)
    return cli.ok({ "lua", path })
  end

  -- The signal comes while `close` waits for the child, which waits for the end of its input.
  it("comes when what a function has opened is in its variable", function()
    assert.equal("interrupted\ttrue\n", run [[
local sys, closed = require "moontide.runtime.sys", false
local made = setmetatable({}, { __close = function() closed = true end })
local function open() io.popen("cat; kill -INT " .. sys.pid(), "w"):close() return made end
local _, problem = pcall(function() local opened <close> = open() error "goes on" return opened end)
print(type(problem) == "table" and problem.kind or problem, closed)]])
  end)

  local loops = { "while true do end", "repeat until false", "::a:: goto a", "for i = 1, math.huge do i = i end",
    "local function f() return f() end f()" }
  for _, loop in ipairs(loops) do
    it("ends " .. loop, function()
      assert.equal("interrupted\n", run(([[
os.execute("(sleep 0.2; kill -INT " .. require("moontide.runtime.sys").pid() .. ") &")
local _, problem = pcall(function() %s end)
print(problem.kind)]]):format(loop)))
    end)
  end
end)

describe("a second Ctrl-C", function()
  it("ends the process at once", function()
    local path = tmp.name("victim") .. ".lua"
    local body = 'pcall(conn.exec, conn, "select pg_sleep(30)") conn:exec("select pg_sleep(31)")'
    shell.write(path, program:format(url, body))
    local child = cli.start { "lua", path }
    cli.eventually("the statement to run", active)
    child:signal("INT")
    cli.eventually("the second statement to run", function()
      return watcher:exec([[select 1 from pg_stat_activity where application_name = 'victim' and state = 'active'
        and query = 'select pg_sleep(31)']])[1] ~= nil
    end)
    child:signal("INT")
    assert.equal(130, child:wait(5).status)
    cli.eventually("the second statement to be cancelled", function() return not active() end)
  end)

  it("does not wait for a server that does not answer a cancel request", function()
    local path = tmp.name("victim") .. ".lua"
    local body = 'pcall(conn.exec, conn, "select pg_sleep(30)") conn:exec("select pg_sleep(32)")'
    shell.write(path, program:format(url, body))
    local child = cli.start { "lua", path }
    cli.eventually("the statement to run", active)
    child:signal("INT")
    cli.eventually("the second statement to run", function()
      return watcher:exec([[select 1 from pg_stat_activity where application_name = 'victim' and state = 'active'
        and query = 'select pg_sleep(32)']])[1] ~= nil
    end)
    local postmaster = shell.read(server.shared().dir .. "/postmaster.pid"):match "^%d+"
    os.execute("kill -STOP " .. postmaster)
    child:signal("INT")
    local ok, ran = pcall(child.wait, child, 20)
    os.execute("kill -CONT " .. postmaster)
    assert.is_true(ok)
    assert.equal(130, ran.status)
    watcher:exec [[select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim']]
  end)
end)
