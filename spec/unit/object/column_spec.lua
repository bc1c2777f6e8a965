local operations = require "spec.support.operations"
local value = require "moontide.value"

local sql, null = value.sql, value.null

describe("add_column", function()
  operations.cases {
    { "every option", function(op)
      op.add_column("t", { "a", "int", nullable = false, default = 0, references = { table = "p", name = "fk" },
        unique = { name = "u" }, storage = "plain", statistics = 10, comment = "c", index = { name = "i" } },
        { schema = "s", if_not_exists = true })
    end, sql = {
      "ALTER TABLE s.t ADD COLUMN IF NOT EXISTS a integer DEFAULT 0 NOT NULL CONSTRAINT fk REFERENCES p, "
        .. "ADD CONSTRAINT u UNIQUE (a), ALTER COLUMN a SET STORAGE PLAIN, ALTER COLUMN a SET STATISTICS 10",
      "CREATE INDEX i ON s.t (a)", "COMMENT ON COLUMN s.t.a IS 'c'",
    }, refusal = "leave if_not_exists out", locks = { "s.t: ACCESS EXCLUSIVE", "p: SHARE ROW EXCLUSIVE" } },
    { "a plain column", function(op) op.add_column("t", { "a", "int" }, { schema = "s" }) end,
      sql = "ALTER TABLE s.t ADD COLUMN a integer",
      undo = 'op.drop_column("t", "a", { schema = "s", existing = { "a", "integer" } })' },
    { "a generated column", function(op) op.add_column("t", { "a", "int", generated = "b * 2" }) end,
      sql = "ALTER TABLE t ADD COLUMN a integer GENERATED ALWAYS AS (b * 2) STORED",
      undo = 'op.drop_column("t", "a", { existing = { "a", "integer", generated = "b * 2" } })' },
  }
  operations.refusals {
    { "a missing column", function(op) op.add_column("t") end, "add_column: the column is missing" },
    { "a name instead of a column", function(op) op.add_column("t", "a", "int") end,
      "add_column: the column must be { name, type, ... }, not a string" },
    { "a third element", function(op) op.add_column("t", { "a", "int", "x" }) end,
      'add_column: column "a": "x" is one value too many' },
    { "a nameless table among its options", function(op) op.add_column("t", { "a", "int", references = { {} } }) end,
      'add_column: column "a": option "references": a table without a name is one value too many' },
    { "null where nothing may be null", function(op)
      op.add_column("t", { "a", "int", nullable = false, default = null }) end,
      'add_column: column "a": default = null contradicts nullable = false' },
    { "a nullable identity", function(op) op.add_column("t", { "a", "int", nullable = true, identity = true }) end,
      'add_column: column "a": nullable = true contradicts identity' },
    { "a generated identity", function(op) op.add_column("t", { "a", "int", generated = "1", identity = true }) end,
      'add_column: column "a": identity and generated cannot be given together' },
    { "columns of set null that nothing sets", function(op)
      op.add_column("t", { "a", "int", references = { table = "p", on_delete_columns = "a" } }) end,
      'add_column: column "a": on_delete_columns needs on_delete = "set null" or "set default"' },
    { "initially deferred and not deferrable", function(op)
      op.add_column("t", { "a", "int", references = { table = "p", deferrable = false, initially = "deferred" } }) end,
      'add_column: column "a": initially = "deferred" contradicts deferrable = false' },
  }
end)

describe("drop_column", function()
  operations.cases {
    { "every option", function(op) op.drop_column("t", "a", { schema = "s", if_exists = true, cascade = true }) end,
      sql = "ALTER TABLE s.t DROP COLUMN IF EXISTS a CASCADE", refusal = 'existing = { "a", "text" }',
      locks = { "s.t: ACCESS EXCLUSIVE" } },
    { "what the column was", function(op)
      op.drop_column("t", "a", { existing = { "a", "int", references = "p", default = sql "f(1)" } })
    end, sql = "ALTER TABLE t DROP COLUMN a", locks = { "t: ACCESS EXCLUSIVE", "p: ACCESS EXCLUSIVE" },
      undo = 'op.add_column("t", { "a", "integer", default = sql "f(1)", references = "p" })' },
    { "cascade", function(op) op.drop_column("t", "a", { cascade = true, existing = { "a", "int" } }) end,
      sql = "ALTER TABLE t DROP COLUMN a CASCADE", refusal = "cascade also drops" },
  }
  operations.refusals {
    { "a description of another column", function(op) op.drop_column("t", "a", { existing = { "b", "int" } }) end,
      'drop_column: existing describes the column "b", not "a"' },
  }
end)

describe("rename_column", function()
  operations.cases {
    { "in a schema", function(op) op.rename_column("t", "a", "Ünder Score", { schema = "s" }) end,
      sql = 'ALTER TABLE s.t RENAME COLUMN a TO "Ünder Score"', locks = { "s.t: ACCESS EXCLUSIVE" },
      undo = 'op.rename_column("t", "Ünder Score", "a", { schema = "s" })' },
  }
end)

describe("alter_column", function()
  operations.cases {
    { "a type", function(op)
      op.alter_column("t", "a", { type = "bigint", using = "a::bigint", schema = "s", existing = { type = "text" } })
    end, sql = "ALTER TABLE s.t ALTER COLUMN a TYPE bigint USING a::bigint",
      undo = 'op.alter_column("t", "a", { schema = "s", type = "text", '
        .. 'existing = { type = "bigint", using = "a::bigint" } })' },
    { "a type and its collation", function(op)
      op.alter_column("t", "a", { type = "text", collation = "C",
        existing = { type = "varchar(9)", collation = "de_DE", using = "left(a, 9)" } })
    end, sql = 'ALTER TABLE t ALTER COLUMN a TYPE text COLLATE "C"',
      undo = 'op.alter_column("t", "a", { type = "character varying(9)", using = "left(a, 9)", '
        .. 'collation = "de_DE", existing = { type = "text", collation = "C" } })' },
    { "a type and a default", function(op)
      op.alter_column("t", "a", { type = "int", using = "1", default = 5, existing = { type = "text", default = "x" } })
    end, sql = "ALTER TABLE t ALTER COLUMN a DROP DEFAULT, ALTER COLUMN a TYPE integer USING 1, "
      .. "ALTER COLUMN a SET DEFAULT 5",
      undo = 'op.alter_column("t", "a", { type = "text", default = "x", '
        .. 'existing = { type = "integer", default = 5, using = "1" } })' },
    { "a type it does not say the old one of", function(op) op.alter_column("t", "a", { type = "int" }) end,
      sql = "ALTER TABLE t ALTER COLUMN a TYPE integer", refusal = "give existing = { type = ... }",
      locks = { "t: ACCESS EXCLUSIVE" } },
    { "not null", function(op) op.alter_column("t", "a", { nullable = false }) end,
      sql = "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
      undo = 'op.alter_column("t", "a", { nullable = true, existing = { nullable = false } })' },
    { "null", function(op) op.alter_column("t", "a", { nullable = true }) end,
      sql = "ALTER TABLE t ALTER COLUMN a DROP NOT NULL",
      undo = 'op.alter_column("t", "a", { nullable = false, existing = { nullable = true } })' },
    { "a default of false", function(op)
      op.alter_column("t", "a", { default = false, existing = { default = null } })
    end, sql = "ALTER TABLE t ALTER COLUMN a SET DEFAULT false", locks = { "t: ACCESS EXCLUSIVE" },
      undo = 'op.alter_column("t", "a", { default = null, existing = { default = false } })' },
    { "no default", function(op)
      op.alter_column("t", "a", { default = null, existing = { default = sql "now()" } }) end,
      sql = "ALTER TABLE t ALTER COLUMN a DROP DEFAULT",
      undo = 'op.alter_column("t", "a", { default = sql "now()", existing = { default = null } })' },
    { "an identity", function(op) op.alter_column("t", "a", { identity = "always", default = null,
      existing = { default = 1 } }) end,
      sql = "ALTER TABLE t ALTER COLUMN a DROP DEFAULT, ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY",
      undo = 'op.alter_column("t", "a", { default = 1, identity = null, '
        .. 'existing = { default = null, identity = "always" } })' },
    { "another identity", function(op)
      op.alter_column("t", "a", { identity = { increment = 2 },
        existing = { identity = { always = true, cache = 5 } } })
    end, sql = "ALTER TABLE t ALTER COLUMN a SET GENERATED BY DEFAULT SET INCREMENT BY 2 SET CACHE 1",
      undo = 'op.alter_column("t", "a", { identity = { always = true, cache = 5 }, '
        .. 'existing = { identity = { increment = 2 } } })' },
    { "no identity", function(op) op.alter_column("t", "a", { identity = false, existing = { identity = true } }) end,
      sql = "ALTER TABLE t ALTER COLUMN a DROP IDENTITY",
      undo = 'op.alter_column("t", "a", { identity = true, existing = { identity = null } })' },
    { "no expression", function(op) op.alter_column("t", "a", { generated = null }) end,
      sql = "ALTER TABLE t ALTER COLUMN a DROP EXPRESSION",
      refusal = "cannot make an existing column a generated one" },
    { "another expression", function(op)
      op.alter_column("t", "a", { generated = "b", existing = { generated = "c" } })
    end, sql = "ALTER TABLE t ALTER COLUMN a SET EXPRESSION AS (b)",
      undo = 'op.alter_column("t", "a", { generated = "c", existing = { generated = "b" } })' },
    { "storage, compression, statistics and options", function(op)
      op.alter_column("t", "a", { storage = "main", compression = "pglz", statistics = 7,
        options = { n_distinct = 5, n_distinct_inherited = null },
        existing = { storage = "extended", compression = "default", statistics = -1, options = {
          n_distinct_inherited = 3 } } })
    end, sql = "ALTER TABLE t ALTER COLUMN a SET STORAGE MAIN, ALTER COLUMN a SET COMPRESSION pglz, "
      .. "ALTER COLUMN a SET STATISTICS 7, ALTER COLUMN a SET (n_distinct = 5), "
      .. "ALTER COLUMN a RESET (n_distinct_inherited)",
      undo = 'op.alter_column("t", "a", { storage = "extended", compression = "default", statistics = -1, '
        .. 'options = { n_distinct = null, n_distinct_inherited = 3 }, existing = { storage = "main", '
        .. 'compression = "pglz", statistics = 7, options = { n_distinct = 5, n_distinct_inherited = null } } })' },
    { "a comment", function(op) op.alter_column("t", "a", { comment = "x", existing = { comment = null } }) end,
      sql = "COMMENT ON COLUMN t.a IS 'x'", locks = { "t: SHARE UPDATE EXCLUSIVE" },
      undo = 'op.alter_column("t", "a", { comment = null, existing = { comment = "x" } })' },
    { "statistics alone", function(op) op.alter_column("t", "a", { statistics = 1 }) end,
      sql = "ALTER TABLE t ALTER COLUMN a SET STATISTICS 1", locks = { "t: SHARE UPDATE EXCLUSIVE" },
      refusal = "statistics = ..." },
    { "a name and more", function(op)
      op.alter_column("t", "a", { name = "b", nullable = false, comment = null, schema = "s",
        existing = { comment = "x" } })
    end, sql = { "ALTER TABLE s.t ALTER COLUMN a SET NOT NULL", "COMMENT ON COLUMN s.t.a IS NULL",
      "ALTER TABLE s.t RENAME COLUMN a TO b" }, locks = { "s.t: ACCESS EXCLUSIVE" },
      undo = 'op.alter_column("t", "b", { name = "a", schema = "s", nullable = true, comment = "x", '
        .. 'existing = { nullable = false, comment = null } })' },
    { "a name alone", function(op) op.alter_column("t", "a", { name = "b" }) end,
      sql = "ALTER TABLE t RENAME COLUMN a TO b", undo = 'op.alter_column("t", "b", { name = "a" })' },
  }
  operations.refusals {
    { "no change", function(op) op.alter_column("t", "a", { schema = "s" }) end,
      "alter_column: nothing to change", "Give at least one of" },
    { "using without a type", function(op) op.alter_column("t", "a", { using = "a::int" }) end,
      "alter_column: using needs type" },
    { "a default with an identity", function(op) op.alter_column("t", "a", { default = 1, identity = true }) end,
      "alter_column: default and identity cannot be given together" },
    { "an unknown storage", function(op) op.alter_column("t", "a", { storage = "big" }) end,
      'alter_column: option "storage" cannot be "big"', "extended" },
    { "an unknown key of existing", function(op)
      op.alter_column("t", "a", { type = "int", existing = { typ = "x" } }) end,
      'alter_column: option "existing": unknown option "typ"', '"type"' },
  }
end)

describe("alter_table", function()
  operations.cases {
    { "several actions", function(op)
      op.alter_table("t", {
        { "add_column", { "a", "int", comment = "x" } },
        { "drop_column", "b", { existing = { "b", "text" } } },
        { "create_unique_constraint", null, { "a" } },
        { "create_foreign_key", "fk", "p", "a", "id" },
        { "alter_column", "c", { nullable = false } },
      }, { schema = "s" })
    end, sql = { "ALTER TABLE s.t ADD COLUMN a integer, DROP COLUMN b, ADD UNIQUE (a), "
      .. "ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES p (id), ALTER COLUMN c SET NOT NULL",
      "COMMENT ON COLUMN s.t.a IS 'x'" },
      locks = { "s.t: ACCESS EXCLUSIVE", "p: SHARE ROW EXCLUSIVE" },
      undo = 'op.alter_table("t", { '
        .. '{ "alter_column", "c", { nullable = true, existing = { nullable = false } } }, '
        .. '{ "drop_constraint", "fk", { existing = { foreign_key = { "a", "p", "id" } } } }, '
        .. '{ "drop_constraint", "t_a_key", { existing = { unique = { "a" } } } }, '
        .. '{ "add_column", { "b", "text" } }, '
        .. '{ "drop_column", "a", { existing = { "a", "integer", comment = "x" } } } }, { schema = "s" })' },
    { "new names are taken back first", function(op)
      op.alter_table("t", {
        { "alter_column", "a", { name = "b", nullable = false } },
        { "create_check_constraint", "ck", "c > 0" },
      })
    end, sql = { "ALTER TABLE t ALTER COLUMN a SET NOT NULL, ADD CONSTRAINT ck CHECK (c > 0)",
      "ALTER TABLE t RENAME COLUMN a TO b" },
      undo = { 'op.rename_column("t", "b", "a")', 'op.alter_table("t", { '
        .. '{ "drop_constraint", "ck", { existing = { check = "c > 0" } } }, '
        .. '{ "alter_column", "a", { nullable = true, existing = { nullable = false } } } })' } },
    { "an action that cannot be undone", function(op)
      op.alter_table("t", { { "drop_column", "a" }, { "validate_constraint", "x" } })
    end, sql = "ALTER TABLE t DROP COLUMN a, VALIDATE CONSTRAINT x", refusal = "action 1 (drop_column): what" },
  }
  operations.refusals {
    { "no actions", function(op) op.alter_table("t", {}) end, "alter_table: the list of actions must not be empty" },
    { "an operation that is no action", function(op) op.alter_table("t", { { "create_index", "i", { "a" } } }) end,
      'alter_table: action 1: "create_index" is no action of ALTER TABLE' },
    { "a misspelt action", function(op) op.alter_table("t", { { "add_colum", { "a", "int" } } }) end,
      'alter_table: action 1: "add_colum" is no action of ALTER TABLE', '"add_column"' },
    { "a wrong argument of an action", function(op) op.alter_table("t", { { "add_column", { "a" } } }) end,
      'alter_table: action 1: add_column: column "a": the type is missing' },
    { "a schema of an action", function(op) op.alter_table("t", { { "drop_column", "a", { schema = "s" } } }) end,
      "alter_table: action 1: the schema is an option of alter_table" },
  }
end)
