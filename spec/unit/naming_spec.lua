local md5 = require "moontide.md5"
local naming = require "moontide.naming"
local operation = require "moontide.operation"
local value = require "moontide.value"
require "moontide.op"

-- The rules that SQLAlchemy's documentation recommends.
local rules = {
  ix = "ix_%(column_0_label)s", uq = "uq_%(table_name)s_%(column_0_name)s",
  ck = "ck_%(table_name)s_%(constraint_name)s",
  fk = "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s", pk = "pk_%(table_name)s",
}

local function sql(with, ...)
  local o = operation.build(...)
  naming.apply(with, o)
  local texts = {}
  for index, statement in ipairs(operation.statements(o)) do texts[index] = statement.sql end
  return table.concat(texts, "; "), o
end

describe("md5", function()
  it("is that of RFC 1321", function()
    assert.equal("d41d8cd98f00b204e9800998ecf8427e", md5.hex "")
    assert.equal("900150983cd24fb0d6963f7d28e17f72", md5.hex "abc")
    assert.equal("57edf4a22be3c955ac49da2e2107b67a", md5.hex(("1234567890"):rep(8)))
  end)
end)

describe("naming rules", function()
  local cases = {
    { "CREATE INDEX ix_t_a ON t (a, b)", "create_index", nil, "t", { "a", "b" } },
    { "ALTER TABLE t ADD CONSTRAINT uq_t_a UNIQUE (a, b)", "create_unique_constraint", nil, "t", { "a", "b" } },
    { "ALTER TABLE t ADD CONSTRAINT pk_t PRIMARY KEY (a)", "create_primary_key", nil, "t", "a" },
    { "ALTER TABLE t ADD CONSTRAINT fk_t_a_u FOREIGN KEY (a) REFERENCES u (id)",
      "create_foreign_key", nil, "t", "u", "a", "id" },
    { "ALTER TABLE t ADD CONSTRAINT ck_t_positive CHECK (a > 0)",
      "create_check_constraint", "positive", "t", "a > 0" },
    { "ALTER TABLE t ADD CONSTRAINT ck_t_positive CHECK (a > 0)",
      "create_check_constraint", "ck_t_positive", "t", "a > 0" },
    { "ALTER TABLE t ADD CONSTRAINT ck_t_ck_u_positive CHECK (a > 0)",
      "create_check_constraint", "ck_u_positive", "t", "a > 0" },
    { "CREATE INDEX mine ON t (a)", "create_index", "mine", "t", "a" },
    { "CREATE INDEX ix_t_lower_a ON t ((lower(a)))", "create_index", nil, "t", { value.sql "lower(a)" } },
    { 'CREATE INDEX ix_t_a_b_expr ON t ((a || \' x\' || "B"))', "create_index", nil, "t",
      { value.sql [[a || ' x' || "B"]] } },
    { "ALTER TABLE t ADD COLUMN a integer CONSTRAINT fk_t_a_u REFERENCES u,", "alter_table", "t",
      { { "add_column", { "a", "integer", references = "u" } }, { "add_column", { "b", "integer" } } } },
  }
  for _, case in ipairs(cases) do
    case.n = 1
    for index in pairs(case) do case.n = math.max(case.n, tonumber(index) or 1) end
    it("make " .. case[1], function()
      local text = sql(rules, table.unpack(case, 2, case.n)):gsub("\n%s*", " ")
      assert.equal(case[1], text:sub(1, #case[1]))
    end)
  end

  it("name everything of a new table, and its inverse knows the names", function()
    local text, o = sql(rules, "create_table", "t", {
      { "id", "integer", primary_key = true }, { "a", "text", unique = true, index = true },
      { "u", "integer", references = { table = "us", column = "id" } },
      { "n", "integer", check = { "n > 0", name = "small" } },
      unique = { { "a", "u" } }, indexes = { { "u", "a" } },
    })
    for _, part in ipairs { "CONSTRAINT pk_t PRIMARY KEY (id)", "CONSTRAINT uq_t_a UNIQUE (a)", "INDEX ix_t_a ON t (a)",
      "CONSTRAINT fk_t_u_us REFERENCES us (id)", "CONSTRAINT ck_t_small CHECK (n > 0)",
      "CONSTRAINT uq_t_a UNIQUE (a, u)", "INDEX ix_t_u ON t (u, a)" } do
      assert.truthy(text:find(part, 1, true), part .. " is not in " .. text)
    end
    assert.equal("pk_t", operation.inverse(o)[1].existing.primary_key.name)
    local _, unique = sql(rules, "create_unique_constraint", nil, "t", { "a" })
    assert.equal("uq_t_a", operation.inverse(unique)[1].name)
  end)

  it("may be functions", function()
    local given
    local with = { uq = function(c) given = c return c.table .. "$" .. table.concat(c.columns, "$") end,
      ix = function() end }
    assert.matches("CONSTRAINT t%$a%$b UNIQUE", (sql(with, "create_unique_constraint", nil, "t", { "a", "b" },
      { schema = "s" }):gsub('"', "")))
    assert.same({ table = "t", schema = "s", columns = { "a", "b" } }, given)
    assert.equal("CREATE INDEX ON t (a)", (sql(with, "create_index", nil, "t", "a")))
  end)

  it("know several columns and the referred ones", function()
    local with = { fk = "%(column_0_N_name)s.%(column_0N_name)s.%(column_1_name)s.%(referred_column_0_name)s" }
    local _, o = sql(with, "create_foreign_key", nil, "t", "u", { "a", "b" }, { "c", "d" })
    assert.equal("a_b.ab.b.c", o.name)
  end)

  -- As SQLAlchemy 2 names it: the first 55 characters and the end of the MD5 of the whole.
  it("shorten what is longer than 63 bytes as SQLAlchemy does", function()
    local table_name = ("t"):rep(50)
    local _, o = sql(rules, "create_unique_constraint", nil, table_name, "a_long_column_name")
    local whole = "uq_" .. table_name .. "_a_long_column_name"
    assert.equal(whole:sub(1, 55) .. "_" .. md5.hex(whole):sub(-4), o.name)
    assert.equal(60, #o.name)
    _, o = sql(rules, "create_unique_constraint", nil, ("é"):rep(30), "a_long_one")
    assert.truthy(utf8.len(o.name) and #o.name <= 63)
  end)

  it("refuse a rule that needs a name where there is none", function()
    local ok, problem = pcall(sql, rules, "create_check_constraint", nil, "t", "a > 0")
    assert.is_false(ok)
    assert.equal("the naming rule ck needs a name, and there is none", problem.message)
  end)

  it("are checked", function()
    assert.is_nil(naming.problem(rules))
    assert.equal("rules with known tokens; %(colum_0_name)s is not", naming.problem { ix = "%(colum_0_name)s" })
    assert.equal('rules by ix, uq, ck, fk, pk and ex; "zz" is none of them', naming.problem { zz = "a" })
    assert.equal("rules that are texts or functions", naming.problem { ix = 5 })
    assert.equal("a table of rules by ix, uq, ck, fk, pk and ex", naming.problem "ix")
  end)
end)
