local argument = require "moontide.object.argument"
local operations = require "spec.support.operations"
local quote = require "moontide.sql.quote"
local value = require "moontide.value"

local sql = value.sql

describe("arguments of routines", function()
  for text, expected in pairs {
    [""] = {},
    ["int, text[]"] = { { type = "integer" }, { type = "text[]" } },
    ["a int, double precision, b double precision"] = { { name = "a", type = "integer" }, { type = "double precision" },
      { name = "b", type = "double precision" } },
    ["IN a int, out B varchar(10), inout \"C,\"\"c\" numeric(10,2)"] = { { name = "a", type = "integer" },
      { mode = "out", name = "b", type = "character varying(10)" },
      { mode = "inout", name = 'C,"c', type = "numeric(10,2)" } },
    ["a int default f(1, 'x,)'), b text = 'a, b', variadic c text[] := array['[', ',']"] = {
      { name = "a", type = "integer", default = "f(1, 'x,)')" }, { name = "b", type = "text", default = "'a, b'" },
      { mode = "variadic", name = "c", type = "text[]", default = "array['[', ',']" } },
    ["a out int, b in out timestamp with time zone"] = { { mode = "out", name = "a", type = "integer" },
      { mode = "inout", name = "b", type = "timestamp with time zone" } },
    ["app.mood, m app.mood, date date"] = { { type = "app.mood" }, { name = "m", type = "app.mood" },
      { name = "date", type = "date" } },
  } do
    it(("are read from %q"):format(text), function()
      assert.same(expected, argument.read_list(text, "args"))
      assert.same(expected, argument.read_list(argument.sql(expected), "args"))
      assert.same(expected, argument.read_list(argument.write_list(expected), "args"))
    end)
  end
end)

describe("create_function", function()
  operations.cases {
    { "every option", function(op)
      op.create_function("f", { schema = "s", args = { "a int", { "b", "text", default = "it's" } },
        returns = "table (x int, y text)", language = "plpgsql", body = "begin end $$", volatility = "stable",
        strict = true, security_definer = true, leakproof = true, parallel = "safe", cost = 2, rows = 3.5,
        support = { schema = "s", name = "helper" }, window = true, transform = "hstore",
        set = { search_path = { "s", "" }, work_mem = "8MB" }, comment = "c", owner = "app" })
    end, sql = {
      "CREATE FUNCTION s.f(a integer, b text DEFAULT 'it''s') RETURNS TABLE(x integer, y text) LANGUAGE plpgsql "
        .. "TRANSFORM FOR TYPE hstore WINDOW STABLE LEAKPROOF STRICT SECURITY DEFINER PARALLEL SAFE COST 2 ROWS 3.5 "
        .. "SUPPORT s.helper SET search_path TO 's', '' SET work_mem TO '8MB' AS $body$begin end $$$body$",
      "COMMENT ON FUNCTION s.f(integer, text) IS 'c'", "ALTER FUNCTION s.f(integer, text) OWNER TO app" }, locks = {} },
    { "a body in SQL", function(op) op.create_function("f", { returns = "setof int", body = sql "return 1;" }) end,
      sql = "CREATE FUNCTION f() RETURNS SETOF integer LANGUAGE sql return 1",
      undo = 'op.drop_function("f", { args = {}, existing = { args = {}, body = sql "return 1", language = "sql", '
        .. 'returns = "SETOF integer" } })' },
    { "results in its arguments", function(op) op.create_function("f", { args = "out a int", body = "select 1" }) end,
      sql = "CREATE FUNCTION f(OUT a integer) LANGUAGE sql AS $$select 1$$" },
    { "a symbol of a library", function(op)
      op.create_function("f", { returns = "int", language = "c", library = "$libdir/x", body = "sym" })
    end, sql = "CREATE FUNCTION f() RETURNS integer LANGUAGE c AS '$libdir/x', 'sym'" },
    { "a replacement", function(op)
      op.create_function("f", { args = "a int", returns = "int", body = "select 2", replace = true,
        existing = { args = "a int default 1", returns = "int", body = "select 1", owner = "x", comment = "old" } })
    end, sql = "CREATE OR REPLACE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS $$select 2$$",
      undo = 'op.create_function("f", { args = { { "a", "integer", default = sql "1" } }, body = "select 1", '
        .. 'language = "sql", replace = true, returns = "integer" })' },
  }
  operations.refusals {
    { "no body", function(op) op.create_function("f", { returns = "int" }) end,
      'create_function: option "body" is missing' },
    { "nothing returned", function(op) op.create_function("f", { body = "" }) end,
      "create_function: a function needs returns", "void" },
    { "another language with a body in SQL", function(op)
      op.create_function("f", { returns = "int", language = "plpgsql", body = sql "return 1" }) end,
      'create_function: a body in SQL contradicts language = "plpgsql"' },
    { "SQL that is no body", function(op) op.create_function("f", { returns = "int", body = sql "select 1" }) end,
      'create_function: option "body" in SQL must be RETURN or BEGIN ATOMIC', "string" },
    { "an unknown volatility", function(op)
      op.create_function("f", { returns = "int", body = "", volatility = "often" }) end,
      'create_function: option "volatility" cannot be "often"', "immutable, stable, volatile" },
    { "a cost that is none", function(op) op.create_function("f", { returns = "int", body = "", cost = -1 }) end,
      'create_function: option "cost" must be positive' },
    { "arguments that are no list", function(op) op.create_function("f", { returns = "int", body = "", args = 1 }) end,
      'create_function: option "args" must be a list, not an integer' },
  }
end)

describe("drop_function", function()
  operations.cases {
    { "by its types", function(op) op.drop_function("f", { args = "a int, out b text" }) end,
      sql = "DROP FUNCTION f(integer)", refusal = "give existing" },
    { "by its name alone", function(op)
      op.drop_function("f", { if_exists = true, existing = { args = "int", returns = "int", body = "select 1" } })
    end, sql = "DROP FUNCTION IF EXISTS f", undo = 'op.create_function("f", { args = { "integer" }, body = "select 1", '
      .. 'language = "sql", returns = "integer" })' },
    { "renamed", function(op) op.rename_function("f", "g", { schema = "s", args = "int" }) end,
      sql = "ALTER FUNCTION s.f(integer) RENAME TO g",
      undo = 'op.rename_function("g", "f", { schema = "s", args = { "integer" } })' },
  }
end)

describe("create_procedure", function()
  operations.cases {
    { "with options", function(op)
      op.create_procedure("p", { args = "inout a int", body = "begin end", language = "plpgsql",
        security_definer = true })
    end, sql = "CREATE PROCEDURE p(INOUT a integer) LANGUAGE plpgsql SECURITY DEFINER AS $$begin end$$" },
  }
  operations.refusals {
    { "options of functions", function(op) op.create_procedure("p", { body = "", strict = true }) end,
      'create_procedure: unknown option "strict"' },
  }
end)

describe("dollar quotes", function()
  for text, expected in pairs {
    [""] = "$$$$", ["a"] = "$$a$$", ["a$"] = "$body$a$$body$", ["$$"] = "$body$$$$body$",
    ["$$ $body$"] = "$body1$$$ $body$$body1$", ["$1"] = "$$$1$$",
  } do
    it(("around %q do not occur in it"):format(text), function() assert.equal(expected, quote.dollar(text)) end)
  end
end)

describe("alter_function and alter_procedure", function()
  operations.cases {
    { "everything", function(op)
      op.alter_function("f", { schema = "s", args = "a int, out b text", volatility = "stable", strict = true,
        leakproof = false, security_definer = true, parallel = "safe", cost = 2, rows = 3,
        set = { work_mem = "1MB", search_path = value.null },
        existing = { volatility = "volatile", strict = false, leakproof = true, security_definer = false,
          parallel = "unsafe", cost = 100, rows = 1000, set = { work_mem = value.null, search_path = { "a", "b" } } } })
    end, sql = "ALTER FUNCTION s.f(integer) STRICT STABLE NOT LEAKPROOF SECURITY DEFINER PARALLEL SAFE COST 2 ROWS 3 "
      .. "RESET search_path SET work_mem TO '1MB'", locks = {} },
    { "what was not known", function(op) op.alter_function("f", { strict = true }) end,
      sql = "ALTER FUNCTION f STRICT",
      refusal = "what strict was is not known: give existing, as in existing = { strict = ... }" },
    { "a procedure", function(op)
      op.alter_procedure("p", { security_definer = true, existing = { security_definer = false } })
    end, sql = "ALTER PROCEDURE p SECURITY DEFINER",
      undo = 'op.alter_procedure("p", { security_definer = false, existing = { security_definer = true } })' },
  }
  operations.refusals {
    { "nothing", function(op) op.alter_procedure("p", {}) end, "alter_procedure: nothing to change" },
    { "what only functions have", function(op) op.alter_procedure("p", { strict = true }) end,
      'alter_procedure: unknown option "strict"' },
  }
end)
