---@meta

--- What a revision file sees beside `op`, and what it defines.

---@class moontide.Sql
---@class moontide.Null
---@class moontide.Array
---@class moontide.Json
---@class moontide.Bytea
---@class moontide.Operation

--- The identifier of the revision.
---@type string
revision = ""

--- The revision before it; nil at the base, several after a merge.
---@type string|string[]|nil
down_revision = nil

---@type string|string[]|nil
branch_labels = nil

--- Revisions, or labels, that must be applied before it without being its parents.
---@type string|string[]|nil
depends_on = nil

--- What the revision does. It is undone by `downgrade`.
function upgrade() end

--- What undoes `upgrade`.
function downgrade() end

--- In place of `upgrade` and `downgrade`: its operations are undone in reverse order for the way back.
function change() end

--- Looks at the database after the upgrade, in the same transaction. The revision is rolled back when it raises, or
--- answers false.
---@return boolean?
function verify() end

---@class moontide.Context
---@field x table<string, string>     the KEY=VALUE pairs of -x
---@field tag? string                  the text of --tag
---@field offline boolean              the script is printed (--sql); nothing can be read
---@field dry_run boolean              everything will be rolled back (--dry-run)
---@field server_version? integer      170002 for 17.2; nil offline
---@field direction "upgrade"|"downgrade"
---@field revision string              the identifier of the revision that runs

--- The run that this file is a part of.
---@type moontide.Context
context = {}

--- An SQL expression, which goes into a statement as it is.
---@param text string
---@return moontide.Sql
function sql(text) end

--- SQL NULL, where nil would be an absent value.
---@type moontide.Null
null = {}

--- An array; lists in it are its further dimensions, `null` is a NULL element.
---@param list table
---@param element_type? string  PostgreSQL type of the elements, where the server cannot infer it
---@return moontide.Array
function array(list, element_type) end

--- A JSON document, for json and jsonb.
---@param document any  a table, string, number, boolean or null
---@return moontide.Json
function json(document) end

--- Binary data.
---@param bytes string
---@return moontide.Bytea
function bytea(bytes) end

--- Progress, on standard error: `log "text"`.
---@class moontide.Log
---@field info fun(text: string)
---@field warn fun(text: string)
---@field debug fun(text: string)   only with -v
---@overload fun(text: string)
log = {}

--- What a hook of env.lua or of a plugin is told. Hooks around a run are called outside of any transaction, those
--- around a revision inside the revision's own.
---@class moontide.HookEvent
---@field hook "before_upgrade"|"after_upgrade"|"before_downgrade"|"after_downgrade"|"before_revision"|"after_revision"|"on_error"
---@field direction "upgrade"|"downgrade"
---@field dry_run boolean
---@field offline boolean
---@field revisions? string[]   around a run: the identifiers, in order
---@field revision? string      around a revision: its identifier
---@field message? string       around a revision: the first line of its documentation
---@field path? string          around a revision: its file
---@field op? moontide.op       around a revision: operations that take part in its transaction
---@field error? moontide.ErrorDocument  on_error: what failed

---@alias moontide.Hook fun(event: moontide.HookEvent)

--- The hook `autogenerate`: is called for each direction with the operations that the revision will have, and answers
--- those that it shall have instead; nil: the list as it is now.
---@alias moontide.AutogenerateHook fun(operations: moontide.Operation[], event: moontide.AutogenerateEvent): moontide.Operation[]?

---@class moontide.AutogenerateEvent
---@field hook "autogenerate"
---@field direction "upgrade"|"downgrade"
---@field message? string     of the new revision
---@field op moontide.op      its calls answer operations instead of running them

--- A failure, as --json prints it.
---@class moontide.ErrorDocument
---@field kind string
---@field message string
---@field detail? string
---@field hint? string
---@field where? string        "path:line"
---@field sqlstate? string
---@field statement? string
---@field position? integer    in the statement, in characters from 1
---@field revision? string
---@field operation? string
---@field schema? string
---@field table? string
---@field column? string
---@field constraint? string
