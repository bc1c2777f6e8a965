local pg = require "moontide.runtime.pg"
local keyword = require "moontide.sql.keyword"
local quote = require "moontide.sql.quote"
local server = require "spec.support.server"
local types = require "moontide.sql.type"
local value = require "moontide.value"

local array, bytea, json, null = value.array, value.bytea, value.json, value.null

local conn

setup(function() conn = pg.connect(server.database()) end)
teardown(function() conn:close() end)

local function random_text(pieces)
  local parts = {}
  for i = 1, math.random(12) do parts[i] = pieces[math.random(#pieces)] end
  return table.concat(parts)
end

local hostile = { "'", '"', "\\", "\\'", "$1", "$$", ";", "--", "/*", "*/", "\n", "\r", "\t", "é", "\u{1F600}", "a",
  " ", "{",
  "}", ",", "NULL", "\1", "%", "E'", "\\x", "\\N" }

describe("a literal and a parameter", function()
  -- type, value, what the server makes of it as text
  local cases = {
    { "text", "it's \\ \"é\"", "it's \\ \"é\"" }, { "text", "", "" },
    { "int8", math.mininteger, "-9223372036854775808" },
    { "int8", math.maxinteger, "9223372036854775807" }, { "int4", -7, "-7" }, { "bool", true, "true" },
    { "bool", false, "false" }, { "numeric", 0.1, "0.1" }, { "numeric", 1e300, ("1" .. ("0"):rep(300)) },
    { "float8", 0.1 + 0.2, "0.30000000000000004" }, { "float8", 5e-324, "5e-324" }, { "float8", -0.0, "-0" },
    { "float8", 1.7976931348623157e308, "1.7976931348623157e+308" }, { "float8", 1 / 0, "Infinity" },
    { "float8", -1 / 0, "-Infinity" }, { "float8", 0 / 0, "NaN" }, { "float4", 2.5, "2.5" }, { "text", null, nil },
    { "int[]", array { 1, null, -3 }, "{1,NULL,-3}" }, { "int[]", array {}, "{}" },
    { "int[]", array { { 1, 2 }, { 3, 4 } }, "{{1,2},{3,4}}" }, { "bool[]", array { true, false }, "{t,f}" },
    { "text[]", array { "a b", "", "NULL", null, '"', "\\", "{,}" }, '{"a b","","NULL",NULL,"\\"","\\\\","{,}"}' },
    { "float8[]", array { 0.1, 1 / 0 }, "{0.1,Infinity}" }, { "bytea[]", array { bytea "\0\255" }, '{"\\\\x00ff"}' },
    { "jsonb[]", array { json { a = "\"" } }, '{"{\\"a\\": \\"\\\\\\"\\"}"}' },
    { "jsonb", json { b = { 1, null, "x'\\" }, a = {} }, '{"a": {}, "b": [1, null, "x\'\\\\"]}' },
    { "json", json(array { 9007199254740993 }), "[9007199254740993]" }, { "bytea", bytea "\0'\\\255", "\\x00275cff" },
  }
  for _, case in ipairs(cases) do
    it(("of %s %s mean the same"):format(case[1], tostring(case[3]):sub(1, 40)), function()
      local row = conn:exec(("select (%s)::%s::text as literal, ($1::%s)::text as param")
        :format(value.literal(case[2]), case[1], case[1]), { n = 1, value.param(case[2]) })[1]
      assert.equal(case[3], row.literal)
      assert.equal(case[3], row.param)
    end)
  end

  it("of any string come back as they were", function()
    math.randomseed(21)
    for _ = 1, 500 do
      local text = random_text(hostile)
      local sql = ("select %s as literal, $1::text as param, (%s)[1] as element, convert_from(%s, 'UTF8') as bytes")
        :format(value.literal(text), value.literal(array({ text }, "text")), value.literal(bytea(text)))
      local row = conn:exec(sql, { text })[1]
      assert.same({ literal = text, param = text, element = text, bytes = text }, row)
    end
  end)

  it("of a string mean the same with the old meaning of backslashes", function()
    conn:script("set standard_conforming_strings = off; set escape_string_warning = off")
    local text = "a\\'b\\\\"
    assert.equal(text, conn:exec(("select %s as it"):format(value.literal(text)))[1].it)
    assert.equal("{\"\\\\\"}", conn:exec(("select %s as it"):format(value.literal(array { "\\" })))[1].it)
    conn:script("reset standard_conforming_strings; reset escape_string_warning")
  end)

  it("of megabytes come back as they were", function()
    local text = ("'\\\n\"é"):rep(300000)
    local row = conn:exec(("select %s = $1::text as same"):format(value.literal(text)), { text })[1]
    assert.is_true(row.same)
    row = conn:exec(("select %s = $1 as same"):format(value.literal(bytea(text))), { value.param(bytea(text)) })[1]
    assert.is_true(row.same)
  end)

  it("of any JSON come back as they were", function()
    for _, text in ipairs { "a\"b\\c\n\u{7f}", "é\u{1F600}" } do
      local row = conn:exec("select $1::jsonb ->> 'k' as it", { value.param(json { k = text }) })[1]
      assert.equal(text, row.it)
    end
  end)
end)

describe("quote.ident", function()
  it("quotes what the server quotes, for every keyword of it", function()
    -- Keywords of later servers are quoted here already.
    local later = { system_user = true }
    for word in ([[json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar
      json_serialize json_table json_value merge_action]]):gmatch("%S+") do later[word] = true end
    for _, row in ipairs(conn:exec("select word, quote_ident(word) as quoted from pg_get_keywords()")) do
      if not later[row.word] then assert.equal(row.quoted, quote.ident(row.word)) end
    end
    for word in pairs(keyword) do
      local quoted = conn:exec("select quote_ident($1) as it", { word })[1].it
      assert.is_true(later[word] or quoted == quote.ident(word), word)
    end
  end)

  it("quotes any name as the server does", function()
    math.randomseed(22)
    for _ = 1, 500 do
      local name = random_text(hostile)
      if not quote.problem(name) then
        local query = ("select quote_ident($1) as quoted, x.* from (select 1 as %s) x"):format(quote.ident(name))
        local row = conn:exec(query, { name })
        assert.equal(row[1].quoted, quote.ident(name))
        assert.equal(name, row.columns[2])
      end
    end
  end)
end)

describe("types.parse", function()
  local texts = {
    "int", "smallint", "bigint", "real", "float", "float(1)", "float(24)", "float(25)", "float(53)",
    "double precision", "decimal", "dec(5)", "numeric(10,2)", "numeric(5,-2)", "numeric(2,5)", "numeric(1000)",
    "boolean", "bool", "text", "varchar", "varchar(255)", "character varying(10485760)", "char", "char(3)",
    "nchar(3)", "bpchar", '"char"', "national char varying(3)", "bit", "bit(8)", "bit varying", "bit varying(5)",
    "varbit", "timestamp", "timestamp(0)", "timestamp(3) with time zone", "timestamptz", "timestamptz(6)", "time",
    "time(3) without time zone", "timetz(2)", "date", "interval", "interval(3)", "interval year",
    "interval year to month", "interval day to second(3)", "interval second(0)", "interval second",
    "interval hour to minute", "interval minute to second", "uuid", "json", "jsonb", "xml", "money", "oid",
    "regclass", "regrole", "pg_lsn", "pg_snapshot", "txid_snapshot", "tsvector", "tsquery", "inet", "cidr",
    "macaddr", "macaddr8", "point", "line", "lseg", "box", "path", "polygon", "circle", "int4range", "tstzrange",
    "nummultirange", "xid8", "jsonpath", "pg_catalog.int4", "pg_catalog.varchar(3)", '"int4"', '"varchar"(3)',
    "name", "bytea", "refcursor", '"bit"', "aclitem",
  }
  for _, text in ipairs(texts) do
    it(("spells %s as the server"):format(text), function()
      local columns = ("a %s, b %s[], c %s"):format(text, text, types.parse(text).text)
      conn:script(("drop table if exists t; create table t (%s)"):format(columns))
      local rows = conn:exec("select format_type(atttypid, atttypmod) as it from pg_attribute "
        .. "where attrelid = 't'::regclass and attnum > 0 order by attnum")
      assert.equal(rows[1].it, types.parse(text).text)
      assert.equal(rows[2].it, types.parse(text .. "[]").text)
      assert.equal(rows[1].it, rows[3].it)
    end)
  end

  for _, text in ipairs { "varchar(0)", "varchar(10485761)", "char(0)", "bit(0)", "bit varying(83886081)", "numeric(0)",
    "numeric(1001,2)", "numeric(10,1001)", "numeric(1,2,3)", "float(0)", "float(54)", "text(3)", "int4(3)" } do
    it(("refuses %s as the server"):format(text), function()
      local ok, problem = pcall(conn.script, conn, ("create temp table u (a %s)"):format(text))
      assert.is_false(ok)
      local _, own = types.parse(text)
      assert.equal(problem.message, own.message)
    end)
  end

  it("knows every type of the server that a column can have", function()
    local rows = conn:exec("select typname as name from pg_type where typnamespace = 'pg_catalog'::regnamespace "
      .. "and typtype in ('b', 'r', 'm') and typname !~ '^(_|pg_|gtsvector)'")
    for _, row in ipairs(rows) do
      assert.is_true(types.parse('"' .. row.name .. '"').known, row.name)
    end
  end)
end)

describe("scan.split", function()
  local scan = require "moontide.sql.scan"
  local pieces = { "'", "''", "$$", "$a$", ";", "--", "\n", "/*", "*/", "(", ")", "\\", "E'", "1", " ", ",", '"' }

  -- The server itself says whether a text is one statement: the extended protocol refuses several.
  it("ends statements where the server ends them", function()
    math.randomseed(23)
    local compared = 0
    for _ = 1, 4000 do
      local sql = "select " .. random_text(pieces)
      local split, list = pcall(scan.split, sql)
      local ok, problem = pcall(conn.exec, conn, sql)
      local several = not ok and problem.message:find("multiple commands")
      if not split then assert.is_false(ok, sql) end
      if split and (ok or several) then
        compared = compared + 1
        assert.equal(several and true or false, #list > 1, sql)
      end
    end
    assert.is_true(compared > 50)
  end)
end)
