-- Publications, foreign servers and user mappings on real servers: run, read the catalog, undo, compare with the
-- catalog before.

local operation = require "moontide.operation"
local operations = require "spec.support.operations"
local rehearsal = require "spec.support.rehearsal"
local versions = require "spec.support.versions"

local cases = rehearsal.cases
local hostile = [[we"ird.n'äme $1 \ $$ $body$]]

-- These are in no schema, which is all that a case takes away of the one before it.
local clean = [[
  drop publication if exists p, q; drop server if exists s, r cascade;
  drop foreign data wrapper if exists moontide_wrapper cascade;]]
local tables = clean .. [[ create table t (id int primary key, name text, n int); create table u (id int);
  create table "O.ther".t (id int); ]]
local wrapper = clean .. "create foreign data wrapper moontide_wrapper; "

versions.each(function(major, database)
  local conn

  setup(function() conn = rehearsal.open(database()) end)

  teardown(function()
    conn:script("rollback;" .. clean)
    conn:close()
  end)

  local from = rehearsal.from(major)

  describe("publications", function()
    cases {
      { "are created", tables, function(op)
        op.create_publication(hostile, { tables = { "t", { "t", schema = "O.ther" }, { "u", only = true } },
          publish = { "insert", "update" }, via_root = true, comment = "it's", owner = "postgres" })
        op.create_publication("q", { all_tables = true })
        op.create_publication("empty")
        op.rename_publication("q", "r")
      end, has = { '"pubdelete": false', '"pubviaroot": true', "comment=it's",
        'publication of table "O.ther".t in publication', "publication r", '"puballtables": true',
        "publication empty" } },
      { "are dropped", tables .. [[
        create publication p for table t, only u with (publish = 'delete', publish_via_partition_root = true);
        comment on publication p is 'it''s'; create publication q for all tables;]], function(op)
        op.drop_publication("p")
        op.drop_publication("q")
        op.drop_publication("none", { if_exists = true })
      end },
      { "are changed", tables .. "create publication p for table t; create publication q;", function(op)
        op.alter_publication("p", { tables = { "u", { "t", schema = "O.ther" } }, publish = { "insert" },
          via_root = true })
        op.alter_publication("q", { tables = { "t" } })
        op.alter_publication("p", { publish = { "insert", "truncate" } })
      end, has = { 'publication of table u in publication p', '"pubviaroot": true, "pubtruncate": true' } },
    }
    from(15, {
      { "have conditions, columns and schemas", tables, function(op)
        op.create_publication("p", { tables = { { "t", columns = { "id", "n" }, where = "id > 0 -- up" } },
          publish = { "insert" } })
        op.alter_publication("p", { tables = { { "t", where = "n = 1" }, "u" } })
        op.drop_publication("p")
        op.create_publication("p", { tables = { { all_in = "public" }, { "t", schema = "O.ther" } } })
      end, has = { 'publication of schema public in publication p' } },
      { "with conditions, columns and schemas are dropped", tables .. [[
        create publication p for table t (id, n) where (id > 1 and n <> 7), u;
        create publication q for tables in schema "O.ther";]], function(op)
        op.drop_publication("p")
        op.drop_publication("q")
      end },
    })
  end)

  describe("foreign servers", function()
    cases {
      { "are created", wrapper, function(op)
        op.create_server(hostile, "moontide_wrapper", { type = "t", version = "1",
          options = { host = "it's", port = 1 }, comment = "c",
          owner = "moontide_owner", grants = { { "usage", to = "moontide_reader" } } })
        op.create_server("s", "moontide_wrapper", { if_not_exists = true })
        op.create_user_mapping("moontide_reader", "s", { options = { user = "remote", password_required = false } })
        op.create_user_mapping("public", "s")
        op.rename_server("s", "r")
      end, has = { "type=t version=1 options={host=it's,port=1} owner=moontide_owner", "moontide_reader=USAGE",
        "user mapping moontide_reader of r options={password_required=false,user=remote}",
        "user mapping public of r options=" } },
      { "are changed and dropped", wrapper .. [[
        create server s type 'x' version '1' foreign data wrapper moontide_wrapper options (host 'a', port '1');
        comment on server s is 'it''s'; grant usage on foreign server s to moontide_reader;
        create server r foreign data wrapper moontide_wrapper;
        create user mapping for moontide_reader server r options (user 'x');]], function(op)
        op.alter_server("s", { version = "2", options = { host = "b", dbname = "d" } })
        op.drop_user_mapping("moontide_reader", "r")
        op.drop_user_mapping("public", "r", { if_exists = true })
        op.drop_server("r")
        op.drop_server("s")
      end },
      { "are there before", wrapper .. "create server s foreign data wrapper moontide_wrapper;", function(op)
        op.create_server("s", "moontide_wrapper", { if_not_exists = true })
        op.alter_server("s", { options = { host = "x" } })
      end, has = { "options={host=x}" } },
    }
  end)

  it("keep the passwords of their user mappings to themselves", function()
    conn:script(wrapper .. [[ create server s foreign data wrapper moontide_wrapper;
      create user mapping for public server s options (user 'x', password 'sesame');]])
    local list = operations.collect(function(op) op.drop_user_mapping("public", "s", { if_exists = true }) end)
    local seen = {}
    local captured = operation.get("drop_user_mapping").capture(list[1], function(text)
      local result = conn:exec(text)
      for _, row in ipairs(result) do
        for _, field in pairs(row) do seen[#seen + 1] = tostring(field) end
      end
      return result
    end)
    assert.same({}, captured)
    assert.is_nil(table.concat(seen, " "):find("sesame", 1, true))
    assert.is_nil(operation.inverse(list[1]))
  end)
end)
