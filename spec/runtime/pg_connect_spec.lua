local pg = require "moontide.runtime.pg"
local sys = require "moontide.runtime.sys"
local server = require "spec.support.server"

local function fault(...)
  local ok, problem = pcall(...)
  assert.is_false(ok)
  return problem
end

describe("pg.connect", function()
  local url

  setup(function() url = server.database() end)

  it("takes a URL and tells about the connection", function()
    local conn <close> = pg.connect(url)
    assert.equal("idle", conn:status())
    assert.equal("/", conn:host():sub(1, 1))
    assert.is_false(conn:tls())
    assert.equal(conn:pid(), conn:exec("select pg_backend_pid() as pid")[1].pid)
    assert.equal(tonumber(conn:exec("show server_version_num")[1].server_version_num), conn:server_version())
    assert.equal("on", conn:parameter("standard_conforming_strings"))
    assert.is_nil(conn:parameter("no such parameter"))
  end)

  it("takes keywords and values", function()
    local options = pg.parse(url)
    local conn <close> = pg.connect(("host=%s port=%s user=postgres dbname=%s"):format(options.host, options.port,
      options.dbname))
    assert.equal(options.dbname, conn:exec("select current_database() as name")[1].name)
  end)

  it("takes the name of a database, the rest from the defaults", function()
    local options = pg.parse(url)
    local conn <close> = pg.connect(options.dbname,
      { defaults = { host = options.host, port = options.port, user = "postgres" } })
    assert.equal(options.dbname, conn:exec("select current_database() as name")[1].name)
  end)

  it("uses defaults only where the connection string says nothing", function()
    local defaults = { application_name = "default", dbname = "nowhere", client_encoding = "LATIN1" }
    local conn <close> = pg.connect(url .. "&application_name=said", { defaults = defaults })
    assert.equal("said", conn:parameter("application_name"))
    assert.equal("LATIN1", conn:parameter("client_encoding"))
  end)

  it("refuses defaults that are not strings", function()
    assert.equal("usage", fault(pg.connect, url, { defaults = { port = 5432 } }).kind)
    assert.equal("usage", fault(pg.connect, url, { defaults = { "host" } }).kind)
  end)

  it("says with its sqlstate that there is no such database", function()
    local problem = fault(pg.connect, (url:gsub("/db%d+", "/nosuch")))
    assert.equal("connection", problem.kind)
    assert.equal("3D000", problem.sqlstate)
    assert.truthy(problem.message:find('failed: FATAL:  database "nosuch" does not exist$'))
  end)

  it("says when there is no server", function()
    local problem = fault(pg.connect, "host=/nonexistent user=x")
    assert.equal("connection", problem.kind)
    assert.is_nil(problem.sqlstate)
    assert.truthy(problem.message:find("No such file or directory$"))
    assert.truthy(problem.detail:find("Is the server running"))
  end)

  it("names the host that cannot be found", function()
    assert.truthy(fault(pg.connect, "host=nosuch.invalid").message:find("nosuch.invalid", 1, true))
  end)

  it("refuses a connection string with a NUL byte", function()
    assert.truthy(fault(pg.connect, "host=a\0b").message:find("NUL"))
  end)

  local malformed = {
    "postgres://user:se/cret@host/db", "postgres://user:secret%zz@host/db", "postgres://host/db?secret",
    "postgres://host/db?secret=1", "foo=secret bar", "password=my secret", 'password=a"b "secret',
    "postgresql://user:secret%00@host", "postgres://[secret", "password='secret", "port=secret host=/tmp",
  }
  for _, text in ipairs(malformed) do
    it("does not repeat a malformed connection string: " .. text, function()
      local problem = fault(pg.connect, text)
      assert.equal("config", problem.kind)
      assert.equal("connection string is malformed", problem.message)
      for _, field in pairs(problem) do assert.is_nil(tostring(field):find("cret", 1, true)) end
    end)
  end
end)

describe("pg.start", function()
  it("leaves the waiting to the function that it answers", function()
    local finish = pg.start(server.database())
    local conn <close> = finish()
    assert.equal("idle", conn:status())
    assert.equal(1, conn:exec("select 1 as one")[1].one)
  end)

  it("lets the server work meanwhile", function()
    local finish = pg.start(server.database(), { defaults = { application_name = "early" } })
    local look <close> = pg.connect(server.shared():url())
    local seen
    for _ = 1, 500 do
      seen = look:exec("select state from pg_stat_activity where application_name = 'early'")[1]
      if seen then break end
      look:exec("select pg_sleep(0.01)")
    end
    assert.equal("idle", seen.state)
    finish():close()
  end)

  it("raises then what is wrong", function()
    local finish = pg.start((server.database():gsub("/db%d+", "/nosuch")))
    assert.equal("3D000", fault(finish).sqlstate)
    assert.equal("connection is closed", fault(finish).message)
    assert.equal("connection", fault(pg.start("host=/nonexistent user=x")).kind)
  end)

  it("refuses a malformed connection string at once", function()
    assert.equal("connection string is malformed", fault(pg.start, "postgresql://[").message)
  end)

  it("leaves the server when nobody asks for the connection", function()
    local url = server.database()
    do local _ = pg.start(url, { defaults = { application_name = "forgotten" } }) end
    collectgarbage()
    local look <close> = pg.connect(server.shared():url())
    local count
    for _ = 1, 500 do
      count = look:exec("select count(*) as n from pg_stat_activity where application_name = 'forgotten'")[1].n
      if count == 0 then break end
      look:exec("select pg_sleep(0.01)")
    end
    assert.equal(0, count)
  end)
end)

describe("pg.connect to a server with passwords", function()
  local cluster

  setup(function()
    cluster = server.cluster { hba = "local all postgres trust\nlocal all all scram-sha-256\n" }
    cluster:sql("create role bob login password 'hunter2'")
  end)
  teardown(function() cluster:remove() end)

  it("sends the password", function()
    local conn <close> = pg.connect(cluster:url("postgres", { user = "bob", password = "hunter2" }))
    assert.equal("bob", conn:exec("select current_user as name")[1].name)
  end)

  it("says with its sqlstate that the password is wrong, and not which it was", function()
    local problem = fault(pg.connect, cluster:url("postgres", { user = "bob", password = "wrongsecret" }))
    assert.equal("connection", problem.kind)
    assert.equal("28P01", problem.sqlstate)
    assert.truthy(problem.message:find('password authentication failed for user "bob"$'))
    for _, field in pairs(problem) do assert.is_nil(field:find("wrongsecret", 1, true)) end
  end)

  it("says that a password is missing", function()
    assert.truthy(fault(pg.connect, cluster:url("postgres", { user = "bob" })).message:find("no password supplied$"))
  end)
end)

describe("a server that does not answer", function()
  local cluster, postmaster

  local function send(signal)
    os.execute(("kill -%s %d"):format(signal, postmaster))
  end

  setup(function()
    cluster = server.cluster()
    local file <close> = assert(io.open(cluster.dir .. "/postmaster.pid"))
    postmaster = file:read("n")
  end)
  teardown(function()
    send("CONT")
    cluster:remove()
  end)
  after_each(function() send("CONT") end)

  it("is given up after `timeout`", function()
    send("STOP")
    local problem = fault(pg.connect, cluster:url(), { timeout = 0.2 })
    assert.equal("timeout", problem.kind)
    assert.truthy(problem.message:find("did not answer in time"))
  end)

  it("is given up after the timeout of the one who waits, not of the one who began", function()
    send("STOP")
    local finish = pg.start(cluster:url(), { timeout = 0.2 })
    os.execute("sleep 0.3")
    local started = sys.clock()
    assert.equal("timeout", fault(finish).kind)
    assert.truthy(sys.clock() - started >= 0.19)
  end)

  it("is given up after connect_timeout", function()
    send("STOP")
    assert.equal("timeout", fault(pg.connect, cluster:url("postgres", { connect_timeout = "1" })).kind)
  end)

  it("cannot hold up a deadline for long by not answering the cancel request", function()
    local conn <close> = pg.connect(cluster:url())
    send("STOP")
    local problem = fault(conn.exec, conn, "select pg_sleep(3)", nil, { timeout = 0.1 })
    assert.equal("timeout", problem.kind)
    assert.equal("idle", conn:status())
  end)
end)

describe("a closed connection", function()
  local url

  setup(function() url = server.database() end)

  it("can be closed again", function()
    local conn = pg.connect(url)
    conn:close()
    conn:close()
    assert.equal("closed", conn:status())
  end)

  it("refuses everything else", function()
    local conn = pg.connect(url)
    conn:close()
    local calls = {
      exec = { "select 1" }, script = { "select 1" }, prepare = { "p", "select 1" }, pipeline = { {} },
      rows = { "select 1" }, copy_in = { "copy t from stdin" }, copy_out = { "copy t to stdout" }, cancel = {},
      server_version = {}, parameter = { "TimeZone" }, pid = {}, host = {}, tls = {},
    }
    for name, arguments in pairs(calls) do
      local problem = fault(conn[name], conn, table.unpack(arguments))
      assert.equal("connection", problem.kind, name)
      assert.equal("connection is closed", problem.message)
    end
    assert.same({}, conn:notices())
  end)

  it("leaves the server when the connection is collected", function()
    local watcher <close> = pg.connect(url)
    local pid
    do
      local conn = pg.connect(url)
      pid = conn:pid()
    end
    collectgarbage()
    collectgarbage()
    for _ = 1, 100 do
      if not watcher:exec("select 1 from pg_stat_activity where pid = $1", { pid })[1] then return end
      watcher:exec("select pg_sleep(0.02)")
    end
    error("the connection is still there")
  end)

  it("takes its iterators and copies with it", function()
    local conn = pg.connect(url)
    local step = conn:rows("select generate_series(1, 100000) as n")
    assert.equal(1, step().n)
    conn:close()
    assert.equal("connection is closed", fault(step).message)
    conn = pg.connect(url)
    conn:exec("create table t (a text)")
    local copy = conn:copy_in("copy t from stdin")
    conn:close()
    assert.equal("connection is closed", fault(copy.write, copy, "x\n").message)
    copy:close()
  end)
end)

describe("the module", function()
  it("parses connection strings", function()
    assert.same({ user = "u", password = "p:w", host = "h", port = "1", dbname = "d", sslmode = "require" },
      pg.parse("postgres://u:p%3aw@h:1/d?sslmode=require"))
    assert.same({}, pg.parse(""))
  end)

  it("knows the keywords of connection strings and the version of libpq", function()
    local keywords = pg.keywords()
    assert.is_true(keywords.host and keywords.sslmode and keywords.application_name)
    assert.is_nil(keywords.nosuch)
    assert.is_true(pg.libpq_version() >= 140000)
  end)
end)
