--- SQL files: what one says of itself at its head, and its statements as operations.
---
---     -- Count the orders of a user.
---     -- moontide: revision=1975ea83b712, down_revision=ae10 + 27c6, branch_labels=, depends_on=
---
---     -- upgrade
---     CREATE VIEW ...;
---
---     -- downgrade
---     DROP VIEW ...;
---
--- The head is the comment lines at the beginning. Names are separated by spaces or
--- "+", fields by commas; the header may go on in further `-- moontide:` lines. Without
--- a downgrade section there is no way back; an empty one says that there is nothing
--- to revert. The queries of a `-- verify` section must answer true.

local fault = require "moontide.fault"
local lexer = require "moontide.sql.lexer"
local lpeg = require "lpeg"
local operation = require "moontide.operation"
local scan = require "moontide.sql.scan"

local C, Cg, Cp, Ct, P, S = lpeg.C, lpeg.Cg, lpeg.Cp, lpeg.Ct, lpeg.P, lpeg.S

local sqlfile = {}

local function refuse(path, line, message, hint)
  fault.raise("revision", message, { where = ("%s:%d"):format(path, line), hint = hint })
end

-- A byte order mark counts as space, so that places in the text stay what they are.
local function unmarked(text)
  return (text:gsub("^\239\187\191", "   "))
end

-- The head --------------------------------------------------------------------

local function is_section_line(line)
  local found = line:lower():match("^%-%-[ \t]*(%l+):?[ \t]*\r?$")
  return found == "upgrade" or found == "downgrade" or found == "verify"
end

-- Numbers and texts of the comment lines at the head. A section begins behind the
-- header only, so that the documentation may hold any words.
local function head_lines(text)
  local number, position, has_header = 0, 1, false
  return function()
    local line, after = text:match("^([^\n]*)\n?()", position)
    if position > #text or not line:find("^%s*%-%-") and line:find("%S") then return nil end
    if has_header and is_section_line(line) then return nil end
    has_header = has_header or line:find("^%s*%-%-[ \t]*moontide:") ~= nil
    number, position = number + 1, after
    return number, line
  end
end

local blank, gap = S " \t\r" ^ 0, S " \t\r+" ^ 0
local word = '"' * lpeg.Cs((1 - P '"' + P '""' / '"') ^ 0) * '"' + C((1 - S ' \t\r,+="') ^ 1)
local name = C((lpeg.R("az", "AZ") + "_") ^ 1)
local field = Ct(Cg(name, "name") * blank * "=" * gap * Cg(Ct((word * gap) ^ 0), "values"))
local fields = blank * Ct((field * ("," * blank * field) ^ 0) ^ -1) * (P "," * blank) ^ -1 * Cp()

local known = { "revision", "down_revision", "branch_labels", "depends_on" }
local is_known = {}
for _, key in ipairs(known) do is_known[key] = true end

local header_hint = "Write `-- moontide: revision=ID, down_revision=ID, branch_labels=NAME, depends_on=ID`; "
  .. "several names are separated by spaces."

local function read_fields(path, number, text)
  local list, stopped = fields:match(text)
  if stopped <= #text then
    local found = text:match("^[%w_]+", stopped) or text:match("^" .. utf8.charpattern, stopped) or "?"
    refuse(path, number, ('unexpected "%s" in the header'):format(found), header_hint)
  end
  return list
end

local function refuse_unknown(path, number, key)
  local nearest = require("moontide.suggest").nearest(key, known)
  refuse(path, number, ('unknown name "%s" in the header'):format(key),
    nearest and ('Did you mean "%s"?'):format(nearest) or header_hint)
end

-- `nil`, as a Lua file has it, is nothing too.
local function names_of(values)
  if #values == 1 and values[1] == "nil" then return {} end
  return values
end

local function add_field(header, path, number, given)
  if not is_known[given.name] then refuse_unknown(path, number, given.name) end
  if header[given.name] then refuse(path, number, ('"%s" is given twice in the header'):format(given.name)) end
  header[given.name] = names_of(given.values)
end

local function collect_header(path, text)
  local header = {}
  for number, line in head_lines(unmarked(text)) do
    local rest = line:match("^%s*%-%-[ \t]*moontide:(.*)$")
    for _, given in ipairs(rest and read_fields(path, number, rest) or {}) do
      add_field(header, path, number, given)
    end
  end
  return header
end

--- Whether an SQL file in a version location means to be a revision; others are left alone.
---@param text string
---@return boolean
function sqlfile.is_revision(text)
  return text:find("%-%-[ \t]*moontide:") ~= nil
    or text:find("\n%-%-[ \t]*[Uu][Pp][Gg][Rr][Aa][Dd][Ee]:?[ \t]*\r?\n") ~= nil
end

--- The identity of a revision, as its header has it.
---@param path string
---@param text string
---@return { revision: string, down_revision: string[]?, branch_labels: string[]?, depends_on: string[]? }
function sqlfile.header(path, text)
  local header = collect_header(path, text)
  local id = header.revision
  if not id or #id ~= 1 then
    refuse(path, 1, not id and "no header with a revision at the head of the file"
      or ("revision must be one name, not %d"):format(#id), header_hint)
  end
  header.revision = id[1]
  return header
end

--- The documentation at the head of an SQL file.
---@param text string
---@return string  as comment lines
function sqlfile.documentation(text)
  local lines = {}
  for _, line in head_lines(unmarked(text)) do
    if not line:find("%S") and lines[1] then break end
    if line:find("%S") and not line:find("^%s*%-%-[ \t]*moontide:") then lines[#lines + 1] = line:match("^%s*(.*)$") end
  end
  return table.concat(lines, "\n")
end

-- Sections --------------------------------------------------------------------

---@class moontide.SqlSection
---@field name "upgrade"|"downgrade"|"verify"
---@field line integer    of its name
---@field text string     what follows that line
---@field offset integer  how many lines of the file come before the text

local newline = S "\r\n"
local line_start = lpeg.B(newline) + -lpeg.B(1)
local marker = line_start * "--" * S " \t" ^ 0
  * C(lexer.keyword "upgrade" + lexer.keyword "downgrade" + lexer.keyword "verify")
  * P ":" ^ -1 * S " \t" ^ 0 * (P "\r" ^ -1 * P "\n" + -1)
local piece = lexer.white ^ 1 + lexer.line_comment + lexer.block_comment + lexer.string + lexer.quoted + lexer.word
  + lexer.number + lexer.mark + ";"

-- Where the sections begin. It ends early at what no SQL text can hold, which the
-- splitting of that section will tell.
local markers = Ct((Ct(Cp() * marker * Cp()) + piece) ^ 0)

local function line_counter(text)
  local line, counted = 1, 1
  return function(position)
    for _ in text:sub(counted, position - 1):gmatch("\n") do line = line + 1 end
    counted = position
    return line
  end
end

-- Behind the last line of the header.
local function header_end(text)
  local last, position = 0, 1
  for number, line in head_lines(text) do
    if line:find("^%s*%-%-[ \t]*moontide:") then last = number end
  end
  for _ = 1, last do position = (text:find("\n", position, true) or #text) + 1 end
  return position
end

local function add_section(path, sections, section)
  local earlier = sections[section.name]
  if earlier then
    refuse(path, section.line, ("second `-- %s`; the first is in line %d"):format(section.name, earlier.line))
  end
  sections[section.name] = section
  sections[#sections + 1] = section
end

local function check_preamble(path, text, first)
  local ok, list = pcall(scan.split, text:sub(1, first - 1))
  if ok and #list == 0 then return end
  refuse(path, ok and list[1].line or list.line or 1, "SQL outside of the sections",
    "Put it below a line `-- upgrade` or `-- downgrade`.")
end

local function cut(path, text, found)
  local sections, line_at = {}, line_counter(text)
  for index, place in ipairs(found) do
    local first, kind, behind = table.unpack(place)
    local line = line_at(first)
    add_section(path, sections, {
      name = kind:lower(), line = line, offset = line_at(behind) - 1,
      text = text:sub(behind, (found[index + 1] or { #text + 1 })[1] - 1),
    })
  end
  return sections
end

--- The sections of a file, as a list and by name.
---@param path string
---@param text string
---@param whole? boolean   a file without sections is an upgrade as a whole
---@return moontide.SqlSection[]
function sqlfile.sections(path, text, whole)
  text = unmarked(text)
  local found = markers:match(text, header_end(text))
  if #found == 0 and whole then
    local all = { name = "upgrade", line = 1, offset = 0, text = text }
    return { all, upgrade = all }
  end
  local sections = cut(path, text, found)
  if #sections > 0 then check_preamble(path, text, found[1][1]) end
  if not sections.upgrade then
    refuse(path, 1, "no `-- upgrade` section", "Put the statements below a line `-- upgrade`.")
  end
  return sections
end

-- Statements ------------------------------------------------------------------

local function place(problem, path, line)
  if not fault.is(problem) then return problem end
  problem.where = ("%s:%d"):format(path, line)
  problem.message = problem.fact or problem.message:gsub("^execute: ", "")
  if problem.message:find("would break the transaction", 1, true) then
    problem.hint = "Leave it out: a statement that cannot be in a transaction is run outside of one by itself."
  end
  return problem
end

local function split(path, section)
  local ok, list = pcall(scan.split, section.text)
  if not ok then error(place(list, path, section.offset + (list.line or 1)), 0) end
  return list
end

local function build(path, line, sql)
  local ok, o = pcall(operation.build, "execute", sql)
  if not ok then error(place(o, path, line), 0) end
  o.where = ("%s:%d"):format(path, line)
  return o
end

--- Refuse a file that has no sections, or in which no statements can be found.
---@param path string
---@param text string
function sqlfile.check(path, text)
  for _, section in ipairs(sqlfile.sections(path, text)) do split(path, section) end
end

--- The statements of a section, each an operation that knows its place in the file.
---@param path string
---@param section moontide.SqlSection
---@return moontide.Operation[]
function sqlfile.operations(path, section)
  local list = {}
  for index, found in ipairs(split(path, section)) do
    list[index] = build(path, section.offset + found.line, found.sql)
  end
  return list
end

local function runner_of(op, operations)
  return function()
    for _, o in ipairs(operations) do op.invoke(o) end
  end
end

local function verifier_of(op, path, section)
  local queries = {}
  for index, found in ipairs(split(path, section)) do
    queries[index] = operation.build("scalar", found.sql)
    queries[index].where = ("%s:%d"):format(path, section.offset + found.line)
  end
  return function()
    for _, o in ipairs(queries) do
      if op.invoke(o) ~= true then
        fault.raise("revision", "a query of the verify section did not answer true",
          { where = o.where, statement = o.sql })
      end
    end
  end
end

--- The sections of a file as the functions that a revision has.
---@param path string
---@param text string
---@param op table         where the operations go
---@param whole? boolean   a file without sections is an upgrade as a whole
---@return { upgrade: function, downgrade: function?, verify: function? }
function sqlfile.functions(path, text, op, whole)
  local functions = {}
  for _, section in ipairs(sqlfile.sections(path, text, whole)) do
    functions[section.name] = section.name == "verify" and verifier_of(op, path, section)
      or runner_of(op, sqlfile.operations(path, section))
  end
  return functions
end

return sqlfile
