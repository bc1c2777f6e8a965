-- Several projects in one database: bookkeeping tables belong to one version table.
local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("two projects in one database", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function project(env, relation)
    return cli.project {
      ["migrations/env.lua"] = "return { " .. env .. " }",
      ["migrations/versions/a.lua"] = cli.revision("a1", nil, {
        upgrade = ('  op.execute("CREATE TABLE %s ()")'):format(relation) }),
    }
  end
  local function run(folder, ...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end
  local one = project("version_table = 'orders_version'", "orders")

  it("may each have a schema, with the same revisions", function()
    assert.equal(0, run(one, "upgrade").status)
    local other = project("schema = 'moontide_users', version_table = 'users_version'", "users")
    local ran = run(other, "upgrade")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal(0, run(other, "downgrade", "base").status)
    assert.equal("nothing is wrong\n", run(one, "repair").stderr)
    assert.equal("a1", server.sql(url, "SELECT version_num FROM moontide.orders_version"))
  end)

  local function assert_refused(ran)
    assert.equal(2, ran.status, ran.stderr)
    assert.matches('the bookkeeping tables in schema "moontide" are those of another project', ran.stderr)
    assert.matches("Give this project a schema of its own in env.lua", ran.stderr)
    assert.equal("orders", server.sql(url, "SELECT concat_ws(',', to_regclass('orders'), to_regclass('users'))"))
  end

  it("are refused in one schema, whether the second version table is there or not", function()
    assert.equal(0, run(one, "upgrade").status)
    local other = project("version_table = { schema = 'public', name = 'alembic_version' }", "users")
    assert_refused(run(other, "upgrade"))
    server.sql(url, "CREATE TABLE alembic_version (version_num text PRIMARY KEY)")
    local ran = run(other, "upgrade")
    assert_refused(ran)
    assert.matches("its version table is moontide.orders_version, the one of this project is public.alembic_version",
      ran.stderr, 1, true)
    assert_refused(run(other, "status"))
    assert.equal(0, run(one, "upgrade").status)
  end)

  it("a version table that was renamed is taken when the comment is gone", function()
    assert.equal(0, run(one, "upgrade").status)
    server.sql(url, "ALTER TABLE moontide.orders_version RENAME TO v; COMMENT ON TABLE moontide.journal IS NULL")
    local ran = run(project("version_table = 'v'", "orders"), "upgrade")
    assert.equal(0, ran.status, ran.stderr)
    assert.matches("nothing to do", ran.stderr)
  end)
end)
