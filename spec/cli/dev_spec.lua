local cjson = require "cjson"
local lfs = require "lfs"
local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

describe("moontide dev", function()
  local folders = {}

  local function project(path)
    path = path or cli.project()
    folders[#folders + 1] = path
    return path
  end

  local function dev(words, folder, options)
    options = options or {}
    options.cwd = folder
    return cli.run("dev " .. words, options)
  end

  local function facts(folder) return cjson.decode(dev("status --json", folder).stdout) end

  local function postmaster(folder)
    return tonumber(shell.read(facts(folder).folder .. "/data/postmaster.pid"):match("%d+"))
  end

  local function is_root() return shell.capture("id -u") == "0" end

  after_each(function()
    for _, folder in ipairs(folders) do dev("stop", folder) end
    folders = {}
  end)

  it("starts once, says so, and gives a URL", function()
    local folder = project()
    local first = dev("start", folder)
    assert.equal(0, first.status)
    assert.matches("^started PostgreSQL %d+", first.stdout)
    assert.matches("^PostgreSQL [%d.]+ is already running\n", dev("start", folder).stdout)
    local url = dev("url", folder).stdout:gsub("\n", "")
    assert.equal("moontide|moontide", server.sql(url, "select current_user, current_database()"))
    assert.equal("", server.sql(url, "show listen_addresses"))
    assert.equal(url, facts(folder).url)
  end)

  it("keeps its data from stop to start, and stops once", function()
    local folder = project()
    dev("start", folder)
    cli.ok({ "dev", "psql", "-qc", "create table t()" }, { cwd = folder })
    assert.equal("stopped the development server\n", dev("stop", folder).stdout)
    assert.equal("the development server is not running\n", dev("stop", folder).stdout)
    dev("start", folder)
    assert.equal("t\n", cli.ok({ "dev", "psql", "-Atc", "select tablename from pg_tables where tablename = 't'" },
      { cwd = folder }))
  end)

  it("answers status with its exit code, and url and psql fail when nothing runs", function()
    local folder = project()
    local ran = dev("status", folder)
    assert.same({ status = 1, stdout = "the development server is not running\n", stderr = "" }, ran)
    for _, verb in ipairs { "url", "psql" } do
      ran = dev(verb, folder)
      assert.equal(1, ran.status)
      assert.equal("", ran.stdout)
      assert.equal("error: the development server is not running\n  hint: Run `moontide dev start`.\n", ran.stderr)
    end
  end)

  it("passes arguments and the exit code of psql on", function()
    local folder = project()
    dev("start", folder)
    local ran = cli.run({ "dev", "psql", "-X", "-v", "ON_ERROR_STOP=1", "-c", "select 1/0" }, { cwd = folder })
    assert.equal(1, ran.status)
    assert.matches("division by zero", ran.stderr, 1, true)
  end)

  it("starts after the server was killed", function()
    local folder = project()
    dev("start", folder)
    local pid = postmaster(folder)
    shell.capture(("kill -KILL %d"):format(pid))
    cli.eventually("the server is gone", function() return facts(folder).running == false end)
    assert.equal(0, dev("start", folder).status)
    assert.is_true(facts(folder).running)
  end)

  it("starts where another process has taken the number of a killed server", function()
    local folder = project()
    dev("start", folder)
    local path = facts(folder).folder .. "/data/postmaster.pid"
    local text = shell.read(path)
    dev("stop", folder)
    shell.write(path, (text:gsub("^%d+", shell.capture("echo $PPID"))))
    assert.equal(0, dev("start", folder).status)
  end)

  it("does not use data that were never finished", function()
    local folder = project()
    dev("start", folder)
    dev("stop", folder)
    local data = folder .. "/.moontide/dev/data"
    shell.capture(("mv %s %s.new && rm %s.new/global/pg_control"):format(data, data, data))
    assert.equal(0, dev("start", folder).status)
    assert.is_nil(lfs.attributes(data .. ".new"))
  end)

  it("works in a folder with a long name and difficult characters", function()
    for _, name in ipairs { "a 'b' \"c\" $HOME, `d`\\e %41", ("long"):rep(30) } do
      local folder = project(tmp.folder() .. "/" .. name)
      shell.write(folder .. "/migrations/env.lua", "return {}")
      assert.equal("", dev("start -q", folder).stderr)
      assert.equal("1", server.sql(facts(folder).url, "select 1"))
      assert.equal(0, dev("stop", folder).status)
    end
  end)

  it("never runs as root, and falls back to /var/tmp where its user cannot reach the project", function()
    if not is_root() then return end
    local hidden = tmp.folder()
    shell.capture("chmod 700 " .. hidden)
    local folder = project(hidden .. "/app")
    shell.write(folder .. "/migrations/env.lua", "return {}")
    assert.equal(0, dev("start", folder).status)
    local found = facts(folder)
    assert.matches("^/var/tmp/moontide%-", found.folder)
    assert.equal(found.folder .. "\n", shell.read(folder .. "/.moontide/dev.location"))
    assert.not_equal("root", shell.capture("ps -o user= -p " .. postmaster(folder)))
    assert(os.remove(folder .. "/.moontide/dev.location"), "a project that cannot be written has none")
    assert.is_true(facts(folder).running)
    assert.equal(0, dev("stop", folder).status)
    shell.capture("rm -rf " .. found.folder)
  end)

  it("runs as the owner of the project when root asks", function()
    if not is_root() then return end
    local folder = project()
    shell.capture(("chown -R nobody %s"):format(folder))
    assert.equal(0, dev("start", folder).status)
    assert.equal("nobody", facts(folder).user)
    assert.equal("nobody", shell.capture("ps -o user= -p " .. postmaster(folder)))
  end)

  it("needs no environment", function()
    local folder = project(tmp.folder())
    assert.equal(0, dev("start", folder).status)
    assert.equal(folder .. "/.moontide/dev", facts(folder).folder)
  end)

  it("says what is missing when there are no server programs", function()
    local ran = dev("start", project(), { env = { MOONTIDE_PGBIN = "/nowhere" } })
    assert.equal(2, ran.status)
    assert.matches('error: no PostgreSQL server in "/nowhere"', ran.stderr, 1, true)
  end)

  it("says why the server does not start", function()
    local folder = project()
    dev("start", folder)
    dev("stop", folder)
    shell.capture(("echo nonsense >> %s/.moontide/dev/data/postgresql.conf"):format(folder))
    local ran = dev("start", folder)
    assert.equal(1, ran.status)
    assert.matches("error: could not start the development server\n  detail: ", ran.stderr, 1, true)
    assert.matches("syntax error in file", ran.stderr, 1, true)
  end)
end)
