--- Writes the statements of a run as an SQL script instead of sending them.

local report = require "moontide.report"
local fault = require "moontide.fault"

---@class moontide.PrintTransport : moontide.Transport
local Print = { offline = true, dry = false }
Print.__index = Print

local print = {}

--- A transport that prints a script on stdout.
---@param options? { directory?: string, joined?: boolean, settings?: table<string, string>, skip_reads?: boolean }
---  where relative paths of revisions begin; one transaction for all revisions; settings of every transaction;
---  reads answer nothing, and a comment says so, instead of ending the script
---@return moontide.Transport
function print.new(options)
  options = options or {}
  return setmetatable({
    ctx = { offline = true, directory = options.directory }, joined = options.joined or false, is_open = false,
    search_path = (options.settings or {}).search_path, skip_reads = options.skip_reads or false,
  }, Print)
end

-- A semicolon behind a line comment would be part of it; psql needs none where \gexec runs what a query answers.
local function terminated(sql)
  if sql:find("\\gexec$") then return sql end
  local text = sql:gsub("%s*;?%s*$", "")
  return text .. (text:match("[^\n]*$"):find("--", 1, true) and "\n;" or ";")
end

local function statement(sql)
  report.out(terminated(sql))
  report.out("")
end

function Print:open()
  if self.is_open then return end
  self.is_open = true
  statement "BEGIN"
  if self.search_path then statement("SET LOCAL search_path = " .. self.search_path) end
end

function Print:renew()
  if self.joined and self.search_path then statement("SET LOCAL search_path = " .. self.search_path) end
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
  if self.search_path then statement("SET search_path = " .. self.search_path) end
  for _, entry in ipairs(entries) do self:send(entry) end
  if self.search_path then statement "RESET search_path" end
end

local function skip(self, entry)
  self:comment("not rendered: " .. (entry.o and entry.o.where or "?"))
  self:comment(terminated(entry.sql))
  return {}
end

---@param entry moontide.Entry
function Print:read(entry)
  if self.skip_reads then return skip(self, entry) end
  fault.raise("operation", "a revision that reads data cannot be printed as a script", {
    where = entry.o and entry.o.where, operation = entry.o and entry.o.kind, statement = entry.sql,
    hint = "Use SQL that needs no answer, or test context.offline and leave the step out of the script; "
      .. "with --skip-reads it answers nothing and a comment stands in its place.",
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
