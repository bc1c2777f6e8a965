-- Where a connection comes from, with real servers: what libpq reads beside the URL, several hosts, TLS.

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local function project(env)
  return cli.project {
    ["migrations/env.lua"] = env or "return {}",
    ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = '  op.execute("CREATE TABLE t ()")' }),
  }
end

local function upgrade(env, variables)
  return cli.run("upgrade", { cwd = project(env), env = variables })
end

local function applied(cluster, database)
  return cluster:sql("SELECT version_num FROM moontide.version", database)
end

describe("a connection string", function()
  local shared, name, url

  before_each(function()
    shared, url = server.shared(), server.database()
    name = url:match("/([^/?]+)%?")
  end)
  after_each(function() server.drop(url) end)

  local function works(env, variables)
    local ran = upgrade(env, variables)
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("a1", applied(shared, name))
  end

  it("may name a service of the service file", function()
    local file = tmp.name("service")
    shell.write(file, ("[orders]\nhost=%s\nport=%d\nuser=postgres\ndbname=%s\n"):format(shared.dir, shared.port, name))
    works("return { url = 'service=orders' }", { PGSERVICEFILE = file })
    works("return {}", { PGSERVICEFILE = file, DATABASE_URL = "postgresql:///?service=orders" })
  end)

  it("may leave everything to the PG variables", function()
    works(("return { url = 'dbname=%s' }"):format(name),
      { PGHOST = shared.dir, PGPORT = tostring(shared.port), PGUSER = "postgres" })
  end)

  it("may have the suffix and the parameters of other drivers", function()
    works("return {}", { DATABASE_URL = (url:gsub("^postgresql", "postgresql+asyncpg"))
      .. "&ssl=disable&prepared_statement_cache_size=0&command_timeout=5" })
  end)
end)

describe("several hosts", function()
  local first, second, both

  setup(function()
    first = server.cluster { tcp = true }
    second = server.cluster { tcp = true }
    both = ("postgresql://postgres@127.0.0.1:%d,127.0.0.1:%d/postgres"):format(first.port, second.port)
  end)
  teardown(function() first:remove() second:remove() end)

  it("are tried in order, past one that is down", function()
    first:stop "immediate"
    local ran = upgrade(nil, { DATABASE_URL = both })
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("a1", applied(second))
    first:start()
  end)

  it("are chosen by target_session_attrs", function()
    first:sql "ALTER SYSTEM SET default_transaction_read_only = on"
    first:sql "SELECT pg_reload_conf()"
    cli.eventually("the first to be read-only", function()
      return first:sql "SHOW default_transaction_read_only" == "on"
    end)
    second:sql "DROP SCHEMA IF EXISTS moontide CASCADE; DROP TABLE IF EXISTS t"
    local ran = upgrade(nil, { DATABASE_URL = both .. "?target_session_attrs=read-write" })
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("a1", applied(second))
    ran = upgrade(nil, { DATABASE_URL = both })
    assert.equal(1, ran.status)
    assert.matches("SQLSTATE 25006", ran.stderr)
    assert.matches("hint: The server is a read%-only standby; connect to the primary.", ran.stderr)
  end)
end)

describe("a password", function()
  local cluster

  setup(function()
    cluster = server.cluster { hba = "local all postgres trust\nlocal all all scram-sha-256\n" }
    cluster:sql "CREATE ROLE app LOGIN PASSWORD 'pass:w\\rd'"
    cluster:sql "CREATE DATABASE app OWNER app"
  end)
  teardown(function() cluster:remove() end)

  it("is taken from the password file", function()
    local file = tmp.name("pgpass")
    shell.write(file, ("%s:*:app:app:pass\\:w\\\\rd\n"):format(cluster.dir))
    shell.capture("chmod 600 " .. shell.quote(file))
    local url = cluster:url("app", { user = "app" })
    local ran = upgrade(nil, { DATABASE_URL = url, PGPASSFILE = file })
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("a1", applied(cluster, "app"))
    ran = upgrade(nil, { DATABASE_URL = url .. "&passfile=" .. file })
    assert.equal(0, ran.status, ran.stderr)
    ran = upgrade(nil, { DATABASE_URL = url })
    assert.equal(1, ran.status)
    assert.matches("no password supplied", ran.stderr)
  end)

  it("is never printed", function()
    local url = cluster:url("app", { user = "app" }):gsub("app@", "app:s3cr3t@", 1)
    local ran = upgrade(nil, { DATABASE_URL = url })
    assert.equal(1, ran.status)
    assert.matches("SQLSTATE 28P01", ran.stderr)
    assert.is_nil((ran.stdout .. ran.stderr):find("s3cr3t", 1, true))
  end)
end)

describe("TLS", function()
  local cluster, url

  setup(function()
    cluster = server.cluster { tcp = true, tls = true, hba = "local all all trust\nhostssl all all all trust\n" }
    url = cluster:url()
  end)
  teardown(function() cluster:remove() end)

  it("is used with a certificate that nobody signed, when the URL requires no more", function()
    for _, words in ipairs { "sslmode=require", "ssl=require", "ssl=true" } do
      local ran = upgrade(nil, { DATABASE_URL = url .. "&" .. words })
      assert.equal(0, ran.status, ran.stderr)
    end
    assert.equal("a1", applied(cluster))
  end)

  it("is checked against the certificate of an authority", function()
    local strict = url:gsub("127%.0%.0%.1", "localhost") .. "&sslmode=verify-full&sslrootcert="
    local ran = upgrade(nil, { DATABASE_URL = strict .. cluster.dir .. "/server.crt" })
    assert.equal(0, ran.status, ran.stderr)
    ran = upgrade(nil, { DATABASE_URL = strict .. "/nowhere.crt" })
    assert.equal(1, ran.status)
    assert.matches('root certificate file "/nowhere.crt" does not exist', ran.stderr)
  end)

  it("is not done without where the server demands it", function()
    local ran = upgrade(nil, { DATABASE_URL = url .. "&sslmode=disable" })
    assert.equal(1, ran.status)
    assert.matches("no pg_hba.conf entry for host .* no encryption", ran.stderr)
  end)
end)

describe("a pooled host of Neon", function()
  it("is replaced by the server's own, with a warning and TLS", function()
    local folder = project()
    local ran = cli.run({ "current" }, { cwd = folder, env = {
      DATABASE_URL = "postgres://u:s3cr3t@ep-cool-1-pooler.nowhere.invalid.neon.tech/db?connect_timeout=2",
    } })
    assert.equal(1, ran.status)
    assert.matches("warning: the database URL leads to a pooler; the server itself is used instead\n"
      .. "  detail: postgresql://u:%*%*%*@ep%-cool%-1.nowhere.invalid.neon.tech/db", ran.stderr)
    assert.matches('error: .*"ep%-cool%-1.nowhere.invalid.neon.tech"', ran.stderr)
    assert.is_nil(ran.stderr:find("s3cr3t", 1, true))
  end)
end)
