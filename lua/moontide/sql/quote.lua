--- Names and strings as SQL text. Every name and every string that comes from a
--- user passes through here on its way into a statement.

local caller = require "moontide.caller"
local fault = require "moontide.fault"
local keyword = require "moontide.sql.keyword"

local quote = {}

-- NAMEDATALEN - 1. The server cuts a longer name, with a mere notice, and two
-- names may become one.
local longest_name = 63

local function refuse(message, hint)
  fault.raise("operation", message, { where = caller.where(), hint = hint })
end

--- Why a string cannot be a name, and what to do; nil when it can.
---@param name any
---@return string? message
---@return string? hint
function quote.problem(name)
  if type(name) ~= "string" then return "a name must be a string, not a " .. type(name) end
  if name == "" then return "a name must not be empty" end
  if name:find("\0", 1, true) then return ('name "%s" contains a NUL byte'):format((name:gsub("%z", "\\0"))) end
  if #name <= longest_name then return nil end
  return ('name "%s" is too long: %d bytes'):format(name, #name),
    ("PostgreSQL keeps only the first %d bytes of a name; choose a shorter one."):format(longest_name)
end

--- A name as SQL, in double quotes only when it needs them, as quote_ident() does.
--- Empty names, names with NUL bytes and names the server would cut are refused.
---@param name string
---@return string
function quote.ident(name)
  local message, hint = quote.problem(name)
  if message then refuse(message, hint) end
  if name:find("^[a-z_][a-z0-9_]*$") and not keyword[name] then return name end
  return '"' .. name:gsub('"', '""') .. '"'
end

--- A name with its schema, each quoted when needed.
---@param schema string?  nil leaves the name to the search path
---@param name string
---@return string
function quote.qualified(schema, name)
  if schema == nil then return quote.ident(name) end
  return quote.ident(schema) .. "." .. quote.ident(name)
end

--- A qualified name as a string, for to_regclass() and the like.
---@param schema string?
---@param name string
---@return string
function quote.reference(schema, name)
  return quote.literal(quote.qualified(schema, name))
end

--- Names as a comma-separated list.
---@param names string[]
---@return string
function quote.idents(names)
  local quoted = {}
  for i, name in ipairs(names) do quoted[i] = quote.ident(name) end
  return table.concat(quoted, ", ")
end

--- A string as a literal that means the same whatever standard_conforming_strings
--- says: one with a backslash is written in the E'' form.
---@param text string
---@return string
function quote.literal(text)
  if text:find("\0", 1, true) then
    refuse("a text value cannot contain a NUL byte", "Write bytea(...) around binary data.")
  end
  local doubled = text:gsub("'", "''")
  if not doubled:find("\\", 1, true) then return "'" .. doubled .. "'" end
  return "E'" .. doubled:gsub("\\", "\\\\") .. "'"
end

--- Text between dollar quotes, with a tag that does not occur in it: for bodies of functions.
---@param text string
---@return string
function quote.dollar(text)
  if text:find("\0", 1, true) then refuse("the text contains a NUL byte") end
  local tag, number = "$$", 0
  while (text .. tag):find(tag, 1, true) <= #text do
    tag, number = ("$body%s$"):format(number == 0 and "" or number), number + 1
  end
  return tag .. text .. tag
end

return quote
