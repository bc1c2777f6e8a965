local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("naming", function()
  local body = [[
function change()
  op.create_table("owners", { { "id", "integer", primary_key = true } })
  op.create_table("things", { { "id", "integer", primary_key = true }, { "a", "text", unique = true } })
  op.add_column("things", { "owner", "integer", references = "owners", index = true })
  op.create_unique_constraint(nil, "things", { "a", "owner" })
end
]]

  local head = '--- A.\nrevision = "a1"\ndown_revision = nil\n\n'

  local function names(url)
    return server.sql(url, [[SELECT string_agg(name, ' ' ORDER BY name COLLATE "C") FROM (
      SELECT conname AS name FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
      UNION SELECT indexname FROM pg_indexes WHERE schemaname = 'public') n]])
  end

  it("names what has no name, up, down and in a printed script", function()
    local url, other = server.database(), server.database()
    local folder = cli.project {
      ["migrations/env.lua"] = [[return { naming = {
        ix = "ix_%(column_0_label)s", uq = "uq_%(table_name)s_%(column_0_N_name)s", pk = "pk_%(table_name)s",
        fk = function(c) return "fk_" .. c.table .. "_to_" .. c.referred_table end,
      } }]],
      ["migrations/versions/a.lua"] = head .. body,
    }
    local options = { cwd = folder, env = { DATABASE_URL = url } }
    cli.ok("upgrade", options)
    local expected = "fk_things_to_owners ix_things_owner pk_owners pk_things uq_things_a uq_things_a_owner"
    assert.equal(expected, names(url))
    server.sql(other, (cli.ok("upgrade --sql", options)))
    assert.equal(expected, names(other))
    cli.ok("downgrade base", options)
    assert.equal("", names(url))
    server.drop(url)
    server.drop(other)
  end)

  it("changes nothing where there are no rules", function()
    local url = server.database()
    local folder = cli.project { ["migrations/versions/a.lua"] = head .. body }
    cli.ok("upgrade", { cwd = folder, env = { DATABASE_URL = url } })
    local expected = "owners_pkey things_a_key things_a_owner_key things_owner_fkey things_owner_idx things_pkey"
    assert.equal(expected, names(url))
    server.drop(url)
  end)

  it("refuses a token that is none, with its place", function()
    local folder = cli.project { ["migrations/env.lua"] = 'return {\n  naming = { ix = "%(colum)s" },\n}\n' }
    local ran = cli.run("heads", { cwd = folder })
    assert.equal(2, ran.status)
    assert.matches('^error: migrations/env.lua:2: "naming" must be rules with known tokens; %%%(colum%)s is not\n',
      ran.stderr)
  end)
end)
