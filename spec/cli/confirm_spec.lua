local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("an upgrade that destroys data", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function project(env, body)
    return cli.project {
      ["migrations/env.lua"] = env,
      ["migrations/versions/a.lua"] = cli.revision("a1", nil, {
        upgrade = '  op.create_table("t", { { "id", "integer" }, { "x", "text" } })' }),
      ["migrations/versions/b.lua"] = cli.revision("b2", "a1", { upgrade = body or '  op.drop_column("t", "x")' }),
    }
  end

  local function run(folder, ...) return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } }) end

  -- On a terminal: util-linux script gives it one and passes the answer on.
  local function answer(folder, text)
    return cli.run({ "-qec", cli.binary() .. " upgrade", "/dev/null" },
      { cwd = folder, env = { DATABASE_URL = url }, program = { "script" }, input = text })
  end

  local function columns()
    return server.sql(url, "SELECT count(*) FROM information_schema.columns WHERE table_name = 't'")
  end

  it("goes on where nobody can be asked", function()
    assert.equal(0, run(project "return {}", "upgrade").status)
    assert.equal("1", columns())
  end)

  it("is refused there with confirm = refuse, before anything runs, unless --yes is said", function()
    local folder = project 'return { confirm = "refuse" }'
    local ran = run(folder, "upgrade")
    assert.equal(2, ran.status)
    assert.matches("error: the upgrade destroys data, and there is no terminal to ask on\n"
      .. "  detail: b2: drops the column t.x %(migrations/versions/b.lua:6%)\n  hint: Say %-%-yes", ran.stderr)
    assert.equal("0", columns())
    assert.equal(0, run(folder, "upgrade", "a1").status)
    assert.equal(0, run(folder, "upgrade", "--dry-run").status)
    assert.equal("2", columns())
    assert.equal(0, run(folder, "upgrade", "--yes").status)
    assert.equal("1", columns())
  end)

  it("is asked about on a terminal", function()
    local folder = project "return {}"
    local ran = answer(folder, "n\n")
    assert.equal(2, ran.status)
    assert.matches("warning: the upgrade destroys data\r\n  detail: b2: drops the column t.x", ran.stdout)
    assert.matches("go ahead? [y/N] ", ran.stdout, 1, true)
    assert.matches("error: nothing was done", ran.stdout)
    assert.equal("0", columns())
    assert.equal(0, answer(folder, "y\n").status)
    assert.equal("1", columns())
  end)

  it("is not asked about with confirm = never", function()
    local ran = answer(project 'return { confirm = "never" }', "n\n")
    assert.equal(0, ran.status, ran.stdout)
    assert.equal("1", columns())
  end)

  it("lists SQL text too, and says where a read hides the rest", function()
    local ran = run(project('return { confirm = "refuse" }', [[
  op.execute("DELETE FROM t WHERE id = 1; DELETE FROM t")
  op.alter_table("t", { { "drop_column", "x" } })
  local n = op.scalar("SELECT count(*) FROM t")
  op.drop_table("t")]]), "upgrade")
    assert.matches("b.lua:8: revision b2 reads data; what it destroys after that is not listed", ran.stderr)
    assert.matches("detail: b2: DELETE without WHERE %(.-b.lua:6%)\n +b2: drops the column t.x %(.-b.lua:7%)\n  hint",
      ran.stderr)
  end)
end)

describe("scan.destructive", function()
  local scan = require "moontide.sql.scan"
  for sql, words in pairs {
    ["drop table a"] = "DROP TABLE", ["TRUNCATE a"] = "TRUNCATE", ["delete from a"] = "DELETE without WHERE",
    ["-- x\nALTER TABLE a DROP COLUMN b"] = "DROP COLUMN", ["DROP TYPE t CASCADE"] = "DROP TYPE",
    ["DELETE FROM a WHERE b"] = false, ["DROP INDEX a"] = false, ["SELECT 'DROP TABLE a'"] = false,
    ["COMMENT ON TABLE a IS 'DROP TABLE b'"] = false,
  } do
    it("knows " .. sql:gsub("\n", " "), function() assert.equal(words or nil, scan.destructive(sql)) end)
  end
end)
