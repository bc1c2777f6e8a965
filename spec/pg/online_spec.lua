-- Online operations and their reverse, on every version of PostgreSQL that is here.

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local versions = require "spec.support.versions"

local tables = [[
CREATE TABLE p (id integer PRIMARY KEY);
INSERT INTO p SELECT generate_series(1, 10);
CREATE TABLE t (id integer, a integer, email text);
INSERT INTO t SELECT i, i % 10 + 1, 'm' || i FROM generate_series(1, 1000) i;
CREATE INDEX old ON t (a, email);
]]

local revision = [[
--- Everything online.
revision = "a1"
down_revision = nil

function change()
  op.create_index("ix", "t", { "a" }, { online = true, where = "a > 2" })
  op.drop_index("old", { online = true })
  op.create_primary_key(nil, "t", { "id", "email" }, { online = true })
  op.create_unique_constraint("u", "t", { "email" }, { online = true, deferrable = true })
  op.create_foreign_key("f", "t", "p", "a", "id", { online = true, on_delete = "cascade" })
  op.create_check_constraint("c", "t", "a > 0", { online = true })
  op.alter_column("t", "a", { nullable = false, online = true })
end
]]

local read_schema = [[
SELECT pg_get_constraintdef(oid) || convalidated FROM pg_constraint WHERE conrelid = 't'::regclass AND contype <> 'n'
UNION ALL SELECT pg_get_indexdef(indexrelid) || indisvalid FROM pg_index WHERE indrelid = 't'::regclass
UNION ALL SELECT attname || attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY 1]]

versions.each(function(major, database)
  local url
  before_each(function()
    url = database()
    server.sql(url, tables)
  end)

  local function run(folder, ...)
    return cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } })
  end

  local function upgraded(text)
    local ran = run(cli.project { ["migrations/versions/a.lua"] = text }, "upgrade")
    assert.equal(0, ran.status, ran.stderr)
    return server.sql(url, read_schema)
  end

  it("makes what the plain operations make, and takes it back", function()
    local before = server.sql(url, read_schema)
    local folder = cli.project { ["migrations/versions/a.lua"] = revision }
    local online = upgraded(revision)
    local ran = run(folder, "downgrade", "base")
    assert.equal(0, ran.status, ran.stderr)
    -- A primary key that is dropped leaves its columns NOT NULL, online or not.
    server.sql(url, "ALTER TABLE t ALTER id DROP NOT NULL, ALTER email DROP NOT NULL")
    assert.equal(before, server.sql(url, read_schema))
    assert.equal(upgraded((revision:gsub("online = true", "online = false"))), online)
  end)

  it("says what to do when a NULL is in the way, and goes on", function()
    server.sql(url, "UPDATE t SET a = NULL WHERE id = 7")
    local folder = cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil, {
      upgrade = '  op.alter_column("t", "a", { nullable = false, online = true })' }) }
    local ran = run(folder, "upgrade")
    assert.equal(1, ran.status)
    assert.truthy(ran.stderr:find("Correct the rows, then run the command again", 1, true), ran.stderr)
    server.sql(url, "UPDATE t SET a = 1 WHERE a IS NULL")
    ran = run(folder, "upgrade", "-v")
    assert.equal(0, ran.status, ran.stderr)
    assert.equal(major < 18, ran.stderr:find("SET NOT NULL", 1, true) ~= nil)
  end)
end)
