--- A statement as a list of tokens, and a cursor that reads it from left to right.

local lexer = require "moontide.sql.lexer"
local lpeg = require "lpeg"

local C, Cc, Cp = lpeg.C, lpeg.Cc, lpeg.Cp

local token = {}

---@class moontide.Token
---@field kind "word"|"quoted"|"string"|"number"|"mark"
---@field text string   a word in upper case; else as written
---@field name? string  of a word or a quoted name: the identifier that it is

---@class moontide.Cursor
---@field tokens moontide.Token[]
---@field at integer
local Cursor = {}
Cursor.__index = Cursor

-- More of a statement is not looked at: what matters stands at its beginning, rows do not.
local most_tokens = 4000

local piece = lexer.gap * (Cc "string" * C(lexer.string) + Cc "quoted" * C(lexer.quoted) + Cc "word" * C(lexer.word)
  + Cc "number" * C(lexer.number) + Cc "mark" * C(lexer.parameter + lexer.mark)) * Cp()

local function as_token(kind, text)
  if kind == "word" then return { kind = kind, text = text:upper(), name = text:lower() } end
  local name = kind == "quoted" and text:sub(2, -2):gsub('""', '"') or nil
  return { kind = kind, text = text, name = name }
end

--- The tokens of a statement; `cut` says that there are more than were read.
---@param sql string
---@return moontide.Token[]
function token.list(sql)
  local list, position = {}, 1
  while #list < most_tokens do
    local kind, text, after = piece:match(sql, position)
    if not kind then return list end
    list[#list + 1], position = as_token(kind, text), after
  end
  list.cut = true
  return list
end

--- A cursor at the first token.
---@param tokens moontide.Token[]
---@return moontide.Cursor
function token.cursor(tokens) return setmetatable({ tokens = tokens, at = 1 }, Cursor) end

--- The token at the cursor, or one behind it.
---@param offset? integer
---@return moontide.Token?
function Cursor:peek(offset) return self.tokens[self.at + (offset or 0)] end

--- Whether this word or mark is next.
---@param text string
---@param offset? integer
---@return boolean
function Cursor:is(text, offset)
  local found = self:peek(offset)
  return found ~= nil and found.text == text and (found.kind == "word" or found.kind == "mark")
end

--- Step over a phrase such as "IF NOT EXISTS" where it is next.
---@param phrase string
---@return boolean
function Cursor:take(phrase)
  local count = 0
  for text in phrase:gmatch("%S+") do
    if not self:is(text, count) then return false end
    count = count + 1
  end
  self.at = self.at + count
  return true
end

--- Step over any of these words, wherever they come in a row.
---@param ... string
function Cursor:skip(...)
  local phrases, moved = { ... }, true
  while moved do
    moved = false
    for _, phrase in ipairs(phrases) do moved = self:take(phrase) or moved end
  end
end

--- The identifier that is next.
---@return string?
function Cursor:identifier()
  local found = self:peek()
  if not found or not found.name then return nil end
  self.at = self.at + 1
  return found.name
end

--- The name of a relation that is next, with its schema where it has one.
---@return { schema?: string, name: string }?
function Cursor:relation()
  local first = self:identifier()
  if not first then return nil end
  local schema, name = nil, first
  while self:is "." do
    self.at = self.at + 1
    schema, name = name, self:identifier() or ""
  end
  return { schema = schema, name = name }
end

local function depth_change(found)
  if found.kind ~= "mark" then return 0 end
  if found.text == "(" or found.text == "[" then return 1 end
  return (found.text == ")" or found.text == "]") and -1 or 0
end

--- The tokens up to a comma or an end that is not in parentheses; the cursor stands before it.
---@return moontide.Token[]
function Cursor:item()
  local list, depth = {}, 0
  while self:peek() do
    local found = self:peek()
    local after = depth + depth_change(found)
    if after < 0 or depth == 0 and self:is "," then return list end
    list[#list + 1], depth, self.at = found, after, self.at + 1
  end
  list.cut = self.tokens.cut
  return list
end

--- The items between the parentheses that are next; nil where there are none.
---@return moontide.Token[][]?
function Cursor:group()
  if not self:take "(" then return nil end
  local items = {}
  repeat items[#items + 1] = self:item() until not self:take ","
  self:take ")"
  return items
end

--- The items that follow, to the end.
---@return moontide.Token[][]
function Cursor:items()
  local items = {}
  repeat items[#items + 1] = self:item() until not self:take ","
  return items
end

--- Where a phrase stands outside of all parentheses, from the cursor on.
---@param phrase string
---@return integer?
function Cursor:find(phrase)
  local here, depth, found = self.at, 0, nil
  while self:peek() and not found do
    if depth == 0 and self:take(phrase) then found = self.at
    else depth, self.at = depth + depth_change(self:peek()), self.at + 1 end
  end
  self.at = here
  return found
end

return token
