-- Columns and indexes of pgvector through reflect, check and autogenerate, both ways, on a server that has it.

local cli = require "spec.support.cli"
local pg = require "moontide.runtime.pg"
local pglite = require "spec.support.pglite"
local shell = require "spec.support.shell"

local before = [[
model.extension("vector", { schema = "public" })
model.table("docs", {
  { "id", "bigint", identity = true, primary_key = true },
  { "body", "text" },
  { "e", "vector(3)" },
  { "h", "halfvec(4)" },
  { "s", "sparsevec(10)" },
  { "b", "bit(8)" },
})
model.index("docs_e", "docs", { { "e", opclass = "vector_cosine_ops" } },
  { using = "hnsw", with = { m = 16, ef_construction = 64 } })
model.index("docs_l2", "docs", { "e" }, { using = "ivfflat", with = { lists = 10 } })
model.index("docs_half", "docs", { { sql "e::halfvec(3)", opclass = "halfvec_l2_ops" } },
  { using = "hnsw", where = "body <> ''" })
model.index("docs_b", "docs", { { "b", opclass = "bit_hamming_ops" } }, { using = "hnsw" })
]]

-- Another type, another opclass, other options, another method, another expression, a column more.
local after = before:gsub('halfvec%(4%)" }', 'halfvec(5)" }, { "t", "vector" }')
  :gsub("vector_cosine_ops", "vector_l1_ops"):gsub("lists = 10", "lists = 20")
  :gsub("m = 16, ", "m = 8, "):gsub("bit_hamming_ops", "bit_jaccard_ops")
  :gsub('body <> \'\'', "body <> 'x'")

describe("pgvector", function()
  local root = pglite.find()
  if not root then return end

  local server, folder
  setup(function() server = pglite.start(root) end)
  teardown(function() server:stop() end)
  before_each(function()
    server:clear()
    folder = cli.project { ["migrations/env.lua"] = 'return { models = "models.lua" }\n' }
  end)

  local function ok(...) return cli.ok({ ... }, { cwd = folder, env = { DATABASE_URL = server.url } }) end
  local function declare(text) shell.write(folder .. "/migrations/models.lua", text) end
  local function generate(id) return select(2, ok("revision", "--autogenerate", "-m", id, "--rev-id", id)) end
  local equal = "No differences: the database is what the models say.\n"

  it("is declared, generated, changed, and taken back", function()
    declare(before)
    generate "a1"
    ok "upgrade"
    assert.equal(equal, (ok "check"))
    assert.matches("No changes detected", generate "a2", 1, true)
    local first = ok "reflect"
    declare(after)
    local said = generate "b1"
    for _, name in ipairs { "docs_e", "docs_l2", "docs_half", "docs_b" } do
      assert.matches("changed index '" .. name .. "'", said, 1, true)
    end
    assert.matches("type change from public.halfvec(4) to public.halfvec(5) on column 'docs.h'", said, 1, true)
    ok("upgrade", "--yes")
    assert.equal(equal, (ok "check"))
    assert.matches("No changes detected", generate "b2", 1, true)
    local second = ok "reflect"
    assert.not_equal(first, second)
    ok("downgrade", "-1", "--yes")
    assert.equal(first, (ok "reflect"))
    ok "upgrade"
    assert.equal(second, (ok "reflect"))
    ok("downgrade", "base", "--yes")
    assert.is_nil(ok("reflect"):find("docs", 1, true))
  end)

  it("is reflected as a model that builds the same again", function()
    declare(before)
    generate "a1"
    ok "upgrade"
    local text = ok "reflect"
    for _, part in ipairs { '"public.vector(3)"', '"public.halfvec(4)"', '"public.sparsevec(10)"', '"bit(8)"',
      'using = "ivfflat"', 'lists = "10"', 'name = "vector_cosine_ops"', "halfvec(3)" } do
      assert.matches(part, text, 1, true)
    end
    declare(text)
    assert.equal(equal, (ok "check"))
    server:clear()
    assert(os.remove(folder .. "/migrations/versions/a1_a1.lua"))
    generate "c1"
    ok "upgrade"
    assert.equal(text, (ok "reflect"))
  end)

  it("does not take a default operator class for a difference", function()
    declare(before)
    generate "a1"
    ok "upgrade"
    declare((before:gsub('"docs", { "e" }, { using = "ivfflat"',
      '"docs", { { "e", opclass = "vector_l2_ops" } }, { using = "ivfflat"')))
    assert.equal(equal, (ok "check"))
  end)

  it("has the documents of migrations/, up and down", function()
    local function moontide(...) return cli.ok({ ... }, { env = { DATABASE_URL = server.url } }) end
    local function column()
      local conn <close> = pg.connect(server.url)
      return conn:exec([[SELECT format_type(atttypid, atttypmod) AS t, (SELECT count(*) FROM pg_indexes
        WHERE indexname = 'ix_documents_embedding' AND indexdef LIKE '%hnsw%vector_cosine_ops%') AS n
        FROM pg_attribute WHERE attrelid = to_regclass('documents') AND attname = 'embedding']])[1]
    end
    moontide("upgrade", "31d8a6b4f09c")
    assert.same({ t = "vector(384)", n = 1 }, column())
    moontide("downgrade", "31d8a6b4f09c-1", "--yes")
    assert.is_nil(column())
    moontide("upgrade", "31d8a6b4f09c")
    assert.same({ t = "vector(384)", n = 1 }, column())
  end)
end)
