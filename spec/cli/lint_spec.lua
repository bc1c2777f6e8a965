-- `moontide lint`: what it looks at, what it says of it in which form, and how one differs with it.

local cjson = require "cjson"
local cli = require "spec.support.cli"
local server = require "spec.support.server"

local function project(files, env)
  local all = { ["migrations/env.lua"] = env or "return {}" }
  for name, text in pairs(files) do all["migrations/versions/" .. name] = text end
  return cli.project(all)
end

-- A line of revisions with these bodies: r1, r2 ...
local function line(bodies, env)
  local files = {}
  for index, body in ipairs(bodies) do
    files[("r%d.lua"):format(index)] =
      cli.revision("r" .. index, index > 1 and "r" .. index - 1 or nil, { upgrade = "  " .. body })
  end
  return project(files, env)
end

local index_text = 'migrations/versions/r2.lua:6: error: building the index keeps writers of "t" out until it is done '
  .. "[index-not-concurrent]"

local two = { [[op.create_table("t", { { "a", "text" } })]], [[op.create_index("i", "t", { "a" })]] }

describe("lint without a database", function()
  it("looks at all revisions where no database is named, and says so", function()
    local ran = cli.run("lint", { cwd = line(two) })
    assert.equal(1, ran.status)
    assert.equal(index_text .. '\n  hint: Write op.create_index("i", "t", { "a" }, { online = true }).\n', ran.stdout)
    assert.equal("there is no database URL: all revisions are looked at\n1 error, 0 warnings in 2 revisions\n",
      ran.stderr)
  end)

  it("looks at a range, or at all of them, without asking the database that is named", function()
    local folder = line(two, 'return { url = "postgresql://nobody@127.0.0.1:1/none" }')
    assert.equal(0, cli.run("lint base:r1", { cwd = folder }).status)
    assert.equal(1, cli.run("lint r1:r2", { cwd = folder }).status)
    assert.equal("1 error, 0 warnings in 2 revisions\n", cli.run("lint --all", { cwd = folder }).stderr)
    assert.equal("0 errors, 0 warnings in 1 revision\n", cli.run("lint --all r1", { cwd = folder }).stderr)
    local ran = cli.run("lint", { cwd = folder })
    assert.equal(1, ran.status)
    assert.matches("connection to server", ran.stderr, 1, true)
    assert.equal(2, cli.run("lint --all r1:r2", { cwd = folder }).status)
  end)

  it("looks at several heads and what they depend on", function()
    local folder = project {
      ["a.lua"] = cli.revision("a", nil, { upgrade = "op.drop_table('x')" }),
      ["b.lua"] = cli.revision("b", "a", { upgrade = "op.drop_table('y')" }),
      ["c.lua"] = cli.revision("c", "a", { upgrade = "op.drop_table('z')" }),
    }
    assert.equal("0 errors, 3 warnings in 3 revisions\n", cli.run("lint --all", { cwd = folder }).stderr)
    assert.equal(0, cli.run("lint --all", { cwd = folder }).status)
  end)

  it("finds what is wrong with a revision as upgrade would", function()
    local ran = cli.run("lint", { cwd = line { [[op.create_tabel("t")]] } })
    assert.equal(1, ran.status)
    assert.matches("migrations/versions/r1.lua:6:", ran.stderr, 1, true)
    ran = cli.run("lint", { cwd = line { [[error "no such luck"]] } })
    assert.equal(1, ran.status)
    assert.matches("error: migrations/versions/r1.lua:6: no such luck\n", ran.stderr, 1, true)
  end)

  it("says where data is read, and looks at the rest as far as it comes", function()
    local folder = line {
      [[for _, row in ipairs(op.query "SELECT 1") do op.drop_table(row.a) end op.drop_table("t")]],
      [[op.drop_table("t") local n = op.scalar "SELECT 1"  op.drop_table("u" .. n) op.drop_table("v")]],
      [[op.drop_table("t")]],
    }
    local ran = cli.run("lint", { cwd = folder })
    assert.equal(3, select(2, ran.stdout:gsub('dropping "t"', "")))
    assert.matches("warning: migrations/versions/r1.lua:6: revision r1 reads data; what depends on the answer was not "
      .. "looked at", ran.stderr, 1, true)
    assert.matches("r2.lua:6: revision r2 could not be looked at to its end: attempt to concatenate a nil value "
      .. "(local 'n')\n  detail: it reads data at migrations/versions/r2.lua:6", ran.stderr, 1, true)
    local unread = cjson.decode(cli.run("lint --json", { cwd = folder }).stdout).unread
    assert.same({ "r1", "r2", "r2" }, { unread[1].revision, unread[2].revision, unread[3].revision })
    assert.matches("^::notice file=migrations/versions/r1.lua,line=6::what depends on",
      cli.run("lint --format github", { cwd = folder }).stdout:match("::notice.*"))
  end)

  it("knows that operations are run online by env.lua", function()
    local body = [[op.create_index("i", "t", { "a" })
      op.transaction(function() op.create_index("j", "t", { "a" }) end)]]
    local ran = cli.run("lint", { cwd = line({ body }, 'return { safe = "online" }') })
    assert.matches("1 error,", ran.stderr, 1, true)
    assert.matches('"j"', ran.stdout, 1, true)
    assert.matches("2 errors,", cli.run("lint", { cwd = line { body } }).stderr, 1, true)
  end)

  it("looks at change(), at hooks, and at operations of a helper where they are", function()
    local files = {
      ["migrations/env.lua"] = 'return { hooks = { after_revision = function(event)\n'
        .. '  event.op.execute "TRUNCATE t"\nend } }',
      ["migrations/helper.lua"] = 'return function(op)\n  op.drop_table("t")\nend\n',
      ["migrations/versions/a.lua"] = 'revision = "a"\nfunction change()\n  op.rename_column("t", "a", "b")\n'
        .. '  require "helper"(op)\nend\n',
    }
    assert.equal([[
migrations/versions/a.lua:3: warning: renaming "a" of "t" breaks programs that use the old name [rename-column]
migrations/helper.lua:2: warning: dropping "t" loses its rows, and breaks programs that still use it [drop-table]
migrations/env.lua:2: warning: TRUNCATE loses all rows of "t" [truncate]
]], (cli.run("lint", { cwd = cli.project(files) }).stdout:gsub("  hint:[^\n]*\n", "")))
  end)
end)

describe("lint with a database", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  it("looks at what is pending, up to a revision, and changes nothing", function()
    local folder = line { two[1], two[2], [[op.drop_table("t")]] }
    local options = { cwd = folder, env = { DATABASE_URL = url } }
    assert.matches("in 3 revisions", cli.run("lint", options).stderr)
    assert.equal("0", server.sql(url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'moontide'"))
    cli.ok("upgrade r1", options)
    assert.matches("1 error, 1 warning in 2 revisions", cli.run("lint", options).stderr)
    assert.matches("1 error, 0 warnings in 1 revision", cli.run("lint r2", options).stderr)
    cli.ok("upgrade --yes", options)
    local ran = cli.run("lint", options)
    assert.equal("0 errors, 0 warnings in 0 revisions\n", ran.stderr)
    assert.equal(0, ran.status)
  end)

  it("asks the catalog for types, for checks and for what functions are", function()
    server.sql(url, [[
      CREATE TABLE "T" (a varchar(10), b int, c int NOT NULL, d int CHECK (d IS NOT NULL),
        e int, CHECK (e IS NOT NULL OR b > 0));
      CREATE FUNCTION fickle() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
      CREATE FUNCTION steady() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
    ]])
    local folder = line {
      [[op.alter_column("T", "a", { type = "varchar(20)" })]], [[op.alter_column("T", "b", { type = "bigint" })]],
      [[op.alter_column("T", "c", { nullable = false })]], [[op.alter_column("T", "d", { nullable = false })]],
      [[op.alter_column("T", "e", { nullable = false })]],
      [[op.add_column("T", { "x", "int", default = sql "fickle()" })]],
      [[op.add_column("T", { "y", "int", default = sql "steady()" })]],
    }
    local found = cjson.decode(cli.run("lint --json", { cwd = folder, env = { DATABASE_URL = url } }).stdout)
    local list = {}
    for index, finding in ipairs(found.findings) do list[index] = finding.revision .. " " .. finding.rule end
    assert.same({ "r2 type-rewrites-table", "r5 not-null-reads-table", "r6 column-rewrites-table" }, list)
    assert.matches("writes \"T\" anew", found.findings[1].message, 1, true)
  end)
end)

describe("a hazard that is meant", function()
  local function lint(body, env) return cli.run("lint --all", { cwd = line({ body }, env) }) end

  it("is allowed on its line, above it, and at the head of the file", function()
    for _, body in ipairs {
      [[op.drop_table("t") -- lint: allow drop-table because it is empty]],
      '-- lint: allow drop-table\n  op.drop_table("t")',
      '-- It is empty.\n  --lint:allow truncate, drop-table because of that\n  -- So be it.\n  op.drop_table(\n"t")',
    } do
      assert.equal("0 errors, 0 warnings, 1 allowed in 1 revision\n", lint(body).stderr, body)
    end
    local head = "--- A.\n-- lint: allow drop-table\nrevision = 'a'\nfunction upgrade()\n\n op.drop_table('t')\nend\n"
    local ran = cli.run("lint", { cwd = project { ["a.lua"] = head } })
    assert.matches("0 warnings, 1 allowed", ran.stderr, 1, true)
  end)

  it("is not allowed by a comment elsewhere, or about something else", function()
    for _, body in ipairs {
      '-- lint: allow drop-table\n\n  op.drop_table("t")', '-- lint: allow truncate\n  op.drop_table("t")',
      'op.drop_table("t")\n  -- lint: allow drop-table',
      '-- lint: allow because drop-table is right\n  op.drop_table("t")',
      'local a = 1 -- lint: allow drop-table\n  op.drop_table("t")',
    } do
      assert.equal("0 errors, 1 warning in 1 revision\n", lint(body).stderr, body)
    end
  end)

  it("is allowed in SQL, for one statement or for the file", function()
    local head = "-- Drop.\n-- moontide: revision=a\n"
    local function sql(text) return cli.run("lint --all", { cwd = project { ["a.sql"] = text } }) end
    local ran = sql(head .. "\n-- upgrade\n-- lint: allow drop-table\nDROP TABLE a;\nDROP TABLE b;\n")
    assert.matches('^migrations/versions/a.sql:7: warning: dropping "b"', ran.stdout)
    assert.matches("1 warning, 1 allowed", ran.stderr, 1, true)
    assert.matches("0 warnings, 2 allowed",
      sql(head .. "-- lint: allow drop-table\n\n-- upgrade\nDROP TABLE a;\nDROP TABLE b;\n").stderr, 1, true)
  end)

  it("is told by a right name", function()
    local ran = lint '-- lint: allow drop-tabel because it is empty\n  op.drop_table("t")'
    assert.equal(1, ran.status)
    assert.equal('error: migrations/versions/r1.lua:6: unknown lint rule "drop-tabel"\n'
      .. '  hint: Did you mean "drop-table"?\n', ran.stderr)
  end)

  it("has the level that env.lua says", function()
    local body = [[op.drop_table("t") op.create_index("i", "t", { "a" })]]
    local ran = lint(body, 'return { lint = { ["drop-table"] = "error", ["index-not-concurrent"] = "warn" } }')
    assert.equal("1 error, 1 warning in 1 revision\n", ran.stderr)
    assert.equal(1, ran.status)
    ran = lint(body, 'return { lint = { ["drop-table"] = "off", ["index-not-concurrent"] = "off" } }')
    assert.equal("0 errors, 0 warnings in 1 revision\n", ran.stderr)
    assert.equal(2, lint(body, 'return { lint = { ["drop-tables"] = "off" } }').status)
  end)
end)

describe("the formats of lint", function()
  local folder, path = nil, "migrations/versions/100%, so: ä.lua"
  setup(function()
    folder = cli.project { [path] = cli.revision("a", nil, { upgrade =
      '-- lint: allow drop-table\n  op.execute "DROP TABLE t"\n'
      .. '  op.rename_table("a\\n%", "b")\n  op.create_index("i", "t", { "a" }, { where = "b\\nc" })' }) }
  end)
  local function lint(format) return cli.run("lint --all --format " .. format, { cwd = folder }) end

  it("github: workflow commands whose data cannot end them", function()
    local ran = lint "github"
    assert.equal(1, ran.status)
    local lines = {}
    for text in ran.stdout:gmatch("[^\n]+") do lines[#lines + 1] = text end
    assert.equal('::warning file=migrations/versions/100%25%2C so%3A ä.lua,line=8,title=rename-table::'
      .. 'renaming "a%0A%25" breaks programs that use the old name%0ACreate a view of the old name in the same '
      .. "revision, and drop it "
      .. "in a later release.", lines[1])
    assert.matches("^::error file=migrations/versions/100%%25%%2C so%%3A ä.lua,line=9,title=index%-not%-concurrent::",
      lines[2])
    assert.equal(2, #lines)
  end)

  it("sarif: what SARIF 2.1.0 wants", function()
    local log = cjson.decode(lint("sarif").stdout)
    assert.equal("2.1.0", log.version)
    local run = log.runs[1]
    assert.equal("Moontide", run.tool.driver.name)
    assert.equal(3, #run.results)
    for _, result in ipairs(run.results) do
      assert.equal(result.ruleId, run.tool.driver.rules[result.ruleIndex + 1].id)
      local place = result.locations[1].physicalLocation
      assert.equal("migrations/versions/100%25%2C%20so%3A%20%C3%A4.lua", place.artifactLocation.uri)
      assert.truthy(math.type(place.region.startLine) or place.region.startLine > 0)
    end
    assert.same({ "warning", "error", "warning" }, { run.results[1].level, run.results[2].level, run.results[3].level })
    assert.is_nil(run.results[1].suppressions)
    assert.equal("inSource", run.results[3].suppressions[1].kind)
  end)

  it("json: the same as with --json", function()
    local text = lint("json").stdout
    assert.equal(text, cli.run("lint --all --json", { cwd = folder }).stdout)
    local found = cjson.decode(text)
    assert.same({ path, 9, "a", "index-not-concurrent", "error", "create_index" }, { found.findings[2].path,
      math.tointeger(found.findings[2].line), found.findings[2].revision, found.findings[2].rule,
      found.findings[2].level, found.findings[2].operation })
    assert.equal("drop-table", found.allowed[1].rule)
  end)

  it("text: a hint of several lines is indented", function()
    assert.matches("\n  hint: Write op.create_index%(.-\n  c%]%].-%)%.\n$", lint("text").stdout)
  end)

  it("there are no others", function() assert.equal(2, lint("xml").status) end)
end)

describe("lint rules of plugins", function()
  local function lint(rule, env)
    return cli.run("lint --all", { cwd = cli.project {
      ["migrations/env.lua"] = env or 'return { plugins = { "p" } }',
      ["migrations/plugins/p.lua"] = "return function(moontide)\n  moontide.lint_rule " .. rule .. "\nend\n",
      ["migrations/versions/r1.lua"] = cli.revision("r1", nil, { upgrade = two[1] }),
    } })
  end
  local function rule(check, more)
    return ('{ name = "mine", summary = "For a spec", %s check = function(o, ctx) %s end }'):format(more or "", check)
  end

  it("find, with their own level or that of env.lua, one or several things", function()
    local both = rule [[return { { message = o.kind .. " " .. ctx.revision .. " " .. ctx.direction },
      { message = "b" } }]]
    local ran = lint(both)
    assert.equal("migrations/versions/r1.lua:6: warning: create_table r1 upgrade [mine]\n"
      .. "migrations/versions/r1.lua:6: warning: b [mine]\n", ran.stdout)
    assert.equal(1, lint(both, 'return { plugins = { "p" }, lint = { mine = "error" } }').status)
    assert.equal(0, lint(both, 'return { plugins = { "p" }, lint = { mine = "off" } }').status)
    assert.equal(1, lint(rule([[return { message = "a" }]], 'level = "error",')).status)
    assert.equal("", lint(rule "").stdout)
  end)

  it("are told what is created, and how an operation is made online", function()
    local ran = lint(rule [[return { message = tostring(ctx:created("t")) .. tostring(ctx:created("u")),
      hint = ctx:online(o) }]])
    assert.equal("migrations/versions/r1.lua:6: warning: truefalse [mine]\n", ran.stdout)
  end)

  for name, case in pairs {
    ["that raise"] = { rule "error 'oops'", "error: migrations/plugins/p.lua:2: oops\n", 'in the lint rule "mine" of '
      .. 'plugin "p" (migrations/plugins/p.lua:2)' },
    ["that answer nonsense"] = { rule "return 3", 'lint rule "mine" answered what is no finding', "number" },
    ["of a taken name"] = { [[{ name = "truncate", summary = "x", check = function() end }]],
      'lint rule "truncate" is already registered by moontide itself', 'plugin "p"' },
    ["without a check"] = { [[{ name = "mine", summary = "x" }]],
      'moontide.lint_rule: field "check" must be a function', "p.lua:2" },
    ["of an unknown level"] = { rule("", 'level = "loud",'), 'lint rule "mine": unknown level "loud"', "p.lua:2" },
    ["of a name that env.lua could not have"] = { [[{ name = "Mine!", summary = "x", check = function() end }]],
      'invalid name "Mine!"', "dashes" },
  } do
    it(name .. " are told", function()
      local ran = lint(case[1])
      assert.truthy(ran.status > 0)
      assert.matches(case[2], ran.stderr, 1, true)
      assert.matches(case[3], ran.stderr, 1, true)
    end)
  end
end)

it("the migrations of the repository lint clean, or say why not", function()
  local ran = cli.run("-c migrations lint --all")
  assert.equal("", ran.stdout)
  assert.equal(0, ran.status, ran.stderr)
end)
