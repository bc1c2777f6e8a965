---@meta

--- The operations of revision files. Each checks its arguments at once, at the line
--- of the call. A plain Lua value is a literal, `sql "..."` an expression, `null`
--- SQL NULL; what is SQL by nature (a condition, an index predicate) is SQL text.
--- Names are quoted as needed and never split at dots: the schema is an option.
---
--- `existing` says what a thing was before it is changed or dropped, in the shape
--- that creates it; with it the operation can be reversed in `change()`. Where it is left
--- out, an upgrade of a change() keeps what the catalog says of the thing, with its
--- constraints, indexes, comments and privileges, and the downgrade makes it anew. Rows are data:
--- a table or a column that was dropped comes back empty.
---
--- Constraints and indexes without a name get PostgreSQL's own (users_email_key). To
--- reverse such an operation the name is computed by the server's rules; where
--- that name is taken the server adds a number, which cannot be foreseen: give a name there.
---@class moontide.op
op = {}

---@alias moontide.SqlText string|moontide.Sql    SQL text, marked with sql or not
---@alias moontide.Names string|string[]          one name or a list of different ones
---@alias moontide.Parameters table<string, string|number|boolean>  storage parameters, { fillfactor = 70 }
---@alias moontide.ForeignKeyAction "no action"|"restrict"|"cascade"|"set null"|"set default"
---@alias moontide.Initially "deferred"|"immediate"
---@alias moontide.Storage "plain"|"external"|"extended"|"main"|"default"
---@alias moontide.Compression "pglz"|"lz4"|"default"

--- An object that may live in a schema: its name, or this.
---@class moontide.ObjectName
---@field name string
---@field schema? string

---@class moontide.SchemaOption
---@field schema? string  the schema; default: the search path

---@class moontide.DeferrableOptions
---@field deferrable? boolean            the check can wait for the end of the transaction
---@field initially? moontide.Initially  whether it does unless told otherwise

--- How identity values are made.
---@class moontide.Identity
---@field always? boolean     refuse values of the user's own; default: take them
---@field start? integer
---@field increment? integer
---@field minimum? integer
---@field maximum? integer
---@field cache? integer
---@field cycle? boolean

--- An expression that computes a column: SQL text, or this.
---@class moontide.Generated
---@field [1] moontide.SqlText
---@field stored? boolean   default: true
---@field virtual? boolean  computed when read (PostgreSQL 18)

--- A check: SQL text, or this.
---@class moontide.CheckItem
---@field [1] moontide.SqlText
---@field name? string
---@field no_inherit? boolean  it does not hold for children

--- What a column refers to: the name of a table, or this.
---@class moontide.Reference : moontide.DeferrableOptions
---@field table string
---@field schema? string
---@field column? string  default: the primary key
---@field name? string    of the constraint
---@field on_delete? moontide.ForeignKeyAction
---@field on_update? moontide.ForeignKeyAction
---@field on_delete_columns? moontide.Names  the columns that "set null" and "set default" set
---@field match? "simple"|"full"

---@class moontide.ElementOptions
---@field order? "asc"|"desc"
---@field nulls? "first"|"last"
---@field opclass? string|moontide.ObjectName
---@field opclass_options? moontide.Parameters
---@field collation? string|moontide.ObjectName

--- An element of an index: a column's name, `sql "..."` for an expression, or this.
---@class moontide.IndexElement : moontide.ElementOptions
---@field [1] string|moontide.Sql

--- An element of an exclusion constraint.
---@class moontide.ExcludeElement : moontide.ElementOptions
---@field [1] string|moontide.Sql  a column's name, or an expression
---@field [2] string               an operator, such as "&&"

---@class moontide.KeyOptions : moontide.DeferrableOptions
---@field name? string
---@field include? moontide.Names         further columns in the index
---@field with? moontide.Parameters       of the index
---@field tablespace? string              of the index

---@class moontide.UniqueOptions : moontide.KeyOptions
---@field nulls_not_distinct? boolean     two NULLs count as equal (PostgreSQL 15)

--- A primary key: a name, or this list of columns.
---@class moontide.KeyItem : moontide.KeyOptions
---@field [integer] string

---@class moontide.UniqueItem : moontide.UniqueOptions
---@field [integer] string

---@class moontide.ForeignKeyItem : moontide.DeferrableOptions
---@field [1] moontide.Names   the columns
---@field [2] string           the other table
---@field [3]? moontide.Names  its columns; default: its primary key
---@field name? string
---@field referent_schema? string
---@field on_delete? moontide.ForeignKeyAction
---@field on_update? moontide.ForeignKeyAction
---@field on_delete_columns? moontide.Names
---@field match? "simple"|"full"

---@class moontide.ExcludeOptions : moontide.DeferrableOptions
---@field using? string              index method: "gist", ...
---@field where? moontide.SqlText    only rows that meet this
---@field include? moontide.Names
---@field with? moontide.Parameters
---@field tablespace? string

---@class moontide.ExcludeItem : moontide.ExcludeOptions
---@field [integer] moontide.ExcludeElement
---@field name? string

---@class moontide.IndexOptions
---@field unique? boolean
---@field using? string               index method: "btree" (default), "hash", "gist", "gin", "brin", "hnsw", ...
---@field where? moontide.SqlText     only rows that meet this
---@field include? moontide.Names     further columns in the index
---@field with? moontide.Parameters
---@field tablespace? string
---@field nulls_not_distinct? boolean two NULLs count as equal (PostgreSQL 15)

---@class moontide.IndexItem : moontide.IndexOptions
---@field [integer] string|moontide.Sql|moontide.IndexElement
---@field name? string

---@class moontide.ColumnIndex : moontide.IndexOptions, moontide.ElementOptions
---@field name? string

--- A column: { name, type, option = ... }. The type is PostgreSQL's own spelling.
---@class moontide.ColumnItem
---@field [1] string
---@field [2] string
---@field nullable? boolean                    false is NOT NULL
---@field default? any                         a value, or sql "..."
---@field identity? boolean|"always"|"by default"|moontide.Identity  true is "by default"
---@field generated? moontide.SqlText|moontide.Generated
---@field primary_key? boolean                 several marked columns make one key
---@field unique? boolean|moontide.UniqueOptions
---@field check? moontide.SqlText|moontide.CheckItem
---@field references? string|moontide.Reference
---@field index? boolean|moontide.ColumnIndex
---@field collation? string|moontide.ObjectName
---@field comment? string
---@field storage? moontide.Storage
---@field compression? moontide.Compression
---@field statistics? integer                  detail of the planner's statistics, -1 to 10000
---@field options? moontide.Parameters         n_distinct, n_distinct_inherited

--- Another table to copy the columns of: its name, or this.
---@class moontide.Like
---@field table string
---@field schema? string
---@field including? string[]  "all", "comments", "constraints", "defaults", "identity", "indexes", ...
---@field excluding? string[]

---@class moontide.TableName
---@field table string
---@field schema? string

--- A table: its columns as a list, everything else in named keys.
---@class moontide.TableItem
---@field [integer] moontide.ColumnItem
---@field primary_key? string|moontide.KeyItem
---@field unique? moontide.UniqueItem[]
---@field checks? (moontide.SqlText|moontide.CheckItem)[]
---@field foreign_keys? moontide.ForeignKeyItem[]
---@field excludes? moontide.ExcludeItem[]
---@field indexes? moontide.IndexItem[]
---@field comment? string
---@field partition_by? moontide.SqlText  "range (created_at)"
---@field inherits? string|moontide.TableName|(string|moontide.TableName)[]
---@field like? string|moontide.Like
---@field with? moontide.Parameters
---@field tablespace? string
---@field using? string                   table access method
---@field unlogged? boolean
---@field temporary? boolean
---@field on_commit? "preserve rows"|"delete rows"|"drop"
---@field schema? string
---@field if_not_exists? boolean          a table that is there is left alone; cannot be reversed

--- Create a table with its constraints, indexes and comments.
---@param name string
---@param table moontide.TableItem
function op.create_table(name, table) end

---@class moontide.DropTableOptions : moontide.SchemaOption
---@field if_exists? boolean
---@field cascade? boolean              also what depends on it; cannot be reversed
---@field existing? moontide.TableItem  what the table was

--- Drop a table.
---@param name string
---@param options? moontide.DropTableOptions
function op.drop_table(name, options) end

---@class moontide.RenameOptions : moontide.SchemaOption
---@field if_exists? boolean

--- Rename a table.
---@param name string
---@param new_name string
---@param options? moontide.RenameOptions
function op.rename_table(name, new_name, options) end

---@class moontide.AddColumnOptions : moontide.SchemaOption
---@field if_not_exists? boolean  a column that is there is left alone; cannot be reversed
---@field online? boolean         what would rewrite the table, or read it under a lock, is refused

--- Add a column to a table.
---@param table string
---@param column moontide.ColumnItem
---@param options? moontide.AddColumnOptions
function op.add_column(table, column, options) end

---@class moontide.DropColumnOptions : moontide.SchemaOption
---@field if_exists? boolean
---@field cascade? boolean               also what depends on it; cannot be reversed
---@field existing? moontide.ColumnItem  what the column was
---@field dependents? "recreate"|moontide.NewQuery[]  drop what uses the column, and create it again afterwards;
---  views that name the column need a new query

--- A view and its query after the change.
---@class moontide.NewQuery : moontide.SchemaOption
---@field [1] string
---@field [2] moontide.SqlText

--- Drop a column of a table.
---@param table string
---@param name string
---@param options? moontide.DropColumnOptions
function op.drop_column(table, name, options) end

--- Rename a column of a table.
---@param table string
---@param name string
---@param new_name string
---@param options? moontide.SchemaOption
function op.rename_column(table, name, new_name, options) end

---@class moontide.ColumnState
---@field type? string
---@field using? moontide.SqlText       how old values become new ones; needs type
---@field collation? string|moontide.ObjectName  needs type
---@field nullable? boolean
---@field default? any                  `null` for none
---@field comment? string|moontide.Null `null` for none
---@field identity? boolean|"always"|"by default"|moontide.Identity|moontide.Null  false or `null` for none
---@field generated? moontide.SqlText|moontide.Null  another expression (PostgreSQL 17); `null` makes it a plain column
---@field storage? moontide.Storage
---@field compression? moontide.Compression
---@field statistics? integer
---@field options? table<string, number|moontide.Null>  `null` takes an option back to its default

---@class moontide.AlterColumnOptions : moontide.ColumnState, moontide.SchemaOption
---@field online? boolean   a type or nullable = false without a long lock on the table; several transactions
---@field name? string                     the new name
---@field existing? moontide.ColumnState   what is changed, as it was
---@field dependents? "recreate"           drop views, policies, triggers, rules and generated columns that use the
---  column, and create them again afterwards, in the same transaction (a generated column becomes the last)

--- Change a column: everything that is given, in one ALTER TABLE. An identity is
--- added, or, where `existing` has one, changed.
---@param table string
---@param name string
---@param options moontide.AlterColumnOptions
function op.alter_column(table, name, options) end

--- Several changes of one table in one ALTER TABLE. An action is the name of an
--- operation and its arguments without the table: `{ "drop_column", "age" }`; `null` stands for
--- an argument that is left out. Indexes, comments and new names follow as statements of their own.
--- Keep `nullable = false` and dropping the check that proves it in two operations:
--- in one ALTER TABLE the whole table is read.
---@param table string
---@param actions any[][]
---@param options? moontide.SchemaOption
function op.alter_table(table, actions, options) end

---@class moontide.CreateIndexOptions : moontide.IndexOptions, moontide.SchemaOption
---@field online? boolean   concurrently, also on a partitioned table
---@field concurrently? boolean   without blocking writers; outside of any transaction
---@field if_not_exists? boolean  an index that is there is left alone, whatever it is; cannot be reversed
---@field only? boolean           of a partitioned table, not of its partitions

--- Create an index. Without a name PostgreSQL chooses one.
---@param name string?
---@param table string
---@param columns string|moontide.Sql|(string|moontide.Sql|moontide.IndexElement)[]
---@param options? moontide.CreateIndexOptions
function op.create_index(name, table, columns, options) end

---@class moontide.DropIndexOptions : moontide.SchemaOption
---@field online? boolean   concurrently, where that is possible
---@field if_exists? boolean
---@field concurrently? boolean         without blocking anybody; outside of any transaction
---@field cascade? boolean              also what depends on it; cannot be reversed
---@field table? string                 the table of the index
---@field existing? moontide.IndexItem  what the index was; needs table

--- Drop an index.
---@param name string
---@param options? moontide.DropIndexOptions
function op.drop_index(name, options) end

--- Rename an index.
---@param name string
---@param new_name string
---@param options? moontide.RenameOptions
function op.rename_index(name, new_name, options) end

---@class moontide.CreatePrimaryKeyOptions : moontide.DeferrableOptions, moontide.SchemaOption
---@field online? boolean   the index is built concurrently first; several transactions
---@field include? moontide.Names
---@field with? moontide.Parameters
---@field tablespace? string
---@field using_index? string  take over this unique index

--- Add a primary key. Its columns become NOT NULL, and stay so when it is dropped again.
---@param name string?
---@param table string
---@param columns moontide.Names?  may be left out with using_index
---@param options? moontide.CreatePrimaryKeyOptions
function op.create_primary_key(name, table, columns, options) end

---@class moontide.CreateUniqueConstraintOptions : moontide.CreatePrimaryKeyOptions
---@field nulls_not_distinct? boolean  two NULLs count as equal (PostgreSQL 15)

--- Add a unique constraint.
---@param name string?
---@param table string
---@param columns moontide.Names?  may be left out with using_index
---@param options? moontide.CreateUniqueConstraintOptions
function op.create_unique_constraint(name, table, columns, options) end

---@class moontide.CreateForeignKeyOptions : moontide.DeferrableOptions, moontide.SchemaOption
---@field online? boolean   added NOT VALID, then validated in a transaction of its own
---@field source_schema? string    another word for schema
---@field referent_schema? string  the schema of the other table
---@field on_delete? moontide.ForeignKeyAction
---@field on_update? moontide.ForeignKeyAction
---@field on_delete_columns? moontide.Names  the columns that "set null" and "set default" set (PostgreSQL 15)
---@field match? "simple"|"full"
---@field not_valid? boolean       rows that are there are not checked; see validate_constraint

--- Add a foreign key.
---@param name string?
---@param table string
---@param referent string                   the other table
---@param columns moontide.Names
---@param referenced_columns? moontide.Names default: the other table's primary key
---@param options? moontide.CreateForeignKeyOptions
function op.create_foreign_key(name, table, referent, columns, referenced_columns, options) end

---@class moontide.CreateCheckConstraintOptions : moontide.SchemaOption
---@field online? boolean   added NOT VALID, then validated in a transaction of its own
---@field not_valid? boolean   rows that are there are not checked; see validate_constraint
---@field no_inherit? boolean  it does not hold for children

--- Add a check constraint. Without a name it cannot be reversed.
---@param name string?
---@param table string
---@param condition moontide.SqlText
---@param options? moontide.CreateCheckConstraintOptions
function op.create_check_constraint(name, table, condition, options) end

---@class moontide.CreateExcludeConstraintOptions : moontide.ExcludeOptions, moontide.SchemaOption

--- Add an exclusion constraint: no two rows for which all operators hold.
---@param name string?
---@param table string
---@param elements moontide.ExcludeElement[]
---@param options? moontide.CreateExcludeConstraintOptions
function op.create_exclude_constraint(name, table, elements, options) end

--- One of these.
---@class moontide.ExistingConstraint
---@field primary_key? string|moontide.KeyItem
---@field unique? string|moontide.UniqueItem
---@field foreign_key? moontide.ForeignKeyItem
---@field check? moontide.SqlText|moontide.CheckItem
---@field exclude? moontide.ExcludeItem

---@class moontide.DropConstraintOptions : moontide.SchemaOption
---@field online? boolean   what adds it again, in the downgrade of change(), does so online
---@field if_exists? boolean
---@field cascade? boolean                       also what depends on it; cannot be reversed
---@field existing? moontide.ExistingConstraint  what the constraint was, such as { unique = { "email" } }

--- Drop a constraint of a table.
---@param name string
---@param table string
---@param options? moontide.DropConstraintOptions
function op.drop_constraint(name, table, options) end

--- Rename a constraint of a table.
---@param table string
---@param name string
---@param new_name string
---@param options? moontide.SchemaOption
function op.rename_constraint(table, name, new_name, options) end

--- Check the rows of a constraint that was added with not_valid.
---@param name string
---@param table string
---@param options? moontide.SchemaOption
function op.validate_constraint(name, table, options) end

---@class moontide.CommentOptions : moontide.SchemaOption
---@field existing? string  the comment there was

--- Set the comment of a table.
---@param table string
---@param comment string
---@param options? moontide.CommentOptions
function op.create_table_comment(table, comment, options) end

--- Remove the comment of a table.
---@param table string
---@param options? moontide.CommentOptions
function op.drop_table_comment(table, options) end

--- Set the comment of a column.
---@param table string
---@param column string
---@param comment string
---@param options? moontide.CommentOptions
function op.create_column_comment(table, column, comment, options) end

--- Remove the comment of a column.
---@param table string
---@param column string
---@param options? moontide.CommentOptions
function op.drop_column_comment(table, column, options) end

--- Privileges: { "usage", to = "reader" }. "all" stands for every one; { to = "reader" }
--- takes back what default privileges have given.
---@class moontide.GrantItem
---@field [integer] string
---@field to string            a role, or "public"
---@field grantable? boolean   it may hand them on

--- What a type, schema or sequence has beside its definition.
---@class moontide.OwnedOptions
---@field owner? string                   default: who runs the migration
---@field comment? string
---@field grants? moontide.GrantItem[]    all privileges of others; without it the server's own

---@class moontide.CreateEnumOptions : moontide.OwnedOptions, moontide.SchemaOption

--- Create an enum type.
---@param name string
---@param labels string[]
---@param options? moontide.CreateEnumOptions
function op.create_enum(name, labels, options) end

--- An enum type as `existing`: its labels, owner, comment and privileges.
---@class moontide.EnumItem : moontide.OwnedOptions
---@field [integer] string

---@class moontide.DropOptions
---@field if_exists? boolean
---@field cascade? boolean  also what depends on it; cannot be reversed

---@class moontide.DropEnumOptions : moontide.DropOptions, moontide.SchemaOption
---@field existing? moontide.EnumItem  what the type was

--- Drop an enum type.
---@param name string
---@param options? moontide.DropEnumOptions
function op.drop_enum(name, options) end

--- Rename an enum type.
---@param name string
---@param new_name string
---@param options? moontide.SchemaOption
function op.rename_enum(name, new_name, options) end

--- Move an enum type into another schema. Without `schema` it is reversed online only.
---@param name string
---@param new_schema string
---@param options? moontide.SchemaOption
function op.set_enum_schema(name, new_schema, options) end

---@class moontide.AddEnumValueOptions : moontide.SchemaOption
---@field before? string          the label that it stands before
---@field after? string           the label that it stands after; default: last
---@field if_not_exists? boolean  a label that is there is left alone
---@field in_transaction? boolean do not commit before what follows, which then cannot use the label

--- Add a label to an enum type. The server lets nobody use it before it is committed:
--- when operations of another kind follow in the revision, its transaction ends first.
---@param name string
---@param label string
---@param options? moontide.AddEnumValueOptions
function op.add_enum_value(name, label, options) end

--- Rename a label of an enum type.
---@param name string
---@param label string
---@param new_label string
---@param options? moontide.SchemaOption
function op.rename_enum_value(name, label, new_label, options) end

---@class moontide.DropEnumValueOptions : moontide.SchemaOption
---@field replacement? string  the label that rows with it get; without one, rows with it are an error
---@field existing? string[]   all labels that there were

--- Remove a label of an enum type: a new type takes its place in all tables, which are
--- rewritten under ACCESS EXCLUSIVE locks. Views of such columns must be dropped before.
---@param name string
---@param label string
---@param options? moontide.DropEnumValueOptions
function op.drop_enum_value(name, label, options) end

---@class moontide.AlterEnumOptions : moontide.SchemaOption
---@field replace? table<string, string>  what rows with a label that goes away get
---@field existing? string[]              all labels that there were

--- Give an enum type another list of labels. Labels that are only added are added;
--- else a new type takes its place in all tables, as with drop_enum_value.
---@param name string
---@param labels string[]
---@param options? moontide.AlterEnumOptions
function op.alter_enum(name, labels, options) end

--- A check of a domain: SQL text about VALUE, or this.
---@class moontide.DomainCheck
---@field [1] moontide.SqlText
---@field name? string
---@field not_valid? boolean  values that are there are not checked; needs a name
---@field comment? string     needs a name

---@class moontide.DomainOptions : moontide.OwnedOptions
---@field default? any
---@field nullable? boolean   default: true
---@field collation? string|moontide.ObjectName
---@field checks? (moontide.SqlText|moontide.DomainCheck)[]

---@class moontide.CreateDomainOptions : moontide.DomainOptions, moontide.SchemaOption

--- Create a domain.
---@param name string
---@param type string
---@param options? moontide.CreateDomainOptions
function op.create_domain(name, type, options) end

--- A domain as `existing`: its type and options.
---@class moontide.DomainItem : moontide.DomainOptions
---@field [1] string

---@class moontide.DropDomainOptions : moontide.DropOptions, moontide.SchemaOption
---@field existing? moontide.DomainItem  what the domain was

--- Drop a domain.
---@param name string
---@param options? moontide.DropDomainOptions
function op.drop_domain(name, options) end

--- Rename a domain.
---@param name string
---@param new_name string
---@param options? moontide.SchemaOption
function op.rename_domain(name, new_name, options) end

--- Move a domain into another schema. Without `schema` it is reversed online only.
---@param name string
---@param new_schema string
---@param options? moontide.SchemaOption
function op.set_domain_schema(name, new_schema, options) end

---@class moontide.DomainState
---@field default? any        `null` for none
---@field nullable? boolean

---@class moontide.AlterDomainOptions : moontide.DomainState, moontide.SchemaOption
---@field existing? moontide.DomainState  what is changed, as it was

--- Change the default of a domain, or whether it may be null.
---@param name string
---@param options moontide.AlterDomainOptions
function op.alter_domain(name, options) end

---@class moontide.CreateDomainConstraintOptions : moontide.SchemaOption
---@field not_valid? boolean  values that are there are not checked; see validate_domain_constraint
---@field comment? string

--- Add a check to a domain. All columns of the domain are checked, and cannot be written meanwhile.
---@param name string
---@param domain string
---@param condition moontide.SqlText  about VALUE
---@param options? moontide.CreateDomainConstraintOptions
function op.create_domain_constraint(name, domain, condition, options) end

---@class moontide.DropDomainConstraintOptions : moontide.DropOptions, moontide.SchemaOption
---@field existing? moontide.SqlText|moontide.DomainCheck  what the constraint was

--- Drop a constraint of a domain.
---@param name string
---@param domain string
---@param options? moontide.DropDomainConstraintOptions
function op.drop_domain_constraint(name, domain, options) end

--- Rename a constraint of a domain.
---@param domain string
---@param name string
---@param new_name string
---@param options? moontide.SchemaOption
function op.rename_domain_constraint(domain, name, new_name, options) end

--- Check the values of a constraint that was added with not_valid. Columns of the domain cannot be written meanwhile.
---@param name string
---@param domain string
---@param options? moontide.SchemaOption
function op.validate_domain_constraint(name, domain, options) end

--- An attribute of a composite type.
---@class moontide.AttributeItem
---@field [1] string  its name
---@field [2] string  its type
---@field collation? string|moontide.ObjectName
---@field comment? string

---@class moontide.CreateTypeOptions : moontide.OwnedOptions, moontide.SchemaOption

--- Create a composite type.
---@param name string
---@param attributes moontide.AttributeItem[]
---@param options? moontide.CreateTypeOptions
function op.create_type(name, attributes, options) end

--- A composite type as `existing`: its attributes, owner, comment and privileges.
---@class moontide.TypeItem : moontide.OwnedOptions
---@field [integer] moontide.AttributeItem

---@class moontide.DropTypeOptions : moontide.DropOptions, moontide.SchemaOption
---@field existing? moontide.TypeItem  what the type was

--- Drop a composite type.
---@param name string
---@param options? moontide.DropTypeOptions
function op.drop_type(name, options) end

--- Rename a composite type.
---@param name string
---@param new_name string
---@param options? moontide.SchemaOption
function op.rename_type(name, new_name, options) end

--- Move a composite type into another schema. Without `schema` it is reversed online only.
---@param name string
---@param new_schema string
---@param options? moontide.SchemaOption
function op.set_type_schema(name, new_schema, options) end

---@class moontide.AttributeOptions : moontide.SchemaOption
---@field cascade? boolean  also in the tables of the type

--- Add an attribute to a composite type.
---@param type string
---@param attribute moontide.AttributeItem
---@param options? moontide.AttributeOptions
function op.add_attribute(type, attribute, options) end

--- An attribute whose name is known: { "text", collation = "C" }.
---@class moontide.ExistingAttribute
---@field [1] string  its type
---@field collation? string|moontide.ObjectName
---@field comment? string

---@class moontide.DropAttributeOptions : moontide.AttributeOptions
---@field if_exists? boolean
---@field existing? moontide.ExistingAttribute  what the attribute was; it comes back as the last one

--- Drop an attribute of a composite type.
---@param type string
---@param name string
---@param options? moontide.DropAttributeOptions
function op.drop_attribute(type, name, options) end

---@class moontide.AlterAttributeOptions : moontide.AttributeOptions
---@field collation? string|moontide.ObjectName
---@field existing? moontide.ExistingAttribute  what the attribute was

--- Change the type of an attribute of a composite type.
---@param type string
---@param name string
---@param new_type string
---@param options? moontide.AlterAttributeOptions
function op.alter_attribute(type, name, new_type, options) end

--- Rename an attribute of a composite type.
---@param type string
---@param name string
---@param new_name string
---@param options? moontide.AttributeOptions
function op.rename_attribute(type, name, new_name, options) end

---@class moontide.RangeTypeOptions : moontide.OwnedOptions
---@field opclass? string|moontide.ObjectName     the order of the values
---@field collation? string|moontide.ObjectName
---@field canonical? string|moontide.ObjectName   a function; in SQL it can only be a C function
---@field difference? string|moontide.ObjectName  a function: how far apart two values are
---@field multirange? string                      the name of its multirange type (PostgreSQL 14)

---@class moontide.CreateRangeTypeOptions : moontide.RangeTypeOptions, moontide.SchemaOption

--- Create a range type.
---@param name string
---@param subtype string
---@param options? moontide.CreateRangeTypeOptions
function op.create_range_type(name, subtype, options) end

--- A range type as `existing`: its subtype and options.
---@class moontide.RangeTypeItem : moontide.RangeTypeOptions
---@field [1] string

---@class moontide.DropRangeTypeOptions : moontide.DropOptions, moontide.SchemaOption
---@field existing? moontide.RangeTypeItem  what the type was

--- Drop a range type.
---@param name string
---@param options? moontide.DropRangeTypeOptions
function op.drop_range_type(name, options) end

--- Rename a range type.
---@param name string
---@param new_name string
---@param options? moontide.SchemaOption
function op.rename_range_type(name, new_name, options) end

--- Move a range type into another schema. Without `schema` it is reversed online only.
---@param name string
---@param new_schema string
---@param options? moontide.SchemaOption
function op.set_range_type_schema(name, new_schema, options) end

---@class moontide.CreateSchemaOptions : moontide.OwnedOptions
---@field if_not_exists? boolean  a schema that is there is left alone; then reversed online only

--- Create a schema.
---@param name string
---@param options? moontide.CreateSchemaOptions
function op.create_schema(name, options) end

---@class moontide.DropSchemaOptions : moontide.DropOptions
---@field existing? moontide.OwnedOptions  what the schema was, without what is in it

--- Drop a schema.
---@param name string
---@param options? moontide.DropSchemaOptions
function op.drop_schema(name, options) end

--- Rename a schema.
---@param name string
---@param new_name string
function op.rename_schema(name, new_name) end

---@class moontide.ExtensionOptions
---@field schema? string
---@field version? string
---@field comment? string  in place of the one it brings

---@class moontide.CreateExtensionOptions : moontide.ExtensionOptions
---@field if_not_exists? boolean  an extension that is there is left alone; then reversed online only
---@field cascade? boolean        also the extensions it needs; they stay when this is reversed

--- Install an extension.
---@param name string
---@param options? moontide.CreateExtensionOptions
function op.create_extension(name, options) end

---@class moontide.DropExtensionOptions : moontide.DropOptions
---@field existing? moontide.ExtensionOptions  what the extension was

--- Drop an extension.
---@param name string
---@param options? moontide.DropExtensionOptions
function op.drop_extension(name, options) end

---@class moontide.ExtensionState
---@field version? string
---@field schema? string

---@class moontide.AlterExtensionOptions
---@field version? string|true  update to this version; true: to the server's default one
---@field schema? string        move into this schema
---@field existing? moontide.ExtensionState  what is changed, as it was

--- Update an extension, or move it into another schema. Few extensions can be updated backwards.
---@param name string
---@param options moontide.AlterExtensionOptions
function op.alter_extension(name, options) end

--- The column that a sequence is dropped with.
---@class moontide.SequenceOwner
---@field table string
---@field column string
---@field schema? string

---@class moontide.SequenceOptions : moontide.OwnedOptions
---@field type? "smallint"|"integer"|"int"|"bigint"
---@field start? integer
---@field increment? integer
---@field minimum? integer
---@field maximum? integer
---@field cache? integer
---@field cycle? boolean
---@field owned_by? moontide.SequenceOwner
---@field unlogged? boolean   (PostgreSQL 15)

---@class moontide.CreateSequenceOptions : moontide.SequenceOptions, moontide.SchemaOption
---@field temporary? boolean
---@field if_not_exists? boolean  a sequence that is there is left alone; then reversed online only

--- Create a sequence.
---@param name string
---@param options? moontide.CreateSequenceOptions
function op.create_sequence(name, options) end

---@class moontide.SequenceItem : moontide.SequenceOptions
---@field restart? integer  the value it goes on with

---@class moontide.DropSequenceOptions : moontide.DropOptions, moontide.SchemaOption
---@field existing? moontide.SequenceItem  what the sequence was

--- Drop a sequence.
---@param name string
---@param options? moontide.DropSequenceOptions
function op.drop_sequence(name, options) end

--- Rename a sequence.
---@param name string
---@param new_name string
---@param options? moontide.SchemaOption
function op.rename_sequence(name, new_name, options) end

--- Move a sequence into another schema. Without `schema` it is reversed online only.
---@param name string
---@param new_schema string
---@param options? moontide.SchemaOption
function op.set_sequence_schema(name, new_schema, options) end

---@class moontide.SequenceState
---@field type? "smallint"|"integer"|"int"|"bigint"
---@field start? integer
---@field increment? integer
---@field minimum? integer|moontide.Null   `null` for the server's own
---@field maximum? integer|moontide.Null   `null` for the server's own
---@field cache? integer
---@field cycle? boolean
---@field owned_by? moontide.SequenceOwner|moontide.Null  `null` for none
---@field restart? integer|true            the next value; true: the one it started with
---@field unlogged? boolean                (PostgreSQL 15)

---@class moontide.AlterSequenceOptions : moontide.SequenceState, moontide.SchemaOption
---@field existing? moontide.SequenceState  what is changed, as it was

--- Change a sequence, or let it begin anew.
---@param name string
---@param options moontide.AlterSequenceOptions
function op.alter_sequence(name, options) end

---@alias moontide.RoutineArguments string|(string|table)[]
--- "a int, b text default 'x'", or a list of such strings and of { "name", "type", mode = "inout", default = 1 }

---@class moontide.RoutinePlace : moontide.SchemaOption
---@field args? moontide.RoutineArguments  the types tell it from others of its name

---@class moontide.DropObjectOptions : moontide.SchemaOption
---@field if_exists? boolean
---@field cascade? boolean    drop what depends on it, too
---@field existing? table     what it is, as `create_...` takes it; online, change() reads it from the catalog

---@class moontide.ViewOptions : moontide.OwnedOptions, moontide.SchemaOption
---@field columns? moontide.Names
---@field check_option? "local"|"cascaded"
---@field security_barrier? boolean
---@field security_invoker? boolean  with the rights of who asks (PostgreSQL 15)
---@field temporary? boolean
---@field recursive? boolean         needs columns
---@field replace? boolean           replace the view there is; it may only get more columns
---@field existing? table|false      with replace: the view there was, { query = ... }, or false for none

--- Create a view, or replace one.
---@param name string
---@param query moontide.SqlText
---@param options? moontide.ViewOptions
function op.create_view(name, query, options) end

--- Drop a view. `existing` is { query = "...", ... }.
---@param name string
---@param options? moontide.DropObjectOptions
function op.drop_view(name, options) end

---@class moontide.RenameViewOptions : moontide.SchemaOption
---@field if_exists? boolean

---@class moontide.ViewState
---@field check_option? "local"|"cascaded"|moontide.Null  `null` takes it away
---@field security_barrier? boolean
---@field security_invoker? boolean  with the rights of who asks (PostgreSQL 15)

---@class moontide.AlterViewOptions : moontide.ViewState, moontide.SchemaOption
---@field existing? moontide.ViewState  what it was

--- Change the options of a view; its query is changed by replacing it.
---@param name string
---@param options moontide.AlterViewOptions
function op.alter_view(name, options) end

--- Rename a view.
---@param name string
---@param new_name string
---@param options? moontide.RenameViewOptions
function op.rename_view(name, new_name, options) end

---@class moontide.MaterializedViewOptions : moontide.OwnedOptions, moontide.SchemaOption
---@field columns? moontide.Names
---@field using? string              access method
---@field with? moontide.Parameters
---@field tablespace? string
---@field with_data? boolean         false leaves it empty until it is refreshed
---@field if_not_exists? boolean

--- Create a materialized view.
---@param name string
---@param query moontide.SqlText
---@param options? moontide.MaterializedViewOptions
function op.create_materialized_view(name, query, options) end

--- Drop a materialized view. `existing` is { query = "...", ... }.
---@param name string
---@param options? moontide.DropObjectOptions
function op.drop_materialized_view(name, options) end

--- Rename a materialized view.
---@param name string
---@param new_name string
---@param options? moontide.RenameViewOptions
function op.rename_materialized_view(name, new_name, options) end

---@class moontide.RefreshOptions : moontide.SchemaOption
---@field concurrently? boolean  readers are not kept out; it needs a unique index
---@field with_data? boolean     false empties it

--- Compute the rows of a materialized view again.
---@param name string
---@param options? moontide.RefreshOptions
function op.refresh_materialized_view(name, options) end

---@class moontide.AlterMaterializedViewOptions : moontide.SchemaOption
---@field with? table<string, any>  storage parameters; `null` takes one back to its default
---@field tablespace? string
---@field existing? table           what both were, as `with` and `tablespace`

--- Change storage parameters or the tablespace of a materialized view.
---@param name string
---@param options moontide.AlterMaterializedViewOptions
function op.alter_materialized_view(name, options) end

---@class moontide.RoutineOptions : moontide.OwnedOptions, moontide.RoutinePlace
---@field body string|moontide.Sql      its text, in any language; or sql "RETURN ..." or sql "BEGIN ATOMIC ... END"
---@field language? string              default: "sql"
---@field library? string               of a body in C, which is the name of its symbol
---@field security_definer? boolean     with the rights of its owner
---@field set? table<string, string|number|boolean|string[]>  settings while it runs; a list for search_path
---@field transform? moontide.Names     types with a transform
---@field replace? boolean              replace the routine there is
---@field existing? table|false         with replace: the routine there was, or false for none

---@class moontide.FunctionOptions : moontide.RoutineOptions
---@field returns? string               "int", "setof users", "table (a int, b text)", "trigger", "void"
---@field volatility? "immutable"|"stable"|"volatile"
---@field strict? boolean               NULL for NULL, without being called
---@field leakproof? boolean
---@field parallel? "safe"|"restricted"|"unsafe"
---@field cost? number
---@field rows? number                  of a function that answers a set
---@field support? string|moontide.ObjectName
---@field window? boolean

--- Create a function, or replace one.
---@param name string
---@param options moontide.FunctionOptions
function op.create_function(name, options) end

---@class moontide.DropRoutineOptions : moontide.DropObjectOptions, moontide.RoutinePlace

--- Drop a function. `existing` is { returns = "...", body = "...", ... }.
---@param name string
---@param options? moontide.DropRoutineOptions
function op.drop_function(name, options) end

--- Rename a function.
---@param name string
---@param new_name string
---@param options? moontide.RoutinePlace
function op.rename_function(name, new_name, options) end

---@class moontide.ProcedureState
---@field security_definer? boolean  with the rights of its owner
---@field set? table<string, string|number|boolean|string[]|moontide.Null>  settings; `null` takes one away

---@class moontide.FunctionState : moontide.ProcedureState
---@field volatility? "immutable"|"stable"|"volatile"
---@field strict? boolean
---@field leakproof? boolean
---@field parallel? "safe"|"restricted"|"unsafe"
---@field cost? number
---@field rows? number

---@class moontide.AlterFunctionOptions : moontide.FunctionState, moontide.RoutinePlace
---@field existing? moontide.FunctionState  what it was

--- Change properties of a function, other than its arguments, result and body; `op.alter_owner` changes its owner.
---@param name string
---@param options moontide.AlterFunctionOptions
function op.alter_function(name, options) end

---@class moontide.AlterProcedureOptions : moontide.ProcedureState, moontide.RoutinePlace
---@field existing? moontide.ProcedureState  what it was

--- Change properties of a procedure, other than its arguments and body.
---@param name string
---@param options moontide.AlterProcedureOptions
function op.alter_procedure(name, options) end

--- Create a procedure, or replace one.
---@param name string
---@param options moontide.RoutineOptions
function op.create_procedure(name, options) end

--- Drop a procedure. `existing` is { body = "...", ... }.
---@param name string
---@param options? moontide.DropRoutineOptions
function op.drop_procedure(name, options) end

--- Rename a procedure.
---@param name string
---@param new_name string
---@param options? moontide.RoutinePlace
function op.rename_procedure(name, new_name, options) end

---@class moontide.AggregatePlace : moontide.RoutinePlace
---@field order_by? moontide.RoutineArguments  the aggregated arguments, where `args` are direct ones

---@class moontide.OperatorName
---@field name string
---@field schema? string

--- Options of CREATE AGGREGATE, by the names that it gives them.
---@class moontide.AggregateOptions : moontide.OwnedOptions, moontide.AggregatePlace
---@field sfunc string|moontide.ObjectName          the state transition function
---@field stype string                              the type of the state
---@field sspace? integer
---@field finalfunc? string|moontide.ObjectName
---@field finalfunc_extra? boolean
---@field finalfunc_modify? "read_only"|"shareable"|"read_write"
---@field combinefunc? string|moontide.ObjectName
---@field serialfunc? string|moontide.ObjectName
---@field deserialfunc? string|moontide.ObjectName
---@field initcond? string                          the first state, as text
---@field msfunc? string|moontide.ObjectName        the same for moving windows
---@field minvfunc? string|moontide.ObjectName
---@field mstype? string
---@field msspace? integer
---@field mfinalfunc? string|moontide.ObjectName
---@field mfinalfunc_extra? boolean
---@field mfinalfunc_modify? "read_only"|"shareable"|"read_write"
---@field minitcond? string
---@field sortop? string|moontide.OperatorName      ">", of an aggregate like max()
---@field parallel? "safe"|"restricted"|"unsafe"
---@field hypothetical? boolean                     needs `order_by`
---@field replace? boolean                          replace the aggregate there is
---@field existing? table|false                     with replace: the aggregate there was, or false for none

--- Create an aggregate, or replace one.
---@param name string
---@param options moontide.AggregateOptions
function op.create_aggregate(name, options) end

---@class moontide.DropAggregateOptions : moontide.DropObjectOptions, moontide.AggregatePlace

--- Drop an aggregate. `existing` is { sfunc = "...", stype = "...", ... }.
---@param name string
---@param options? moontide.DropAggregateOptions
function op.drop_aggregate(name, options) end

--- Rename an aggregate.
---@param name string
---@param new_name string
---@param options? moontide.AggregatePlace
function op.rename_aggregate(name, new_name, options) end

---@class moontide.FunctionName : moontide.ObjectName
---@field args? string[]  types

---@class moontide.CastOptions
---@field func? string|moontide.FunctionName  the function that casts
---@field inout? boolean                      by the text of the value
---@field binary? boolean                     the bytes stay as they are
---@field context? "assignment"|"implicit"    where nobody writes the cast; default: nowhere
---@field comment? string

--- Create a cast from one type to another.
---@param source string
---@param target string
---@param options moontide.CastOptions
function op.create_cast(source, target, options) end

---@class moontide.DropCastOptions
---@field if_exists? boolean
---@field cascade? boolean  drop what depends on it, too
---@field existing? table   what it is, as `create_cast` takes it

--- Drop a cast.
---@param source string
---@param target string
---@param options? moontide.DropCastOptions
function op.drop_cast(source, target, options) end

---@class moontide.TriggerOptions : moontide.DeferrableOptions, moontide.SchemaOption
---@field events moontide.Names                 "insert", "update", "delete", "truncate"
---@field execute string|moontide.ObjectName    the function
---@field timing? "before"|"after"|"instead of"  default: "after"
---@field for_each? "row"|"statement"           default: "statement"
---@field update_of? moontide.Names             columns, for the event "update"
---@field when? moontide.SqlText
---@field args? string[]                        of the function
---@field referencing? { old: string?, new: string? }  names for the tables of changed rows
---@field constraint? boolean                   a constraint trigger
---@field from? string|moontide.TableName       the other table of a constraint trigger
---@field enabled? "origin"|"always"|"replica"|"disabled"
---@field comment? string
---@field replace? boolean                      replace the trigger there is (PostgreSQL 14)
---@field existing? table|false                 with replace: the trigger there was, or false for none

--- Create a trigger, or replace one.
---@param name string
---@param table string
---@param options moontide.TriggerOptions
function op.create_trigger(name, table, options) end

--- Drop a trigger. `existing` is { events = {...}, execute = "...", ... }.
---@param name string
---@param table string
---@param options? moontide.DropObjectOptions
function op.drop_trigger(name, table, options) end

--- Rename a trigger.
---@param name string
---@param table string
---@param new_name string
---@param options? moontide.SchemaOption
function op.rename_trigger(name, table, new_name, options) end

---@class moontide.DisableTriggerOptions : moontide.SchemaOption
---@field existing? "origin"|"always"|"replica"|"disabled"  when it fired before

---@class moontide.EnableTriggerOptions : moontide.DisableTriggerOptions
---@field mode? "always"|"replica"  default: where rows are changed first, not on replicas

--- Let a trigger fire.
---@param name string
---@param table string
---@param options? moontide.EnableTriggerOptions
function op.enable_trigger(name, table, options) end

--- Keep a trigger from firing.
---@param name string
---@param table string
---@param options? moontide.DisableTriggerOptions
function op.disable_trigger(name, table, options) end

---@class moontide.AllTriggersOptions : moontide.SchemaOption
---@field internal? boolean  those of foreign keys and other constraints, too
---@field existing? table<string, string>  when each fired before

--- Let all triggers of a table fire.
---@param table string
---@param options? moontide.AllTriggersOptions
function op.enable_triggers(table, options) end

--- Keep all triggers of a table from firing.
---@param table string
---@param options? moontide.AllTriggersOptions
function op.disable_triggers(table, options) end

---@class moontide.EventTriggerOptions
---@field execute string|moontide.ObjectName    the function
---@field tags? string[]                        commands, such as "CREATE TABLE"; default: all
---@field enabled? "origin"|"always"|"replica"|"disabled"
---@field owner? string
---@field comment? string

--- Create an event trigger.
---@param name string
---@param event "ddl_command_start"|"ddl_command_end"|"table_rewrite"|"sql_drop"|"login"
---@param options moontide.EventTriggerOptions
function op.create_event_trigger(name, event, options) end

---@class moontide.DropEventTriggerOptions
---@field if_exists? boolean
---@field cascade? boolean
---@field existing? table     what it is: { event = "...", execute = "..." }

--- Drop an event trigger.
---@param name string
---@param options? moontide.DropEventTriggerOptions
function op.drop_event_trigger(name, options) end

--- Rename an event trigger.
---@param name string
---@param new_name string
function op.rename_event_trigger(name, new_name) end

---@class moontide.RuleOptions : moontide.SchemaOption
---@field event "select"|"insert"|"update"|"delete"
---@field condition? moontide.SqlText
---@field instead? boolean                      default: besides
---@field commands? moontide.Names              SQL statements; default: nothing is done
---@field enabled? "origin"|"always"|"replica"|"disabled"
---@field comment? string
---@field replace? boolean
---@field existing? table|false                 with replace: the rule there was, or false for none

--- Create a rule, or replace one.
---@param name string
---@param table string
---@param options moontide.RuleOptions
function op.create_rule(name, table, options) end

--- Drop a rule. `existing` is { event = "...", ... }.
---@param name string
---@param table string
---@param options? moontide.DropObjectOptions
function op.drop_rule(name, table, options) end

--- Rename a rule.
---@param name string
---@param table string
---@param new_name string
---@param options? moontide.SchemaOption
function op.rename_rule(name, table, new_name, options) end

---@class moontide.PolicyChanges : moontide.SchemaOption
---@field roles? moontide.Names           default: "public"
---@field using? moontide.SqlText         rows that can be seen
---@field with_check? moontide.SqlText    rows that can be written

--- What a publication publishes of a table; or every table of a schema.
---@class moontide.PublishedTable
---@field [1]? string               the table
---@field schema? string
---@field columns? moontide.Names   only these (PostgreSQL 15)
---@field where? moontide.SqlText   only rows that meet this (PostgreSQL 15)
---@field only? boolean             without its children
---@field all_in? string            instead of a table: the schema (PostgreSQL 15)

---@class moontide.PublicationState
---@field tables? (string|moontide.PublishedTable)[]  the whole list
---@field publish? ("insert"|"update"|"delete"|"truncate")[]  default: all four
---@field via_root? boolean             changes of partitions are those of the partitioned table
---@field generated? "none"|"stored"    generated columns (PostgreSQL 18)

---@class moontide.PublicationOptions : moontide.PublicationState
---@field all_tables? boolean
---@field owner? string
---@field comment? string

--- Create a publication.
---@param name string
---@param options? moontide.PublicationOptions
function op.create_publication(name, options) end

---@class moontide.AlterPublicationOptions : moontide.PublicationState
---@field existing? moontide.PublicationState  what it was

--- Change what a publication publishes.
---@param name string
---@param options moontide.AlterPublicationOptions
function op.alter_publication(name, options) end

--- What is dropped by its name alone.
---@class moontide.DropNamedOptions
---@field if_exists? boolean
---@field cascade? boolean  drop what depends on it, too
---@field existing? table   what it is, as `create_...` takes it

--- Drop a publication.
---@param name string
---@param options? moontide.DropNamedOptions
function op.drop_publication(name, options) end

--- Rename a publication.
---@param name string
---@param new_name string
function op.rename_publication(name, new_name) end

---@alias moontide.ForeignOptions table<string, string|number|boolean>  no passwords: they are refused

---@class moontide.ServerState
---@field version? string
---@field options? moontide.ForeignOptions  all of them, { host = "db", port = 5432 }

---@class moontide.ServerOptions : moontide.OwnedOptions, moontide.ServerState
---@field type? string
---@field if_not_exists? boolean

--- Create a foreign server.
---@param name string
---@param wrapper string  the foreign data wrapper
---@param options? moontide.ServerOptions
function op.create_server(name, wrapper, options) end

---@class moontide.AlterServerOptions : moontide.ServerState
---@field existing? moontide.ServerState  what it was; an offline script needs its options

--- Change the version or the options of a foreign server.
---@param name string
---@param options moontide.AlterServerOptions
function op.alter_server(name, options) end

--- Drop a foreign server. `existing` is { wrapper = "...", options = {...}, ... }.
---@param name string
---@param options? moontide.DropNamedOptions
function op.drop_server(name, options) end

--- Rename a foreign server.
---@param name string
---@param new_name string
function op.rename_server(name, new_name) end

---@class moontide.UserMappingOptions
---@field options? moontide.ForeignOptions  { user = "app" }; a password is set outside of revisions
---@field if_not_exists? boolean

--- Create a user mapping of a foreign server.
---@param user string  a role, or "public"
---@param server string
---@param options? moontide.UserMappingOptions
function op.create_user_mapping(user, server, options) end

---@class moontide.DropUserMappingOptions
---@field if_exists? boolean
---@field existing? { options: moontide.ForeignOptions? }  what it is; one that has a password is not read

--- Drop a user mapping of a foreign server.
---@param user string
---@param server string
---@param options? moontide.DropUserMappingOptions
function op.drop_user_mapping(user, server, options) end

---@class moontide.PolicyOptions : moontide.PolicyChanges
---@field command? "all"|"select"|"insert"|"update"|"delete"
---@field permissive? boolean             false: it must hold besides the others
---@field comment? string

--- Create a policy of row security.
---@param name string
---@param table string
---@param options? moontide.PolicyOptions
function op.create_policy(name, table, options) end

--- Drop a policy of row security. `existing` is { command = "...", using = "...", ... }.
---@param name string
---@param table string
---@param options? moontide.DropObjectOptions
function op.drop_policy(name, table, options) end

--- Rename a policy.
---@param name string
---@param table string
---@param new_name string
---@param options? moontide.SchemaOption
function op.rename_policy(name, table, new_name, options) end

---@class moontide.AlterPolicyOptions : moontide.PolicyChanges
---@field existing? table  what changes as it was: { roles = ..., using = ..., with_check = ... }

--- Change roles or conditions of a policy.
---@param name string
---@param table string
---@param options moontide.AlterPolicyOptions
function op.alter_policy(name, table, options) end

--- Apply the policies of a table.
---@param table string
---@param options? moontide.SchemaOption
function op.enable_row_security(table, options) end

--- Apply no policies of a table.
---@param table string
---@param options? moontide.SchemaOption
function op.disable_row_security(table, options) end

--- Apply the policies of a table to its owner, too.
---@param table string
---@param options? moontide.SchemaOption
function op.force_row_security(table, options) end

--- Do not apply the policies of a table to its owner.
---@param table string
---@param options? moontide.SchemaOption
function op.no_force_row_security(table, options) end

---@class moontide.AlterOwnerOptions : moontide.RoutinePlace
---@field existing? string  the owner before

--- Give an object of any kind to another role: op.alter_owner("function", "f", "app", { args = "int" }).
---@param kind string  "table", "view", "function", "schema", "type", ...
---@param name string
---@param role string
---@param options? moontide.AlterOwnerOptions
function op.alter_owner(kind, name, role, options) end

---@alias moontide.GrantTarget string|table
--- a table, or { kind, name or names, schema =, args = } such as { "function", "f", args = "int" },
--- { "schema", "app" }, { "all tables", "app" }

---@class moontide.PrivilegeOptions
---@field on? moontide.GrantTarget  without it, the privileges are names of roles
---@field columns? moontide.Names   of tables: only these columns
---@field grantable? boolean        they may pass it on; of `revoke`: only that they may
---@field admin? boolean            the same for roles
---@field existing? table[]         what they had of it: { { "select", on = "t", to = "reader" } }

---@class moontide.GrantOptions : moontide.PrivilegeOptions
---@field to moontide.Names  roles, or "public"

--- Grant privileges on objects, or roles.
---@param privileges moontide.Names
---@param options moontide.GrantOptions
function op.grant(privileges, options) end

---@class moontide.RevokeOptions : moontide.PrivilegeOptions
---@field from moontide.Names  roles, or "public"
---@field cascade? boolean     also what they passed on

--- Revoke privileges on objects, or roles.
---@param privileges moontide.Names
---@param options moontide.RevokeOptions
function op.revoke(privileges, options) end

---@class moontide.DefaultPrivilegeOptions
---@field on "tables"|"sequences"|"functions"|"types"|"schemas"
---@field to? moontide.Names      of a grant
---@field from? moontide.Names    of a revoke
---@field role? string            of objects that this role creates; default: the current one
---@field schema? moontide.Names  of objects in these schemas alone
---@field grantable? boolean
---@field existing? table[]       what they had: { { "select", to = "reader" } }

--- Change the privileges that new objects get.
---@param verb "grant"|"revoke"
---@param privileges moontide.Names
---@param options moontide.DefaultPrivilegeOptions
function op.alter_default_privileges(verb, privileges, options) end

---@class moontide.CommentOnOptions : moontide.SchemaOption
---@field table? string        whose column, constraint, policy, rule or trigger it is
---@field domain? string       whose constraint it is
---@field arguments? string[]  types of a routine's arguments; may be left out when it is the only one of its name
---@field existing? string     the comment there was

--- Set the comment of an object of any kind, in the words of COMMENT ON: "view", "function", "constraint", ...
---@param kind string
---@param name string
---@param text string|moontide.Null  `null` removes it
---@param options? moontide.CommentOnOptions
function op.comment(kind, name, text, options) end

--- Which rows a partition takes: one of from and to, values, modulus and remainder, default. A key
--- of one column is a value, of several a list; `sql "minvalue"` and `sql "maxvalue"` are open ends.
---@class moontide.PartitionBound
---@field from? any           the first value that belongs to it
---@field to? any             the first value that does not
---@field values? any
---@field modulus? integer
---@field remainder? integer
---@field default? boolean    whatever no other partition takes
---@field bound? string       SQL as the catalog prints it: "FOR VALUES IN ('a')"

---@class moontide.PartitionPlace : moontide.SchemaOption
---@field parent_schema? string  default: schema

---@class moontide.PartitionDefinition : moontide.PartitionBound
---@field partition_by? moontide.SqlText
---@field with? moontide.Parameters
---@field tablespace? string
---@field using? string       table access method
---@field comment? string
---@field unlogged? boolean

---@class moontide.CreatePartitionOptions : moontide.PartitionDefinition, moontide.PartitionPlace
---@field if_not_exists? boolean  a table that is there is left alone; cannot be reversed

--- Create a partition. That locks the whole table: where that hurts, create a table like it and attach that.
---@param name string
---@param parent string
---@param options moontide.CreatePartitionOptions
function op.create_partition(name, parent, options) end

---@class moontide.DropPartitionOptions : moontide.PartitionPlace
---@field if_exists? boolean
---@field cascade? boolean                        also what depends on it; cannot be reversed
---@field existing? moontide.PartitionDefinition  what the partition was

--- Drop a partition with its rows. In change() the partition comes back, its rows do not.
---@param name string
---@param parent string
---@param options? moontide.DropPartitionOptions
function op.drop_partition(name, parent, options) end

---@class moontide.AttachPartitionOptions : moontide.PartitionBound, moontide.PartitionPlace
---@field online? boolean  the rows are checked before, without a lock; several transactions

--- Make a table a partition. Its rows are read unless a validated check proves that they belong.
---@param name string
---@param parent string
---@param options moontide.AttachPartitionOptions
function op.attach_partition(name, parent, options) end

---@class moontide.DetachPartitionOptions : moontide.PartitionPlace
---@field online? boolean        concurrently, where the server can
---@field concurrently? boolean  without blocking anybody, outside of any transaction (PostgreSQL 14)
---@field finalize? boolean      complete a concurrent one that was interrupted
---@field existing? moontide.PartitionBound  which rows it took

--- Make a partition a table of its own.
---@param name string
---@param parent string
---@param options? moontide.DetachPartitionOptions
function op.detach_partition(name, parent, options) end

---@class moontide.SetStorageParametersOptions : moontide.SchemaOption
---@field existing? table<string, any>  the same parameters as they were

--- Set storage parameters of a table, or of an index by its name; `null` resets one.
---@param table string
---@param parameters table<string, string|number|boolean|moontide.Null>
---@param options? moontide.SetStorageParametersOptions
function op.set_storage_parameters(table, parameters, options) end

---@class moontide.SetNameOptions : moontide.SchemaOption
---@field existing? string  what it was

--- Move a table, or an index by its name, into another tablespace. It is written anew.
---@param table string
---@param tablespace string
---@param options? moontide.SetNameOptions
function op.set_tablespace(table, tablespace, options) end

--- Write a table anew with another access method (PostgreSQL 15).
---@param table string
---@param method string
---@param options? moontide.SetNameOptions
function op.set_access_method(table, method, options) end

---@alias moontide.ReplicaIdentity "default"|"full"|"nothing"|{ index: string }

---@class moontide.SetReplicaIdentityOptions : moontide.SchemaOption
---@field existing? moontide.ReplicaIdentity  what it was

--- Choose what logical replication identifies the rows of a table by.
---@param table string
---@param identity moontide.ReplicaIdentity
---@param options? moontide.SetReplicaIdentityOptions
function op.set_replica_identity(table, identity, options) end

---@class moontide.SetClusterOptions : moontide.SchemaOption
---@field existing? string|false  what it was

--- Choose the index that CLUSTER orders a table by; false for none.
---@param table string
---@param index string|false
---@param options? moontide.SetClusterOptions
function op.set_cluster(table, index, options) end

--- Make an unlogged table survive a crash. It is written anew.
---@param table string
---@param options? moontide.SchemaOption
function op.set_logged(table, options) end

--- Make a table faster to write, and empty after a crash. It is written anew.
---@param table string
---@param options? moontide.SchemaOption
function op.set_unlogged(table, options) end

---@class moontide.InheritOptions : moontide.SchemaOption
---@field parent_schema? string  default: schema

--- Make a table a child of another.
---@param table string
---@param parent string
---@param options? moontide.InheritOptions
function op.inherit(table, parent, options) end

--- Make a child a table of its own.
---@param table string
---@param parent string
---@param options? moontide.InheritOptions
function op.no_inherit(table, parent, options) end

---@class moontide.SetSchemaOptions : moontide.SchemaOption
---@field arguments? string[]  types of a routine's arguments

--- Move an object into another schema: "table", "view", "function", "type", "text search configuration", ...
---@param kind string
---@param name string
---@param new_schema string
---@param options? moontide.SetSchemaOptions
function op.set_schema(kind, name, new_schema, options) end

---@class moontide.StatisticsDefinition
---@field kinds? ("ndistinct"|"dependencies"|"mcv")[]  default: all of them
---@field target? integer        how detailed; -1 is the default
---@field table_schema? string   default: schema
---@field owner? string
---@field comment? string

---@class moontide.CreateStatisticsOptions : moontide.StatisticsDefinition, moontide.SchemaOption
---@field if_not_exists? boolean  cannot be reversed

--- Create extended statistics: what the planner knows of columns together. Expressions: PostgreSQL 14.
---@param name string
---@param table string
---@param columns (string|moontide.Sql)[]
---@param options? moontide.CreateStatisticsOptions
function op.create_statistics(name, table, columns, options) end

---@class moontide.StatisticsItem : moontide.StatisticsDefinition
---@field table string
---@field columns (string|moontide.Sql)[]
---@field also? string[]  SQL that follows

---@class moontide.DropStatisticsOptions : moontide.SchemaOption
---@field if_exists? boolean
---@field cascade? boolean
---@field existing? moontide.StatisticsItem  what they were

--- Drop extended statistics.
---@param name string
---@param options? moontide.DropStatisticsOptions
function op.drop_statistics(name, options) end

--- Rename extended statistics.
---@param name string
---@param new_name string
---@param options? moontide.SchemaOption
function op.rename_statistics(name, new_name, options) end

---@class moontide.SetStatisticsTargetOptions : moontide.SchemaOption
---@field existing? integer  what it was

--- Set how detailed extended statistics are, -1 to 10000.
---@param name string
---@param target integer
---@param options? moontide.SetStatisticsTargetOptions
function op.set_statistics_target(name, target, options) end

---@class moontide.BulkInsertOptions : moontide.SchemaOption
---@field columns? string[]  the columns, in order; default: all that some row has

--- Insert rows. A missing key is the column's default, `null` is NULL. Long lists go by COPY.
---@param table string
---@param rows table<string, any>[]
---@param options? moontide.BulkInsertOptions
function op.bulk_insert(table, rows, options) end

---@class moontide.CopyFromOptions : moontide.SchemaOption
---@field columns? string[]
---@field format? "csv"|"text"
---@field header? boolean     the first line names the columns
---@field delimiter? string
---@field null? string        what stands for NULL
---@field quote? string
---@field escape? string
---@field encoding? string

--- Load rows by COPY from a file, a list of lines, or a function that answers rows.
---@param table string
---@param from string|string[]|fun(): table?
---@param options? moontide.CopyFromOptions
function op.copy_from(table, from, options) end

---@class moontide.BackfillDown
---@field set table<string, any>
---@field where? moontide.SqlText

---@class moontide.BackfillItem : moontide.SchemaOption
---@field [1] string                   the name, under which its progress is kept
---@field table string
---@field set? table<string, any>      new values; sql "..." for an expression
---@field where? moontide.SqlText      the rows to change; default: all
---@field each? string|fun(row: table): table?  what becomes of a row: { column = value }, or nil to leave it alone
---@field each_chunk? string|fun(rows: table[]): table[]  the same for the rows of a chunk: a list of changes
---@field read? moontide.Names         the columns that the function sees
---@field write? moontide.Names        the columns that it may change
---@field sql_equivalent? moontide.BackfillDown  what does the same in a script of --sql
---@field delete? boolean              delete the rows
---@field into? string|moontide.TableName  where deleted rows are inserted
---@field key? moontide.Names          columns with an index to go by; default: the primary key, else another index
---@field lanes? integer               connections; default: 2
---@field chunk_ms? integer            how long a chunk is to take, in milliseconds; default: 500
---@field max_rows? integer            of a chunk; default: 10000
---@field rows_per_s? integer          not faster than this
---@field wal_mb_s? integer            so much WAL in a second, with what others write
---@field profile? "fast"|"normal"|"gentle"  "normal" rests for a tenth of a chunk's time after it, "gentle" as long as
---  it took, with chunks of 100 ms; default: "fast"
---@field window? string               hours of the day: "22:00-06:00 Europe/Berlin"; default zone: the server's
---@field lag? number|false            pause while a standby has more MB of WAL to replay; default: 64
---@field signals? table<string, number|false>  limits of signals, false: off; docs/backfill.md lists them
---@field throttle_sql? moontide.SqlText  pause while this query answers more than 0
---@field throttle? fun(query: fun(sql: string): table[]): boolean|string|nil  pause while it answers true or a reason
---@field on_error? "stop"|"quarantine"  at a row that cannot be changed: stop, or note it and go on; default: "stop"
---@field max_errors? integer          stop when more rows than this are noted; default: 100
---@field order? "key"|"physical"|string  "physical": as rows are stored; needs a where that changed rows do not match;
---  others are strategies of plugins
---@field sweep? integer               with where: at most so many passes for rows that came meanwhile; default: 3
---@field verify? moontide.SqlText      a query that must answer 0 when all is done
---@field wait_writers? integer        seconds to wait for open transactions that have written to the table; default: 60
---@field background? boolean         the revision only registers it; `moontide backfill work` does it
---@field session? table<string, any>  settings for the chunks
---@field down? moontide.BackfillDown|"keep"  what undoes it in a change(): another change, or nothing

--- Change the rows of a table in chunks. Each is a transaction of its own with its checkpoint in it; when a run is
--- stopped the next one continues at the chunk.
---@param given moontide.BackfillItem
function op.backfill(given) end

---@class moontide.RequireBackfillOptions
---@field revision? string             the revision it is of; default: all that have one of this name
---@field otherwise? "wait"|"run"      wait until others have done it, or do it here; default: fail
---@field missing? "pass"              go on where there was never such a backfill

--- Go on only when a backfill that an earlier revision has left to the background is done.
---@param name string
---@param options? moontide.RequireBackfillOptions
function op.require_backfill(name, options) end

--- Run SQL; one statement may have parameters $1, $2, ...
---@param statement moontide.SqlText
---@param ... any  the parameters
function op.execute(statement, ...) end

--- Read rows.
---@param statement moontide.SqlText
---@param ... any
---@return table<string, any>[] rows
function op.query(statement, ...) end

--- Read the first row.
---@param statement moontide.SqlText
---@param ... any
---@return table<string, any>? row
function op.row(statement, ...) end

--- Read the one column of the first row.
---@param statement moontide.SqlText
---@param ... any
---@return any value
function op.scalar(statement, ...) end

--- Call a function, the last argument, with each row of a query; it ends the loop by returning false.
---@param statement moontide.SqlText
---@param ... any  the parameters and the function
---@return integer count
function op.each(statement, ...) end

--- Run a value that was built before.
---@param o moontide.Operation
function op.invoke(o) end

--- Commit what is done so far, then run the function in a transaction of its own.
---@param fn function
function op.transaction(fn) end

--- Commit what is done so far, then run the function's operations outside of transactions.
---@param fn function
function op.autocommit(fn) end
