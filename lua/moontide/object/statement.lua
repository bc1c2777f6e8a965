--- SQL of the user's own: op.execute, and the operations that read.
---
--- Parameters ($1, $2, ...) travel beside the statement; only an offline script,
--- which has no parameters, gets them as literals.

local check = require "moontide.check"
local count = require "moontide.count"
local operation = require "moontide.operation"
local scan = require "moontide.sql.scan"
local source = require "moontide.source"
local value = require "moontide.value"

local statement = {}

local function read_params(...)
  local given = table.pack(...)
  for i = 1, given.n do
    check.within(("parameter $%d"):format(i), value.param, given[i])
  end
  return given
end

local function sent(params)
  if params.n == 0 then return nil end
  local list = { n = params.n }
  for i = 1, params.n do list[i] = value.param(params[i]) end
  return list
end

-- In parentheses, lest the sign bind to what is around it: `$1::int2`, `- $1`.
local function pasted(params)
  return function(n)
    local text = value.literal(params[n])
    return text:find("^-") and "(" .. text .. ")" or text
  end
end

local function check_count(sql, params)
  local wanted = scan.parameters(sql)
  if wanted == params.n then return end
  check.refuse(("the statement has %s, but %d given"):format(count.of(wanted, "parameter"), params.n),
    "Write $1, $2 ... in the statement for the values after it, null for NULL.")
end

local function refuse_control(found, many)
  if not scan.is_transaction_control(found.sql) then return end
  local place = many and (" in line %d of the SQL text"):format(found.line) or ""
  check.refuse(scan.command(found.sql) .. place .. " would break the transaction of the revision",
    "Mark commit points with op.transaction(fn) or op.autocommit(fn).")
end

local function split(sql)
  local list = scan.split(sql)
  if #list == 0 then check.refuse("the SQL text holds no statement") end
  for _, found in ipairs(list) do refuse_control(found, #list > 1) end
  return list
end

local function refuse_company(found)
  if scan.transactional(found.sql) then return end
  check.refuse(("%s in line %d of the SQL text cannot run inside a transaction"):format(
    scan.command(found.sql), found.line), "Give it an op.execute of its own.")
end

local function build_execute(sql, ...)
  local text, params = check.sql(sql, "the statement"), read_params(...)
  local list = split(text)
  if #list > 1 then
    if params.n > 0 then check.refuse("parameters need a single statement, not " .. #list) end
    for _, found in ipairs(list) do refuse_company(found) end
  end
  if params.n > 0 then check_count(text, params) end
  return { sql = text, statements = list, params = params }
end

local function to_statement(sql, params, ctx)
  if ctx.offline and params.n > 0 then return { sql = scan.substitute(sql, pasted(params)) } end
  return { sql = sql, params = sent(params) }
end

-- The arguments after the SQL text; nil would be lost at the end of a list.
local function params_source(params)
  local list = { n = params.n }
  for i = 1, params.n do list[i] = params[i] == nil and value.null or params[i] end
  return list
end

operation.register {
  name = "execute",
  summary = "Run SQL statements",
  build = build_execute,
  sql = function(o, ctx)
    local list = {}
    for i, found in ipairs(o.statements) do list[i] = to_statement(found.sql, o.params, ctx) end
    return list
  end,
  inverse = function() return nil, "what undoes an SQL statement is not known" end,
  lock = function() return {} end,
  transactional = function(o) return scan.transactional(o.statements[1].sql) end,
  commits = function(o)
    local command = scan.command(o.statements[1].sql)
    return command == "CALL" or command == "DO"
  end,
  destructive = function(o)
    for _, found in ipairs(o.statements) do
      local lost = scan.destructive(found.sql)
      if lost then return lost end
    end
  end,
  source = function(o)
    local params = params_source(o.params)
    return source.call("execute", o.sql, table.unpack(params, 1, params.n))
  end,
}

local function build_read(sql, params)
  local list = split(check.sql(sql, "the statement"))
  if #list > 1 then check.refuse("a query is a single statement, not " .. #list) end
  if not scan.transactional(list[1].sql) then
    check.refuse(scan.command(list[1].sql) .. " answers no rows", "Use op.execute.")
  end
  if params.n > 0 then check_count(list[1].sql, params) end
  return { sql = list[1].sql, params = params }
end

local function register_read(name, summary, read)
  operation.register {
    name = name,
    summary = summary,
    reads = true,
    build = function(sql, ...) return build_read(sql, read_params(...)) end,
    sql = function(o, ctx)
      local asked = to_statement(o.sql, o.params, ctx)
      asked.rows = true
      return { asked }
    end,
    inverse = function() return nil, "what a revision does with what it reads is not known" end,
    lock = function() return {} end,
    source = function(o)
      local params = params_source(o.params)
      return source.call(name, o.sql, table.unpack(params, 1, params.n))
    end,
    read = function(o, ask)
      return read(ask { sql = o.sql, params = sent(o.params), rows = true })
    end,
  }
end

register_read("query", "Read rows", function(result) return result end)

register_read("row", "Read the first row; nil when there is none", function(result) return result[1] end)

local function only_value(result)
  local columns = result.columns or {}
  if #columns > 1 then
    check.refuse(("the query answers %d columns, not one"):format(#columns), "Use op.row.")
  end
  return result[1] and result[1][columns[1]]
end

register_read("scalar", "Read the one column of the first row; nil when there is no row, or it is NULL", only_value)

-- Rows a FETCH brings.
local batch = 1000

-- How many loops are open: each has a cursor of its own, named so that a run
-- that continues an interrupted one sends the very same statements.
local open_loops = 0

-- DECLARE CURSOR takes these, as long as they change nothing.
local can_stream = { SELECT = true, VALUES = true, TABLE = true, WITH = true }

local function streams(sql)
  return can_stream[scan.command(sql)] and not scan.modifies(sql)
end

local function hand_over(rows, fn)
  for i, row in ipairs(rows) do
    if fn(row) == false then return i, true end
  end
  return #rows, false
end

local function cursor_open(o, ask)
  open_loops = open_loops + 1
  local name = "moontide_each_" .. open_loops
  ask { sql = ("DECLARE %s NO SCROLL CURSOR FOR %s"):format(name, o.sql), params = sent(o.params) }
  return name
end

-- After an error in the loop the transaction may go on, if the revision catches it.
local function cursor_guard(state, ask)
  return setmetatable({}, { __close = function(_, problem)
    open_loops = state.depth
    if not state.name then return end
    local close = { sql = "CLOSE " .. state.name }
    if problem then pcall(ask, close) else ask(close) end
  end })
end

local no_transaction = "25P01"

-- nil where there is no transaction for the cursor to live in.
local function try_cursor(o, ask)
  local ok, answer = pcall(cursor_open, o, ask)
  if ok then return answer end
  if answer.sqlstate ~= no_transaction then error(answer, 0) end
end

local function read_all(o, ask)
  return (hand_over(ask { sql = o.sql, params = sent(o.params), rows = true }, o.fn))
end

local function stream(o, ask)
  local state = { depth = open_loops }
  local _ <close> = cursor_guard(state, ask)
  state.name = try_cursor(o, ask)
  if not state.name then return read_all(o, ask) end
  local rows_seen = 0
  while true do
    local rows = ask { sql = ("FETCH FORWARD %d FROM %s"):format(batch, state.name), rows = true }
    local seen, stopped = hand_over(rows, o.fn)
    rows_seen = rows_seen + seen
    if stopped or #rows < batch then return rows_seen end
  end
end

local function build_each(sql, ...)
  local given = table.pack(...)
  local fn = given[given.n]
  if type(fn) ~= "function" then
    check.refuse(("the last argument must be a function, not %s"):format(given.n == 0 and "nothing" or type(fn)),
      "Write op.each(\"select ...\", function(row) ... end).")
  end
  local o = build_read(sql, read_params(table.unpack(given, 1, given.n - 1)))
  o.fn = fn
  return o
end

-- Rows come in batches through a cursor, so that a loop over a large table needs
-- little memory and other operations may run in it. The function ends the loop by
-- returning false; the answer is the number of rows it was called with.
operation.register {
  name = "each",
  summary = "Call a function with each row of a query",
  reads = true,
  build = build_each,
  sql = function(o, ctx)
    local asked = to_statement(o.sql, o.params, ctx)
    asked.rows = true
    return { asked }
  end,
  inverse = function() return nil, "what a revision does with what it reads is not known" end,
  lock = function() return {} end,
  source = function(o)
    local params = params_source(o.params)
    local call = source.call("each", o.sql, table.unpack(params, 1, params.n))
    return call:sub(1, -2) .. ', function() error("the function of this loop is not known") end)'
  end,
  read = function(o, ask) return (streams(o.sql) and stream or read_all)(o, ask) end,
}

return statement
