---@meta

--- What a plugin is given: `return function(moontide, options) ... end`. Annotate the first argument:
---
---     ---@param moontide moontide.PluginApi
---     return function(moontide) ... end

--- The registration points, which come first, and the helpers.
---@class moontide.PluginApi
---@field name fun(identity: moontide.PluginIdentity)
---  who the plugin is and what it requires; comes before everything else, and may be left out
---@field operation fun(registration: moontide.OperationRegistration)  an operation, called as `op.name(...)`
---@field type fun(registration: moontide.TypeRegistration)            a type that columns can have
---@field command fun(registration: moontide.CommandRegistration)      a command: `moontide name`
---@field hook fun(name: string, fn: fun(event: moontide.HookEvent))
---  a function called around a run or a revision; several may have the same name
---@field formatter fun(registration: moontide.FormatterRegistration)
---  changes the text of a new file, where post_write_hooks names it
---@field build fun(name: string, ...): moontide.Operation
---  the value of an operation, as inverses answer it
---@field statements fun(o: moontide.Operation, ctx: moontide.OperationContext?): { sql: string }[]
---  the statements of an operation, to make one of others
---@field check moontide.CheckLibrary
---@field quote moontide.QuoteLibrary
---@field value moontide.ValueLibrary
---@field source moontide.SourceLibrary
---@field fault moontide.FaultLibrary
---@field report moontide.ReportLibrary
---@field version string  the version of Moontide

---@class moontide.PluginIdentity
---@field name? string      default: the name of its file
---@field version? string   "1.2.0"
---@field requires? table<string|integer, string>
---  { "audit >= 1.2, < 2", moontide = ">= 0.1" }; those plugins are set up first

--- What the statements of an operation may depend on.
---@class moontide.OperationContext
---@field server_version? integer
---@field offline? boolean

---@class moontide.OperationRegistration
---@field name string
---@field summary string  one line
---@field build fun(...): table  checks the arguments of the call; answers the fields of the operation's value
---@field sql fun(o: table, ctx: moontide.OperationContext): (string|{ sql: string, params: table? })[]
---  the statements, in order
---@field inverse fun(o: table): moontide.Operation[]?, string?
---  what undoes it, or nil and in words why nothing does
---@field lock fun(o: table): { relation: string, mode: string }[]  the locks it takes on relations that exist
---@field source fun(o: table): string       the call as Lua text
---@field transactional? fun(o: table): boolean  whether it may be in a transaction; default: yes
---@field commits? fun(o: table): boolean    whether it may commit by itself
---@field reads? boolean                     it answers something to the revision
---@field read? fun(o: table, ask: fun(entry: { sql: string, params: table? }): table): any
---  makes that answer
---@field recover? fun(o: table, attempt: { interrupted: boolean, query: fun(sql: string): table }): string[]?
---  of one that cannot be in a transaction: the statements that clear an interrupted attempt; nil: it was completed
---@field inside? fun(o: table): table       the form that a transaction allows, for --dry-run
---@field capture? fun(o: table, query: fun(sql: string): table): table?
---  before it runs in change(): fields that the inverse will need, from the catalog
---@field after_commit? fun(o: table): boolean  what it makes can be used only after a commit
---@field destructive? fun(o: table): string?   what is lost when it runs, in a few words; nil: nothing
---@field action? table                      how it takes part in op.alter_table
---@field from? string                       filled in: who registers it

---@class moontide.TypeRegistration
---@field name string
---@field summary? string
---@field spelling? fun(modifiers: string, fields: string?, given: table): string
---  its name as SQL; modifiers is "(1,2)" or ""
---@field modifiers? fun(given: (integer|string)[]): string?
---  what is wrong with the modifiers; left out: it takes none

---@class moontide.CommandRegistration
---@field name string
---@field summary string       one line, for the help
---@field description? string
---@field options? fun(command: table)  declares arguments and options on a parser of argparse
---@field run fun(app: moontide.CommandApp, args: table): integer?  answers the exit code; nil for 0

--- What a command is given. Everything is read or opened when it is first asked for.
---@class moontide.CommandApp
---@field args table                     the global options
---@field config fun(self): table        the checked configuration
---@field connect fun(self): moontide.Connection
---@field applied fun(self): string[]    the version rows of the database
---@field graph fun(self): table         the graph of the revisions

---@class moontide.Connection
---@field exec fun(self, sql: string, params: table?): table
---  runs one statement; the rows are the list part of the result, a row is a table by column name
---@field server_version fun(self): integer

---@class moontide.FormatterRegistration
---@field name string
---@field summary? string
---@field run fun(path: string, text: string): string?  the new text; nil leaves the file as it is

---@alias moontide.CheckFunction fun(given: any, what: string): any

--- Checks of arguments. Each takes what was given and what to call it in a message, and answers it in the one form
--- that the rest of the operation sees; a refusal carries the line of the user's call.
---@class moontide.CheckLibrary
---@field refuse fun(message: string, hint: string?)
---@field expected fun(what: string, wanted: string, given: any, hint: string?)  refuses: "what must be wanted, not ..."
---@field within fun(part: string, fn: function, ...): any  names the part in refusals of fn
---@field name moontide.CheckFunction        a name of an object
---@field names moontide.CheckFunction       one or a list of different names; answers a list
---@field table moontide.CheckFunction
---@field list moontide.CheckFunction
---@field sql moontide.CheckFunction         SQL text, marked with sql or not
---@field expression moontide.CheckFunction  SQL text that becomes a part of a statement
---@field text moontide.CheckFunction        text that becomes a literal
---@field flag moontide.CheckFunction        true, or nil for false
---@field boolean moontide.CheckFunction
---@field integer moontide.CheckFunction
---@field value moontide.CheckFunction       a literal or an expression
---@field type moontide.CheckFunction        the type of a column, in PostgreSQL's spelling
---@field relation moontide.CheckFunction    a name, or { table =, schema = }; answers the table
---@field parameters moontide.CheckFunction  storage parameters
---@field choice fun(...: string): moontide.CheckFunction                     one of these words
---@field list_of fun(item: moontide.CheckFunction): moontide.CheckFunction
---@field shape fun(given: table?, what: string?, shape: table<string, moontide.CheckFunction>, positions: integer?): table
---  a table with these keys only
---@field options fun(given: table?, shape: table<string, moontide.CheckFunction>): table
---  the options of an operation, its last argument
---@field join fun(...: table): table        a shape with the keys of several

--- Names and strings as SQL.
---@class moontide.QuoteLibrary
---@field ident fun(name: string): string    in double quotes where needed
---@field qualified fun(schema: string?, name: string): string
---@field idents fun(names: string[]): string
---@field literal fun(text: string): string
---@field dollar fun(text: string): string   between dollar quotes, for bodies of functions

--- Values of the database: what `sql`, `null`, `array`, `json` and `bytea` are in revision files.
---@class moontide.ValueLibrary
---@field sql fun(text: string): moontide.Sql
---@field null moontide.Null
---@field array fun(list: table, element_type: string?): moontide.Array
---@field json fun(document: any): moontide.Json
---@field bytea fun(bytes: string): moontide.Bytea
---@field kind fun(given: any): string       "sql", "null", "string" ...
---@field literal fun(given: any): string    as SQL text

--- Lua text of values and calls, for `source` of an operation.
---@class moontide.SourceLibrary
---@field value fun(given: any): string
---@field string fun(text: string): string
---@field call fun(name: string, ...): string   op.name(...)
---@field block fun(name: string, ...): string  the same with a line for each item of the last argument

--- Failures: a kind ("operation", "config", "usage" ...), a message and fields such as detail and hint.
---@class moontide.FaultLibrary
---@field new fun(kind: string, message: string, fields: table?): table
---@field raise fun(kind: string, message: string, fields: table?)
---@field is fun(value: any): boolean

--- Output: results go to standard output, progress and warnings to standard error.
---@class moontide.ReportLibrary
---@field out fun(text: string)       a line of the result
---@field json fun(document: any)     a line of the result with --json
---@field is_json fun(): boolean
---@field is_quiet fun(): boolean
---@field info fun(text: string)      silent with -q
---@field verbose fun(text: string)   only with -v
---@field warn fun(text: string, fields: { detail: string?, hint: string?, where: string? }?)
---@field style fun(text: string, style: string): string  "bold", "dim", "red", "green", "yellow", "blue" ...
