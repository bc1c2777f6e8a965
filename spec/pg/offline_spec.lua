-- A printed script, run by psql on an empty database, does what the run itself does.

local catalog = require "spec.support.catalog"
local cli = require "spec.support.cli"
local pg = require "moontide.runtime.pg"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local function lines(url)
  local conn <close> = pg.connect(url)
  return catalog.lines(conn)
end

local function rows(url) return server.sql(url, "SELECT version_num FROM moontide.version ORDER BY 1") end

-- Everything that the journal of changes says but when, and from where.
local function recorded(url)
  return server.sql(url, "SELECT revision, direction, outcome, checksum, message FROM moontide.log ORDER BY id")
end

local function psql(url, script)
  local file = tmp.name("script")
  shell.write(file, script)
  shell.capture(shell.join { server.program "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", file })
end

local function same(folder, target)
  local online, offline = server.database(), server.database()
  local options = { cwd = folder, env = { DATABASE_URL = online } }
  cli.ok({ "upgrade", target }, options)
  psql(offline, (cli.ok({ "upgrade", target, "--sql" }, { cwd = folder })))
  assert.equal(rows(online), rows(offline), target)
  assert.equal(recorded(online), recorded(offline), target)
  assert.same(lines(online), lines(offline), target)
  return online, offline
end

local function drop(...)
  for _, url in ipairs { ... } do server.drop(url) end
end

describe("the printed script of migrations/", function()
  for line in cli.ok("history"):gmatch("[^\n]+") do
    local id = line:match("%-> (%x+)")
    it("is what the run does, up to " .. id, function() drop(same(nil, id)) end)
  end
end)

-- A graph of revisions that each change something of what their ancestors made. --------------------------------

local count = 200
local seed = tonumber(os.getenv("MOONTIDE_SEED")) or os.time() % 1000000

local Generator = {}
Generator.__index = Generator

function Generator:pick(list) return list[self.random(#list)] end

-- What one more revision may do: each answers the body of a change() function.
local makers = {}

function makers.table(g, known, id)
  local name = "t_" .. id
  known[#known + 1] = name
  return ([[op.create_table(%q, {
    { "id", "bigint", identity = true, primary_key = true },
    { "a", "text", nullable = false, default = "it's \\ %d", comment = "a; of -- %d" },
    { "b", %q, unique = %s, check = "b IS NOT NULL" },
    comment = "table ' of %s",
  })]]):format(name, g.n, g.n, g:pick { "integer", "numeric(10, 2)", "text", "date" }, g:pick { "true", "false" }, id)
end

function makers.column(g, known, id)
  return ([[op.add_column(%q, { "c_%s", %q, index = %s })]])
    :format(g:pick(known), id, g:pick { "integer", "jsonb", "timestamptz", "text[]" }, g:pick { "false", "{}" })
end

function makers.index(g, known, id)
  return ([[op.create_index("i_%s", %q, { "a", { "b", order = "desc" } },
    { where = "a <> 'x;y'", concurrently = %s })]]):format(id, g:pick(known), g:pick { "true", "false" })
end

function makers.reference(g, known, id)
  return ([[op.add_column(%q, { "r_%s", "bigint",
    references = { table = %q, column = "id", on_delete = "cascade" } })]]):format(g:pick(known), id, g:pick(known))
end

function makers.check(g, known, id)
  return ([[op.create_check_constraint("k_%s", %q, "a <> '%d''--'")]]):format(id, g:pick(known), g.n)
end

function makers.altered(_, known, id)
  known[#known + 1] = "t_" .. id
  return ([[op.create_table("t_%s", {
    { "id", "bigint", primary_key = true }, { "a", "text" }, { "b", "integer" },
  })
  op.alter_column("t_%s", "b", { nullable = false, existing = { nullable = true } })]]):format(id, id)
end

local names = {}
for name in pairs(makers) do names[#names + 1] = name end
table.sort(names)

local template = '--- Revision %s.\nrevision = "%s"\ndown_revision = %s\n\nfunction change()\n  %s\nend\n'

local function quoted(ids)
  if #ids == 0 then return "nil" end
  return '{ "' .. table.concat(ids, '", "') .. '" }'
end

local function parents_of(g, tips)
  if #tips == 0 or (g.n > 1 and g.random(40) == 1) then return {} end
  local last = g.nodes[tips[g.random(#tips)]]
  local other = g.nodes[tips[g.random(#tips)]]
  if g.random(6) == 1 and other ~= last then return { last.id, other.id } end
  return { g.random(8) == 1 and g.nodes[g.random(#g.nodes)].id or last.id }
end

local function inherit(g, parents)
  local known, seen = {}, {}
  for _, parent in ipairs(parents) do
    for _, name in ipairs(g.by_id[parent].known) do
      if not seen[name] then known[#known + 1], seen[name] = name, true end
    end
  end
  return known
end

local function tips_of(g)
  local has_child, tips = {}, {}
  for _, node in ipairs(g.nodes) do
    for _, parent in ipairs(node.parents) do has_child[parent] = true end
  end
  for index, node in ipairs(g.nodes) do
    if not has_child[node.id] then tips[#tips + 1] = index end
  end
  return tips
end

local function add_revision(g, files)
  g.n = #g.nodes + 1
  local id = ("r%03d"):format(g.n)
  local parents = parents_of(g, tips_of(g))
  local known = inherit(g, parents)
  local maker = #known == 0 and "table" or g:pick(names)
  local body = makers[maker](g, known, id)
  local node = { id = id, parents = parents, known = known }
  g.nodes[g.n], g.by_id[id] = node, node
  files[("migrations/versions/%s.lua"):format(id)] = template:format(id, id, quoted(parents), body)
end

local function generate()
  math.randomseed(seed)
  local files = {}
  local g = setmetatable({ nodes = {}, by_id = {}, random = math.random }, Generator)
  for _ = 1, count do add_revision(g, files) end
  return cli.project(files), g
end

describe(("a generated graph of %d revisions (MOONTIDE_SEED=%d)"):format(count, seed), function()
  local folder, g

  setup(function() folder, g = generate() end)

  it("is printed as it is run, up to the heads and back", function()
    local online, offline = same(folder, "heads")
    psql(offline, (cli.ok("downgrade heads:base --sql", { cwd = folder })))
    assert.equal("", rows(offline))
    cli.ok("downgrade base", { cwd = folder, env = { DATABASE_URL = online } })
    assert.same(lines(online), lines(offline))
    drop(online, offline)
  end)

  it("is printed as it is run, up to some revisions in the middle", function()
    for _ = 1, 3 do drop(same(folder, g.nodes[g.random(count)].id)) end
  end)

  it("is printed from one revision to another", function()
    local middle = g.nodes[g.random(count // 4, count // 2)].id
    local online, offline = same(folder, middle)
    cli.ok("upgrade heads", { cwd = folder, env = { DATABASE_URL = online } })
    psql(offline, (cli.ok({ "upgrade", middle .. ":heads", "--sql" }, { cwd = folder })))
    assert.equal(rows(online), rows(offline))
    assert.same(lines(online), lines(offline))
    drop(online, offline)
  end)
end)

describe("a revision that reads data", function()
  local body = [[
  op.create_table("t", { { "id", "integer" } })
  for _, row in ipairs(op.query("SELECT id FROM t")) do op.execute("SELECT " .. row.id) end
  local n = op.scalar("SELECT count(*) FROM t")
  if n == nil then op.execute("INSERT INTO t VALUES (1)") end]]
  local folder

  setup(function()
    folder = cli.upgrading(body)
  end)

  it("says which line cannot be printed", function()
    local ran = cli.run("upgrade --sql", { cwd = folder })
    assert.equal(1, ran.status)
    assert.matches("error: migrations/versions/a.lua:7: a revision that reads data cannot be printed as a script\n",
      ran.stderr)
    assert.matches("statement: SELECT id FROM t\n", ran.stderr)
    assert.matches("with %-%-skip%-reads it answers nothing", ran.stderr)
  end)

  it("goes on with --skip-reads: a comment stands for the line, and the read answers nothing", function()
    local url = server.database()
    local script = cli.ok("upgrade --sql --skip-reads", { cwd = folder })
    assert.matches("\n-- not rendered: migrations/versions/a.lua:7\n\n-- SELECT id FROM t;\n", script, 1, true)
    assert.matches("-- not rendered: migrations/versions/a.lua:8\n", script, 1, true)
    psql(url, script)
    assert.equal("1", server.sql(url, "SELECT id FROM t"))
    server.drop(url)
  end)
end)
