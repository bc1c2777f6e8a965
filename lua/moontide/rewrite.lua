--- The text of a revision file with other parents: its `down_revision` and the
--- comment that repeats it are replaced, and nothing else. Pure.

local lpeg = require "lpeg"

local rewrite = {}

-- Lua -------------------------------------------------------------------------

-- As much of Lua's own words as it takes to tell an assignment from a comment, a
-- string or a field of something else.
local function lua_grammar()
  local P, R, S, C, Cb, Cg, Cmt, Cp, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cb, lpeg.Cg, lpeg.Cmt, lpeg.Cp, lpeg.Ct
  local close = Cmt("]" * C(P "=" ^ 0) * "]" * Cb "level", function(_, _, found, level) return found == level end)
  local long = Cg("[" * Cg(P "=" ^ 0, "level") * "[" * (1 - close) ^ 0 * close, "ignored")
  local comment = "--" * (long + (1 - S "\r\n") ^ 0)
  local function quoted(mark) return mark * (P "\\" * 1 + (1 - S("\\\r\n" .. mark))) ^ 0 * mark end
  local text = quoted '"' + quoted "'"
  local blank, comma = (S " \t\r\n" + comment) ^ 0, S ",;"
  local letter = R("az", "AZ", "09", "__")
  local list = "{" * blank * (text * blank * (comma * blank * text * blank) ^ 0 * (comma * blank) ^ -1) ^ -1 * "}"
  local value = text + list + P "nil" * -letter
  local field = -lpeg.B(S ".:") * "down_revision" * -letter * blank * "=" * -P "=" * blank * Ct(Cp() * value * Cp())
  return Ct((comment + field + text + long + letter ^ 1 + 1) ^ 0)
end

local lua_places

local function lua_literal(ids, mark)
  local items = {}
  for index, id in ipairs(ids) do items[index] = mark .. id:gsub("[\\" .. mark .. "]", "\\%0") .. mark end
  if #items == 0 then return "nil" end
  return #items == 1 and items[1] or "{ " .. table.concat(items, ", ") .. " }"
end

-- Comment lines end where the first other line begins.
local function head_length(text)
  local position = 1
  while true do
    local _, last = text:find("^%-%-[^\n]*\n", position)
    if not last then return position - 1 end
    position = last + 1
  end
end

local function with_comment(text, ids)
  local length = head_length(text)
  local head = ("\n" .. text:sub(1, length)):gsub("(\n%-%-%-?[ \t]?Revises:)[^\r\n]*", function(label)
    return #ids > 0 and label .. " " .. table.concat(ids, ", ") or label
  end, 1)
  return head:sub(2) .. text:sub(length + 1)
end

local function in_lua(text, ids)
  lua_places = lua_places or lua_grammar()
  local places = lua_places:match(text)
  if #places == 0 then return nil, "the file does not set down_revision to a plain value" end
  if #places > 1 then return nil, "the file sets down_revision more than once" end
  local from, behind = places[1][1], places[1][2]
  local mark = text:sub(from, behind - 1):match("[\"']") or '"'
  return with_comment(text:sub(1, from - 1) .. lua_literal(ids, mark) .. text:sub(behind), ids)
end

-- SQL -------------------------------------------------------------------------

local function sql_word(word)
  return word:find('[,="]') and '"' .. word:gsub('"', '""') .. '"' or word
end

-- The value of a field of the header: up to the comma, quotes aside. Spaces at its end stay.
local function sql_grammar()
  local P, S = lpeg.P, lpeg.S
  local blank = S " \t" ^ 0
  local word = P '"' * (1 - S '"\n') ^ 0 * '"' + (1 - S ' \t\r\n,"')
  local value = (word * (S " \t" ^ 0 * word) ^ 0) ^ -1
  local function field(name) return name * blank * "=" * blank * lpeg.Cp() * value * lpeg.Cp() end
  local header = "--" * blank * "moontide:"
  local function find(name)
    return P { header * (1 - S "\n" - field(name)) ^ 0 * field(name) + 1 * lpeg.V(1) }
  end
  return { down = find "down_revision", revision = find(-lpeg.B "_" * P "revision") }
end

local sql_fields

local function in_sql(text, ids)
  sql_fields = sql_fields or sql_grammar()
  local words = {}
  for index, id in ipairs(ids) do words[index] = sql_word(id) end
  local new = table.concat(words, " + ")
  local from, behind = sql_fields.down:match(text)
  if from then return text:sub(1, from - 1) .. new .. text:sub(behind) end
  from, behind = sql_fields.revision:match(text)
  if not from then return nil, "the file has no header with its revision" end
  return text:sub(1, behind - 1) .. ", down_revision=" .. new .. text:sub(behind)
end

--- The text of a revision file with other parents.
---@param path string     its ending says whether it is Lua or SQL
---@param text string
---@param ids string[]
---@return string? text     nil when the file does not give its parents as plain text
---@return string? reason
function rewrite.parents(path, text, ids)
  if path:find("%.sql$") then return in_sql(text, ids) end
  return in_lua(text, ids)
end

return rewrite
