--- Lua text of values: how operations are written back as lines of a revision file.
---
--- A table stands on one line while that line has at most 100 columns, else each
--- of its items has a line, or, in a list of plain values such as a column, each
--- line has as many items as fit. The list part comes first, then the named keys: those
--- of `ranked` in that order, all others by the alphabet. `existing` is last.

local value = require "moontide.value"

local source = {}

local width = 100
local indent = "  "

local ranked = {
  "name", "table", "schema", "column", "columns", "type", "nullable", "default", "identity", "generated",
  "primary_key", "unique", "check", "references", "checks", "foreign_keys", "excludes", "indexes", "using",
  "where", "include", "operator", "opclass", "order", "nulls", "collation", "on_delete", "on_update", "match",
  "deferrable", "initially", "not_valid", "storage", "compression", "statistics", "options", "with",
  "tablespace", "comment",
}
local rank = { existing = #ranked + 2 }
for i, key in ipairs(ranked) do rank[key] = i end

-- What stands before the field of a key.
local labels = { existing = "existing = " }
for _, key in ipairs(ranked) do labels[key] = key .. " = " end

local reserved = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then
  true until while]]):gmatch("%a+") do
  reserved[word] = true
end

local escapes = { ["\a"] = "\\a", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
  ["\v"] = "\\v", ["\\"] = "\\\\" }

local function escape(byte)
  return escapes[byte] or ("\\x%02x"):format(byte:byte())
end

-- Most strings are names.
local unusual = '[%c\\"\128-\255]'

local function short_string(text)
  local mark = (text:find('"', 1, true) and not text:find("'", 1, true)) and "'" or '"'
  local unprintable = utf8.len(text) and "[%c\\]" or "[%c\\\128-\255]"
  local escaped = text:gsub(unprintable, escape)
  return mark .. escaped:gsub(mark, "\\" .. mark) .. mark
end

-- Long brackets hold text as it is, but turn every kind of line end into "\n".
local function long_string(text)
  local level = ""
  while (text .. "]"):find("]" .. level .. "]", 1, true) do level = level .. "=" end
  return ("[%s[\n%s]%s]"):format(level, text, level)
end

--- A string as Lua text: in quotes, or in long brackets when it has several lines.
---@param text string
---@return string
function source.string(text)
  if not text:find(unusual) then return '"' .. text .. '"' end
  local plain = text:find("\n", 1, true) and not text:gsub("[\n\t]", ""):find("%c") and utf8.len(text)
  return plain and long_string(text) or short_string(text)
end

local function integer(given)
  return given == math.mininteger and "math.mininteger" or ("%d"):format(given)
end

local function shortest(given)
  for digits = 1, 17 do
    local text = ("%." .. digits .. "g"):format(given)
    if tonumber(text) == given then return text end
  end
end

-- The shortest decimal text that reads back as the same float.
local function float(given)
  if given ~= given then return "0/0" end
  if given == math.huge or given == -math.huge then return given > 0 and "math.huge" or "-math.huge" end
  local text = shortest(given)
  return text:find("[%.e]") and text or text .. ".0"
end

local unranked = #ranked + 1

local function before(a, b)
  local first, second = rank[a] or unranked, rank[b] or unranked
  if first ~= second then return first < second end
  return tostring(a) < tostring(b)
end

local function named_keys(given)
  local keys, length = {}, #given
  for key in pairs(given) do
    local listed = not rank[key] and math.type(key) == "integer" and key >= 1 and key <= length
    if not listed then keys[#keys + 1] = key end
  end
  if keys[2] ~= nil then table.sort(keys, before) end
  return keys
end

local render

local function label(key)
  if labels[key] then return labels[key] end
  if type(key) == "string" and key:find("^[%a_][%w_]*$") and not reserved[key] then return key .. " = " end
  return "[" .. render(key, "", width) .. "] = "
end

-- The items of a table as { prefix, value }.
local function items(given)
  local list = {}
  for i, item in ipairs(given) do list[i] = { "", item } end
  for _, key in ipairs(named_keys(given)) do list[#list + 1] = { label(key), given[key] } end
  return list
end

local function flat(given)
  local parts, n = {}, 0
  for i, item in ipairs(given) do parts[i], n = render(item, "", math.huge), i end
  for i, key in ipairs(named_keys(given)) do parts[n + i] = label(key) .. render(given[key], "", math.huge) end
  return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end

-- Whether the list part of a table is names and numbers only, as in a column or an index.
local function is_plain_list(given)
  for _, item in ipairs(given) do
    if value.kind(item) == "table" then return false end
  end
  return #given > 0
end

-- As many items on a line as fit.
local function filled(given, margin)
  local lines, inner = { "{ " }, margin .. indent
  for _, item in ipairs(items(given)) do
    local text = item[1] .. render(item[2], inner, math.huge) .. ","
    local line = lines[#lines]
    if not text:find("\n", 1, true) and #margin + #line + #text > width - 3 then
      text = item[1] .. render(item[2], inner, width - #inner - #item[1] - 1) .. ","
      lines[#lines + 1] = indent .. text
    else
      lines[#lines] = line .. (line:find("%s$") and "" or " ") .. text
    end
  end
  lines[#lines] = lines[#lines]:gsub(",$", " }")
  return table.concat(lines, "\n" .. margin)
end

local function broken(given, margin)
  if is_plain_list(given) then return filled(given, margin) end
  local lines, inner = {}, margin .. indent
  for i, item in ipairs(items(given)) do
    lines[i] = inner .. item[1] .. render(item[2], inner, width - #inner - #item[1] - 1) .. ","
  end
  return "{\n" .. table.concat(lines, "\n") .. "\n" .. margin .. "}"
end

local function fits(text, room)
  return not text:find("\n", 1, true) and (utf8.len(text) or #text) <= room
end

local function plain_table(given, margin, room)
  local text = flat(given)
  return (room == math.huge or fits(text, room)) and text or broken(given, margin)
end

local function array(given, margin, room)
  local list = {}
  for i = 1, given.n do list[i] = given.items[i] == nil and value.null or given.items[i] end
  local text = plain_table(list, margin, room)
  return given.type and ("array(%s, %s)"):format(text, source.string(given.type)) or "array " .. text
end

local renderers = {
  string = source.string,
  integer = integer,
  float = float,
  boolean = tostring,
  null = function() return "null" end,
  sql = function(given) return "sql " .. source.string(given.text) end,
  bytea = function(given) return "bytea " .. short_string(given.bytes) end,
  json = function(given, margin, room) return "json(" .. render(given.value, margin, room) .. ")" end,
  array = array,
  table = plain_table,
}

function render(given, margin, room)
  local type_name = type(given)
  if type_name == "string" then return source.string(given) end
  if type_name == "table" and not getmetatable(given) then return plain_table(given, margin, room) end
  return renderers[value.kind(given)](given, margin, room)
end

--- A value as Lua text.
---@param given any
---@param margin? string  what the lines after the first begin with
---@param room? integer   columns left on the first line
---@return string
function source.value(given, margin, room)
  return render(given, margin or "", room or width)
end

local function argument(given, break_it)
  if break_it and value.kind(given) == "table" and next(given) then return broken(given, "") end
  return render(given, "", math.huge)
end

-- The call with the arguments from `first` to `last` broken.
local function assemble(name, arguments, first, last)
  local parts = {}
  for i = 1, arguments.n do
    local given = arguments[i]
    parts[i] = given == nil and "nil" or argument(given, i >= first and i <= last)
  end
  return ("op.%s(%s)"):format(name, table.concat(parts, ", "))
end

local function lines_fit(text)
  for line in (text .. "\n"):gmatch("(.-)\n") do
    if (utf8.len(line) or #line) > width then return false end
  end
  return true
end

local function drop_trailing(arguments, least)
  local n = arguments.n
  while n > least do
    local last = arguments[n]
    if last ~= nil and (value.kind(last) ~= "table" or next(last) ~= nil) then break end
    n = n - 1
  end
  arguments.n = n
  return arguments
end

-- Break one argument, the last that is enough; or else from the last on as many as needed.
local function layouts(n)
  local list = { { n + 1, n } }
  for i = n, 1, -1 do list[#list + 1] = { i, i } end
  for i = n - 1, 1, -1 do list[#list + 1] = { i, n } end
  return list
end

--- A call of an operation whose first arguments are always there, empty lists too.
---@param least integer  how many
---@param name string
---@param ... any  the arguments
---@return string
function source.required(least, name, ...)
  local arguments, text = drop_trailing(table.pack(...), least), nil
  for _, layout in ipairs(layouts(arguments.n)) do
    text = assemble(name, arguments, layout[1], layout[2])
    if lines_fit(text) then break end
  end
  return text
end

--- A call of an operation as Lua text. Missing and empty arguments at the end are
--- left out; where the line is too long, tables among the arguments are broken.
---@param name string
---@param ... any  the arguments
---@return string
function source.call(name, ...) return source.required(0, name, ...) end

--- A call whose last argument has a line for each item whatever its length (`create_table`).
---@param name string
---@param ... any
---@return string
function source.block(name, ...)
  local arguments = drop_trailing(table.pack(...), 0)
  return assemble(name, arguments, arguments.n, arguments.n)
end

return source
