local cjson = require "cjson"
local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("moontide doctor", function()
  local function examine(options)
    options.env = options.env or {}
    options.env.MOONTIDE_LUA_PATH = os.getenv "MOONTIDE_LUA_PATH"
    local ran = cli.run("doctor --json", options)
    local document = cjson.decode(ran.stdout)
    local found = {}
    for _, finding in ipairs(document.checks) do found[finding.check] = finding end
    return found, ran.status, document
  end

  it("finds nothing wrong with a good environment, before and after an upgrade", function()
    local url = server.database()
    local folder = cli.project { ["migrations/versions/a.lua"] = cli.revision("a") }
    local found, status, document = examine { cwd = folder, env = { DATABASE_URL = url } }
    assert.equal(0, status)
    assert.is_true(document.ok)
    assert.equal("not there yet; the first upgrade creates it", found.bookkeeping.message)
    assert.equal("1 revisions, head a", found.revisions.message)
    cli.ok("upgrade", { cwd = folder, env = { DATABASE_URL = url } })
    found = examine { cwd = folder, env = { DATABASE_URL = url } }
    assert.equal("at a", found.bookkeeping.message)
    server.drop(url)
  end)

  it("prints one line for each check, with a hint where something can be done", function()
    local folder = cli.project()
    local ran = cli.run("doctor", { cwd = folder })
    assert.equal(1, ran.status)
    assert.matches("\nok       environment   migrations/env.lua\n", ran.stdout, 1, true)
    assert.matches("\nerror    connection    no database URL\n" .. (" "):rep(23) .. "hint: Set $DATABASE_URL",
      ran.stdout, 1, true)
  end)

  it("names the place of a mistake in env.lua, and looks no further", function()
    local folder = cli.project { ["migrations/env.lua"] = "return {\n  ulr = 'x',\n}\n" }
    local found, status = examine { cwd = folder }
    assert.equal(1, status)
    assert.equal("error", found.environment.status)
    assert.matches('migrations/env.lua:2: unknown key "ulr"', found.environment.message, 1, true)
    assert.is_nil(found.connection)
  end)

  it("finds a revision that does not load", function()
    local folder = cli.project { ["migrations/versions/a.lua"] = "revision = 'a'\nfunction upgrade(" }
    local found, status = examine { cwd = folder, env = { DATABASE_URL = server.shared():url() } }
    assert.equal(1, status)
    assert.equal("error", found.revisions.status)
    assert.matches("migrations/versions/a.lua:2", found.revisions.message, 1, true)
  end)

  it("finds a server that does not answer", function()
    local found, status = examine { cwd = cli.project(), env = { DATABASE_URL = "postgresql://127.0.0.1:1/x" } }
    assert.equal(1, status)
    assert.equal("error", found.connection.status)
  end)

  it("finds a role that may not create the bookkeeping schema, or not write its tables", function()
    local url = server.database()
    server.sql(url, "CREATE ROLE powerless LOGIN")
    local folder = cli.project { ["migrations/versions/a.lua"] = cli.revision("a") }
    local env = { DATABASE_URL = url:gsub("//postgres@", "//powerless@") }
    local found, status = examine { cwd = folder, env = env }
    assert.equal(1, status)
    assert.equal("the role may not create the bookkeeping tables in this database", found.bookkeeping.message)
    cli.ok("upgrade", { cwd = folder, env = { DATABASE_URL = url } })
    server.sql(url, "GRANT USAGE ON SCHEMA moontide TO powerless; "
      .. "GRANT SELECT ON ALL TABLES IN SCHEMA moontide TO powerless")
    found, status = examine { cwd = folder, env = env }
    assert.equal(1, status)
    assert.matches("the role may not write moontide.version", found.bookkeeping.message, 1, true)
    server.sql(url, "DROP OWNED BY powerless; DROP ROLE powerless")
    server.drop(url)
  end)

  it("finds revisions in the database that no file has", function()
    local url = server.database()
    local folder = cli.project { ["migrations/versions/a.lua"] = cli.revision("a") }
    cli.ok("upgrade", { cwd = folder, env = { DATABASE_URL = url } })
    os.remove(folder .. "/migrations/versions/a.lua")
    local found, status = examine { cwd = folder, env = { DATABASE_URL = url } }
    assert.equal(1, status)
    assert.equal("the database is at revisions that no file has: a", found.bookkeeping.message)
    server.drop(url)
  end)

  it("finds a database where nothing can be written", function()
    local url = server.database()
    local found, status = examine { cwd = cli.project(),
      env = { DATABASE_URL = url .. "&options=-cdefault_transaction_read_only%3Don" } }
    assert.equal(1, status)
    assert.equal("transactions are read-only by default", found.writable.message)
    server.drop(url)
  end)

  it("warns when the bookkeeping schema is where tables would go", function()
    local url = server.database()
    server.sql(url, "CREATE SCHEMA moontide")
    local found, status = examine { cwd = cli.project(),
      env = { DATABASE_URL = url .. "&options=-csearch_path%3Dmoontide" } }
    assert.equal(0, status)
    assert.equal("warning", found["search path"].status)
    server.drop(url)
  end)

  it("warns of a search_path with a schema that does not exist", function()
    local url = server.database()
    local folder = cli.project { ["migrations/env.lua"] = 'return { search_path = { "public", "No such" } }' }
    local found, status = examine { cwd = folder, env = { DATABASE_URL = url } }
    assert.equal(0, status)
    assert.equal('a schema that search_path in env.lua names does not exist: "No such"', found.search_path.message)
    server.sql(url, 'CREATE SCHEMA "No such"')
    assert.is_nil(examine({ cwd = folder, env = { DATABASE_URL = url } }).search_path)
    server.drop(url)
  end)

  it("sees TLS", function()
    local cluster = server.cluster { tcp = true, tls = true }
    local found = examine { cwd = cli.project(), env = { DATABASE_URL = cluster:url() } }
    assert.equal("TLS", found.encryption.message)
    cluster:remove()
  end)
end)
