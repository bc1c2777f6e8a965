local operation = require "moontide.operation"
local operations = require "spec.support.operations"

local unknown_enum = 'what the type "e" was is not known: give existing, as in existing = { "draft", "sent" }'

describe("create_enum", function()
  operations.cases {
    { "labels", function(op) op.create_enum("e", { "a", "it's", "b\\" }, { schema = "S" }) end,
      sql = [[CREATE TYPE "S".e AS ENUM ('a', 'it''s', E'b\\')]], locks = {},
      undo = [[op.drop_enum("e", { schema = "S", existing = { "a", "it's", "b\\" } })]] },
    { "no labels", function(op) op.create_enum("e", {}) end, sql = "CREATE TYPE e AS ENUM ()" },
    { "owner, comment and privileges", function(op)
      op.create_enum("e", { "a" }, { owner = "Boss", comment = "it's", grants = { { "usage", to = "public" },
        { "ALL", to = "reader", grantable = true } } })
    end, sql = { "CREATE TYPE e AS ENUM ('a')", "COMMENT ON TYPE e IS 'it''s'", 'ALTER TYPE e OWNER TO "Boss"',
      "REVOKE ALL ON TYPE e FROM PUBLIC", "GRANT USAGE ON TYPE e TO PUBLIC",
      "GRANT ALL ON TYPE e TO reader WITH GRANT OPTION" },
      undo = 'op.drop_enum("e", { existing = { "a", comment = "it\'s", '
        .. 'grants = { { "usage", to = "public" }, { "all", grantable = true, to = "reader" } }, owner = "Boss" } })' },
    { "privileges that the owner has not", function(op)
      op.create_enum("e", { "a" }, { owner = "boss", grants = { { "usage", to = "boss" } } })
    end, sql = { "CREATE TYPE e AS ENUM ('a')", "ALTER TYPE e OWNER TO boss", "REVOKE ALL ON TYPE e FROM boss",
      "REVOKE ALL ON TYPE e FROM PUBLIC", "GRANT USAGE ON TYPE e TO boss" } },
  }
  operations.cases {
    { "nothing for somebody whom default privileges give something", function(op)
      op.create_enum("e", {}, { grants = { { to = "x" }, { "usage", to = "y" } } })
    end, sql = { "CREATE TYPE e AS ENUM ()", "REVOKE ALL ON TYPE e FROM PUBLIC", "REVOKE ALL ON TYPE e FROM x",
      "GRANT USAGE ON TYPE e TO y" } },
  }
  operations.refusals {
    { "no list", function(op) op.create_enum("e") end, "create_enum: the list of labels is missing" },
    { "a label twice", function(op) op.create_enum("e", { "a", "a" }) end,
      'create_enum: the list of labels has the label "a" twice' },
    { "an empty label", function(op) op.create_enum("e", { "" }) end,
      "create_enum: the list of labels 1 must not be empty" },
    { "a long label", function(op) op.create_enum("e", { ("ä"):rep(32) }) end,
      ('create_enum: the list of labels 1 "%s" is too long: 64 bytes'):format(("ä"):rep(32)), "63" },
    { "a NUL", function(op) op.create_enum("e", { "a\0" }) end,
      "create_enum: the list of labels 1 contains a NUL byte" },
    { "a privilege that types have not", function(op)
      op.create_enum("e", {}, { grants = { { "select", to = "x" } } })
    end, 'create_enum: option "grants" 1 cannot be "select"', "all, usage" },
    { "a privilege for nobody", function(op) op.create_enum("e", {}, { grants = { { "usage" } } }) end,
      'create_enum: option "grants" 1: option "to" is missing' },
    { "if_not_exists, which the server has not", function(op) op.create_enum("e", {}, { if_not_exists = true }) end,
      'create_enum: unknown option "if_not_exists"' },
  }
end)

describe("drop_enum", function()
  operations.cases {
    { "what it was", function(op)
      op.drop_enum("e", { schema = "s", if_exists = true, existing = { "a", "b", comment = "c" } })
    end, sql = "DROP TYPE IF EXISTS s.e", undo = 'op.create_enum("e", { "a", "b" }, { schema = "s", comment = "c" })' },
    { "something unknown", function(op) op.drop_enum("e") end, sql = "DROP TYPE e", refusal = unknown_enum },
    { "more than itself", function(op) op.drop_enum("e", { cascade = true, existing = { "a" } }) end,
      sql = "DROP TYPE e CASCADE", refusal = "cascade also drops what depends on the type" },
  }

  it("is undone by nothing where there was nothing", function()
    local o = operation.build("drop_enum", "e", { if_exists = true })
    local captured = operation.get("drop_enum").capture(o, function() return {} end)
    assert.same({ existing = false }, captured)
    o.existing = false
    assert.same({}, operation.inverse(o))
  end)
end)

describe("rename_enum and set_enum_schema", function()
  operations.cases {
    { "rename", function(op) op.rename_enum("e", "F", { schema = "s" }) end, sql = 'ALTER TYPE s.e RENAME TO "F"',
      undo = 'op.rename_enum("F", "e", { schema = "s" })' },
    { "move", function(op) op.set_enum_schema("e", "t", { schema = "s" }) end, sql = "ALTER TYPE s.e SET SCHEMA t",
      undo = 'op.set_enum_schema("e", "s", { schema = "t" })' },
    { "move from somewhere", function(op) op.set_enum_schema("e", "t") end, sql = "ALTER TYPE e SET SCHEMA t",
      refusal = 'the schema that the type "e" was in is not known: give it, as in schema = "public"' },
  }
end)

describe("the labels of an enum", function()
  operations.cases {
    { "are added", function(op) op.add_enum_value("e", "it's", { schema = "s", after = "a" }) end,
      sql = "ALTER TYPE s.e ADD VALUE 'it''s' AFTER 'a'", locks = {},
      undo = [[op.drop_enum_value("e", "it's", { schema = "s" })]] },
    { "are added if not there", function(op)
      op.add_enum_value("e", "a", { before = "b", if_not_exists = true, in_transaction = true })
    end, sql = "ALTER TYPE e ADD VALUE IF NOT EXISTS 'a' BEFORE 'b'", refusal = "leave if_not_exists out" },
    { "are renamed", function(op) op.rename_enum_value("e", "a", "b", { schema = "s" }) end,
      sql = "ALTER TYPE s.e RENAME VALUE 'a' TO 'b'", undo = 'op.rename_enum_value("e", "b", "a", { schema = "s" })' },
    { "are replaced by more of them", function(op)
      op.alter_enum("e", { "0", "a", "1", "b" }, { existing = { "a", "b" } })
    end, sql = { "ALTER TYPE e ADD VALUE '0' BEFORE 'a'", "ALTER TYPE e ADD VALUE '1' AFTER 'a'" },
      undo = 'op.alter_enum("e", { "a", "b" }, { existing = { "0", "a", "1", "b" } })' },
    { "of an empty enum", function(op) op.alter_enum("e", { "a", "b" }, { existing = {} }) end,
      sql = { "ALTER TYPE e ADD VALUE 'a'", "ALTER TYPE e ADD VALUE 'b' AFTER 'a'" } },
  }
  operations.refusals {
    { "two places", function(op) op.add_enum_value("e", "a", { before = "b", after = "c" }) end,
      "add_enum_value: before and after cannot be given together" },
    { "no label", function(op) op.add_enum_value "e" end, "add_enum_value: the label is missing" },
    { "a replacement by itself", function(op) op.drop_enum_value("e", "a", { replacement = "a" }) end,
      "drop_enum_value: the replacement is the label itself" },
    { "existing labels without the label", function(op) op.drop_enum_value("e", "a", { existing = { "b" } }) end,
      'drop_enum_value: existing has no label "a"' },
    { "a replacement that is no label", function(op) op.alter_enum("e", { "a" }, { replace = { b = "c" } }) end,
      'alter_enum: option "replace" "b": "c" is not among the labels' },
  }

  local function undone(...)
    return operation.source(assert(operation.inverse(operation.build(...)))[1])
  end

  it("come back to their places", function()
    local labels = { "a", "b", "c" }
    assert.equal('op.add_enum_value("e", "a", { before = "b" })', undone("drop_enum_value", "e", "a",
      { existing = labels }))
    assert.equal('op.add_enum_value("e", "c", { after = "b" })', undone("drop_enum_value", "e", "c",
      { existing = labels }))
    assert.equal('op.add_enum_value("e", "x")', undone("drop_enum_value", "e", "x", { existing = { "x" } }))
    assert.truthy(select(2, operation.inverse(operation.build("drop_enum_value", "e", "a"))):find("where the label"))
    assert.truthy(select(2, operation.inverse(operation.build("alter_enum", "e", {}))):find("give existing"))
  end)

  it("can be used only after a commit when they are added, unless told otherwise", function()
    local function waits(name, ...) return operation.get(name).after_commit(operation.build(name, ...)) end
    assert.is_true(waits("add_enum_value", "e", "a"))
    assert.is_false(waits("add_enum_value", "e", "a", { in_transaction = true }))
    assert.is_true(waits("alter_enum", "e", { "a" }))
    assert.is_true(waits("alter_enum", "e", { "a", "b" }, { existing = { "a" } }))
    assert.is_false(waits("alter_enum", "e", { "b" }, { existing = { "a" } }))
  end)

  it("are quoted in the block that builds a type anew, whatever they hold", function()
    local o = operation.build("drop_enum_value", "E", "$moontide$ it's %s", { replacement = "100%" })
    local sql = operation.statements(o)[1].sql
    assert.truthy(sql:find("^DO %$moontide_%$DECLARE"), sql:sub(1, 40))
    assert.truthy(sql:find("%$moontide_%$$"))
    assert.truthy(sql:find([['"E"'::regtype]], 1, true))
    assert.truthy(sql:find("array_remove(old_labels, '$moontide$ it''s %s')", 1, true))
    assert.truthy(sql:find("WHEN ''$moontide$ it''''s %%s'' THEN ''100%%''", 1, true))
  end)
end)
