---@meta moontide.runtime.pg

--- PostgreSQL through libpq. What goes wrong is raised as a table { kind, message, ... }: "server" with the fields of
--- the server's error, "connection" when there is none or it was lost, "timeout" at a deadline and "interrupted" after
--- Ctrl-C (in both cases the statement was cancelled on the server), "operation" for what cannot be sent, "config" for
--- a connection string that libpq refuses.
local pg = {}

---@class moontide.pg.Error: moontide.Fault
---@field severity? string
---@field internal_query? string       the statement inside a function that failed
---@field internal_position? integer
---@field context? string
---@field schema? string
---@field table? string
---@field column? string
---@field datatype? string
---@field constraint? string
---@field source_file? string          in the server's sources, with source_line and source_function
---@field source_line? integer
---@field source_function? string
---@field index? integer               which statement of a pipeline
---@field row? integer                 which row of copy:rows, with `column`

---@class moontide.pg.Result
---@field [integer] table<string, any>  rows by column name; NULL is absent
---@field columns? string[]             names of the columns; not in a pipeline, unless rows were asked for
---@field command string                what the server says it did: a COMMIT of a failed transaction is a "ROLLBACK"
---@field affected? integer
---@field notices? moontide.pg.Error[]  with `dropped`, a number, when there were more than are kept

--- A parameter: nil is NULL (give the sequence an `n`), boolean, number, string (no NUL bytes), or a table.
---@alias moontide.pg.Param
---| nil
---| boolean
---| number
---| string
---| { type: "bytea", value: string? }
---| { oid: integer, value: string?, binary: boolean? }

--- Text of one statement, or the name of a prepared one.
---@alias moontide.pg.Statement string|{ sql: string }|{ prepared: string }

---@class moontide.pg.Entry
---@field sql? string
---@field prepared? string
---@field params? moontide.pg.Param[]
---@field rows? boolean|"held"  keep the rows; without it only the command and the count are kept. "held": as they came,
---  the result is a moontide.pg.Held
---@field flush? boolean  of what is launched: the server sends what it has when this is done

--- Connect. `defaults` are keywords for what the connection string does not say; without a timeout, connect_timeout of
--- the connection string counts.
---@param conninfo string  URI, keywords and values, or the name of a database
---@param options? { timeout: number?, defaults: table<string, string>? }
---@return moontide.pg.Connection
function pg.connect(conninfo, options) end

--- Begin to connect, as far as that goes without waiting: the server works while the program does something else. A
--- timeout counts from the call of the function that is answered, which waits for the connection.
---@param conninfo string
---@param options? { timeout?: number, defaults?: table<string, string> }
---@return fun(): moontide.pg.Connection
function pg.start(conninfo, options) end

--- The keywords and values that a connection string sets, password included.
---@param conninfo string
---@return table<string, string>
function pg.parse(conninfo) end

--- The keywords that a connection string may use.
---@return table<string, true>
function pg.keywords() end

---@return integer  150018 for 15.18
function pg.libpq_version() end

--- Wait until one of the connections has an answer to what was launched on it.
---@param connections moontide.pg.Connection[]
---@param seconds? number
---@return integer? index  nil when the time is over
function pg.wait(connections, seconds) end

--- An array in its binary form, to be filled.
---@param element integer  oid of the type of its elements
---@return moontide.pg.Array
function pg.array(element) end

--- A column of many rows as one parameter: { oid = of the array type, value = array:bytes(), binary = true }.
--- `#array` is how many elements it has. It is freed by `close`, or as a <close> variable.
---@class moontide.pg.Array
local Array = {} -- luacheck: ignore 241

--- Add a value, if it is one of the type of the elements as Lua has it (nil is NULL).
---@param value any
---@return boolean taken  false: it must be encoded by the caller
function Array:add(value) end

--- Add an element that is encoded: its length in four bytes, and its bytes.
---@param bytes string
function Array:raw(bytes) end

--- Add what a result has in a cell.
---@param held moontide.pg.Held
---@param row integer
---@param column integer
function Array:cell(held, row, column) end

--- Take the last element away, if it is the only one more than `count`. Before the next one is taken away, one must
--- be added.
---@param count integer
function Array:trim(count) end

---@return string
function Array:bytes() end

--- Free the elements; may be called again.
function Array:close() end

--- A result as it came: `#held` is how many rows it has. It is freed by `close`, or as a <close> variable.
---@class moontide.pg.Held
local Held = {} -- luacheck: ignore 241

--- A row, by column name, without its first columns.
---@param number integer
---@param skip? integer
---@return table<string, any>
function Held:row(number, skip) end

---@param row integer
---@param column integer
---@return any
function Held:cell(row, column) end

function Held:close() end

---@class moontide.pg.Connection
local Connection = {} -- luacheck: ignore 241

--- Run one statement.
---@param statement moontide.pg.Statement
---@param params? moontide.pg.Param[]
---@param options? { timeout: number?, tick: fun()?, every: number? }  tick is called every so many seconds meanwhile;
---  what it raises ends the statement
---@return moontide.pg.Result
function Connection:exec(statement, params, options) end

--- Run several statements, separated by semicolons, as one transaction if there is no other.
---@param sql string
---@return moontide.pg.Result  of the last one
function Connection:script(sql) end

--- Prepare a statement to be run by name.
---@param name string
---@param sql string
function Connection:prepare(name, sql) end

--- Run a list of statements in one go, as one transaction if there is no other. After the first error none of the
--- others runs; it is raised with its `index`. A list of up to 500 statements costs one round trip.
---@param list moontide.pg.Entry[]
---@param options? { timeout: number? }
---@return moontide.pg.Result[]
function Connection:pipeline(list, options) end

--- Send a list of statements as `pipeline` does, and do not wait for the answers. More lists may be launched behind it,
--- which are landed in their order; a failure ends all of them.
---@param list moontide.pg.Entry[]
function Connection:launch(list) end

--- The results of what was launched, given the same list; each is at the place of its statement. Parts of the list are
--- landed in their order, and the last part ends the pipeline.
---@param list moontide.pg.Entry[]
---@param first? integer
---@param last? integer
---@return table<integer, moontide.pg.Result>
function Connection:land(list, first, last) end

--- Run one statement and go through its rows in constant memory: for row in conn:rows(...) do. Leaving the loop early
--- cancels the statement, or, inside a transaction, reads the rest.
---@param statement moontide.pg.Statement
---@param params? moontide.pg.Param[]
---@return fun(): table<string, any>? step
---@return nil
---@return nil
---@return moontide.pg.Rows closing
function Connection:rows(statement, params) end

--- Begin COPY ... FROM STDIN.
---@param sql string
---@return moontide.pg.CopyIn
function Connection:copy_in(sql) end

--- Begin COPY ... TO STDOUT.
---@param sql string
---@return moontide.pg.CopyOut
function Connection:copy_out(sql) end

--- Ask the server to cancel what this connection does.
---@return boolean  whether the server got the request
function Connection:cancel() end

--- Close it; may be called again. Happens by itself when a <close> variable ends or nobody holds it.
function Connection:close() end

---@return "idle"|"active"|"transaction"|"error"|"closed"
function Connection:status() end

---@return integer  150018 for 15.18
function Connection:server_version() end

--- A setting that the server reports, like "TimeZone".
---@param name string
---@return string?
function Connection:parameter(name) end

---@return integer  process id of the server's side
function Connection:pid() end

---@return string  host, or the folder of the socket
function Connection:host() end

---@return boolean  whether the connection is encrypted
function Connection:tls() end

--- The notices that came with no result, because of an error. They are handed out once.
---@return moontide.pg.Error[]
function Connection:notices() end

---@class moontide.pg.Rows
local Rows = {} -- luacheck: ignore 241

--- Read no further; may be called again.
function Rows:close() end

---@class moontide.pg.CopyIn
local CopyIn = {} -- luacheck: ignore 241

--- Send data in the format of the COPY.
---@param data string
function CopyIn:write(data) end

--- Send rows, for a COPY in text format with these columns.
---@param list table<string, moontide.pg.Param>[]
---@param columns string[]
function CopyIn:rows(list, columns) end

--- How much data it was given so far, in the form in which it travels; also when it is over.
---@return integer
function CopyIn:bytes() end

--- End the data and wait for the server's verdict, which is raised if it is an error.
---@return integer  number of rows
function CopyIn:finish() end

--- Give up: the server forgets the rows and fails the transaction.
---@param message? string  for the server's log
function CopyIn:abort(message) end

--- Abort unless finished; may be called again.
function CopyIn:close() end

---@class moontide.pg.CopyOut
local CopyOut = {} -- luacheck: ignore 241

---@return string?  one line with its line feed, nil at the end
function CopyOut:read() end

--- Read no further; may be called again.
function CopyOut:close() end

return pg
