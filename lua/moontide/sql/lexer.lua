--- The tokens of PostgreSQL's SQL as LPeg patterns, as far as one must know them
--- to tell code from strings and comments. Strings are read as with
--- standard_conforming_strings on, the default. All patterns need constant stack
--- and time in proportion to the text.

local lpeg = require "lpeg"

local P, R, S = lpeg.P, lpeg.R, lpeg.S

local lexer = {}

local newline = S "\r\n"
local white = S " \t\r\n\f\v"
local line_comment = P "--" * (1 - newline) ^ 0

-- Comments nest. Counting needs no stack, however deep they are.
local function close_comment(text, position)
  local depth = 1
  while depth > 0 do
    position = text:find("[*/][*/]", position)
    if not position then return false end
    local pair = text:sub(position, position + 1)
    if pair == "*/" then depth = depth - 1 elseif pair == "/*" then depth = depth + 1 end
    position = position + ((pair == "*/" or pair == "/*") and 2 or 1)
  end
  return position
end

local block_comment = P "/*" * P(close_comment)

-- From behind the first dollar of a $tag$ to behind the same tag; false when it never comes.
local function close_dollar(text, position)
  local tag = text:match("^%$[%w_\128-\255]*%$", position - 1)
  local _, last = text:find(tag, position - 1 + #tag, true)
  return last and last + 1
end

local ident_start = R("az", "AZ", "\128\255") + "_"
local ident_rest = ident_start + R "09" + "$"
local tag_start = P "$" * (ident_start * (ident_start + R "09") ^ 0) ^ -1 * "$"

-- In an escape string a quote can be escaped, and a string that goes on after a
-- newline is still an escape string.
local escape_body = P "'" * ((1 - S "\\'") ^ 1 + P "\\" * 1 + "''") ^ 0 * "'"
local continuation = (S " \t\f\v" + line_comment) ^ 0 * newline * (white + line_comment) ^ 0
local escape_start = S "eE" * #P "'"

lexer.white, lexer.line_comment, lexer.block_comment = white, line_comment, block_comment

--- White space and comments, possibly none.
lexer.gap = (white ^ 1 + line_comment + block_comment) ^ 0

--- A string of any sort. Of a plain string with a doubled quote this is the first
--- half: the second half is a string too, which is all the same to a splitter.
lexer.string = S "eE" * escape_body * (continuation * escape_body) ^ 0
  + P "'" * (1 - P "'") ^ 0 * "'"
  + #tag_start * "$" * P(close_dollar)

lexer.quoted = P '"' * (1 - P '"') ^ 0 * '"'
lexer.word = ident_start * ident_rest ^ 0 - escape_start
lexer.number = R "09" * ident_rest ^ 0
lexer.parameter = P "$" * R "09" ^ 1

--- One character of an operator or of punctuation, except the semicolon.
lexer.mark = 1 - (S "'\"\\;\0" + escape_start + tag_start + "/*")

--- A bare word, whatever its case.
---@param text string  in lower case
---@return userdata
function lexer.keyword(text)
  local pattern = P(true)
  for letter in text:gmatch(".") do pattern = pattern * S(letter .. letter:upper()) end
  return pattern * -ident_rest
end

return lexer
