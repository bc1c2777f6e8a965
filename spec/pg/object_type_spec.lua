-- Domains, composite and range types on real servers: run, read the catalog, undo, compare.

local catalog = require "spec.support.catalog"
local operations = require "spec.support.operations"
local rehearsal = require "spec.support.rehearsal"
local value = require "moontide.value"
local versions = require "spec.support.versions"

local cases = rehearsal.cases
local sql, null = value.sql, value.null

local hostile = [[we"ird.n'äme $1 \ ]]

versions.each(function(major, database)
  local conn

  setup(function() conn = rehearsal.open(database()) end)

  teardown(function() conn:close() end)

  describe("domains", function()
    cases {
      { "are created with everything", "", function(op)
        op.create_domain("quantity", "int", { default = 1, nullable = false, checks = {
          { "value > 0", name = "positive", comment = "it's" }, "value < 100",
          { "value <> 13 -- bad luck", name = "lucky", not_valid = true } }, owner = "moontide_owner",
          comment = "how many", grants = { { "usage", to = "moontide_reader" } } })
        op.create_domain(hostile, "varchar(10)[]", { schema = "O.ther", default = value.array { "a" } })
        op.create_domain("label", "text", { collation = "C", default = sql "upper('x') || 'y'" })
      end, has = { "base=integer notnull=t default=1", "constraint quantity.lucky CHECK ((VALUE <> 13)) NOT VALID",
        "quantity.positive CHECK ((VALUE > 0)) comment=it's",
        "acl=moontide_owner=U/moontide_owner,moontide_reader=U" } },
      { "are dropped, and come back with all they were", [[
        create domain quantity as numeric(10,2) default 1.5 not null check (value > 0) constraint "b" check (value < 9);
        alter domain quantity add constraint c check (value <> 3) not valid;
        comment on constraint c on domain quantity is 'it''s'; comment on domain quantity is 'many';
        alter domain quantity owner to moontide_owner; revoke all on domain quantity from public;
        create domain "O.ther"."T" as text collate "C" default 'a'::text || 'b']], function(op)
        op.drop_domain "quantity"
        op.drop_domain("T", { schema = "O.ther" })
        op.drop_domain("absent", { if_exists = true })
        op.create_domain("z", "int")
      end },
      { "are renamed and moved", "create domain d as int", function(op)
        op.rename_domain("d", hostile)
        op.set_domain_schema(hostile, "O.ther")
      end, has = { "base=integer" } },
      { "change", "create domain d as int default 5; create domain e as int not null", function(op)
        op.alter_domain("d", { default = null, nullable = false })
        op.alter_domain("e", { default = sql "1 + 1", nullable = true })
        op.alter_domain("e", { default = 7 })
      end, has = { "type e d", "base=integer notnull=f default=7" } },
      { "get and lose constraints", [[create domain d as int constraint old check (value > 0);
        alter domain d add constraint unsure check (value <> 5) not valid]], function(op)
        op.create_domain_constraint("small", "d", "value < 100", { comment = "it's" })
        op.create_domain_constraint("later", "d", "value < 90", { not_valid = true })
        op.rename_domain_constraint("d", "small", hostile)
        op.drop_domain_constraint("old", "d")
        op.drop_domain_constraint("unsure", "d")
        op.drop_domain_constraint("absent", "d", { if_exists = true })
      end, has = { "CHECK ((VALUE < 100)) comment=it's", "d.later CHECK ((VALUE < 90)) NOT VALID" } },
    }

    it("come back under any search path", function()
      conn:script [[drop schema public cascade; drop schema if exists "O.ther" cascade; create schema public;
        create schema "O.ther"; create type "O.ther".e as enum ('a'); create type "O.ther".r as range (subtype = int);
        create function "O.ther".ok("O.ther".e) returns bool language sql as 'select true';
        set search_path = "O.ther"; create domain d as e default 'a' check (ok(value)); create type c as (e e, l e[]);
        alter domain d set schema public; alter type c set schema public]]
      conn:exec [[set search_path = public, "O.ther"]]
      local before = catalog.lines(conn)
      local list = operations.collect(function(op) op.drop_domain "d" op.drop_type "c" end)
      rehearsal.capture(list)
      rehearsal.run(list)
      conn:exec "set search_path = public"
      rehearsal.run(operations.undo(list))
      conn:exec [[set search_path = public, "O.ther"]]
      assert.same(before, catalog.lines(conn))
      conn:exec "reset search_path"
    end)

    it("are validated", function()
      conn:script "drop schema public cascade; create schema public; create domain d as int"
      conn:exec "alter domain d add constraint c check (value > 0) not valid"
      rehearsal.run(operations.collect(function(op) op.validate_domain_constraint("c", "d") end))
      assert.is_true(conn:exec("select convalidated from pg_constraint where conname = 'c'")[1].convalidated)
    end)
  end)

  describe("composite types", function()
    cases {
      { "are created with everything", "", function(op)
        op.create_type("address", { { "street", "varchar(50)", collation = "C", comment = "it's" },
          { hostile, "int[]" } }, { owner = "moontide_owner", comment = "where",
          grants = { { "all", to = "moontide_reader", grantable = true } } })
        op.create_type("nothing", {}, { schema = "O.ther" })
      end, has = { "street character varying(50) collation=C comment=it's", "comment=where" } },
      { "are dropped, and come back with all they were", [[
        create type address as (street varchar(50) collate "C", city text, gone int);
        alter type address drop attribute gone;
        comment on type address is 'where'; comment on column address.city is 'it''s';
        alter type address owner to moontide_owner; grant usage on type address to moontide_reader;
        create type "O.ther"."T" as ()]], function(op)
        op.drop_type "address"
        op.drop_type("T", { schema = "O.ther" })
        op.create_type("z", { { "a", "int" } })
      end },
      { "are renamed and moved", "create type t as (a int)", function(op)
        op.rename_type("t", hostile)
        op.set_type_schema(hostile, "O.ther")
      end, has = { "attributes=a integer" } },
      { "get, lose and change attributes, and the tables of the type with them", [[
        create type t as (a int, b varchar(5) collate "C", c text); create type u as (a int);
        create table typed of u]], function(op)
        op.add_attribute("t", { "d", "text", collation = "C", comment = "it's" })
        op.drop_attribute("t", "d")
        op.drop_attribute("t", "absent", { if_exists = true })
        op.alter_attribute("t", "b", "varchar(10)")
        op.rename_attribute("t", "a", hostile)
        op.drop_attribute("t", "c")
      end, has = { "b character varying(10)" } },
    }

    it("take the tables of the type with them", function()
      conn:script "drop schema public cascade; create schema public; create type u as (a int); create table t of u"
      local list = operations.collect(function(op)
        op.add_attribute("u", { "b", "text" }, { cascade = true })
        op.rename_attribute("u", "a", "z", { cascade = true })
      end)
      rehearsal.run(list)
      assert.equal(0, #conn:exec "select z, b from t")
      rehearsal.run(operations.undo(list))
      assert.equal(0, #conn:exec "select a from t")
    end)
  end)

  describe("range types", function()
    cases {
      { "are created with everything", [[create function minus(float8, float8) returns float8 language sql immutable
          as 'select $1 - $2']], function(op)
        op.create_range_type("floats", "float8", { difference = { name = "minus", schema = "public" },
          multirange = major >= 14 and "many_floats" or nil, comment = "it's", owner = "moontide_owner",
          grants = { { "usage", to = "moontide_reader" } } })
        op.create_range_type(hostile, "text", { schema = "O.ther", collation = "C", opclass = "text_pattern_ops" })
      end, has = { "range=double precision opclass=float8_ops collation= canonical=- subdiff=minus",
        "range=text opclass=text_pattern_ops collation=C" } },
      { "are dropped, and come back with all they were", [[
        create function minus(float8, float8) returns float8 language sql immutable as 'select $1 - $2';
        create type floats as range (subtype = float8, subtype_diff = minus);
        create type texts as range (subtype = text, collation = "C", subtype_opclass = text_pattern_ops);
        alter type floats owner to moontide_owner; comment on type floats is 'it''s']], function(op)
        op.drop_range_type "floats"
        op.drop_range_type "texts"
        op.create_range_type("z", "int")
      end },
      { "are renamed and moved", "create type r as range (subtype = int)", function(op)
        op.rename_range_type("r", "s")
        op.set_range_type_schema("s", "O.ther")
      end },
    }
  end)
end)
