local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local function file(id, down, body)
  return ("-- Revision %s.\n-- moontide: revision=%s, down_revision=%s\n\n%s"):format(id, id, down, body)
end

local users = file("a1", "", [[
-- upgrade
CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL);
CREATE FUNCTION first_user() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT name FROM users ORDER BY id LIMIT 1);
END $$;
INSERT INTO users VALUES (1, 'semi;colon');

-- downgrade
DROP FUNCTION first_user();
DROP TABLE users;
]])

local function project(...)
  local files = {}
  for index, text in ipairs { ... } do files[("migrations/versions/%d.sql"):format(index)] = text end
  return cli.project(files)
end

describe("a revision in SQL", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function run(folder, ...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end
  local function sql(text) return server.sql(url, text) end

  it("is applied and reverted", function()
    local folder = project(users)
    local ran = run(folder, "upgrade")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("Running upgrade  -> a1, Revision a1.\n", ran.stderr)
    assert.equal("semi;colon", sql "SELECT first_user()")
    assert.equal("a1", sql "SELECT version_num FROM moontide.version")
    ran = run(folder, "downgrade", "base")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("0", sql "SELECT count(*) FROM pg_class WHERE relname = 'users'")
  end)

  it("stands in one graph with revisions in Lua", function()
    local folder = cli.project {
      ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = 'op.execute("CREATE TABLE t (i int)")' }),
      ["migrations/versions/b.sql"] = file("b1", "a1, branch_labels=sequel", "-- upgrade\nINSERT INTO t VALUES (1);\n"),
      ["migrations/versions/c.lua"] = cli.revision("c1", "b1"),
    }
    assert.equal(0, run(folder, "upgrade").status)
    assert.equal("1", sql "SELECT i FROM t")
    local text = cli.ok({ "history" }, { cwd = folder })
    assert.equal("b1 -> c1 (sequel) (head), Revision c1.\na1 -> b1 (sequel), Revision b1.\n"
      .. "<base> -> a1 (sequel), Revision a1.\n", text)
    assert.matches("Path: migrations/versions/b.sql", cli.ok({ "show", "b1" }, { cwd = folder }), 1, true)
  end)

  it("names the line of a statement that fails, and leaves nothing", function()
    local body = "-- upgrade\nCREATE TABLE t (i int);\n\n-- why\nINSERT INTO t VALUES ('x');\n"
    local ran = run(project(file("a1", "", body)), "upgrade")
    assert.equal(1, ran.status)
    assert.matches('migrations/versions/1.sql:8: invalid input syntax for type integer: "x" (SQLSTATE 22P02)',
      ran.stderr, 1, true)
    assert.equal("0", sql "SELECT count(*) FROM pg_class WHERE relname = 't'")
  end)

  it("is refused before anything runs when a later file cannot be read", function()
    local ran = run(project(users, file("b1", "a1", "-- upgrade\nSELECT 1;\nSELECT 'oops;\n")), "upgrade")
    assert.equal(1, ran.status)
    assert.matches("migrations/versions/2.sql:6: unterminated quoted string", ran.stderr, 1, true)
    assert.equal("0", sql "SELECT count(*) FROM pg_class WHERE relname = 'users'")
  end)

  it("without a downgrade section has no way back", function()
    local folder = project(file("a1", "", "-- upgrade\nCREATE TABLE t (i int);\n"))
    assert.equal(0, run(folder, "upgrade").status)
    local ran = run(folder, "downgrade", "base")
    assert.equal(1, ran.status)
    assert.matches('revision "a1" cannot be downgraded: it has no downgrade section', ran.stderr, 1, true)
    assert.equal("1", sql "SELECT count(*) FROM pg_class WHERE relname = 't'")
  end)

  it("has a commit point where a statement cannot be in a transaction, and goes on behind it", function()
    local body = "-- upgrade\nCREATE TABLE t (i int);\nCREATE INDEX CONCURRENTLY ix ON t (i);\n"
      .. "INSERT INTO t VALUES (%s);\n"
    local ran = run(project(file("a1", "", body:format "'x'")), "upgrade")
    assert.equal(1, ran.status)
    assert.matches("Revision a1 is partially applied: 2 of its segments are committed", ran.stderr, 1, true)
    ran = run(project(file("a1", "", body:format "7")), "upgrade")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("7|t", sql "SELECT i, indisvalid FROM t, pg_index WHERE indexrelid = 'ix'::regclass")
    assert.equal("0", sql "SELECT count(*) FROM moontide.journal")
  end)

  it("is printed as a script that does the same", function()
    local folder = project(users)
    local script = cli.ok({ "upgrade", "--sql" }, { cwd = folder })
    local path = os.tmpname()
    shell.write(path, script)
    shell.capture(shell.join { server.program "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", path })
    os.remove(path)
    assert.equal("semi;colon", sql "SELECT first_user()")
    assert.equal("a1", sql "SELECT version_num FROM moontide.version")
  end)

  it("is rolled back in a dry run, and by a verify section", function()
    local folder = project(users .. "\n-- verify\nSELECT count(*) = 1 FROM users;\nSELECT count(*) = 2 FROM users;\n")
    local ran = run(folder, "upgrade")
    assert.equal(1, ran.status)
    assert.matches("1.sql:18: a query of the verify section did not answer true", ran.stderr, 1, true)
    assert.equal(0, run(project(users), "upgrade", "--dry-run").status)
    assert.equal("0", sql "SELECT count(*) FROM pg_class WHERE relname = 'users'")
  end)

  it("is noticed when it is edited afterwards", function()
    assert.equal(0, run(project(users), "upgrade").status)
    local ran = run(project((users:gsub("semi;", "")), file("b1", "a1", "-- upgrade\n")), "upgrade")
    assert.equal(1, ran.status)
    assert.matches('revision "a1" was edited after it had been applied', ran.stderr, 1, true)
  end)

  it("is written by `revision --sql`", function()
    local folder = project(users)
    local out = cli.ok({ "revision", "--sql", "-m", "Add orders", "--rev-id", "b,1", "--branch-label", "shop" },
      { cwd = folder })
    assert.equal("Generating migrations/versions/b,1_add_orders.sql ...  done\n", out)
    local text = shell.read(folder .. "/migrations/versions/b,1_add_orders.sql")
    assert.equal('-- Add orders\n-- Create Date: DATE\n'
      .. '-- moontide: revision="b,1", down_revision=a1, branch_labels=shop, '
      .. "depends_on=\n\n-- upgrade\n\n-- downgrade\n", (text:gsub("(Create Date: )[^\n]+", "%1DATE")))
    assert.equal("a1 -> b,1 (shop) (head), Add orders\n", (cli.ok({ "history" }, { cwd = folder }):match("^[^\n]*\n")))
    assert.equal(0, run(folder, "upgrade").status)
    assert.equal(0, run(folder, "downgrade", "base").status)
  end)
end)
