local operations = require "spec.support.operations"
local value = require "moontide.value"

local sql = value.sql

describe("create_primary_key", function()
  operations.cases {
    { "without a name", function(op) op.create_primary_key(nil, "t", { "a", "b" }, { schema = "s" }) end,
      sql = "ALTER TABLE s.t ADD PRIMARY KEY (a, b)", locks = { "s.t: ACCESS EXCLUSIVE" },
      undo = 'op.drop_constraint("t_pkey", "t", { schema = "s", existing = { primary_key = { "a", "b" } } })' },
    { "every option", function(op)
      op.create_primary_key("pk", "t", "a", { include = { "b" }, with = { fillfactor = 50 }, tablespace = "fast",
        deferrable = true, initially = "deferred" })
    end, sql = "ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY (a) INCLUDE (b) WITH (fillfactor = 50) "
      .. "USING INDEX TABLESPACE fast DEFERRABLE INITIALLY DEFERRED" },
    { "an index that is there", function(op) op.create_primary_key("pk", "t", { "a" }, { using_index = "ix" }) end,
      sql = "ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY USING INDEX ix",
      undo = { 'op.drop_constraint("pk", "t")', 'op.create_index("ix", "t", { "a" }, { unique = true })' } },
    { "an index of unknown columns", function(op) op.create_primary_key(nil, "t", nil, { using_index = "ix" }) end,
      sql = "ALTER TABLE t ADD PRIMARY KEY USING INDEX ix", refusal = "third argument" },
  }
  operations.refusals {
    { "no columns", function(op) op.create_primary_key("pk", "t", {}) end,
      "create_primary_key: the list of columns must not be empty" },
    { "missing columns", function(op) op.create_primary_key("pk", "t") end,
      "create_primary_key: the list of columns is missing" },
    { "a column twice", function(op) op.create_primary_key("pk", "t", { "a", "a" }) end,
      'create_primary_key: the list of columns names "a" twice' },
    { "index options of an index that is there", function(op)
      op.create_primary_key("pk", "t", "a", { using_index = "i", tablespace = "x" }) end,
      "create_primary_key: tablespace and using_index cannot be given together" },
  }
end)

describe("create_unique_constraint", function()
  operations.cases {
    { "without a name", function(op) op.create_unique_constraint(nil, "t", "a", { include = "b" }) end,
      sql = "ALTER TABLE t ADD UNIQUE (a) INCLUDE (b)",
      undo = 'op.drop_constraint("t_a_b_key", "t", { existing = { unique = { "a", include = { "b" } } } })' },
    { "every option", function(op)
      op.create_unique_constraint("u", "t", { "a" }, { schema = "s", nulls_not_distinct = true, deferrable = true,
        initially = "immediate", with = { fillfactor = 50 }, tablespace = "fast" })
    end, sql = "ALTER TABLE s.t ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (a) WITH (fillfactor = 50) "
      .. "USING INDEX TABLESPACE fast DEFERRABLE INITIALLY IMMEDIATE" },
    { "an index that is there", function(op)
      op.create_unique_constraint(nil, "t", { "a" }, { using_index = "i", schema = "s" })
    end, sql = "ALTER TABLE s.t ADD UNIQUE USING INDEX i",
      undo = { 'op.drop_constraint("i", "t", { schema = "s" })',
        'op.create_index("i", "t", { "a" }, { schema = "s", unique = true })' } },
  }
end)

describe("create_foreign_key", function()
  operations.cases {
    { "without a name", function(op) op.create_foreign_key(nil, "t", "p", { "a", "b" }, { "x", "y" }) end,
      sql = "ALTER TABLE t ADD FOREIGN KEY (a, b) REFERENCES p (x, y)",
      locks = { "t: SHARE ROW EXCLUSIVE", "p: SHARE ROW EXCLUSIVE" },
      undo = 'op.drop_constraint("t_a_b_fkey", "t", { existing = { '
        .. 'foreign_key = { { "a", "b" }, "p", { "x", "y" } } } })' },
    { "every option", function(op)
      op.create_foreign_key("fk", "t", "p", "a", "x", { schema = "s", referent_schema = "r", on_delete = "set default",
        on_update = "cascade", match = "simple", deferrable = true, initially = "deferred", not_valid = true,
        on_delete_columns = "a" })
    end, sql = "ALTER TABLE s.t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES r.p (x) MATCH SIMPLE "
      .. "ON DELETE SET DEFAULT (a) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID" },
    { "the primary key of the other table", function(op)
      op.create_foreign_key("fk", "t", "t", "a", nil, { source_schema = "s", referent_schema = "s" })
    end, sql = "ALTER TABLE s.t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES s.t",
      locks = { "s.t: SHARE ROW EXCLUSIVE" } },
  }
  operations.refusals {
    { "columns that do not pair", function(op) op.create_foreign_key("fk", "t", "p", { "a" }, { "x", "y" }) end,
      "create_foreign_key: 1 referencing and 2 referenced columns" },
    { "Alembic's spelling", function(op) op.create_foreign_key("fk", "t", "p", "a", "x", { ondelete = "cascade" }) end,
      'create_foreign_key: unknown option "ondelete"', '"on_delete"' },
  }
end)

describe("create_check_constraint", function()
  operations.cases {
    { "every option", function(op)
      op.create_check_constraint("ck", "t", "a > 0", { schema = "s", not_valid = true, no_inherit = true })
    end, sql = "ALTER TABLE s.t ADD CONSTRAINT ck CHECK (a > 0) NO INHERIT NOT VALID",
      undo = 'op.drop_constraint("ck", "t", { schema = "s", existing = { check = { "a > 0", no_inherit = true } } })' },
    { "without a name", function(op) op.create_check_constraint(nil, "t", sql "a > 0") end,
      sql = "ALTER TABLE t ADD CHECK (a > 0)", refusal = "give it a name" },
  }
  operations.refusals {
    { "an empty condition", function(op) op.create_check_constraint("ck", "t", " ") end,
      "create_check_constraint: the condition must not be empty" },
  }
end)

describe("create_exclude_constraint", function()
  operations.cases {
    { "without a name", function(op) op.create_exclude_constraint(nil, "t", { { "a", "=" }, { "b", "&&" } }) end,
      sql = "ALTER TABLE t ADD EXCLUDE (a WITH =, b WITH &&)",
      undo = 'op.drop_constraint("t_a_b_excl", "t", { existing = { exclude = { { "a", "=" }, { "b", "&&" } } } })' },
    { "every option", function(op)
      op.create_exclude_constraint("ex", "t", { { sql "lower(a)", "=", opclass = "text_ops", collation = "C",
        order = "desc", nulls = "first" } }, { schema = "s", using = "gist", where = "a <> ''", include = { "b" },
        with = { fillfactor = 50 }, tablespace = "fast", deferrable = true, initially = "deferred" })
    end, sql = 'ALTER TABLE s.t ADD CONSTRAINT ex EXCLUDE USING gist ((lower(a)) COLLATE "C" text_ops DESC NULLS FIRST '
      .. "WITH =) INCLUDE (b) WITH (fillfactor = 50) USING INDEX TABLESPACE fast WHERE (a <> '') "
      .. "DEFERRABLE INITIALLY DEFERRED" },
    { "an expression without a name", function(op) op.create_exclude_constraint(nil, "t", { { sql "f(a)", "=" } }) end,
      sql = "ALTER TABLE t ADD EXCLUDE ((f(a)) WITH =)", refusal = "give it a name" },
  }
  operations.refusals {
    { "a missing operator", function(op) op.create_exclude_constraint("ex", "t", { { "a" } }) end,
      "create_exclude_constraint: the list of elements 1 operator is missing" },
    { "an operator that is none", function(op) op.create_exclude_constraint("ex", "t", { { "a", "= , b" } }) end,
      'create_exclude_constraint: the list of elements 1: "= , b" is no operator' },
  }
end)

describe("drop_constraint", function()
  operations.cases {
    { "every option", function(op) op.drop_constraint("c", "t", { schema = "s", if_exists = true, cascade = true }) end,
      sql = "ALTER TABLE s.t DROP CONSTRAINT IF EXISTS c CASCADE", refusal = "give existing",
      locks = { "s.t: ACCESS EXCLUSIVE" } },
    { "a primary key", function(op) op.drop_constraint("c", "t", { existing = { primary_key = { "a" } } }) end,
      sql = "ALTER TABLE t DROP CONSTRAINT c", undo = 'op.create_primary_key("c", "t", { "a" })' },
    { "a unique constraint", function(op)
      op.drop_constraint("c", "t", { existing = { unique = { "a", name = "other", nulls_not_distinct = true } } })
    end, sql = "ALTER TABLE t DROP CONSTRAINT c",
      undo = 'op.create_unique_constraint("c", "t", { "a" }, { nulls_not_distinct = true })' },
    { "a foreign key", function(op)
      op.drop_constraint("c", "t", { schema = "s", existing = { foreign_key = { "a", "p", on_delete = "cascade" } } })
    end, sql = "ALTER TABLE s.t DROP CONSTRAINT c", locks = { "s.t: ACCESS EXCLUSIVE", "p: ACCESS EXCLUSIVE" },
      undo = 'op.create_foreign_key("c", "t", "p", { "a" }, nil, { schema = "s", on_delete = "cascade" })' },
    { "a check", function(op) op.drop_constraint("c", "t", { existing = { check = "a > 0" } }) end,
      sql = "ALTER TABLE t DROP CONSTRAINT c", undo = 'op.create_check_constraint("c", "t", "a > 0")' },
    { "an exclusion", function(op)
      op.drop_constraint("c", "t", { existing = { exclude = { { "a", "=" }, using = "gist", where = "a > 0" } } })
    end, sql = "ALTER TABLE t DROP CONSTRAINT c",
      undo = 'op.create_exclude_constraint("c", "t", { { "a", "=" } }, { using = "gist", where = "a > 0" })' },
  }
  operations.refusals {
    { "two descriptions", function(op)
      op.drop_constraint("c", "t", { existing = { check = "a > 0", unique = { "a" } } }) end,
      'drop_constraint: option "existing" must describe one constraint' },
  }
end)

describe("rename_constraint and validate_constraint", function()
  operations.cases {
    { "a new name", function(op) op.rename_constraint("t", "a", "B", { schema = "s" }) end,
      sql = 'ALTER TABLE s.t RENAME CONSTRAINT a TO "B"', locks = { "s.t: ACCESS EXCLUSIVE" },
      undo = 'op.rename_constraint("t", "B", "a", { schema = "s" })' },
    { "a validation", function(op) op.validate_constraint("c", "t", { schema = "s" }) end,
      sql = "ALTER TABLE s.t VALIDATE CONSTRAINT c", locks = { "s.t: SHARE UPDATE EXCLUSIVE" }, undo = {} },
  }
end)
