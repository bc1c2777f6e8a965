-- Names and values that break what pastes them, through the binary: run, undone, and printed for psql.

local cli = require "spec.support.cli"
local pg = require "moontide.runtime.pg"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local names = {
  [[it's]], [["quoted"]], [[a"b]], [[a.b]], [["a"."b"]], [[back\slash]], "tab\tand\nnewline", " lead and trail ",
  "select", "user", "Order", "таблица", "表", "e\u{301}", "\u{1F600}", "$1", "$$", "a--b", "/* c */",
  "; drop table victim; --", "%s%d%%", "{{x}}", "\1\127", "null", "-1", "1st", "a]b[", ("n"):rep(63), ("é"):rep(31),
}

local values = {
  [[it's]], [["double"]], [[back\slash]], [[\]], [[\']], [[\\.]], "\\.", "line\nbreak\r\n", "\t", "$1 $$ $a$",
  "'; drop table victim; --", "%s", "NULL", "\\N", "", " ",
  "\1\127", "é表\u{1F600}", "-- comment", "/*", "E'x'", ("x'\\\n"):rep(300000),
}

local function quoted(list)
  local items = {}
  for index, text in ipairs(list) do items[index] = ("%q"):format(text) end
  return "return {" .. table.concat(items, ",\n") .. "}"
end

local by_names = cli.revision("a1", nil, {
  upgrade = [[
  for _, name in ipairs(require "names") do
    op.create_table(name, { { name, "int", primary_key = true, comment = name }, comment = name })
    op.add_column(name, { "second", "text", default = name, nullable = false })
    op.add_column(name, { "up", "int", references = { table = name, column = name, on_delete = "cascade" } })
    op.create_index("ix" .. (#name > 60 and name:sub(1, 60) or name), name, { name, "up" }, { where = "up > 0" })
    op.create_unique_constraint(nil, name, { name, "up" })
    op.create_check_constraint(name, name, "up > 0")
    op.bulk_insert(name, { { [name] = 1 } })
    op.alter_column(name, name, { name = "elsewhere" })
    op.alter_column(name, "elsewhere", { name = name })
  end]],
  downgrade = [[
  for _, name in ipairs(require "names") do op.drop_table(name) end]],
})

describe("hostile input", function()
  local url, conn
  before_each(function()
    url = server.database()
    server.sql(url, "CREATE TABLE victim ()")
    conn = pg.connect(url)
  end)
  after_each(function()
    conn:close()
    server.drop(url)
  end)

  local function project(text, list)
    return cli.project { ["migrations/versions/a.lua"] = text, ["migrations/names.lua"] = quoted(list) }
  end
  local function run(folder, ...)
    local ran = cli.run({ ... }, { cwd = folder, env = { DATABASE_URL = url } })
    assert.equal(0, ran.status, ran.stderr:sub(1, 2000))
    return ran.stdout
  end
  local function psql(script)
    local path = os.tmpname()
    shell.write(path, script)
    shell.capture(shell.join { server.program "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", path })
    os.remove(path)
  end
  local function column(sql)
    local list = {}
    for index, row in ipairs(conn:exec(sql)) do list[index] = row.x end
    table.sort(list)
    return list
  end
  local function sorted(list)
    local copy = table.move(list, 1, #list, 1, {})
    table.sort(copy)
    return copy
  end

  local tables = "FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'victim'"

  local function check_names()
    assert.same(sorted(names), column("SELECT relname AS x " .. tables))
    assert.same(sorted(names), column("SELECT obj_description(oid) AS x " .. tables))
    local first = "JOIN pg_attribute a ON attrelid = c.oid AND attnum = 1 "
    assert.same(sorted(names), column("SELECT attname AS x " .. tables:gsub("WHERE", first .. "WHERE")))
    assert.same(sorted(names), column("SELECT col_description(oid, 1) AS x " .. tables))
    assert.same(sorted(names), column [[SELECT conname AS x FROM pg_constraint
      WHERE contype = 'c' AND connamespace = 'public'::regnamespace]])
    for _, name in ipairs(names) do
      local row = conn:exec(('SELECT * FROM "%s"'):format(name:gsub('"', '""')))[1]
      assert.same({ [name] = 1, second = name }, row)
      local index = "ix" .. (#name > 60 and name:sub(1, 60) or name)
      assert.equal(1, #conn:exec("SELECT 1 FROM pg_class WHERE relkind = 'i' AND relname = $1", { index }))
    end
  end

  it("as names reaches the catalog as it is, and leaves it again", function()
    local folder = project(by_names, names)
    run(folder, "upgrade")
    check_names()
    run(folder, "downgrade", "base")
    assert.same({}, column("SELECT relname AS x " .. tables))
    assert.equal("1", server.sql(url, "SELECT count(*) FROM pg_class WHERE relname = 'victim'"))
  end)

  it("as names is printed so that psql makes the same of it", function()
    local folder = project(by_names, names)
    psql(run(folder, "upgrade", "--sql"))
    check_names()
    psql(run(folder, "downgrade", "head:base", "--sql"))
    assert.same({}, column("SELECT relname AS x " .. tables))
  end)

  -- name, part of the message
  local refused = {
    { "", "must not be empty" }, { "a\0b", "contains a NUL byte" }, { ("n"):rep(64), "is too long: 64 bytes" },
    { ("é"):rep(32), "is too long: 64 bytes" },
  }
  for _, case in ipairs(refused) do
    it(("as the name %q is refused, with its line"):format(case[1]), function()
      for _, call in ipairs { 'create_table(name, { { "id", "int" } })', 'create_table("t", { { name, "int" } })',
        'add_column("t", { name, "int" })', 'create_index(name, "t", { "id" })', 'create_index("i", "t", { name })',
        'create_unique_constraint(name, "t", { "id" })', 'create_check_constraint(name, "t", "id > 0")',
        'rename_table("t", name)', 'drop_column("t", name)' } do
        local text = cli.revision("a1", nil, { upgrade = 'local name = require("names")[1]\nop.' .. call })
        local ran = cli.run("upgrade", { cwd = project(text, { case[1] }), env = { DATABASE_URL = url } })
        assert.equal(1, ran.status, call)
        assert.matches(case[2], ran.stderr, 1, true)
        assert.matches("versions/a.lua:%d+: ", ran.stderr)
      end
    end)
  end

  local by_values = cli.revision("a1", nil, { upgrade = [[
  op.create_table("t", { { "n", "int" }, { "way", "text" }, { "v", "text" } })
  local rows = {}
  for n, v in ipairs(require "names") do
    op.execute("INSERT INTO t VALUES ($1, 'param', $2)", n, v)
    rows[n] = { n = n, way = "bulk", v = v }
  end
  op.bulk_insert("t", rows)
  local lines = {}
  for n, v in ipairs(require "names") do lines[n] = n .. ',copy,"' .. v:gsub('"', '""') .. '"' end
  op.copy_from("t", lines, { columns = { "n", "way", "v" }, format = "csv" })]] })

  local function check_values(ways)
    for n, text in ipairs(values) do
      local found = conn:exec("SELECT v FROM t WHERE n = $1", { n })
      assert.equal(ways, #found)
      for _, row in ipairs(found) do assert.is_true(text == row.v, "value " .. n) end
    end
  end

  it("as values comes back as it was", function()
    run(project(by_values, values), "upgrade")
    check_values(3)
  end)

  it("as values is printed so that psql makes the same of it", function()
    psql(run(project(by_values, values), "upgrade", "--sql"))
    check_values(3)
  end)

  it("as a value with NUL is refused where text cannot hold it", function()
    for _, call in ipairs { 'execute("SELECT $1::text", "a\\0b")', 'bulk_insert("t", { { v = "a\\0b" } })',
      'execute("SELECT \'a\\0b\'")', 'create_table("t2", { { "a", "text", default = "a\\0b" } })' } do
      for _, more in ipairs { {}, { "--sql" } } do
        local ran = cli.run({ "upgrade", table.unpack(more) }, { cwd = project(cli.revision("a1", nil, {
          upgrade = 'op.create_table("t", { { "v", "text" } })\nop.' .. call }), {}), env = { DATABASE_URL = url } })
        assert.equal(1, ran.status, call)
        assert.matches("NUL byte", ran.stderr)
        assert.matches("versions/a.lua:%d+: ", ran.stderr)
      end
    end
    assert.equal("0", server.sql(url, "SELECT count(*) FROM pg_class WHERE relname = 't'"))
  end)

  it("as bytes may hold NUL", function()
    local text = cli.revision("a1", nil, { upgrade = [[
  op.create_table("t", { { "b", "bytea" } })
  local all = {}
  for byte = 0, 255 do all[#all + 1] = string.char(byte) end
  local bytes = bytea(table.concat(all):rep(8000))
  op.execute("INSERT INTO t VALUES ($1)", bytes)
  op.bulk_insert("t", { { b = bytes } })]] })
    run(project(text, {}), "upgrade")
    assert.same({ "2048000 256" }, column [[SELECT DISTINCT length(b) || ' ' || (
      SELECT count(DISTINCT get_byte(b, i)) FROM generate_series(0, 255) i) AS x FROM t]])
  end)
end)
