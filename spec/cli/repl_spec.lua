local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("moontide repl", function()
  local url, folder

  setup(function()
    url = server.database()
    folder = cli.project()
  end)
  teardown(function() server.drop(url) end)

  local function repl(input)
    return cli.run("repl", { cwd = folder, env = { DATABASE_URL = url }, input = input })
  end

  it("prints expressions, keeps variables, and runs statements over several lines", function()
    local ran = repl "1 + 1\nx = { 'a', b = 2 }\nx\nfor i = 1, 2 do\n  print(i)\nend\nnil, 'two'\n"
    assert.same({ status = 0, stdout = '2\n{ "a", b = 2 }\n1\n2\nnil\n"two"\n', stderr = "" }, ran)
  end)

  it("prints rows as a table", function()
    local ran = repl [[op.query("select n, 'é' || n as text, null as nothing from generate_series(9, 10) as n")]]
    assert.equal("n   text  nothing\n9   é9\n10  é10\n(2 rows)\n", ran.stdout)
  end)

  it("goes on after an error, and exits with 1 when it was not typed at a terminal", function()
    local ran = repl "op.execute('select 1/0')\n)\nop.scalar('select 5')\n"
    assert.equal(1, ran.status)
    assert.equal("5\n", ran.stdout)
    assert.matches("division by zero (SQLSTATE 22012)", ran.stderr, 1, true)
    assert.matches("error: line 1: unexpected symbol near ')'", ran.stderr, 1, true)
  end)

  it("runs operations at once, and holds them together between begin and commit", function()
    assert.equal(0, repl("op.create_table('a', { { 'id', 'int' } })\nbegin()\nop.execute('insert into a values (1)')\n"
      .. "rollback()\nbegin()\nop.execute('insert into a values (2)')\ncommit()\nexit()\nerror 'not read'").status)
    assert.equal("2", server.sql(url, "select id from a"))
  end)

  it("rolls back what is open at the end, and says so", function()
    local ran = repl "begin()\nop.create_table('b', { { 'id', 'int' } })"
    assert.equal(0, ran.status)
    assert.matches("the open transaction was rolled back", ran.stderr, 1, true)
    assert.equal("", server.sql(url, "select 1 from pg_tables where tablename = 'b'"))
  end)

  it("says that a statement is not complete", function()
    local ran = repl "if true then\n"
    assert.equal(1, ran.status)
    assert.equal("error: the input ends inside a statement\n", ran.stderr)
  end)

  it("ends at Ctrl-C in a long statement when nobody types", function()
    local started = cli.start("repl", { cwd = folder, env = { DATABASE_URL = url },
      input = "op.execute('select pg_sleep(30)')\nprint 'not reached'\n" })
    cli.eventually("the statement runs", function()
      return server.sql(url, "select count(*) from pg_stat_activity where query like '%pg_sleep(30)%' "
        .. "and pid <> pg_backend_pid()") == "1"
    end)
    started:signal "INT"
    local ran = started:wait()
    assert.equal(130, ran.status)
    assert.equal("", ran.stdout)
  end)
end)
