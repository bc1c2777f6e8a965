local fault = require "moontide.fault"
local types = require "moontide.sql.type"

describe("types.parse", function()
  -- given, canonical spelling, name in pg_type
  local known = {
    { "int", "integer", "int4" }, { "INTEGER", "integer", "int4" }, { "int4", "integer", "int4" },
    { "smallint", "smallint", "int2" }, { "int2", "smallint", "int2" }, { "bigint", "bigint", "int8" },
    { "int8", "bigint", "int8" }, { "real", "real", "float4" }, { "float", "double precision", "float8" },
    { "float(1)", "real", "float4" }, { "float(24)", "real", "float4" }, { "float(25)", "double precision", "float8" },
    { "double precision", "double precision", "float8" }, { "Double\n Precision", "double precision", "float8" },
    { "decimal", "numeric", "numeric" }, { "dec(5)", "numeric(5,0)", "numeric" }, { "numeric", "numeric", "numeric" },
    { "numeric(10,2)", "numeric(10,2)", "numeric" }, { "numeric( 10 , -2 )", "numeric(10,-2)", "numeric" },
    { "boolean", "boolean", "bool" }, { "bool", "boolean", "bool" },
    { "text", "text", "text" }, { "varchar", "character varying", "varchar" },
    { "varchar(255)", "character varying(255)", "varchar" },
    { "character varying(10)", "character varying(10)", "varchar" },
    { "char varying", "character varying", "varchar" },
    { "national character varying(3)", "character varying(3)", "varchar" },
    { "nchar(3)", "character(3)", "bpchar" }, { "char", "character(1)", "bpchar" },
    { "character(7)", "character(7)", "bpchar" },
    { "bpchar", "bpchar", "bpchar" }, { '"char"', '"char"', "char" },
    { "bit", "bit(1)", "bit" }, { "bit(8)", "bit(8)", "bit" }, { "bit varying", "bit varying", "varbit" },
    { "bit varying(5)", "bit varying(5)", "varbit" }, { "varbit(5)", "bit varying(5)", "varbit" },
    { "timestamp", "timestamp without time zone", "timestamp" },
    { "timestamp(3)", "timestamp(3) without time zone", "timestamp" },
    { "timestamp without time zone", "timestamp without time zone", "timestamp" },
    { "timestamp(3) with time zone", "timestamp(3) with time zone", "timestamptz" },
    { "timestamptz", "timestamp with time zone", "timestamptz" },
    { "timestamptz(0)", "timestamp(0) with time zone", "timestamptz" },
    { "time", "time without time zone", "time" }, { "time(6) with time zone", "time(6) with time zone", "timetz" },
    { "timetz", "time with time zone", "timetz" }, { "date", "date", "date" },
    { "interval", "interval", "interval" }, { "interval(3)", "interval(3)", "interval" },
    { "interval year", "interval year", "interval" },
    { "interval year to month", "interval year to month", "interval" },
    { "interval day to second(3)", "interval day to second(3)", "interval" },
    { "INTERVAL SECOND(0)", "interval second(0)", "interval" },
    { "interval hour to minute", "interval hour to minute", "interval" },
    { "serial", "serial", "serial" }, { "bigserial", "bigserial", "bigserial" }, { "serial8", "bigserial", "serial8" },
    { "uuid", "uuid", "uuid" }, { "json", "json", "json" }, { "jsonb", "jsonb", "jsonb" }, { "xml", "xml", "xml" },
    { "money", "money", "money" }, { "oid", "oid", "oid" }, { "regclass", "regclass", "regclass" },
    { "pg_lsn", "pg_lsn", "pg_lsn" }, { "tsvector", "tsvector", "tsvector" }, { "inet", "inet", "inet" },
    { "point", "point", "point" }, { "int4range", "int4range", "int4range" },
    { "tstzmultirange", "tstzmultirange", "tstzmultirange" }, { "macaddr8", "macaddr8", "macaddr8" },
    { "vector(1536)", "vector(1536)", "vector" }, { "halfvec", "halfvec", "halfvec" },
    { "citext", "citext", "citext" }, { "hstore", "hstore", "hstore" }, { "ltree", "ltree", "ltree" },
    { "geometry(Point,4326)", "geometry(Point,4326)", "geometry" },
    { "public.vector(3)", "public.vector(3)", "vector" }, { "pg_catalog.int4", "integer", "int4" },
    { "PG_CATALOG.VARCHAR(3)", "character varying(3)", "varchar" },
    { '"int4"', "integer", "int4" }, { ' "varchar" ( 3 ) ', "character varying(3)", "varchar" },
    -- arrays
    { "int[]", "integer[]", "int4" }, { "int [3] []", "integer[3][]", "int4" }, { "text array", "text[]", "text" },
    { "int array[4]", "integer[4]", "int4" }, { "varchar(3)[]", "character varying(3)[]", "varchar" },
    { "timestamp(3) with time zone[]", "timestamp(3) with time zone[]", "timestamptz" },
    { "numeric(10,2)[][]", "numeric(10,2)[][]", "numeric" },
  }
  for _, case in ipairs(known) do
    it(("reads %s as %s"):format(case[1], case[2]), function()
      local parsed = assert(types.parse(case[1]))
      assert.equal(case[2], parsed.text)
      assert.equal(case[3], parsed.name)
      assert.is_true(parsed.known)
      assert.is_nil(parsed.suggestion)
    end)
  end

  it("takes types apart", function()
    local parsed = assert(types.parse("interval day to second(3)[2][]"))
    assert.equal("interval day to second(3)", parsed.base)
    assert.equal("day to second", parsed.fields)
    assert.same({ 3 }, parsed.arguments)
    assert.equal(2, parsed.dimensions)
    assert.same({ "Point", 4326 }, types.parse("geometry(Point, 4326)").arguments)
    assert.is_true(types.parse("serial").serial)
    assert.is_true(types.parse("trigger").pseudo)
    assert.equal("app", types.parse("app.mood").schema)
  end)

  -- given, text, suggestion
  local unknown = {
    { "mood", "mood" }, { "Mood", "mood" }, { '"Mood"', '"Mood"' }, { "app.mood[]", "app.mood[]" },
    { '"my app"."order"', '"my app"."order"' }, { '"a""b"', '"a""b"' }, { "émoji", '"émoji"' },
    { "hexcell(3,Foo)", "hexcell(3,Foo)" },
    { "varchr", "varchr", "varchar" }, { "timestampz", "timestampz", "timestamptz" }, { "integr", "integr", "integer" },
    { "bolean", "bolean", "boolean" }, { "jsnob", "jsnob", "jsonb" }, { "txet", "txet", "text" },
    { "uid", "uid", "uuid" },
    { "datetime", "datetime", "timestamp" }, { "double", "double", "double precision" }, { "string", "string", "text" },
    { '"varchr"', "varchr" },
    { "app.order", 'app."order"' }, { "public.varchr", "public.varchr" }, { "pg_catalog.integr", "pg_catalog.integr" },
  }
  for _, case in ipairs(unknown) do
    it(("leaves %s to the server, suggesting %s"):format(case[1], tostring(case[3])), function()
      local parsed = assert(types.parse(case[1]))
      assert.is_false(parsed.known)
      assert.equal(case[2], parsed.text)
      assert.equal(case[3], parsed.suggestion)
    end)
  end

  -- given, message of the server
  local wrong = {
    { "varchar(0)", "length for type varchar must be at least 1" },
    { "varchar(10485761)", "length for type varchar cannot exceed 10485760" },
    { "char(0)", "length for type char must be at least 1" },
    { "bit(0)", "length for type bit must be at least 1" },
    { "bit varying(83886081)", "length for type varbit cannot exceed 83886080" },
    { "numeric(0)", "NUMERIC precision 0 must be between 1 and 1000" },
    { "numeric(1001,2)", "NUMERIC precision 1001 must be between 1 and 1000" },
    { "numeric(10,1001)", "NUMERIC scale 1001 must be between -1000 and 1000" },
    { "numeric(1,2,3)", "invalid NUMERIC type modifier" },
    { "numeric(99999999999999999999)", "invalid NUMERIC type modifier" },
    { "numeric(a)", "invalid NUMERIC type modifier" },
    { "float(0)", "precision for type float must be at least 1 bit" },
    { "float(54)", "precision for type float must be less than 54 bits" },
    { "timestamp(7)", "timestamp(7) precision must be between 0 and 6" },
    { "timestamptz(-1)", "timestamp(-1) precision must be between 0 and 6" },
    { "interval second(9)", "interval(9) precision must be between 0 and 6" },
    { "int4(3)", 'type modifier is not allowed for type "int4"' },
    { "text(3)", 'type modifier is not allowed for type "text"' },
    { "vector(0)", "dimensions for type vector must be at least 1" },
    { "vector(16001)", "dimensions for type vector cannot exceed 16000" },
    { "serial[]", "array of serial is not implemented" },
    { "int[][][][][][][]", "number of array dimensions (7) exceeds the maximum allowed (6)" },
    { ("x"):rep(64), ('name "%s" is too long: 64 bytes'):format(("x"):rep(64)) },
  }
  for _, case in ipairs(wrong) do
    it(("refuses %s"):format(case[1]:sub(1, 40)), function()
      local parsed, problem = types.parse(case[1])
      assert.is_nil(parsed)
      assert.equal(case[2], problem.message)
    end)
  end

  -- given, where the error is, what is there
  local malformed = {
    { "", 1, "at end of input" }, { "   ", 4, "at end of input" }, { "numeric(10,", 12, "at end of input" },
    { "numeric(10,)", 12, 'at or near ")"' }, { "numeric(1.5)", 10, 'at or near "."' },
    { "varchar()", 9, 'at or near ")"' }, { "varchar(a)", 9, 'at or near "a"' },
    { "text)", 5, 'at or near ")"' }, { "text; drop table users", 5, 'at or near ";"' },
    { "text -- x", 6, 'at or near "-"' }, { "text'", 5, 'at or near "\'"' },
    { "text default 'x'", 6, 'at or near "default"' },
    { "text collate c", 6, 'at or near "collate"' }, { '"unclosed', 1, 'at or near """' },
    { '""', 1, 'at or near """' },
    { "int[", 5, "at end of input" }, { "int[-1]", 5, 'at or near "-"' }, { "int]", 4, 'at or near "]"' },
    { "a.b.c", 4, 'at or near "."' }, { "select", 1, 'at or near "select"' }, { "setof int", 1, 'at or near "setof"' },
    { "interval year to", 17, "at end of input" }, { "interval(3) year", 13, 'at or near "year"' },
    { "timestamp with zone", 16, 'at or near "zone"' }, { "users.email%TYPE", 12, 'at or near "%"' },
    { "double precision(3)", 17, 'at or near "("' }, { "int(4)", 4, 'at or near "("' },
    { "geometry('Point')", 10, 'at or near "\'"' }, { "é é", 3, 'at or near "é"' }, { "text\0", 5, 'at or near "\0"' },
    { "1", 1, 'at or near "1"' }, { "numeric(10a)", 9, 'at or near "10a"' },
  }
  for _, case in ipairs(malformed) do
    it(("refuses %q at character %d"):format(case[1], case[2]), function()
      local parsed, problem = types.parse(case[1])
      assert.is_nil(parsed)
      assert.equal(case[2], problem.position)
      assert.equal(('invalid type "%s": syntax error %s'):format(case[1], case[3]), problem.message)
    end)
  end

  it("reads its own canonical spelling as the same", function()
    for _, case in ipairs(known) do
      local parsed = types.parse(case[1])
      assert.equal(parsed.text, types.parse(parsed.text).text)
    end
  end)

  it("never lets anything through that is more than a type", function()
    math.randomseed(7)
    local pieces = { "int", "text", "varchar", "(", ")", "10", ",", "[", "]", " ", ";", "'", '"', "--", "/*", "*/",
      "$$", ".",
      "with time zone", "timestamp", "é", "\\", "E'", "array", "interval", "day to second", "\n", "%", "drop table x" }
    for _ = 1, 20000 do
      local parts = {}
      for i = 1, math.random(6) do parts[i] = pieces[math.random(#pieces)] end
      local parsed = types.parse(table.concat(parts))
      local bare = parsed and parsed.text:gsub('"[^"]*"', "q")
      assert.is_true(not parsed or not bare:find("[;'\\$%%*/]") and not bare:find("--", 1, true))
    end
  end)
end)

describe("types.check", function()
  it("raises what is wrong at the caller's line", function()
    local ok, problem = pcall(types.check, "numeric(10,")
    assert.is_false(ok)
    assert.is_true(fault.is(problem))
    assert.equal("operation", problem.kind)
    assert.equal('in the type "numeric(10,"', problem.detail)
    assert.equal(12, problem.position)
    assert.matches("type_spec%.lua:%d+$", problem.where)
  end)

  it("refuses what is no string", function()
    local _, problem = pcall(types.check, 5)
    assert.equal("a type must be a string, not a number", problem.message)
  end)
end)

describe("types.check_known", function()
  it("passes known types and types of the user's", function()
    for _, text in ipairs { "text", "mood", '"varchr"', "public.varchr" } do
      local parsed = types.check(text)
      assert.equal(parsed, types.check_known(parsed))
    end
  end)

  it("refuses a misspelt one with the right one", function()
    local ok, problem = pcall(types.check_known, types.check("varchr(10)"))
    assert.is_false(ok)
    assert.equal('type "varchr" does not exist', problem.message)
    assert.matches("^Did you mean varchar%?", problem.hint)
  end)
end)
