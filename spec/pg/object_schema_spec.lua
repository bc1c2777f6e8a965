-- Schemas, extensions and sequences on real servers: run, read the catalog, undo, compare.

local operations = require "spec.support.operations"
local rehearsal = require "spec.support.rehearsal"
local value = require "moontide.value"
local versions = require "spec.support.versions"

local cases, null = rehearsal.cases, value.null

local hostile = [[we"ird.n'äme $1 \ ]]

versions.each(function(major, database)
  local conn

  setup(function() conn = rehearsal.open(database()) end)

  teardown(function() conn:close() end)

  describe("schemas", function()
    cases {
      { "are created with owner, comment and privileges", "", function(op)
        op.create_schema("app", { owner = "moontide_owner", comment = "it's", grants = {
          { "usage", "create", to = "moontide_reader", grantable = true }, { "usage", to = "public" } } })
        op.create_schema(hostile)
        op.create_schema("public", { if_not_exists = true })
        op.create_schema("fresh", { if_not_exists = true })
      end, has = { "schema app owner=moontide_owner acl==U/moontide_owner,moontide_owner=UC/moontide_owner,"
        .. "moontide_reader=U*C*/moontide_owner comment=it's", "schema fresh" } },
      { "are dropped, and come back with all they were", [[
        create schema app authorization moontide_owner; comment on schema app is 'it''s';
        grant usage on schema app to moontide_reader; create schema bare]], function(op)
        op.drop_schema "app"
        op.drop_schema "bare"
        op.drop_schema("absent", { if_exists = true })
        op.create_schema "z"
      end },
      { "are renamed", "create schema home", function(op) op.rename_schema("home", hostile) end },
    }
  end)

  describe("extensions", function()
    cases {
      { "are installed", "", function(op)
        op.create_extension("citext", { schema = "O.ther", version = "1.5", comment = "it's" })
        op.create_extension("hstore", { if_not_exists = true })
        op.create_extension("hstore", { if_not_exists = true })
      end, has = { [[extension citext schema="O.ther" version=1.5 comment=it's]] } },
      { "are dropped, and come back as they were", [[create extension citext schema "O.ther" version '1.5';
        create extension hstore; comment on extension hstore is 'mine']], function(op)
        op.drop_extension "citext"
        op.drop_extension "hstore"
        op.drop_extension("absent", { if_exists = true })
        op.create_extension "pg_trgm"
      end },
      { "are moved", "create extension citext", function(op)
        op.alter_extension("citext", { schema = "O.ther" })
      end, has = { [[extension citext schema="O.ther"]] } },
    }

    it("are updated", function()
      conn:script "drop schema public cascade; create schema public; create extension hstore version '1.4'"
      rehearsal.run(operations.collect(function(op)
        op.alter_extension("hstore", { version = "1.5" })
        op.alter_extension("hstore", { version = true })
      end))
      assert.equal("1.8", conn:exec("select extversion from pg_extension where extname = 'hstore'")[1].extversion
        :gsub("1%.[67]", "1.8"))
    end)
  end)

  describe("sequences", function()
    cases {
      { "are created with every option", "create table t (id int)", function(op)
        op.create_sequence(hostile, { schema = "O.ther", type = "int", start = 10, increment = 5, minimum = 5,
          maximum = 1000, cache = 3, cycle = true })
        op.create_sequence("down", { increment = -1, comment = "it's", grants = {
          { "usage", "select", to = "moontide_reader" } } })
        op.create_sequence("ids", { owned_by = { table = "t", column = "id" },
          unlogged = major >= 15 or nil })
        op.create_sequence("ids", { if_not_exists = true })
        op.create_sequence("mine", { owner = "moontide_owner" })
      end, has = { "type=integer 10,5,5,1000,3,t", "acl=moontide_reader=rU/postgres,postgres=rwU/postgres",
        "owned=t.id", "sequence mine owner=moontide_owner" } },
      { "are dropped, and come back where they were", [[
        create sequence a as smallint increment 5 start 10 maxvalue 99 cycle cache 2; select nextval('a');
        alter sequence a owner to moontide_owner; grant usage on sequence a to moontide_reader;
        comment on sequence a is 'it''s';
        create table t (id int); create sequence "O.ther"."B" owned by none; select setval('"O.ther"."B"', 77, false);
        create sequence c owned by t.id; create sequence d increment -3; select nextval('d'), nextval('d');
        create sequence e minvalue -9223372036854775808 start -5; select nextval('e')]], function(op)
        op.drop_sequence "a"
        op.drop_sequence("B", { schema = "O.ther" })
        op.drop_sequence "c"
        op.drop_sequence "d"
        op.drop_sequence "e"
        op.drop_sequence("absent", { if_exists = true })
        op.create_sequence "z"
      end },
      { "are renamed and moved", "create sequence s", function(op)
        op.rename_sequence("s", hostile)
        op.set_sequence_schema(hostile, "O.ther")
      end },
      { "change, and change back", [[create sequence s as int maxvalue 50; select setval('s', 7);
        create table t (id int); create sequence u owned by t.id]], function(op)
        op.alter_sequence("s", { type = "bigint", start = 3, increment = 2, minimum = -5, maximum = null, cache = 7,
          cycle = true, restart = 20, owned_by = { table = "t", column = "id" } })
        op.alter_sequence("s", { restart = true })
        op.alter_sequence("u", { owned_by = null })
      end, has = { "type=bigint 3,2,-5,9223372036854775807,7,t" } },
    }

    it("that are at their end go on with their last value", function()
      conn:script [[drop schema public cascade; create schema public; create sequence s maxvalue 3;
        select setval('s', 3)]]
      local list = operations.collect(function(op) op.drop_sequence "s" end)
      rehearsal.capture(list)
      assert.equal(3, list[1].existing.restart)
    end)
  end)
end)
