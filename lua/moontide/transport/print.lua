--- Writes the statements of a run as an SQL script instead of sending them.

local report = require "moontide.report"
local fault = require "moontide.fault"

---@class moontide.PrintTransport : moontide.Transport
local Print = { offline = true, dry = false }
Print.__index = Print

local print = {}

--- A transport that prints a script on stdout.
---@param options? { directory?: string, joined?: boolean }
---  where relative paths of revisions begin; one transaction for all revisions
---@return moontide.Transport
function print.new(options)
  options = options or {}
  return setmetatable({
    ctx = { offline = true, directory = options.directory }, joined = options.joined or false, is_open = false,
  }, Print)
end

-- A semicolon behind a line comment would be part of it.
local function terminated(sql)
  local text = sql:gsub("%s*;?%s*$", "")
  return text .. (text:match("[^\n]*$"):find("--", 1, true) and "\n;" or ";")
end

local function statement(sql)
  report.out(terminated(sql))
  report.out("")
end

function Print:open()
  if not self.is_open then statement "BEGIN" end
  self.is_open = true
end

function Print:close()
  statement "COMMIT"
  self.is_open = false
end

function Print:settle()
  if not self.joined then self:close() end
end

function Print:complete()
  if self.is_open then self:close() end
end

--- Write a comment line.
---@param text string
function Print:comment(text)
  report.out("-- " .. text:gsub("\n", "\n-- "))
  report.out("")
end

---@param entry moontide.Entry
function Print:send(entry) statement(entry.sql) end

---@param entries moontide.Entry[]
function Print:alone(entries)
  for _, entry in ipairs(entries) do self:send(entry) end
end

---@param entry moontide.Entry
function Print:read(entry)
  fault.raise("operation", "a revision that reads data cannot be printed as a script", {
    where = entry.o and entry.o.where, operation = entry.o and entry.o.kind, statement = entry.sql,
    hint = "Use SQL that needs no answer, or test context.offline and leave the step out of the script.",
  })
end

--- Write a COPY with its data behind it, as psql reads it.
---@param entry moontide.Entry  with copy = { chunks = iterator of strings }
function Print:copy(entry)
  report.out(terminated(entry.sql))
  local rest = ""
  for chunk in entry.copy.chunks do
    local lines, behind = (rest .. chunk):match("^(.*)\n([^\n]*)$")
    if lines then report.out(lines) end
    rest = behind or rest .. chunk
  end
  if rest ~= "" then report.out(rest) end
  report.out("\\.\n")
end

function Print:abort() end

return print
