-- Aggregates and casts on real servers: run, read the catalog, undo, compare with the catalog before.

local rehearsal = require "spec.support.rehearsal"
local versions = require "spec.support.versions"

local cases = rehearsal.cases
local hostile = [[we"ird.n'äme $1 \ $$ $body$]]

local functions = [[
  create function "O.ther".step(int, int) returns int language sql immutable as 'select $1 + coalesce($2, 0)';
  create function back(int, int) returns int language sql immutable as 'select $1 - coalesce($2, 0)';
  create function done(int) returns text language sql immutable as 'select $1::text';
  create function done(int, int) returns text language sql immutable as 'select $1::text';
  create function ordered(int, float8) returns text language sql immutable as 'select $1::text';
  create type money2 as (amount int);
  create function to_money(int) returns money2 language sql immutable as 'select row($1)::public.money2';
  create function to_money(int, int) returns money2 language sql immutable as 'select row($1)::public.money2';
  create type e as enum ('a');
  create type e2; create function e2in(cstring) returns e2 language internal immutable strict as 'int4in';
  create function e2out(e2) returns cstring language internal immutable strict as 'int4out';
  create type e2 (input = e2in, output = e2out, like = int4); ]]

versions.each(function(_, database)
  local conn

  setup(function() conn = rehearsal.open(database()) end)

  teardown(function() conn:close() end)

  describe("aggregates", function()
    cases {
      { "with every option", functions, function(op)
        op.create_aggregate(hostile, { args = "a int", schema = "O.ther", sfunc = { name = "step", schema = "O.ther" },
          stype = "int", sspace = 8, finalfunc = "done", finalfunc_modify = "read_write", combinefunc = "int4pl",
          initcond = "1", msfunc = { name = "step", schema = "O.ther" }, minvfunc = "back", mstype = "int",
          msspace = 4, mfinalfunc = "done", mfinalfunc_extra = true, mfinalfunc_modify = "shareable",
          minitcond = "2", sortop = { name = ">", schema = "pg_catalog" }, parallel = "safe", comment = "it's",
          owner = "moontide_owner", grants = { { "execute", to = "moontide_reader" } } })
        op.create_aggregate("total", { sfunc = "int8inc", stype = "bigint", initcond = "0" })
        op.rename_aggregate("total", "rows_of", { args = {} })
      end, has = { '"aggsortop": "521"', "moontide_reader=EXECUTE", "comment=it's", "routine rows_of()",
        '"aggtransspace": 8', '"aggmfinalmodify": "s"' } },
      { "of ordered sets", functions, function(op)
        op.create_aggregate("nth", { args = "p float8", order_by = "v int",
          sfunc = { name = "step", schema = "O.ther" }, stype = "int", finalfunc = "ordered" })
        op.create_aggregate("first_of", { order_by = { "int" }, sfunc = { name = "step", schema = "O.ther" },
          stype = "int" })
        op.rename_aggregate("first_of", "first", { args = {}, order_by = "int" })
      end, has = { '"aggkind": "o"', '"aggnumdirectargs": 1', "routine first(integer)" } },
      { "dropped", functions .. [[
        create aggregate a(x int) (sfunc = "O.ther".step, stype = int, sspace = 4, finalfunc = done,
          finalfunc_extra, initcond = '7', parallel = restricted);
        comment on aggregate a(int) is 'it''s'; revoke all on function a(int) from public;
        grant execute on function a(int) to moontide_reader; alter aggregate a(int) owner to moontide_owner;
        create aggregate b(*) (sfunc = int8inc, stype = int8, initcond = '0', finalfunc_modify = shareable);
        create aggregate c(float8 order by int) (sfunc = "O.ther".step, stype = int, finalfunc = ordered);
        create aggregate d(variadic "any" order by variadic "any") (sfunc = ordered_set_transition_multi,
          stype = internal, finalfunc = rank_final, finalfunc_extra, hypothetical);]], function(op)
        op.drop_aggregate("a", { args = "int" })
        op.drop_aggregate("b", { args = {} })
        op.drop_aggregate("c", { args = "float8", order_by = "int" })
        op.drop_aggregate("d", { args = 'variadic "any"', order_by = 'variadic "any"' })
      end },
      { "replaced", functions .. [[create aggregate a(x int) (sfunc = "O.ther".step, stype = int, initcond = '7');]],
        function(op)
          op.create_aggregate("a", { args = "x int", sfunc = { name = "step", schema = "O.ther" }, stype = "int",
            initcond = "8", replace = true })
          op.create_aggregate("fresh", { args = "int", sfunc = "int4pl", stype = "int", replace = true })
        end, has = { '"agginitval": "8"', "routine fresh(integer)" } },
    }
  end)

  describe("casts", function()
    cases {
      { "by function, by text and by bytes", functions, function(op)
        op.create_cast("int", "money2", { func = { name = "to_money", args = { "int" }, schema = "public" },
          context = "assignment", comment = "it's" })
        op.create_cast("text", "e", { inout = true, context = "implicit" })
        op.create_cast("e2", "int", { binary = true })
      end, has = { "cast integer as money2 function=to_money(integer) method=f context=a comment=it's",
        "cast text as e function= method=i context=i", "cast e2 as integer function= method=b context=e" } },
      { "dropped", functions .. [[
        create cast (int as money2) with function to_money(int, int) as implicit;
        comment on cast (int as money2) is 'it''s';
        create cast (text as e) with inout;]], function(op)
        op.drop_cast("int", "money2")
        op.drop_cast("text", "e")
        op.drop_cast("bigint", "e", { if_exists = true })
      end },
    }
  end)
end)
