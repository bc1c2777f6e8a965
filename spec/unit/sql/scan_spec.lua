local fault = require "moontide.fault"
local scan = require "moontide.sql.scan"

local function texts(script)
  local list = {}
  for i, found in ipairs(scan.split(script)) do list[i] = found.sql end
  return list
end

describe("scan.split", function()
  -- script, statements
  local cases = {
    { "", {} }, { " \n;; ; -- nothing\n /* ; */ ;", {} }, { "select 1", { "select 1" } },
    { "select 1;", { "select 1" } }, { " a ; b;c ", { "a", "b", "c" } },
    { "select ';'; b", { "select ';'", "b" } }, { "select 'it''s;'; b", { "select 'it''s;'", "b" } },
    { "select '\\'; b", { "select '\\'", "b" } },
    { "select E'\\';'; b", { "select E'\\';'", "b" } }, { "select e'''\\\\'; b", { "select e'''\\\\'", "b" } },
    { "select E'a' -- x ' ;\n '\\';'; b", { "select E'a' -- x ' ;\n '\\';'", "b" } },
    { "select somee'a\\'; b", { "select somee'a\\'", "b" } },
    { "select U&'\\0061;', U&\"d;\"; b", { "select U&'\\0061;', U&\"d;\"", "b" } },
    { "select N'a;', b';', x';'; b", { "select N'a;', b';', x';'", "b" } },
    { 'select ";""; "; b', { 'select ";""; "', "b" } },
    { "select $$;'$$; b", { "select $$;'$$", "b" } }, { "select $a$;$$;$b$;$a$; b", { "select $a$;$$;$b$;$a$", "b" } },
    { "select a$b$;c$b$", { "select a$b$", "c$b$" } }, { "select $1$2; b", { "select $1$2", "b" } },
    { "select $é$;$é$; b", { "select $é$;$é$", "b" } },
    { "select 1 -- ;\n+ 1; b", { "select 1 -- ;\n+ 1", "b" } },
    { "select /* ; /* ; */ ; */ 1; b", { "select /* ; /* ; */ ; */ 1", "b" } },
    { "select 1 /*/ ; */; b", { "select 1", "b" } }, { "select 1 /***/; b", { "select 1", "b" } },
    { "select 2*/**/3; b", { "select 2*/**/3", "b" } }, { "select - -1; b", { "select - -1", "b" } },
    { "select 1; -- the end", { "select 1" } }, { "select 1 -- the end", { "select 1" } },
    { "-- one\nselect 1; /* two */ select 2", { "-- one\nselect 1", "/* two */ select 2" } },
    { "create rule r as on insert to t do (a; b); c", { "create rule r as on insert to t do (a; b)", "c" } },
    { "select (1; 2)", { "select (1", "2)" } },
    { "create function f() begin atomic; select 1; end; b", { "create function f() begin atomic; select 1; end",
      "b" } },
    { "CREATE FUNCTION f() BEGIN /* */ ATOMIC select case when a then b end; select 2; END; b",
      { "CREATE FUNCTION f() BEGIN /* */ ATOMIC select case when a then b end; select 2; END", "b" } },
    { "create procedure p() begin atomic select (case a when 1 then 2 end), x'e'; end; b",
      { "create procedure p() begin atomic select (case a when 1 then 2 end), x'e'; end", "b" } },
    { 'create table "end" (case_x int, "begin" int); b', { 'create table "end" (case_x int, "begin" int)', "b" } },
    { "create view v as select case when a then b end; b", { "create view v as select case when a then b end", "b" } },
    { "create function f() as $$ begin atomic $$; b", { "create function f() as $$ begin atomic $$", "b" } },
    { "begin; select 1; end; b", { "begin", "select 1", "end", "b" } },
    { "create table t (a int)); b", { "create table t (a int))", "b" } },
    { "\239\187\191select 1", { "\239\187\191select 1" } },
  }
  for _, case in ipairs(cases) do
    it(("finds %d in %q"):format(#case[2], case[1]), function() assert.same(case[2], texts(case[1])) end)
  end

  it("says where each statement is", function()
    local list = scan.split("select 1;\n\n -- two\n select\n 2;select 3")
    assert.same({ sql = "select 1", offset = 1, line = 1 }, list[1])
    assert.same({ sql = "-- two\n select\n 2", offset = 13, line = 4 }, list[2])
    assert.same({ sql = "select 3", offset = 31, line = 5 }, list[3])
  end)

  -- script, message
  local wrong = {
    { "select 1;\nselect 'a;", "unterminated quoted string in line 2 of the SQL text" },
    { "select E'a\\'", "unterminated quoted string in line 1 of the SQL text" },
    { 'select "a', "unterminated quoted identifier in line 1 of the SQL text" },
    { "\n\nselect $a$ b $$", "unterminated dollar-quoted string in line 3 of the SQL text" },
    { "/* /* */", "unterminated comment in line 1 of the SQL text" },
    { "create table t (a text default 'x", "unterminated quoted string in line 1 of the SQL text" },
    { "select 1;\n\\d users", 'psql command "\\d" in line 2 of the SQL text' },
    { "select 1 \\gset", 'psql command "\\gset" in line 1 of the SQL text' },
    { "a\0b", "NUL byte in SQL text in line 1 of the SQL text" },
    { "\ncopy t (a) from stdin;\n1\n\\.\n", "COPY FROM STDIN in line 2 of the SQL text" },
    { "COPY (select 1) TO /* */ STDOUT", "COPY TO STDOUT in line 1 of the SQL text" },
  }
  for _, case in ipairs(wrong) do
    it(("refuses %q"):format(case[1]), function()
      local ok, problem = pcall(scan.split, case[1])
      assert.is_false(ok)
      assert.is_true(fault.is(problem))
      assert.equal(case[2], problem.message)
    end)
  end

  it("leaves COPY of a server file alone", function()
    assert.same({ "copy t from '/tmp/stdin'" }, texts("copy t from '/tmp/stdin'"))
  end)

  local fragments = { "select 1", "insert into t values ('a;''b', 2)", "select E'\\';\\\\'", "select $q$ ;'\" $q$",
    'create table "a;b" (x int)', "create function f() returns int begin atomic; select case 1 when 1 then 2 end; end",
    "create rule r as on insert to t do also (insert into a values (1); insert into b values (2))",
    "select /* ; /* ' */ \" */ 1", "select 1 -- ; '\n + 2", "do $$ begin; end; $$", "select U&'\\00e9;'" }
  local glue = { ";", " ; ", ";\n-- a ' comment ;\n", ";/* ; */;", ";;\n\n;" }

  it("finds again the statements that a script was made of", function()
    math.randomseed(11)
    for _ = 1, 2000 do
      local expected, script = {}, {}
      for i = 1, math.random(8) do
        expected[i] = fragments[math.random(#fragments)]
        script[#script + 1] = expected[i]
        script[#script + 1] = glue[math.random(#glue)]
      end
      local found = texts(table.concat(script))
      for i, sql in ipairs(found) do found[i] = sql:gsub("^%-%- a ' comment ;\n", ""):gsub("^/%* ; %*/", "") end
      assert.same(expected, found)
    end
  end)

  it("answers or refuses whatever it is given", function()
    math.randomseed(12)
    local pieces = { "'", '"', "$", "$$", "$a$", ";", "--", "\n", "/*", "*/", "(", ")", "\\", "E'", "e", "create", " ",
      "begin atomic ", " end ", " case ", "x", "1", "é", "\0", "copy t from stdin" }
    for _ = 1, 20000 do
      local parts = {}
      for i = 1, math.random(12) do parts[i] = pieces[math.random(#pieces)] end
      local script = table.concat(parts)
      local ok, answer = pcall(scan.split, script)
      if not ok then
        assert.is_true(fault.is(answer), script)
      else
        for _, found in ipairs(answer) do
          assert.equal(found.sql, script:sub(found.offset, found.offset + #found.sql - 1))
        end
      end
    end
  end)

  local large = {
    { "many statements", ("insert into t values (1, 'it''s; fine'); -- x\n"):rep(20000), 20000 },
    { "one long statement", "insert into t values (1)" .. (", (1, 'a;''b')"):rep(100000), 1 },
    { "deeply nested comments", ("/*"):rep(300000) .. ("*/"):rep(300000) .. "select 1", 1 },
    { "deeply nested parentheses", "create table t " .. ("("):rep(200000) .. (")"):rep(200000), 1 },
    { "a long string", "select '" .. (";''"):rep(500000) .. "'", 1 },
    { "a long dollar string", "select $a$" .. ("$b$;$$"):rep(200000) .. "$a$", 1 },
    { "empty statements", (" ; "):rep(300000), 0 },
  }
  for _, case in ipairs(large) do
    it("takes time in proportion to " .. case[1], function()
      local started = os.clock()
      assert.equal(case[3], #scan.split(case[2]))
      assert.is_true(os.clock() - started < 5)
    end)
  end
end)

describe("scan.command", function()
  local cases = {
    { "select 1", "SELECT" }, { "  -- c\n /* c */ Select", "SELECT" }, { "(select 1) union select 2", "SELECT" },
    { "with x as (select 1) select 2", "WITH" }, { "create table t (a int)", "CREATE TABLE" },
    { "create unlogged table t ()", "CREATE TABLE" }, { "create or replace temp view v as select 1", "CREATE VIEW" },
    { "create unique index concurrently i on t (a)", "CREATE INDEX CONCURRENTLY" },
    { 'create index "concurrently" on t (a)', "CREATE INDEX" },
    { "drop index concurrently if exists i", "DROP INDEX CONCURRENTLY" },
    { "reindex index concurrently i", "REINDEX INDEX CONCURRENTLY" }, { "reindex (verbose) table t", "REINDEX" },
    { "refresh materialized view concurrently m", "REFRESH MATERIALIZED VIEW" },
    { "alter foreign table t add column a int", "ALTER FOREIGN TABLE" },
    { "create event trigger e", "CREATE EVENT TRIGGER" },
    { "vacuum", "VACUUM" }, { "commit", "COMMIT" }, { "", "" }, { "'a'", "" },
  }
  for _, case in ipairs(cases) do
    it(("of %q is %q"):format(case[1], case[2]), function() assert.equal(case[2], scan.command(case[1])) end)
  end
end)

describe("scan.transactional", function()
  local alone = {
    "create index concurrently i on t (a)", "CREATE UNIQUE /* x */ INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)",
    "drop index concurrently i", "reindex table concurrently t", "reindex (concurrently, verbose) index i",
    "reindex (verbose, concurrently true) index i", "reindex schema public", "reindex database d", "reindex system d",
    "alter table only a.b detach partition \"c\" concurrently", "vacuum", "vacuum (analyze) t",
      "alter system set a = 1",
    "create database d", "drop database d", "alter database d set tablespace s", "create tablespace s location '/x'",
    "drop tablespace s", "create subscription s connection 'x' publication p", "drop subscription s",
    "alter subscription s refresh publication", "cluster", "cluster verbose", "discard all",
  }
  for _, sql in ipairs(alone) do
    it("is false for " .. sql, function() assert.is_false(scan.transactional(sql)) end)
  end

  local together = {
    "create index i on t (a)", "create index on concurrently (a)", "select 'vacuum'", "-- vacuum\nselect 1",
    "reindex table t", "reindex index i", "cluster t using i", "alter table t detach partition p",
    "alter table t detach partition p finalize", "alter type mood add value 'x'", "alter database d set a = 1",
    "refresh materialized view concurrently m", "comment on table t is 'concurrently'", "discard plans", "truncate t",
    "analyze t", "create table vacuum_log ()", "checkpoint",
  }
  for _, sql in ipairs(together) do
    it("is true for " .. sql, function() assert.is_true(scan.transactional(sql)) end)
  end
end)

describe("scan.is_transaction_control", function()
  for _, sql in ipairs { "begin", "BEGIN ISOLATION LEVEL SERIALIZABLE", "start transaction", "commit", "end",
    "end work",
    "rollback", "rollback to s", "abort", "savepoint s", "release s", "prepare transaction 'x'", "commit prepared 'x'",
    "/* a */ commit and chain" } do
    it("is true for " .. sql, function() assert.is_true(scan.is_transaction_control(sql)) end)
  end
  for _, sql in ipairs { "select 1", "prepare p as select 1",
    "create table commit (a int)", '"commit"', "do $$ begin end $$",
    "set transaction isolation level serializable", "" } do
    it(("is false for %q"):format(sql), function() assert.is_false(scan.is_transaction_control(sql)) end)
  end
end)

describe("scan.modifies", function()
  for _, sql in ipairs { "with a as (insert into t values (1) returning *) select * from a", "select 1 into t",
    "with a as (delete from t) select 1", "update t set a = 1 returning a" } do
    it("is true for " .. sql, function() assert.is_true(scan.modifies(sql)) end)
  end
  for _, sql in ipairs { "select 'insert', \"update\" from t -- delete", "select inserted, update_at from t",
    "select * from t for update", "select * from t for no key update skip locked" } do
    it("is false for " .. sql, function() assert.is_false(scan.modifies(sql)) end)
  end
end)

describe("scan.parameters and scan.substitute", function()
  local function mark(n) return "<" .. n .. ">" end
  -- statement, highest parameter, statement with the parameters replaced
  local cases = {
    { "select 1", 0, "select 1" }, { "select $1", 1, "select <1>" }, { "select ($2,$1)", 2, "select (<2>,<1>)" },
    { "select $10, $1", 10, "select <10>, <1>" }, { "select '$1', \"$2\", $$ $3 $$, E'\\'$4'", 0 },
    { "select 1 -- $1\n /* $2 */ + $3", 3, "select 1 -- $1\n /* $2 */ + <3>" }, { "select a$1, a1$2", 0 },
    { "select -$1", 1, "select - <1>" }, { "select e$1", 0 }, { "select x=$1", 1, "select x=<1>" },
    { "select$1", 0 }, { "a; b $1; c", 1, "a; b <1>; c" }, { "select $1::int[$2]", 2, "select <1>::int[<2>]" },
    { "select $99999999999999999999", math.maxinteger, nil },
  }
  for _, case in ipairs(cases) do
    it(("find those of %q"):format(case[1]), function()
      assert.equal(case[2], scan.parameters(case[1]))
      if case[2] < 100 then assert.equal(case[3] or case[1], scan.substitute(case[1], mark)) end
    end)
  end
end)
