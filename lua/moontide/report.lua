--- The only writer to stdout and stderr: results to stdout, progress, warnings
--- and errors to stderr. With --json the results are JSON documents.

local fault = require "moontide.fault"

local report = {}

local settings = {
  json = false, traceback = false, colour = { [1] = false, [2] = false },
  level = 2, fixed = false, format = "text", timestamps = false,
}

local levels = { debug = 1, info = 2, warn = 3, error = 4 }

local codes = {
  bold = "1", dim = "2", red = "31", green = "32", yellow = "33", blue = "34", magenta = "35", cyan = "36",
}

local function wants_colour(choice, fd)
  if choice == "always" then return true end
  if choice == "never" or (os.getenv("NO_COLOR") or "") ~= "" or os.getenv("TERM") == "dumb" then return false end
  return require("moontide.runtime.sys").isatty(fd)
end

--- Set how everything that follows is printed.
---@param options { quiet?: boolean, verbose?: boolean, json?: boolean, traceback?: boolean, color?: string }
function report.configure(options)
  settings.fixed = options.quiet or options.verbose or false
  settings.level = options.quiet and levels.warn or options.verbose and levels.debug or levels.info
  settings.json, settings.traceback = options.json or false, options.traceback or false
  local choice = options.color or "auto"
  settings.colour = { [1] = not settings.json and wants_colour(choice, 1), [2] = wants_colour(choice, 2) }
end

local function paint(fd, text, style)
  if not settings.colour[fd] or not codes[style] then return text end
  return "\27[" .. codes[style] .. "m" .. text .. "\27[0m"
end

--- Colour a piece of a line for stdout, or leave it as it is where colour is off.
---@param text string
---@param style "bold"|"dim"|"red"|"green"|"yellow"|"blue"|"magenta"|"cyan"
---@return string
function report.style(text, style) return paint(1, text, style) end

---@return boolean
function report.is_json() return settings.json end

---@return boolean
function report.is_quiet() return settings.level > levels.info end

---@return boolean
function report.is_verbose() return settings.level == levels.debug end

---@return boolean
function report.log_is_json() return settings.format == "json" end

--- Set what is printed on stderr and in which form; -q and -v have the last word about the level.
---@param log { level?: string, format?: "text"|"json", timestamps?: boolean }
function report.log(log)
  if log.level and not settings.fixed then settings.level = levels[log.level] end
  settings.format, settings.timestamps = log.format or "text", log.timestamps or false
end

-- Seconds as RFC 3339 in UTC.
local function moment()
  local now = require("moontide.runtime.sys").time()
  return os.date("!%Y-%m-%dT%H:%M:%S", now // 1 | 0) .. (".%03dZ"):format(now % 1 * 1000 // 1 | 0)
end

-- The line of progress on a terminal makes room for a line that stays.
local line_open = false

local function clear_line()
  if line_open then io.stderr:write("\r\27[K") end
  line_open = false
end

-- A line of the log: as text it may have been painted already, as JSON it is made of the fields.
local function emit(level, text, message, fields)
  if levels[level] < settings.level then return end
  clear_line()
  if settings.format == "json" then
    local document = { time = moment(), level = level, message = message }
    for key, value in pairs(fields or {}) do document[key] = document[key] or value end
    io.stderr:write(require("moontide.json").encode(document), "\n")
  else
    io.stderr:write(settings.timestamps and moment() .. " " or "", text)
  end
end

local EPIPE = 32

-- Who reads no more (`moontide history | head`) wants to hear no more either.
local function refuse_output(message, errno)
  fault.raise("file", "could not write to standard output: " .. tostring(message), { silent = errno == EPIPE })
end

--- Print a line of the result on stdout.
---@param text string
function report.out(text)
  if settings.script then
    settings.script[#settings.script + 1] = text
    return
  end
  local done, message, errno = io.stdout:write(text, "\n")
  if not done then refuse_output(message, errno) end
end

--- Write out what is buffered of the result.
function report.flush()
  local done, message, errno = io.stdout:flush()
  if not done then refuse_output(message, errno) end
end

--- Print one JSON document (or, in a long run, one event) on a line of stdout.
---@param document any
function report.json(document)
  report.out(require("moontide.json").encode(document))
end

--- Print what a function prints on stdout; with --json as one document {"script": text}.
---@param write fun()
function report.script(write)
  if not settings.json then return write() end
  local lines = {}
  settings.script = lines
  local ok, problem = pcall(write)
  settings.script = nil
  if not ok then error(problem, 0) end
  report.json { script = table.concat(lines, "\n") .. "\n" }
end

--- Print a line of progress on stderr; silent with -q.
---@param text string
function report.info(text) emit("info", text .. "\n", text) end

local terminal, last_progress

local function is_terminal()
  if terminal == nil then terminal = require("moontide.runtime.sys").isatty(2) end
  return terminal and settings.format == "text"
end

-- Seconds between two lines where lines stay.
local progress_pause = 10

--- Show how far something is: on a terminal a line that is written again and again, elsewhere a line every ten seconds.
---@param text string
function report.progress(text)
  if settings.level > levels.info then return end
  if is_terminal() then
    line_open = true
    return io.stderr:write("\r\27[K", text) and io.stderr:flush()
  end
  local now = require("moontide.runtime.sys").clock()
  if last_progress and now - last_progress < progress_pause then return end
  last_progress = now
  report.info(text)
end

--- Whether progress is a line that is written again and again.
---@return boolean
function report.has_terminal() return is_terminal() end

--- Take the line of `report.progress` away again.
function report.progress_end()
  clear_line()
  last_progress = nil
end

--- Print a line on stderr that another process of this program has printed there.
---@param line string
function report.relay(line) io.stderr:write(line, "\n") end

--- Print a line of detail on stderr; only with -v.
---@param text string
function report.verbose(text)
  if report.is_verbose() then emit("debug", paint(2, text, "dim") .. "\n", text) end
end

local function indented(label, text)
  return "  " .. label .. ": " .. text:gsub("\n", "\n  " .. (" "):rep(#label + 2)) .. "\n"
end

--- Print a warning on stderr.
---@param text string
---@param fields? { detail?: string, hint?: string, where?: string }
function report.warn(text, fields)
  fields = fields or {}
  local place = fields.where and fields.where .. ": " or ""
  local lines = { paint(2, "warning: ", "yellow"), place, text, "\n" }
  for _, label in ipairs { "detail", "hint" } do
    if fields[label] then lines[#lines + 1] = indented(label, fields[label]) end
  end
  emit("warn", table.concat(lines), text, { detail = fields.detail, hint = fields.hint, where = fields.where })
end

-- The line of a statement that holds a character position, and the column in it.
local function line_at(statement, position)
  local start, column = 1, position
  for line in (statement .. "\n"):gmatch("([^\n]*)\n") do
    local length = utf8.len(line) or #line
    if column <= length + 1 then return line, column, start end
    column, start = column - length - 1, start + 1
  end
  return nil
end

local most_bytes, most_lines = 2000, 12

-- The beginning of a long statement. A block that an operation wrote is longer than what there is to say.
local function clipped(text)
  local short = #text <= most_bytes and text or text:sub(1, utf8.offset(text, 0, most_bytes) - 1)
  local place = 0
  for _ = 1, most_lines do
    place = short:find("\n", place + 1, true)
    if not place then return short == text and text or short .. " ..." end
  end
  return short:sub(1, place) .. "..."
end

-- Of a line that is too wide for a terminal, what is around a column, and where that is then.
local function around(line, column)
  local length, room = utf8.len(line) or #line, 60
  if length <= 3 * room or not utf8.len(line) then return line, column end
  local from, to = math.max(1, column - room), math.min(length, column + room)
  local head, tail = from > 1 and "... " or "", to < length and " ..." or ""
  return head .. line:sub(utf8.offset(line, from), utf8.offset(line, to + 1) - 1) .. tail, column - from + 1 + #head
end

-- The statement with a caret under the place where the server stopped.
local function statement_lines(value)
  local line, column, number
  if value.position then line, column, number = line_at(value.statement, value.position) end
  if not line or #line > most_bytes then return indented("statement", clipped(value.statement)) end
  local prefix = ("  LINE %d: "):format(number)
  line, column = around(line, column)
  local caret = (" "):rep(#prefix + column - 1) .. "^\n"
  local rest = value.statement:find("\n", 1, true) and indented("statement", clipped(value.statement)) or ""
  return prefix .. line .. "\n" .. caret .. rest
end

local function headline(value)
  local place = value.where and value.where .. ": " or ""
  local code = value.sqlstate and (" (SQLSTATE %s)"):format(value.sqlstate) or ""
  return place .. value.message .. code .. "\n"
end

--- Print a fault on stderr, or with --json also as a document {"error": {...}} on stdout.
---@param value moontide.Fault
function report.fault(value)
  if settings.json then report.json { error = report.fault_document(value) } end
  local out = { paint(2, "error: ", "red"), headline(value) }
  local function add(label, text) if text then out[#out + 1] = indented(label, tostring(text)) end end
  add("revision", value.revision)
  add("operation", value.operation)
  if value.statement then out[#out + 1] = statement_lines(value) end
  add("detail", value.detail)
  add("context", value.context)
  add("hint", value.hint)
  if settings.traceback then add("traceback", value.traceback) end
  emit("error", table.concat(out), value.message, report.fault_document(value))
end

local document_fields = {
  "kind", "message", "detail", "hint", "where", "sqlstate", "statement", "position", "revision", "operation",
  "schema", "table", "column", "constraint",
}

--- A fault as the table that --json prints.
---@param value moontide.Fault
---@return table
function report.fault_document(value)
  local document = {}
  for _, key in ipairs(document_fields) do document[key] = value[key] end
  return document
end

return report
