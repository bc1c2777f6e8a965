--- The text and the file name of a new revision. Pure.

local template = {}

--- What stands for a value in a file name.
---@class moontide.TemplateTokens
---@field rev string
---@field slug string
---@field epoch integer
---@field year integer
---@field month integer
---@field day integer
---@field hour integer
---@field minute integer
---@field second integer

local tokens = { "rev", "slug", "epoch", "year", "month", "day", "hour", "minute", "second" }

local function is_token(name)
  for _, token in ipairs(tokens) do
    if token == name then return true end
  end
  return false
end

-- "%(name)s", with a printf format between the name and the letter: "%(month).2d".
local TOKEN = "%%%(([^()]*)%)([%-%d.]*[sd])"

--- The first token of a file name template that means nothing, and the nearest that does.
---@param text string
---@return string? wrong
---@return string? nearest
function template.wrong_token(text)
  local rest = text:gsub("%%%%", "")
  for name in rest:gmatch(TOKEN) do
    if not is_token(name) then return "%(" .. name .. ")s", (require("moontide.suggest").nearest(name, tokens)) end
  end
  return rest:gsub(TOKEN, ""):match("%%.?")
end

-- Dates are padded to two digits, as file names want them, unless the format says otherwise.
local function format_token(value, format)
  if math.type(value) == "integer" and (format == "s" or format == "d") then format = ".2d" end
  return ("%" .. format):format(value)
end

--- The path of a new file below its location.
---@param text string   the template
---@param values moontide.TemplateTokens
---@param extension? string  ".lua" when left out
---@return string
function template.file_name(text, values, extension)
  local name = text:gsub("%%%%", "\0"):gsub(TOKEN, function(token, format)
    return format_token(values[token], format)
  end)
  return name:gsub("%z", "%%") .. (extension or ".lua")
end

-- Word characters are letters, digits, the underscore and everything beyond ASCII
-- but general punctuation (dashes, quotes, spaces).
local function words_of(message)
  if not utf8.len(message) then message = message:gsub("[\128-\255]", " ") end
  return message:gsub("\xE2[\x80\x81][\x80-\xBF]", " "):gmatch("[%w_\128-\255]+")
end

-- Cut after so many characters, and back to the end of a word.
local function truncate(slug, limit)
  if utf8.len(slug) <= limit then return slug end
  local cut = slug:sub(1, utf8.offset(slug, limit + 1) - 1)
  return (cut:match("^(.*)_") or cut) .. "_"
end

--- The message of a revision as part of a file name.
---@param message string
---@param limit integer   in characters
---@return string
function template.slug(message, limit)
  local words = {}
  for word in words_of(message) do words[#words + 1] = word:lower() end
  return truncate(table.concat(words, "_"), limit)
end

local function quoted(text) return '"' .. text:gsub('[\\"]', "\\%0") .. '"' end

local function literal(list)
  if #list == 0 then return "nil" end
  if #list == 1 then return quoted(list[1]) end
  local items = {}
  for index, item in ipairs(list) do items[index] = quoted(item) end
  return "{ " .. table.concat(items, ", ") .. " }"
end

local function doc_comment(message)
  return "--- " .. message:gsub("\r\n?", "\n"):gsub("%s+$", ""):gsub("\n", "\n-- "):gsub("[ \t]+\n", "\n")
end

-- No comment line ends in a space: an empty value leaves its name alone.
local function header(name, words)
  return (("-- %s: %s"):format(name, words):gsub(" $", ""))
end

-- Texts of several lines in the body of a function must stay what they are.
local grammar

local function lines_of_code()
  local lpeg = require "lpeg"
  local P, S = lpeg.P, lpeg.S
  local long = lpeg.Cmt(P "[" * P "=" ^ 0 * "[", function(text, after)
    local mark = text:sub(1, after - 1):match("%[(=*)%[$")
    local _, last = text:find("]" .. mark .. "]", after, true)
    return last and last + 1
  end)
  local function text(mark) return mark * (P "\\" * 1 + (1 - S("\\\n" .. mark))) ^ 0 * mark end
  local comment = "--" * (1 - P "\n") ^ 0
  local line_end = P "\n" * #P "\n" + P "\n" / "\n  "
  return lpeg.Cs((long + comment + text '"' + text "'" + line_end + 1) ^ 0)
end

local function indented(code)
  grammar = grammar or lines_of_code()
  return "  " .. grammar:match(code) .. "\n"
end

local function written_function(name, code)
  return ("\nfunction %s()\n%send\n"):format(name, code and code ~= "" and indented(code) or "")
end

-- A line of the message must not be taken for the header.
local function sql_comment(message)
  local text = doc_comment(message):gsub("^%-%-%-", "--")
  return (text:gsub("%f[^\n\0](%-%-%s*moontide):", "%1 :"))
end

local function sql_word(word)
  return word:find('[,="]') and '"' .. word:gsub('"', '""') .. '"' or word
end

local function section(text) return text and text ~= "" and "\n" .. text or "" end

---@class moontide.NewRevision
---@field id string
---@field message string
---@field down string[]
---@field labels string[]
---@field deps string[]
---@field created string
---@field upgrade? string    what the function or section holds; nothing when left out
---@field downgrade? string

--- The text of a new revision file in SQL.
---@param new moontide.NewRevision
---@return string
function template.sql_revision(new)
  local function field(name, list)
    local words = {}
    for index, word in ipairs(list) do words[index] = sql_word(word) end
    return name .. "=" .. table.concat(words, " + ")
  end
  return table.concat({
    sql_comment(new.message),
    header("Create Date", new.created),
    "-- moontide: " .. table.concat({
      field("revision", { new.id }), field("down_revision", new.down), field("branch_labels", new.labels),
      field("depends_on", new.deps),
    }, ", "),
    "",
    "-- upgrade" .. section(new.upgrade),
    "",
    "-- downgrade" .. section(new.downgrade),
    "",
  }, "\n")
end

--- The text of a new revision file.
---@param new moontide.NewRevision
---@return string
function template.revision(new)
  return table.concat({
    doc_comment(new.message),
    header("Revision ID", new.id),
    header("Revises", table.concat(new.down, ", ")),
    header("Create Date", new.created),
    "revision = " .. quoted(new.id),
    "down_revision = " .. literal(new.down),
    "branch_labels = " .. literal(new.labels),
    "depends_on = " .. literal(new.deps),
    written_function("upgrade", new.upgrade) .. written_function("downgrade", new.downgrade),
  }, "\n")
end

return template
