local cli = require "spec.support.cli"
local config = require "moontide.config"
local key = require "moontide.config.key"

local function load_text(text, args)
  local folder = cli.project { ["migrations/env.lua"] = text }
  local given = { config = folder .. "/migrations/env.lua" }
  for name, value in pairs(args or {}) do given[name] = value end
  return config.load(given), folder
end

local function problem_of(text, args)
  local ok, problem = pcall(load_text, text, args)
  assert.is_false(ok)
  problem.where = problem.where and problem.where:match("migrations/env.lua.*$")
  return problem
end

describe("an env.lua that sets nothing", function()
  it("gives the defaults", function()
    local c, folder = load_text "return {}"
    assert.same({ folder .. "/migrations/versions" }, c.version_locations)
    assert.same({ schema = "moontide", name = "version" }, c.version_table)
    assert.equal("%(rev)s_%(slug)s", c.file_template)
    assert.same({ 40, "UTC", "moontide", "revision", "error" },
      { c.truncate_slug_length, c.timezone, c.schema, c.transaction, c.checksums })
    assert.is_false(c.recursive)
    assert.is_false(c.trusted)
    assert.equal(2, c.lock_timeout)
    assert.equal(60, c.idle_in_transaction_timeout)
  end)

  it("cannot be changed afterwards", function()
    assert.has_error(function() load_text("return {}").schema = "x" end)
  end)
end)

describe("settings", function()
  it("are kept, paths seen from env.lua", function()
    local c, folder = load_text [[return {
      version_locations = { "versions", "../shop/", "/srv/versions" }, recursive = true, lock_timeout = "500ms",
      statement_timeout = 90, lock_wait = "2min", idle_in_transaction_timeout = "3min",
      version_table = "heads", schema = "public",
    }]]
    assert.same({ folder .. "/migrations/versions", folder .. "/migrations/../shop", "/srv/versions" },
      c.version_locations)
    assert.same({ 0.5, 90, 120, 180 },
      { c.lock_timeout, c.statement_timeout, c.lock_wait, c.idle_in_transaction_timeout })
    assert.same({ schema = "public", name = "heads" }, c.version_table)
  end)

  it("prefix the tables in a schema that is not their own", function()
    local c = load_text "return { schema = 'public' }"
    assert.same({ schema = "public", name = "moontide_version" }, c.version_table)
  end)

  it("may share the table of Alembic", function()
    local c = load_text "return { version_table = { schema = 'public', name = 'alembic_version' } }"
    assert.same({ schema = "public", name = "alembic_version" }, c.version_table)
    assert.equal("moontide", c.schema)
  end)

  it("may use helpers, the environment and -x", function()
    local folder = cli.project {
      ["migrations/env.lua"] = "return { schema = require('lib.names').schema .. context.x.tenant }",
      ["migrations/lib/names.lua"] = "return { schema = 'app_' }",
    }
    local c = config.load { config = folder .. "/migrations", x = { tenant = "a" } }
    assert.equal("app_a", c.schema)
    assert.same({ tenant = "a" }, c.x)
  end)
end)

describe("a wrong env.lua", function()
  local cases = {
    { "return {\n  shcema = 'x' }", 'unknown key "shcema"', ":2", 'Did you mean "schema"?' },
    { "return {\n  schema = 3 }", '"schema" must be a name', ":2" },
    { "return {\n  trusted = 'yes' }", '"trusted" must be a boolean', ":2" },
    { "return { lock_timeout = '5 parsecs' }",
      '"lock_timeout" must be a number of seconds or a text such as "500ms", "5s" or "2min"', ":1" },
    { "return { version_locations = {} }", '"version_locations" must be a list of folders', ":1" },
    { "return { version_table = { nme = 'x' } }",
      '"version_table" must be a name, or a table { schema = "...", name = "..." }', ":1" },
    { "return { post_write_hooks = { { name = 'a' } } }",
      '"post_write_hooks" must be a list of { name = "...", command = { "program", "$FILE" } } and names of '
      .. "formatters", ":1" },
    { "return { file_template = '%(slog)s' }", '"file_template" must be a file name whose tokens are known; '
      .. '%(slog)s is not, did you mean "%(slug)s"?', ":1" },
    { "return {\n\n  file_template = '%(year)d/%(rev)s' }",
      "file_template makes sub-folders, which are read only with recursive = true", ":3" },
    { "return { transaction = 'all' }", '"transaction" must be one of "revision", "run", "none"', ":1" },
    { "return {\n  include = { schemas = 'app' } }", '"include" must be a function, or a table of patterns as in '
      .. '{ schema = { "app", "app_*" }, except = { kind = "table", name = "tmp_*" } }; the fields are schema, kind, '
      .. 'name, except and where', ":2" },
    { "return {\n  include = { kind = 'tabel' } }", 'include: unknown kind "tabel"', ":2", 'Did you mean "table"?' },
    { "return {\n  lint = { ['drop-column'] = 'loud' } }", '"lint" must be a table of levels by rule, as in '
      .. '{ ["drop-column"] = "error" }; the levels are "error", "warn", "off"', ":2" },
    { "return {\n  lint = { ['drop-colum'] = 'error' } }", 'unknown lint rule "drop-colum"', ":2",
      'Did you mean "drop-column"?' },
    { "return {\n  neon = {} }", '"neon" is not supported by this version', ":2" },
    { "return 3", "env.lua must return a table, not number", "" },
    { "x = 1", "env.lua must return a table, not nil", "" },
    { "return {\n  a = = 1 }", "unexpected symbol near '='", ":2" },
    { "local a\n\nreturn a.b.c", "attempt to index a nil value (local 'a')", ":3" },
    { "error 'no secrets today'", "no secrets today", ":1" },
    { "local a = 1\nlocal n = require 'nothing'", 'module "nothing" not found', ":2" },
    { "os.execute 'true'", "attempt to call a nil value (field 'execute')", ":1" },
  }
  for _, case in ipairs(cases) do
    it("says: " .. case[2], function()
      local problem = problem_of(case[1])
      assert.equal(case[2], problem.message)
      assert.equal("migrations/env.lua" .. case[3], problem.where)
      if case[4] then assert.equal(case[4], problem.hint) end
    end)
  end

  it("refuses every key that comes later", function()
    for name in pairs(key.later) do
      assert.equal(('"%s" is not supported by this version'):format(name),
        problem_of(("return { %s = {} }"):format(name)).message)
    end
  end)

  it("refuses a target that is not there", function()
    local problem = problem_of("return { targets = { east = { url = 'x=1' } } }", { name = { "eat" } })
    assert.matches('^no target "eat" in .*/migrations/env.lua$', problem.message)
    assert.equal('Did you mean "east"?', problem.hint)
    assert.matches('^no target "eu"', problem_of("return {}", { name = { "eu" } }).message)
  end)
end)

-- What counts is which of the variables are set, so this runs the program.
describe("the database", function()
  local function chosen(text, env, args)
    local folder = cli.project {
      ["migrations/env.lua"] = text,
      ["url.lua"] = "print(require('moontide.config').load({ url = arg[1] }).url)",
    }
    local ran = cli.run({ "lua", "url.lua", args }, { cwd = folder, env = env })
    return ran.status == 0 and ran.stdout:gsub("\n$", "") or ran.stderr
  end

  local all = { DATABASE_URL = "postgres://app", DATABASE_URL_DIRECT = "postgres://direct" }
  local both = "return { url = 'postgres://file', direct_url = 'postgres://direct-file' }"

  it("is the first that is given of five", function()
    assert.equal("postgresql://flag", chosen(both, all, "postgres://flag"))
    assert.equal("postgresql://direct", chosen(both, all))
    assert.equal("postgresql://direct-file", chosen(both, { DATABASE_URL = "postgres://app" }))
    assert.equal("postgresql://file", chosen("return { url = 'postgres://file' }", { DATABASE_URL = "postgres://app" }))
    assert.equal("postgresql://app", chosen("return {}", { DATABASE_URL = "postgres://app" }))
  end)

  it("is not an empty variable where another is given", function()
    assert.equal("postgresql://file", chosen("return { url = 'postgres://file' }", { DATABASE_URL_DIRECT = "" }))
  end)

  it("is refused when empty, with the name of what is empty", function()
    assert.matches("database URL is empty (--url)", chosen(both, all, ""), 1, true)
    assert.matches("database URL is empty ($DATABASE_URL)", chosen("return {}", { DATABASE_URL = "" }), 1, true)
    assert.matches("database URL is empty (url in migrations/env.lua)", chosen("return { url = '' }"), 1, true)
  end)

  it("is asked for when there is none", function()
    assert.matches("no database URL", chosen("return {}"), 1, true)
    assert.matches("set url in migrations/env.lua", chosen("return {}"), 1, true)
  end)
end)

describe("the file", function()
  local function run(cwd, env, ...) return cli.run({ ... }, { cwd = cwd, env = env }) end

  it("is found in a parent folder, by --config and by a variable", function()
    local folder = cli.project {
      ["migrations/versions/a.lua"] = cli.revision("a1"), ["src/deep/x"] = "", ["other/env.lua"] = "return {}",
      ["other/versions/b.lua"] = cli.revision("b1"),
    }
    assert.equal("a1 (head)\n", run(folder .. "/src/deep", nil, "heads").stdout)
    assert.equal("b1 (head)\n", run(folder, nil, "-c", "other/env.lua", "heads").stdout)
    assert.equal("b1 (head)\n", run(folder, nil, "heads", "--config=other").stdout)
    assert.equal("b1 (head)\n", run(folder, { MOONTIDE_CONFIG = "other/env.lua" }, "heads").stdout)
  end)

  it("is missed with a word about init", function()
    local ran = run("/", nil, "heads")
    assert.equal(2, ran.status)
    assert.equal("error: no migration environment found\n"
      .. "  detail: looked for migrations/env.lua here and in every parent folder\n"
      .. "  hint: Run `moontide init` to write one, or name an env.lua with --config.\n", ran.stderr)
    assert.matches('could not read "no.lua" (--config)', run("/", nil, "heads", "-c", "no.lua").stderr, 1, true)
  end)
end)

describe("targets", function()
  local text = [[
    return {
      schema = "books", version_table = { schema = "books", name = "v" }, lock_timeout = 3, x = { a = "1", b = "1" },
      targets = {
        { name = "tenant_a", schema = "a", x = { b = "2" } },
        { name = "tenant_b", schema = "b", lock_timeout = "1min" },
        { name = "far", url = "host=far dbname=x" },
      },
    }]]

  local function selected(name, more)
    local folder = cli.project { ["migrations/env.lua"] = more or text }
    local args = { config = folder .. "/migrations/env.lua", name = name }
    return config.selected(args, config.read(args))
  end

  it("change what they say and nothing else", function()
    local c = load_text(text, { name = { "tenant_a" }, x = { c = "3" } })
    assert.same({ "a", { schema = "a", name = "v" }, { "a", "public" }, 3, "tenant_a" },
      { c.schema, c.version_table, c.search_path, c.lock_timeout, c.target })
    assert.same({ a = "1", b = "2", c = "3" }, c.x)
    c = load_text(text, { name = { "tenant_b" } })
    assert.equal(60, c.lock_timeout)
    c = load_text(text, { name = { "far" } })
    assert.same({ "host=far dbname=x", "books" }, { c.url, c.schema })
    assert.is_nil(c.search_path)
  end)

  it("are selected by name and pattern, in their own order", function()
    assert.same({ "tenant_a", "tenant_b", "far" }, selected(nil))
    assert.same({ "tenant_a", "tenant_b" }, selected { "tenant_*" })
    assert.same({ "tenant_a", "far" }, selected { "f*", "*_a" })
    assert.is_nil(selected(nil, "return {}"))
  end)

  it("may come from a function, and by name", function()
    assert.same({ "a", "b" }, selected(nil, [[return { targets = function() return { b = {}, a = {} } end }]]))
  end)

  it("run one at a time where a command is for one", function()
    local ok, problem = pcall(load_text, text, { name = { "tenant_*" } })
    assert.is_false(ok)
    assert.equal("this runs on one target, and 2 are meant", problem.message)
  end)

  local wrong = {
    { "{ 'a' }", '"targets" must be a list of { name = "...", url = "..." }, a table of such by name, or a function '
      .. "that returns one" },
    { "{ { name = 'a' }, { name = 'a' } }", 'target "a" is there twice' },
    { "{ { name = 'a b' } }", 'invalid name of a target: "a b"' },
    { "{ a = { trusted = true } }", 'target "a" cannot set "trusted", which is for all targets' },
    { "function() error('no way') end", "no way" },
    { "5", '"targets" must be a list or table of targets, or a function that returns one' },
  }
  for _, case in ipairs(wrong) do
    it("refuse " .. case[1], function()
      local ok, problem = pcall(selected, { "a" }, "return { targets = " .. case[1] .. " }")
      assert.is_false(ok)
      assert.equal(case[2], problem.message)
    end)
  end

  it("refuse an unknown key of one", function()
    local problem = problem_of("return { targets = { a = { shema = 's' } } }", { name = { "a" } })
    assert.equal('unknown key "shema"', problem.message)
  end)
end)
