local history = require "moontide.history"

local books = history.open { schema = "moontide", version_table = { schema = "moontide", name = "version" } }

describe("history", function()
  it("has tables of plain names in a schema of its own", function()
    assert.equal("moontide.version", books.version)
    assert.equal("moontide.log", books.log)
    assert.equal("moontide.journal", books.journal)
  end)

  it("prefixes the tables in any other schema", function()
    local shared = history.open { schema = "app", version_table = { schema = "public", name = "alembic_version" } }
    assert.equal("public.alembic_version", shared.version)
    assert.equal("app.moontide_log", shared.log)
    assert.same({ "CREATE SCHEMA IF NOT EXISTS app", "CREATE SCHEMA IF NOT EXISTS public" },
      { table.unpack(shared:create_statements(), 1, 2) })
  end)

  it("quotes names and values", function()
    local odd = history.open { schema = "My Schema", version_table = { schema = "My Schema", name = "v'1" } }
    assert.equal([["My Schema"."v'1"]], odd.version)
    assert.equal([[INSERT INTO "My Schema"."v'1" (version_num) VALUES ('it''s')]],
      odd:change_statement({ kind = "insert", id = "it's" }, false))
  end)

  it("writes version changes plainly for a script", function()
    assert.equal("UPDATE moontide.version SET version_num = 'b' WHERE version_num = 'a'",
      books:change_statement({ kind = "update", from = "a", to = "b" }, false))
    assert.equal("DELETE FROM moontide.version WHERE version_num = 'a'",
      books:change_statement({ kind = "delete", id = "a" }, false))
  end)

  it("makes version changes of a run fail unless they hit one row", function()
    assert.equal("WITH changed AS (DELETE FROM moontide.version WHERE version_num = 'a' RETURNING 1) "
      .. "SELECT 1 / count(*) FROM changed", books:change_statement({ kind = "delete", id = "a" }, true))
  end)

  it("gathers the state by revision", function()
    local state = history.state({ { version_num = "b" }, { version_num = "a" } },
      { { revision = "b", checksum = "old" }, { revision = "b", checksum = "c" } },
      { { revision = "x", segment = 2 }, { revision = "x", segment = 1 } })
    assert.same({ "a", "b" }, state.rows)
    assert.equal("c", state.recorded.b.checksum)
    assert.same({ { revision = "x", segment = 1 }, { revision = "x", segment = 2 } }, state.journal.x)
  end)

  it("knows the failures of missing tables", function()
    assert.is_true(history.is_missing { sqlstate = "42P01" })
    assert.is_true(history.is_missing { sqlstate = "3F000" })
    assert.is_false(history.is_missing { sqlstate = "42501" })
    assert.is_false(history.is_missing "text")
  end)
end)
