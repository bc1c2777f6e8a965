--- `moontide repl`: a Lua prompt with `op` and the connection.

local console = require "moontide.console"
local fault = require "moontide.fault"
local report = require "moontide.report"
local show = require "moontide.console.show"
local sys = require "moontide.runtime.sys"

local marks = { transaction = "*", error = "!" }

-- As in psql: * inside a transaction, ! inside a failed one.
local function prompt(session, continued)
  if not session.interactive then return "" end
  local db = rawget(session.names, "db") or session.app.looking and session.app.looking.db
  local mark = db and marks[db:status()] or ""
  return "moontide" .. mark .. (continued and ">> " or "> ")
end

-- An expression, a statement, or nil while the text is not complete.
local function compile(text, names)
  local chunk = load("return " .. text, "=stdin", "t", names)
  if chunk then return chunk end
  local statement, message = load(text, "=stdin", "t", names)
  if statement then return statement end
  if message:find("<eof>", 1, true) then return nil end
  return nil, fault.new("script", (message:gsub("^stdin:", "line ")))
end

-- Reads lines until they are a chunk; nil at the end of the input.
local function read(session)
  local text = sys.readline(prompt(session))
  if not text then return nil end
  while true do
    local chunk, problem = compile(text, session.names)
    if chunk or problem then return chunk or function() error(problem, 0) end end
    local more = sys.readline(prompt(session, true))
    if not more then return function() error(fault.new("script", "the input ends inside a statement"), 0) end end
    text = text .. "\n" .. more
  end
end

local function print_values(values)
  for i = 2, values.n do report.out(show.value(values[i])) end
end

local function explain(value)
  if fault.is(value) then return fault.of(value) end
  return fault.new("script", tostring(value), { traceback = debug.traceback("", 2):gsub("^%s+", "") })
end

local function handle(session, problem)
  if problem.kind == "interrupted" and session.interactive then return report.info("interrupted") end
  if problem.kind == "interrupted" then error(problem, 0) end
  session.failed = true
  report.fault(problem)
end

-- One turn; false at the end of the input.
local function turn(session)
  local ok, chunk = xpcall(read, explain, session)
  if not ok then
    handle(session, chunk)
    return true
  end
  if not chunk then return false end
  local values = table.pack(xpcall(chunk, explain))
  if values[1] then print_values(values) else handle(session, values[2]) end
  return true
end

local function finish(session)
  local db = session.app.looking and session.app.looking.db
  if not db or not marks[db:status()] then return end
  db:rollback()
  report.warn("the open transaction was rolled back", { hint = "Call commit() before leaving." })
end

local greeting = "moontide %s, %s. Here are op, db, config, begin(), commit() and rollback(); Ctrl-D leaves."

local function run(app)
  local session = { app = app, interactive = sys.isatty(0) }
  session.names = console.extend({}, app, _G)
  session.names.exit = function() session.done = true end
  if session.interactive then
    report.info(greeting:format(require "moontide.version", _VERSION))
  end
  while not session.done and turn(session) do end
  finish(session)
  return session.failed and not session.interactive and 1 or 0
end

return {
  name = "repl",
  summary = "open a Lua prompt with op and the connection",
  description = "A Lua prompt. The globals op, db, config, sql and null belong to the environment and connect when they"
    .. " are first used. Operations take effect at once, as in psql; begin(), commit() and rollback() hold several"
    .. " together. Reads standard input when that is no terminal, and then exits with 1 if something failed.",
  run = run,
}
