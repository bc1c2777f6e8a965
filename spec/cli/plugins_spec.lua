-- The plugins of examples/plugins, each run on a real server, up and down; and plugins at the command line.

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local example = "examples/plugins"

describe("the example of plugins", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function run(...) return cli.run({ "-c", example, ... }, { env = { DATABASE_URL = url } }) end
  local function ok(...)
    local ran = run(...)
    assert.equal(0, ran.status, ran.stderr)
    return ran.stdout, ran.stderr
  end
  local function sql(text) return server.sql(url, text) end

  local function objects()
    return sql [[SELECT coalesce(string_agg(what, ' ' ORDER BY what), '') FROM (
      SELECT 'table ' || relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
      UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT 'domain ' || typname FROM pg_type WHERE typtype = 'd' AND typnamespace = 'public'::regnamespace
    ) AS all_of_them (what)]]
  end

  it("goes up and down", function()
    ok "upgrade"
    assert.equal("domain email_address function members_audit table members table members_audit trigger members_audit",
      objects())
    ok("downgrade", "-1", "--yes")
    assert.equal("domain email_address table members", objects())
    ok("upgrade")
    ok("downgrade", "base", "--yes")
    assert.equal("", objects())
  end)

  it("keeps every version of the rows of a table", function()
    ok "upgrade"
    sql "INSERT INTO members (address) VALUES ('ada@example.org')"
    sql "UPDATE members SET address = 'ada@example.com'"
    sql "DELETE FROM members"
    assert.equal("INSERT//ada@example.org UPDATE/ada@example.org/ada@example.com DELETE/ada@example.com/",
      sql [[SELECT string_agg(concat_ws('/', action, coalesce(before ->> 'address', ''),
        coalesce(after ->> 'address', '')), ' ' ORDER BY id) FROM members_audit]])
  end)

  it("has a type that refuses what is no address, and takes its schema from the option", function()
    ok "upgrade"
    assert.equal("email_address", sql [[SELECT atttypid::regtype FROM pg_attribute
      WHERE attrelid = 'members'::regclass AND attname = 'address']])
    assert.has_error(function() sql "INSERT INTO members (address) VALUES ('nobody')" end)
  end)

  it("says of the database at which revision it is", function()
    local comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
    ok "upgrade"
    assert.equal("after the upgrade 5b83e6c40d92: Audit members.", sql(comment))
    ok("downgrade", "-1", "--yes")
    assert.equal("after the downgrade 5b83e6c40d92: Audit members.", sql(comment))
  end)

  it("has a command, with options, help and JSON", function()
    ok "upgrade"
    sql "INSERT INTO members (address) SELECT 'a' || n || '@example.org' FROM generate_series(1, 100) n"
    assert.equal("members_audit", ok("sizes", "--schema", "public", "--limit", "1"):match("kB  (%S+)\n$"))
    local first = ok("sizes", "--schema", "public", "--json"):match("^[^\n]+")
    assert.equal("members_audit", require("moontide.json").decode(first).name)
    assert.matches("Usage: moontide sizes [--schema SCHEMA] [--limit COUNT] [global options]", ok("sizes", "--help"),
      1, true)
    assert.equal(2, run("sizes", "--limt", "1").status)
  end)

  it("has a formatter, run on a new file", function()
    local folder = tmp.folder("p")
    shell.capture(("cp -R %s/. %s"):format(example, folder))
    local env = shell.read(folder .. "/env.lua")
    shell.write(folder .. "/env.lua", (env:gsub('post_write_hooks = {', '%0 { name = "tabs", command = '
      .. '{ "sed", "-i", "s/^function/\\t&/; s/^end/end  /", "$FILE" } },')))
    cli.ok({ "-c", folder, "revision", "-m", "x", "--rev-id", "a1" })
    local text = shell.read(folder .. "/versions/a1_x.lua")
    assert.matches("\n  function upgrade()\nend\n", text, 1, true)
    assert.matches("[^\n]\n$", text)
  end)

  it("has a function of rows and a signal for backfills, which wait as it says", function()
    local folder = tmp.folder("p")
    shell.capture(("cp -R %s/. %s"):format(example, folder))
    local env = shell.read(folder .. "/env.lua"):gsub("limit = 80", "limit = 0.01")
    shell.write(folder .. "/env.lua", env)
    local options = { env = { DATABASE_URL = url } }
    cli.ok({ "-c", folder, "upgrade", "1f0c" }, options)
    sql "INSERT INTO members (address) VALUES ('Ada@Example.ORG'), ('Bo@example.org'), ('Cy@EXAMPLE.org')"
    local before = sql "SELECT string_agg(ctid::text, ' ' ORDER BY id) FROM members"
    local upgrade = cli.start({ "-c", folder, "upgrade" }, options)
    cli.eventually("it waits", function()
      return sql "SELECT to_regclass('moontide.backfill') IS NOT NULL" == "t"
        and sql("SELECT concat_ws(' ', state, reason) FROM moontide.backfill")
          :find("^paused connections taken [%d.]+ %% > 0.01 %%")
    end)
    assert.equal(before, sql "SELECT string_agg(ctid::text, ' ' ORDER BY id) FROM members")
    cli.ok({ "-c", folder, "backfill", "set", "lower_hosts", "connections=off" }, options)
    assert.equal(0, upgrade:wait().status)
    assert.equal("Ada@example.org Bo@example.org Cy@example.org",
      sql "SELECT string_agg(address, ' ' ORDER BY id) FROM members")
    assert.equal("2", sql "SELECT rows_changed FROM moontide.backfill_range")
  end)

  it("has a lint rule", function()
    local ran = run("lint", "--all")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal('examples/plugins/versions/1f0c2d7a9e31_create_members.lua:12: warning: table "members" has no '
      .. 'comment [table-without-comment]\n  hint: Add comment = "..." to the call.\n', ran.stdout)
  end)

  it("has a kind of object, which is declared, generated, changed, reflected and dropped", function()
    local folder = tmp.folder("p")
    shell.capture(("cp -R %s/. %s"):format(example, folder))
    local function within(...) return cli.ok({ "-c", folder, ... }, { env = { DATABASE_URL = url } }) end
    local function declare(text) shell.write(folder .. "/models.lua", text) end
    local function mapped()
      return sql "SELECT count(DISTINCT maptokentype) FROM pg_ts_config_map WHERE mapcfg = 'names'::regconfig"
    end
    within "upgrade"
    assert.matches("Detected added text search configuration 'names'\n",
      select(2, within("revision", "--autogenerate", "-m", "names", "--rev-id", "c1")), 1, true)
    within "upgrade"
    assert.equal("'ada':1 'byron':2", sql "SELECT to_tsvector('names', 'Ada Byron')")
    local equal = "No differences: the database is what the models say.\n"
    assert.equal(equal, (within "check"))
    declare [[model.text_search_configuration("names", { mappings = { word = { "simple" },
      asciiword = { "english_stem", "simple" } } })
      model.comment("text search configuration", "names", "of people")]]
    within("revision", "--autogenerate", "-m", "stems", "--rev-id", "c2")
    local text = shell.read(folder .. "/versions/c2_stems.lua")
    assert.matches('op.set_text_search_mapping("names", "asciiword", { "english_stem", "simple" }', text, 1, true)
    assert.matches('op.set_text_search_mapping("names", "numword", {}', text, 1, true)
    within "upgrade"
    assert.matches('model.text_search_configuration("names", {', (within "reflect"), 1, true)
    assert.equal(equal, (within "check"))
    assert.equal("2", mapped())
    within("downgrade", "c1")
    assert.equal("3", mapped())
    within "upgrade"
    declare ""
    within("revision", "--autogenerate", "-m", "none", "--rev-id", "c3")
    within("upgrade", "--yes")
    assert.equal("0", sql "SELECT count(*) FROM pg_ts_config WHERE cfgname = 'names'")
    within("downgrade", "c2")
    assert.equal("2 of people", mapped() .. " " .. sql "SELECT obj_description('names'::regconfig, 'pg_ts_config')")
  end)

  it("says of the kind that a model may not have it twice, and what is wrong in it", function()
    local folder = tmp.folder("p")
    shell.capture(("cp -R %s/. %s"):format(example, folder))
    local text = shell.read(folder .. "/plugins/search.lua")
    local function refused(...)
      local changed = text
      for _, pair in ipairs { ... } do changed = changed:gsub(pair[1], pair[2]) end
      assert.not_equal(text, changed)
      shell.write(folder .. "/plugins/search.lua", changed)
      local ran = cli.run({ "-c", folder, "reflect" }, { env = { DATABASE_URL = url } })
      assert.not_equal(0, ran.status, ran.stdout)
      assert.matches('plugin "search"', ran.stderr, 1, true)
      return ran.stderr
    end
    sql "CREATE TEXT SEARCH CONFIGURATION x (COPY = simple)"
    assert.matches('the kind "table" is there already',
      refused { 'name = "text search configuration"', 'name = "table"' }, 1, true)
    assert.matches("model.enum is there already",
      refused { 'declare = "text_search_configuration"', 'declare = "enum"' }, 1, true)
    assert.matches('there is no operation "create_text"',
      refused { 'operation = "create_text_search_configuration"', 'operation = "create_text"' }, 1, true)
    assert.matches('there is no kind "extensions" to come after',
      refused { 'after = "extension"', 'after = "extensions"' }, 1, true)
    assert.matches("search.lua:%d+: attempt to index a nil value",
      refused { "mappings = row.mappings }", "mappings = row.mapping.x }" })
    assert.matches("unknown option", refused { "mappings = row.mappings }", "mapings = row.mappings }" }, 1, true)
  end)

  it("is known to doctor", function()
    assert.matches("plugins +audit 1.0, email 1.0, sizes 1.0, signpost 1.0, tidy 1.0, house 1.0, search 1.0, room 1.0, "
      .. "hosts 1.0, calendar 1.0\n",
      run("doctor").stdout)
  end)

  it("prints its operations offline, so that psql does the same", function()
    local function psql(script)   -- not by -c, since the backfill commits
      local file = tmp.name("script")
      shell.write(file, script)
      shell.capture(shell.join { server.program "psql", "-Xqv", "ON_ERROR_STOP=1", "-d", url, "-f", file })
    end
    psql(ok("upgrade", "--sql"))
    assert.equal("domain email_address function members_audit table members table members_audit trigger members_audit",
      objects())
    psql(ok("downgrade", "--sql", "heads:base"))
    assert.equal("", objects())
  end)
end)

describe("the Citus plugin", function()
  local function script(...)
    return (cli.ok { "-c", example .. "/citus", ... }:gsub("^.-%-%- Running", "-- Running")
      :gsub("INSERT INTO moontide.log[^\n]*\n\n", ""))
  end

  it("distributes tables, without blocking where it may", function()
    cli.golden("citus_upgrade.sql", script("upgrade", "--sql"))
  end)

  it("makes them plain again, in change() by itself", function()
    cli.golden("citus_downgrade.sql", script("downgrade", "--sql", "head:base"))
  end)

  -- Functions with the signatures of Citus that only take note, to see that the server takes the calls.
  local stand_in = [[
CREATE TYPE distribution_type AS ENUM ('hash', 'range', 'append');
CREATE TABLE calls (id serial, text text);
CREATE FUNCTION create_distributed_table(table_name regclass, distribution_column text,
  distribution_type distribution_type DEFAULT 'hash', colocate_with text DEFAULT 'default',
  shard_count int DEFAULT NULL)
  RETURNS void LANGUAGE sql AS
  $$ INSERT INTO calls (text) VALUES (format('distribute %s by %s into %s', $1, $2, $5)) $$;
CREATE FUNCTION create_distributed_table_concurrently(table_name regclass, distribution_column text,
  distribution_type distribution_type DEFAULT 'hash', colocate_with text DEFAULT 'default',
  shard_count int DEFAULT NULL)
  RETURNS void LANGUAGE sql AS
  $$ INSERT INTO calls (text) VALUES (format('distribute %s by %s like %s', $1, $2, $4)) $$;
CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE sql AS
  $$ INSERT INTO calls (text) VALUES (format('copy %s', $1)) $$;
CREATE FUNCTION undistribute_table(table_name regclass, cascade_via_foreign_keys boolean DEFAULT false)
  RETURNS void LANGUAGE sql AS $$ INSERT INTO calls (text) VALUES (format('undistribute %s', $1)) $$;
]]

  it("calls functions of Citus as they are declared", function()
    local url = server.database()
    server.sql(url, stand_in)
    for _, words in ipairs { { "upgrade" }, { "downgrade", "base", "--yes" } } do
      cli.ok({ "-c", example .. "/citus", table.unpack(words) }, { env = { DATABASE_URL = url } })
    end
    assert.equal("copy countries, distribute events by tenant_id into 64, distribute visits by tenant_id like events, "
      .. "undistribute visits, undistribute events, undistribute countries",
      server.sql(url, "SELECT string_agg(text, ', ' ORDER BY id) FROM calls"))
    server.drop(url)
  end)

  local function revision(body)
    local folder = cli.project {
      ["migrations/env.lua"] = ('return { plugins = { "%s/plugins/citus" } }')
        :format(shell.capture("pwd"):gsub("%s+$", "") .. "/" .. example),
      ["migrations/versions/a.lua"] = 'revision = "a"\nfunction change()\n  ' .. body .. "\nend\n",
    }
    return folder
  end

  local function sent(direction, body)
    local target = direction == "upgrade" and "a" or "a:base"
    local text = cli.ok({ direction, "--sql", target }, { cwd = revision(body) })
    return text:match("SELECT [cu][^\n]+distribute[^\n]+") or text:match("SELECT create_reference[^\n]+")
  end

  for _, case in ipairs {
    { 'op.create_distributed_table("My t", "k", { schema = "s" })',
      [[SELECT create_distributed_table('s."My t"', 'k');]], [[SELECT undistribute_table('s."My t"');]] },
    { 'op.create_reference_table("t")', "SELECT create_reference_table('t');", "SELECT undistribute_table('t');" },
    { 'op.undistribute_table("t", { existing = { "k", colocate_with = "u" } })', "SELECT undistribute_table('t');",
      "SELECT create_distributed_table('t', 'k', colocate_with => 'u');" },
    { 'op.undistribute_table("t", { existing = { reference = true } })', "SELECT undistribute_table('t');",
      "SELECT create_reference_table('t');" },
  } do
    it("reverses " .. case[1], function()
      assert.equal(case[2], sent("upgrade", case[1]))
      assert.equal(case[3], sent("downgrade", case[1]))
    end)
  end

  for _, case in ipairs {
    { 'op.create_distributed_table("t", "k", { shards = 3 })', 'unknown option "shards"' },
    { 'op.create_distributed_table("t", "k", { shard_count = 0 })', "shard_count must be at least 1" },
    { 'op.create_distributed_table("t", "k", { shard_count = 3, colocate_with = "u" })', "shard_count is that of" },
    { 'op.create_distributed_table("t")', "the distribution column is missing" },
    { 'op.undistribute_table("t", { existing = {} })', "the distribution column is missing" },
  } do
    it("refuses " .. case[1], function()
      local ran = cli.run({ "upgrade", "--sql" }, { cwd = revision(case[1]) })
      assert.equal(1, ran.status)
      assert.matches("error: migrations/versions/a.lua:3: ", ran.stderr, 1, true)
      assert.matches(case[2], ran.stderr, 1, true)
    end)
  end

  it("refuses to guess how a table was distributed", function()
    local ran = cli.run({ "downgrade", "--sql", "a:base" }, { cwd = revision 'op.undistribute_table("t")' })
    assert.equal(1, ran.status)
    assert.matches('how "t" was distributed is not known', ran.stderr, 1, true)
  end)
end)

describe("plugins at the command line", function()
  local hello = [[
return function(moontide)
  moontide.command {
    name = "hello", summary = "greet", options = function(command) command:argument("who") end,
    run = function(_, args) moontide.report.out("hello " .. args.who) return 3 end,
  }
end
]]
  local function project(plugin)
    return cli.project {
      ["migrations/env.lua"] = 'return { plugins = { "hello" } }', ["migrations/plugins/hello.lua"] = plugin or hello,
    }
  end
  local function run(folder, ...) return cli.run({ ... }, { cwd = folder }) end

  it("have commands that run, with their exit code, wherever -c stands", function()
    local folder = project()
    local ran = run(folder, "hello", "you")
    assert.equal("hello you\n", ran.stdout)
    assert.equal(3, ran.status)
    for _, words in ipairs { { "-c", folder .. "/migrations", "hello", "you" },
      { "hello", "-c", folder .. "/migrations", "you" }, { "hello", "you", "--config=" .. folder .. "/migrations" } } do
      assert.equal("hello you\n", cli.run(words, { cwd = tmp.root() }).stdout)
    end
  end)

  it("have commands that help, suggestions and completion know", function()
    local folder = project()
    assert.matches("\n   hello +greet\n", run(folder, "--help").stdout)
    assert.matches("\n   hello +greet\n", run(folder, "help").stdout)
    assert.matches("Usage: moontide hello <who>", run(folder, "help", "hello").stdout, 1, true)
    assert.matches('Did you mean "hello"?', run(folder, "helo").stderr, 1, true)
    assert.matches("hello", run(folder, "completion", "bash").stdout, 1, true)
    assert.falsy(run(folder, "help", "--man").stdout:find("hello", 1, true))
  end)

  it("whose command fails are named, and the program is not blamed", function()
    local ran = run(project(hello:gsub('"hello " .. args.who', "nil + 1")), "hello", "you")
    assert.equal(1, ran.status)
    assert.equal("error: migrations/plugins/hello.lua:4: attempt to perform arithmetic on a nil value\n"
      .. '  detail: in the command hello of plugin "hello"\n', ran.stderr)
  end)

  it("have no commands where there is no env.lua", function()
    local ran = cli.run({ "hello" }, { cwd = tmp.folder("n") })
    assert.equal(2, ran.status)
    assert.equal('error: unknown command "hello"\n  hint: Run `moontide --help` for the usage.\n', ran.stderr)
  end)

  it("that are broken are told of with an unknown command, and do not hide the help", function()
    local folder = project "return function() error 'no luck' end"
    local ran = run(folder, "hello", "you")
    assert.equal(2, ran.status)
    assert.matches('detail: commands of plugins are not known: migrations/plugins/hello.lua:1: plugin "hello": no luck',
      ran.stderr, 1, true)
    assert.equal(0, run(folder, "--help").status)
    ran = run(folder, "heads")
    assert.equal(2, ran.status)
    assert.equal('error: migrations/plugins/hello.lua:1: plugin "hello": no luck\n', ran.stderr)
  end)

  it("that are not there are told with the paths that were tried", function()
    local ran = run(cli.project { ["migrations/env.lua"] = "return {\n  plugins = { 'x' },\n}" }, "heads")
    assert.equal(2, ran.status)
    assert.equal([[
error: migrations/env.lua:2: plugin "x" not found
  detail: looked for migrations/plugins/x.lua, migrations/plugins/x/init.lua, migrations/x.lua, migrations/x/init.lua
]], ran.stderr)
  end)

  it("cannot leave the process unless the project is trusted", function()
    local plugin = "return function(moontide) moontide.report.info(tostring(os.execute)) end"
    assert.equal("nil\n", run(project(plugin), "heads").stderr)
    local folder = project(plugin)
    shell.write(folder .. "/migrations/env.lua", 'return { plugins = { "hello" }, trusted = true }')
    assert.matches("^function", run(folder, "heads").stderr)
  end)

  it("whose formatter fails leave the file as it is, and the exit code says so", function()
    local folder = project [[
return function(moontide)
  moontide.formatter { name = "bad", run = function() error("no luck") end }
end]]
    shell.write(folder .. "/migrations/env.lua", 'return { plugins = { "hello" }, post_write_hooks = { "bad" } }')
    local ran = run(folder, "revision", "-m", "x", "--rev-id", "a1")
    assert.equal(1, ran.status)
    assert.matches('formatter "bad" failed: migrations/plugins/hello.lua:2: no luck', ran.stderr, 1, true)
    assert.matches("function upgrade", shell.read(folder .. "/migrations/versions/a1_x.lua"))
  end)

  it("can be interrupted while they are set up", function()
    local run_on = cli.start({ "heads" }, {
      cwd = project "return function(moontide) print 'started' while true do end end",
    })
    cli.eventually("the plugin to start", function() return select(2, run_on:output()):find("started", 1, true) end)
    run_on:signal "INT"
    assert.equal(130, run_on:wait(10).status)
  end)

  it("whose hook fails are named", function()
    local url = server.database()
    local folder = project [[
return function(moontide)
  moontide.hook("before_upgrade", function() error("not today") end)
end]]
    shell.write(folder .. "/migrations/versions/a.lua", cli.revision "a")
    local ran = cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
    server.drop(url)
    assert.equal(1, ran.status)
    assert.matches('plugins/hello.lua:2: not today\n  detail: in the hook before_upgrade of plugin "hello"',
      ran.stderr, 1, true)
  end)
end)
