-- Rows that are loaded by COPY before a commit point are compared when the run continues, like SQL.
local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("the rows of a committed segment", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local frame = [[
  op.execute("CREATE TABLE t (id integer, note text)")
  %s
  op.transaction(function() op.execute("CREATE TABLE u ()") end)
  op.execute("SELECT 1/%d")
]]
  local function project(load, divisor, files)
    files = files or {}
    files["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = frame:format(load, divisor) })
    return cli.project(files)
  end
  local function upgrade(folder) return cli.run({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } }) end

  local function continues(first, then_, files, files_then)
    assert.equal(1, upgrade(project(first, 0, files)).status)
    return upgrade(project(then_, 1, files_then or files))
  end

  local function assert_refused(ran)
    assert.equal(1, ran.status, ran.stderr)
    assert.matches('revision "a1" was edited after a part of it had been applied', ran.stderr)
    assert.matches("segment 1 of its upgrade is committed and differs from the file now; the rows that it loaded "
      .. "are others now", ran.stderr)
    assert.equal("0", server.sql(url, "SELECT count(*) FROM moontide.version"))
  end

  local inserted = 'local rows = {} for i = 1, 2500 do rows[i] = { id = i, note = "n" .. i %% %d } end '
    .. 'op.bulk_insert("t", rows)'
  local valued = 'local rows = {} for i = 1, 101 do rows[i] = { id = i, note = %s } end op.bulk_insert("t", rows)'
  local called = 'local i = 0 op.copy_from("t", function() i = i + 1 '
    .. 'return i <= %d and { id = i, note = "x" } or nil end, { columns = { "id", "note" } })'
  local lines = 'op.copy_from("t", { "1\\ta", "2\\t%s" })'

  for name, case in pairs {
    ["a long op.bulk_insert"] = { inserted:format(7), inserted:format(8), "2500" },
    ["a function"] = { called:format(20000), called:format(19999), "20000" },
    ["lines"] = { lines:format "b", lines:format "c", "2" },
    ["JSON documents"] = { valued:format "json { a = { i } }", valued:format "json { b = { i } }", "101" },
    ["arrays"] = { valued:format "array { i, 1 }", valued:format "array { i, 2 }", "101" },
    ["bytes"] = { valued:format [[bytea "\0a"]], valued:format [[bytea "\0b"]], "101" },
  } do
    it(("of %s may not be edited"):format(name), function() assert_refused(continues(case[1], case[2])) end)

    it(("of %s are not loaded again"):format(name), function()
      local ran = continues(case[1], case[1])
      assert.equal(0, ran.status, ran.stderr)
      assert.equal(case[3], server.sql(url, "SELECT count(*) FROM t"))
    end)
  end

  local from_file = 'op.copy_from("t", "rows.csv", { format = "csv", header = true })'
  local function csv(count, last)
    local list = { "id,note" }
    for i = 1, count do list[i + 1] = i .. ",some words for the line" end
    return { ["migrations/rows.csv"] = table.concat(list, "\n") .. last .. "\n" }
  end

  it("of a file may not be edited", function()
    assert_refused(continues(from_file, from_file, csv(5000, ""), csv(5000, "!")))
  end)

  it("of a file are read again and not loaded again", function()
    local ran = continues(from_file, from_file, csv(5000, ""))
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("5000", server.sql(url, "SELECT count(*) FROM t"))
  end)

  it("that were journaled without a checksum of theirs are compared by their statements alone", function()
    assert.equal(1, upgrade(project(lines:format "b", 0)).status)
    server.sql(url, "UPDATE moontide.journal SET digest = split_part(digest, '/', 1)")
    local ran = upgrade(project(lines:format "c", 1))
    assert.equal(0, ran.status, ran.stderr)
  end)

  it("an edit of the statements names both", function()
    local one = 'op.execute("CREATE TABLE v (a integer)")'
    local ran = continues(one, (one:gsub("integer", "bigint")))
    assert.equal(1, ran.status)
    assert.matches("it ended with: CREATE TABLE v %(a integer%)\n *the file has: CREATE TABLE v %(a bigint%)",
      ran.stderr)
  end)

  it("repair verify tells as well", function()
    assert.equal(1, upgrade(project(lines:format "b", 0)).status)
    local function verify(text)
      local folder = project(lines:format(text), 0)
      return cli.run({ "repair", "verify", "a1" }, { cwd = folder, env = { DATABASE_URL = url } })
    end
    assert.equal(0, verify("b").status)
    assert.equal(1, verify("c").status)
  end)
end)
