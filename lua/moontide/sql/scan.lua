--- SQL scripts: where each statement ends, what sort of statement it is, and
--- where its parameters are.
---
--- A semicolon ends a statement unless it is in a string, a comment, a quoted
--- name, or, in a CREATE, in parentheses (CREATE RULE ... DO (a; b)) or in a
--- BEGIN ATOMIC ... END body, in which CASE ... END nests.

local fault = require "moontide.fault"
local lexer = require "moontide.sql.lexer"
local lpeg = require "lpeg"

local C, Cc, Cp, Ct, P, S = lpeg.C, lpeg.Cc, lpeg.Cp, lpeg.Ct, lpeg.P, lpeg.S

local scan = {}

---@class moontide.ScriptStatement
---@field sql string      the text with the comments before it, without the semicolon
---@field offset integer  of the text in the script, in bytes from 1
---@field line integer    of the first token that is no comment

local gap, keyword = lexer.gap, lexer.keyword

local token = lexer.string + lexer.quoted + lexer.word + lexer.number + lexer.parameter + lexer.mark

-- Both answer the end of the last token and where the run of tokens stopped.
local run = (gap * token) ^ 0 * Cp() * gap * Cp()
local turn = S "()" + keyword "begin" + keyword "case" + keyword "end"
local create_run = (gap * (token - turn)) ^ 0 * Cp() * gap * Cp()

local what_turn = P "(" * Cc "open" + P ")" * Cc "close" + P ";" * Cc "semicolon"
  + keyword "begin" * gap * keyword "atomic" * Cc "begin"
  + keyword "case" * Cc "begin" * Cc "nested" + keyword "end" * Cc "end" + lexer.word * Cc "word"
local at_turn = what_turn * Cp()

local function line_of(text, position)
  local line = 1
  for _ in text:sub(1, position - 1):gmatch("\n") do line = line + 1 end
  return line
end

local unfinished = {
  ["'"] = "unterminated quoted string", e = "unterminated quoted string", E = "unterminated quoted string",
  ['"'] = "unterminated quoted identifier", ["$"] = "unterminated dollar-quoted string",
  ["/"] = "unterminated comment", ["\0"] = "NUL byte in SQL text",
}

local function refuse(text, position, message, hint)
  local line = line_of(text, position)
  fault.raise("operation", ("%s in line %d of the SQL text"):format(message, line),
    { fact = message, line = line, hint = hint })
end

local function refuse_at(text, position)
  local stop = text:sub(position, position)
  if stop ~= "\\" then refuse(text, position, unfinished[stop]) end
  refuse(text, position, ('psql command "%s"'):format(text:match("^\\%S*", position)),
    "Only SQL is understood here; remove the command or write what it does as SQL.")
end

-- Within a CREATE: how many parentheses and BEGIN ATOMIC bodies are open.
local function move(depth, kind, nested)
  if kind == "open" then depth.parens = depth.parens + 1
  elseif kind == "close" then depth.parens = math.max(0, depth.parens - 1)
  elseif depth.parens > 0 then return
  elseif kind == "begin" and (not nested or depth.bodies > 0) then depth.bodies = depth.bodies + 1
  elseif kind == "end" then depth.bodies = math.max(0, depth.bodies - 1)
  end
end

local function create_end(text, position)
  local depth = { parens = 0, bodies = 0 }
  while true do
    local last, stop = create_run:match(text, position)
    local kind, nested, after = at_turn:match(text, stop)
    if not after then nested, after = nil, nested end
    if not kind or kind == "semicolon" and depth.parens == 0 and depth.bodies == 0 then return last, stop end
    move(depth, kind, nested)
    position = after
  end
end

local first_create = gap * keyword "create"
local any_gap = gap * Cp()

-- The statement at a position: the end of its last token, and of all of it.
local function statement_end(text, position)
  local last, stop
  if first_create:match(text, position) then
    last, stop = create_end(text, position)
  else
    last, stop = run:match(text, position)
  end
  if stop <= #text and text:sub(stop, stop) ~= ";" then refuse_at(text, stop) end
  return last, stop
end

-- The first words and marks of a statement as one line, to be matched by patterns.
local most_tokens = 200
local outline_token = lexer.string * Cc "''" + lexer.quoted * Cc '""' + lexer.word / string.upper
  + C(lexer.number + lexer.parameter + lexer.mark)
local outline = Ct((gap * outline_token) ^ -most_tokens)

local function outline_of(sql)
  return table.concat(outline:match(sql), " ") .. " "
end

local function check_copy(text, position, sql)
  local line = outline_of(sql)
  if not line:find("^COPY ") then return end
  local stream = line:match(" FROM STDIN ") or line:match(" TO STDOUT ")
  if not stream then return end
  refuse(text, position, "COPY" .. stream:sub(1, -2), "Use op.copy_from, or INSERT statements.")
end

local copy_start = gap * keyword "copy"

--- Split a script into its statements. Empty ones are dropped. Raises kind
--- "operation" with the line for what no statement can hold: an unterminated
--- string or comment, a psql command, the data of a COPY.
---@param text string
---@return moontide.ScriptStatement[]
function scan.split(text)
  local list = {}
  local position, line, counted = 1, 1, 1
  while position <= #text do
    local start = text:find("%S", position) or #text + 1
    local first = any_gap:match(text, start)
    local last, stop = statement_end(text, start)
    if first < stop then
      if copy_start:match(text, start) then check_copy(text, first, text:sub(start, last - 1)) end
      for _ in text:sub(counted, first - 1):gmatch("\n") do line = line + 1 end
      counted = first
      list[#list + 1] = { sql = text:sub(start, last - 1), offset = start, line = line }
    end
    position = stop + 1
  end
  return list
end

-- Words between CREATE and the kind of object that do not change the kind.
local adjectives = {
  "OR REPLACE ", "UNIQUE ", "TEMP ", "TEMPORARY ", "GLOBAL ", "LOCAL ", "UNLOGGED ", "CONSTRAINT ", "RECURSIVE ",
  "TRUSTED ", "PROCEDURAL ", "DEFAULT ",
}

-- The first halves of kinds of two words. (USER MAPPING is told from a user by nothing else that matters here.)
local two_words = { MATERIALIZED = true, EVENT = true, FOREIGN = true, ACCESS = true, TEXT = true, LARGE = true }

local function strip_adjectives(line)
  local rest = line:match("^CREATE (.*)$")
  if not rest then return line end
  for _, adjective in ipairs(adjectives) do
    if rest:sub(1, #adjective) == adjective then rest = rest:sub(#adjective + 1) end
  end
  return "CREATE " .. rest
end

local function object_command(verb, rest)
  local kind, after = rest:match("^(%u+) (.*)$")
  if not kind then return verb end
  if two_words[kind] and after:match("^%u+") then kind = kind .. " " .. after:match("^%u+") end
  local concurrently = after:match("^CONCURRENTLY ") and " CONCURRENTLY" or ""
  return verb .. " " .. kind .. concurrently
end

local with_object = { CREATE = true, ALTER = true, DROP = true, REFRESH = true, REINDEX = true }

--- What a statement is, in its leading keywords: "SELECT", "CREATE TABLE",
--- "CREATE INDEX CONCURRENTLY"; without OR REPLACE, UNIQUE, TEMPORARY and their like.
---@param sql string
---@return string  "" when there is no keyword
function scan.command(sql)
  local line = strip_adjectives(outline_of(sql))
  local verb, rest = line:match("^[( ]*(%u+) (.*)$")
  if not verb then return "" end
  return with_object[verb] and object_command(verb, rest) or verb
end

-- What takes data with it, by the beginning of the outline, and what makes it harmless.
local lossy = {
  { "^DROP TABLE " }, { "^DROP SCHEMA " }, { "^DROP DATABASE " }, { "^DROP SEQUENCE " }, { "^DROP EXTENSION " },
  { "^DROP OWNED " }, { "^DROP FOREIGN TABLE " }, { "^DROP .* CASCADE " }, { "^ALTER TABLE .* DROP COLUMN " },
  { "^TRUNCATE " }, { "^DELETE FROM ", " WHERE " },
}

--- What of the data a statement destroys, in a few words: "DROP TABLE", "DELETE without WHERE"; nil when nothing.
---@param sql string
---@return string?
function scan.destructive(sql)
  local line = outline_of(sql)
  for _, case in ipairs(lossy) do
    if line:find(case[1]) and not (case[2] and line:find(case[2], 1, true)) then
      if case[2] then return "DELETE without WHERE" end
      return line:find("^ALTER") and "DROP COLUMN" or scan.command(sql)
    end
  end
  return nil
end

-- What PostgreSQL 13 to 18 refuse with SQLSTATE 25001 inside a transaction block.
local alone = {
  "^CREATE INDEX CONCURRENTLY ", "^DROP INDEX CONCURRENTLY ", "^REINDEX %u+ CONCURRENTLY ",
  "^REINDEX %([^)]*CONCURRENTLY", "^REINDEX [^\"']*SCHEMA ", "^REINDEX [^\"']*DATABASE ", "^REINDEX [^\"']*SYSTEM ",
  "^ALTER TABLE .* DETACH PARTITION .* CONCURRENTLY ", "^VACUUM ", "^ALTER SYSTEM ",
  "^CREATE DATABASE ", "^DROP DATABASE ", "^ALTER DATABASE .* SET TABLESPACE ",
  "^CREATE TABLESPACE ", "^DROP TABLESPACE ", "^CREATE SUBSCRIPTION ", "^DROP SUBSCRIPTION ",
  "^ALTER SUBSCRIPTION .* REFRESH ", "^ALTER SUBSCRIPTION .* PUBLICATION ", "^CLUSTER $", "^CLUSTER VERBOSE $",
  "^CLUSTER %([^)]*%) $", "^DISCARD ALL ",
}

--- Whether a statement may run inside a transaction block.
---@param sql string
---@return boolean
function scan.transactional(sql)
  local line = strip_adjectives(outline_of(sql))
  for _, pattern in ipairs(alone) do
    if line:find(pattern) then return false end
  end
  return true
end

local control = {}
for verb in ("BEGIN START COMMIT END ROLLBACK ABORT SAVEPOINT RELEASE"):gmatch("%u+") do control[verb] = true end

--- Whether a statement begins, ends or divides a transaction.
---@param sql string
---@return boolean
function scan.is_transaction_control(sql)
  local line = outline_of(sql)
  return control[line:match("^%u+ ") and line:match("^%u+")] or line:find("^PREPARE TRANSACTION ") ~= nil
end

local changing = gap * (keyword "insert" + keyword "update" + keyword "delete" + keyword "merge" + keyword "into")
local locking = gap * keyword "for" * (gap * keyword "no" * gap * keyword "key") ^ -1 * gap * keyword "update"
local modifying = (locking + changing * Cc(true) + gap * (token + ";")) ^ 0

--- Whether a query, somewhere in it, has a word that changes data (in WITH, or
--- SELECT ... INTO). May err on the side of yes.
---@param sql string
---@return boolean
function scan.modifies(sql)
  return modifying:match(sql) == true
end

local numbered = P "$" * Cp() * lpeg.R "09" ^ 1 * Cp()
local skipped = lexer.string + lexer.quoted + lexer.word + lexer.number + (lexer.mark - lexer.parameter) + ";"
local parameters = Ct((gap * (skipped + Ct(numbered))) ^ 0)

-- { first digit, position behind } of each parameter.
local function find_parameters(sql)
  return parameters:match(sql)
end

--- The highest parameter number of a statement, 0 when it has none.
---@param sql string
---@return integer
function scan.parameters(sql)
  local highest = 0
  for _, place in ipairs(find_parameters(sql)) do
    highest = math.max(highest, math.tointeger(tonumber(sql:sub(place[1], place[2] - 1))) or math.maxinteger)
  end
  return highest
end

--- Put text in place of each parameter. A space keeps it apart from what stands
--- before it, lest a minus become a comment or a letter a string's prefix.
---@param sql string
---@param replace fun(n: integer): string
---@return string
function scan.substitute(sql, replace)
  local parts, from = {}, 1
  for _, place in ipairs(find_parameters(sql)) do
    local before = sql:sub(from, place[1] - 2)
    local apart = before:find("[%s(,%[=]$") and "" or " "
    parts[#parts + 1] = before .. apart .. replace(tonumber(sql:sub(place[1], place[2] - 1)))
    from = place[2]
  end
  parts[#parts + 1] = sql:sub(from)
  return table.concat(parts)
end

return scan
