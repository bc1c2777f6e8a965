require "moontide.op"
local fault = require "moontide.fault"
local sqlfile = require "moontide.sqlfile"

local function problem_of(fn, ...)
  local ok, problem = pcall(fn, "a.sql", ...)
  assert.is_false(ok)
  assert.is_true(fault.is(problem), tostring(problem))
  return problem
end

describe("the head of an SQL file", function()
  -- text, header
  local headers = {
    { "-- moontide: revision=a1", { revision = "a1" } },
    { "-- moontide: revision=a1, down_revision=", { revision = "a1", down_revision = {} } },
    { "--moontide:revision = a1 ,down_revision=nil", { revision = "a1", down_revision = {} } },
    { "-- moontide: revision=c, down_revision=a b", { revision = "c", down_revision = { "a", "b" } } },
    { "-- moontide: revision=c, down_revision=a + b+d,", { revision = "c", down_revision = { "a", "b", "d" } } },
    { '-- moontide: revision="c,=""d"', { revision = 'c,="d' } },
    { "\239\187\191-- moontide: revision=c\r\n\r\nselect 1", { revision = "c" } },
    { "-- Words.\n\n-- moontide: revision=c,\n-- more\n-- moontide: branch_labels=x, depends_on=y z\n-- upgrade",
      { revision = "c", branch_labels = { "x" }, depends_on = { "y", "z" } } },
  }
  for _, case in ipairs(headers) do
    it(("reads %q"):format(case[1]), function() assert.same(case[2], sqlfile.header("a.sql", case[1])) end)
  end

  -- text, message, line
  local wrong = {
    { "-- upgrade\nselect 1", "no header with a revision at the head of the file", 1 },
    { "select 1;\n-- moontide: revision=a", "no header with a revision at the head of the file", 1 },
    { "-- a\n-- moontide: revision=a b", "revision must be one name, not 2", 1 },
    { "-- moontide: revision=", "revision must be one name, not 0", 1 },
    { "-- a\n-- moontide: revision=a down_revision=b", 'unexpected "=" in the header', 2 },
    { "-- moontide: revision=a, b", 'unexpected "b" in the header', 1 },
    { "-- moontide: revision a", 'unexpected "revision" in the header', 1 },
    { "-- moontide: revision=a, revision=b", '"revision" is given twice in the header', 1 },
    { "-- moontide: revision=a\n\n-- moontide: down=b", 'unknown name "down" in the header', 3 },
  }
  for _, case in ipairs(wrong) do
    it(("refuses %q"):format(case[1]), function()
      local problem = problem_of(sqlfile.header, case[1])
      assert.equal(case[2], problem.message)
      assert.equal("a.sql:" .. case[3], problem.where)
      assert.is_string(problem.hint or case[2]:find "twice" and "")
    end)
  end

  it("suggests the nearest name", function()
    assert.equal('Did you mean "down_revision"?',
      problem_of(sqlfile.header, "-- moontide: revision=a, down_revison=b").hint)
  end)

  it("tells revisions from other SQL files", function()
    assert.is_true(sqlfile.is_revision "-- moontide: revision=a")
    assert.is_true(sqlfile.is_revision "-- forgot the header\n-- Upgrade\nselect 1;")
    assert.is_false(sqlfile.is_revision "-- seed for moontide\nselect 1;")
  end)
end)

describe("the sections of an SQL file", function()
  local head = "-- moontide: revision=a\n"

  local function texts(text, whole)
    local found = {}
    for index, section in ipairs(sqlfile.sections("a.sql", text, whole)) do
      found[index] = { section.name, section.line, section.text }
    end
    return found
  end

  it("are found by lines of their own", function()
    assert.same({ { "upgrade", 2, "select 1;\n" }, { "downgrade", 4, "select 2;" } },
      texts(head .. "-- upgrade\nselect 1;\n-- downgrade\nselect 2;"))
    assert.same({ { "downgrade", 3, "a;\n" }, { "upgrade", 5, "" } },
      texts(head .. "\n--Downgrade:\t\r\na;\n-- UPGRADE"))
  end)

  it("are not looked for in strings, bodies, comments and longer lines", function()
    local body = "select '\n-- downgrade\n', $$\n-- downgrade\n$$ "
      .. "/*\n-- downgrade\n*/;\n-- downgrade it\n--- downgrade\n"
    assert.same({ { "upgrade", 2, body } }, texts(head .. "-- upgrade\n" .. body))
  end)

  it("come after the header, whatever the documentation says", function()
    assert.same({ { "upgrade", 3, "a;" } }, texts("-- upgrade\n" .. head .. "-- upgrade\na;"))
  end)

  it("may be left out where the whole file is one", function()
    assert.same({ { "upgrade", 1, "-- x\nselect 1;" } }, texts("-- x\nselect 1;", true))
    assert.same({ { "upgrade", 2, "a;\n" }, { "downgrade", 4, "b;" } },
      texts("-- x\n-- upgrade\na;\n-- downgrade\nb;", true))
  end)

  -- text below the header, message, line
  local wrong = {
    { "select 1;", "no `-- upgrade` section", 1 },
    { "-- downgrade\nselect 1;", "no `-- upgrade` section", 1 },
    { "-- upgrade\na;\n-- upgrade\nb;", "second `-- upgrade`; the first is in line 2", 4 },
    { "\nselect 1;\n-- upgrade\na;", "SQL outside of the sections", 3 },
  }
  for _, case in ipairs(wrong) do
    it(("refuses %q"):format(case[1]), function()
      local problem = problem_of(sqlfile.sections, head .. case[1])
      assert.equal(case[2], problem.message)
      assert.equal("a.sql:" .. case[3], problem.where)
    end)
  end
end)

describe("the statements of an SQL file", function()
  local head = "-- moontide: revision=a\n-- upgrade\n"

  local function collected(text)
    local found = {}
    local op = { invoke = function(o) found[#found + 1] = { o.kind, o.where, o.sql } end }
    sqlfile.functions("a.sql", text, op).upgrade()
    return found
  end

  it("are operations that know their lines", function()
    assert.same({ { "execute", "a.sql:3", "select 1" }, { "execute", "a.sql:5", "-- two\nselect\n2" } },
      collected(head .. "select 1;\n-- two\nselect\n2;\n-- downgrade\n"))
  end)

  it("may be none", function() assert.same({}, collected(head)) end)

  -- statements, message, line
  local wrong = {
    { "select 1;\n\nselect 'a;", "unterminated quoted string", 5 },
    { "select 1;\n\\d users", 'psql command "\\d"', 4 },
    { "select 1;\n-- a\nCOMMIT;", "COMMIT would break the transaction of the revision", 5 },
    { "copy t from stdin;\n1\n\\.\n", "COPY FROM STDIN", 3 },
    { "select 1;\nselect $a$ \n-- downgrade\n", "unterminated dollar-quoted string", 4 },
  }
  for _, case in ipairs(wrong) do
    it(("refuse %q"):format(case[1]), function()
      local problem = problem_of(sqlfile.functions, head .. case[1], {})
      assert.equal(case[2], problem.message)
      assert.equal("a.sql:" .. case[3], problem.where)
    end)
  end

  it("of a verify section must answer true", function()
    local text = head .. "-- verify\nselect true;\nselect false;"
    local verify = sqlfile.functions("a.sql", text, { invoke = function(o) return o.sql == "select true" end }).verify
    local ok, problem = pcall(verify)
    assert.is_false(ok)
    assert.equal("a.sql:5", problem.where)
  end)
end)
