--- Operations as values. `op.add_column(...)` builds a record
--- `{ kind = "add_column", where = "file:line", ... }`, checked at once; every mode
--- of the program is a reader of that record: it is executed, printed, reversed,
--- judged by its locks, or written back as Lua.
---
--- This file knows how an operation is made and asked; what each one means is in
--- the file of its object. The operations that come with Moontide and those of
--- plugins are registered by the same call.

local caller = require "moontide.caller"
local fault = require "moontide.fault"

---@class moontide.Operation
---@field kind string    the name it was registered under
---@field where? string  "path:line" of the call in the user's file

---@class moontide.Statement
---@field sql string
---@field params? table                         sequence with n, as `conn:exec` takes it
---@field rows? boolean                         somebody reads the rows
---@field copy? { columns: string[], rows: any } rows to send after a COPY ... FROM STDIN

---@class moontide.Lock
---@field relation string  the relation's name as SQL
---@field brief? boolean   it is held for a moment only, whatever the size of the table
---@field mode string      "ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE", ...

--- How an operation takes part in one ALTER TABLE with others. Its value has the fields `table` and `schema`.
---@class moontide.Action
---@field position integer                       which argument of the operation is the table
---@field clauses fun(o: table, ctx: table): string[]  the actions of the ALTER TABLE
---@field rest? fun(o: table, ctx: table): string[]    statements that follow it
---@field arguments fun(o: table): ...          the arguments that build the value again

---@class moontide.Registration
---@field name string                           what users write after `op.`
---@field summary string                        one line, for lists and help
---@field build fun(...): table                 checks the arguments; answers the fields of the value
---@field sql fun(o: table, ctx: table): (string|moontide.Statement)[]
---@field inverse fun(o: table): table[]?, string?  operations that undo it, or nil and why not
---@field lock fun(o: table): moontide.Lock[]
---@field source fun(o: table): string          Lua text that builds the same value again
---@field transactional? fun(o: table): boolean whether it may run inside a transaction; default: yes
---@field commits? fun(o: table): boolean       whether it may commit by itself where no transaction is open (CALL, DO)
---@field reads? boolean                        it answers rows to the revision
---@field read? fun(o: table, ask: fun(entry: moontide.Statement): table): any
---  makes the answer of an operation that reads; `ask` runs a statement and returns its result
---@field recover? fun(o: table, attempt: { interrupted: boolean, query: fun(sql: string): table }): string[]?
---  before it is run outside of a transaction: the statements that clear what an interrupted attempt
---  left, or nil when that attempt was completed after all
---@field inside? fun(o: table): table          the form that a transaction allows, for a dry run
---@field expand? fun(o: table, ctx: table, ask?: fun(sql: string): table): moontide.Step[]?
---  the steps of an operation that is run as several segments; nil: it is run as usual. `ask` runs a query, the answer
---  of which is the same when the revision is run again; there is none offline
---@field online? fun(o: table): boolean        whether it has an online form, which `safe = "online"` makes it take
---@field capture? fun(o: table, query: fun(sql: string): table): table?
---  online, before it is run in a change() function: fields that its inverse will need, from the catalog
---@field prepare? fun(o: table, query: fun(sql: string): table, schema: string): table?
---  online, each time before it is run: fields from the catalog that its statements need
---@field after_commit? fun(o: table): boolean  whether what it made can be used only after a commit: the
---  transaction ends before an operation of another kind follows
---@field destructive? fun(o: table): string?   what is lost when it is run, in a few words; nil: nothing
---@field job? table<"begin"|"run"|"rehearse"|"left", fun(o: table, place: table): string[]?>
---  it is done in many transactions on connections of its own: what registers it, what does it or the rest of it,
---  what tries it in a dry run, and what is said where it is only registered
---@field action? moontide.Action               it may be a part of `op.alter_table`
---@field from? string                          who registers it; default: the calling file and line

local operation = {}

local registered = {}
local names = {}

local required = { summary = "string", build = "function", sql = "function", inverse = "function",
  lock = "function", source = "function" }
local optional = { name = "string", transactional = "function", reads = "boolean", read = "function", from = "string",
  recover = "function", commits = "function", inside = "function", capture = "function", after_commit = "function",
  destructive = "function", action = "table", expand = "function", online = "function",
  prepare = "function", job = "table" }

local function refuse(registration, message, hint)
  local detail = "registered by " .. registration.from
  fault.raise("operation", message, { hint = hint, where = caller.where(), detail = detail })
end

-- Who registers: the nearest file of a user (a plugin), or the file of the library that is being loaded.
local function registrant()
  local level, info = 3, debug.getinfo(3, "Sl")
  while info and (info.what == "C" or info.what ~= "main" and info.source:find("lua/moontide/", 1, true)) do
    level = level + 1
    info = debug.getinfo(level, "Sl")
  end
  return info and ("%s:%d"):format(info.short_src, info.currentline) or "?"
end

local function check_name(registration)
  local name = registration.name
  if type(name) ~= "string" or not name:find("^%l[%l%d_]*$") then
    local given = type(name) == "string" and '"' .. name .. '"' or type(name)
    refuse(registration, "invalid operation name " .. given,
      "A name is lower-case letters, digits and underscores, beginning with a letter.")
  end
  local earlier = registered[name]
  if earlier then
    refuse(registration, ('operation "%s" is already registered by %s'):format(name, earlier.from),
      "Choose another name; an operation cannot be replaced.")
  end
end

local function check_field(registration, key, expected, needed)
  local value = registration[key]
  if value == nil and not needed then return end
  if type(value) ~= expected then
    refuse(registration, ('operation "%s": field "%s" must be a %s, not %s')
      :format(registration.name, key, expected, type(value)))
  end
end

local function check_keys(registration)
  for key in pairs(registration) do
    if not required[key] and not optional[key] then
      refuse(registration, ('operation "%s": unknown field "%s"'):format(registration.name, tostring(key)),
        "The fields are name, summary, build, sql, inverse, lock, source, transactional, commits, reads, read, "
          .. "recover, inside, expand, online, capture, prepare, after_commit, destructive, job, action and from.")
    end
  end
end

--- Add an operation. Plugins and built-in operations use this same call. A
--- registration that is incomplete, or whose name is taken, is refused with both registrants named.
---@param registration moontide.Registration
function operation.register(registration)
  if type(registration) ~= "table" then
    fault.raise("operation", "operation.register needs a table, not " .. type(registration), { where = caller.where() })
  end
  local entry = {}
  for key, value in pairs(registration) do entry[key] = value end
  if type(entry.from) ~= "string" then entry.from = registrant() end
  check_name(entry)
  check_keys(entry)
  for key, expected in pairs(required) do check_field(entry, key, expected, true) end
  for key, expected in pairs(optional) do check_field(entry, key, expected, false) end
  registered[entry.name] = entry
  names[#names + 1] = entry.name
end

--- The registration of an operation.
---@param name string
---@return moontide.Registration?
function operation.get(name)
  return registered[name]
end

--- Names of all operations, in the order of registration.
---@return string[]
function operation.names()
  return table.move(names, 1, #names, 1, {})
end

local function entry_of(name)
  local entry = registered[name]
  if not entry then
    fault.raise("operation", ('unknown operation "%s"'):format(tostring(name)), { where = caller.where() })
  end
  return entry
end

local function refuse_surplus(entry, count)
  local most = debug.getinfo(entry.build, "u")
  if most.isvararg or count <= most.nparams then return end
  fault.raise("operation", ("takes at most %d arguments, got %d"):format(most.nparams, count))
end

--- Build the value of an operation from a user's arguments. A fault of the
--- arguments names the operation and carries the caller's line.
---@param name string
---@return moontide.Operation
function operation.build(name, ...)
  local entry, where = entry_of(name), caller.where()
  local function place(problem)
    if fault.is(problem) then
      problem.operation, problem.where = name, where or problem.where
      problem.message = name .. ": " .. problem.message
    end
    return problem
  end
  local function build(...)
    refuse_surplus(entry, select("#", ...))
    return entry.build(...)
  end
  local ok, o = xpcall(build, place, ...)
  if not ok then error(o, 0) end
  o.kind, o.where = name, where
  return o
end

local function as_statement(statement)
  return type(statement) == "string" and { sql = statement } or statement
end

local function all_of(steps)
  local list = {}
  for _, step in ipairs(steps) do
    for _, sql in ipairs(step.statements or {}) do list[#list + 1] = sql end
  end
  return list
end

--- The statements that carry out an operation, in order.
---@param o moontide.Operation
---@param ctx? table  { server_version = integer, offline = boolean }
---@return moontide.Statement[]
function operation.statements(o, ctx)
  local entry, list = entry_of(o.kind), {}
  local steps = entry.expand and entry.expand(o, ctx or {})
  local statements = steps and all_of(steps) or entry.sql(o, ctx or {})
  for i, statement in ipairs(statements) do list[i] = as_statement(statement) end
  return list
end

--- The operations that undo one, in the order to run them; or nil and, in words, why there are none.
---@param o moontide.Operation
---@return moontide.Operation[]? operations
---@return string? reason
function operation.inverse(o)
  local list, reason = entry_of(o.kind).inverse(o)
  if not list then return nil, reason or ("%s cannot be reversed"):format(o.kind) end
  for _, undo in ipairs(list) do undo.where = o.where end
  return list
end

--- The locks an operation takes on relations that exist before it.
---@param o moontide.Operation
---@return moontide.Lock[]
function operation.locks(o)
  return entry_of(o.kind).lock(o)
end

--- The operation as a line of a revision file: `op.add_column("users", ...)`.
---@param o moontide.Operation
---@return string
function operation.source(o)
  return entry_of(o.kind).source(o)
end

--- Whether an operation may run inside a transaction.
---@param o moontide.Operation
---@return boolean
function operation.transactional(o)
  local transactional = entry_of(o.kind).transactional
  return transactional == nil or transactional(o)
end

--- What of the data is lost when an operation is run, in a few words; nil when nothing is.
---@param o moontide.Operation
---@return string?
function operation.destructive(o)
  local destructive = entry_of(o.kind).destructive
  return destructive and destructive(o)
end

return operation
