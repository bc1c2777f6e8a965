--- The text of COPY: its statement, rows in its text format, and the first line of
--- a file that names the columns.

local lpeg = require "lpeg"
local quote = require "moontide.sql.quote"
local value = require "moontide.value"

local C, Cp, Cs, Ct, P, S = lpeg.C, lpeg.Cp, lpeg.Cs, lpeg.Ct, lpeg.P, lpeg.S

local copy = {}

-- The options of COPY, in the order they are written.
local words = { "delimiter", "null", "quote", "escape", "encoding" }

local function option_list(o)
  local parts = {}
  if o.format == "csv" then parts[1] = "FORMAT csv" end
  for _, word in ipairs(words) do
    if o[word] then parts[#parts + 1] = word:upper() .. " " .. quote.literal(o[word]) end
  end
  return #parts > 0 and " WITH (" .. table.concat(parts, ", ") .. ")" or ""
end

--- COPY ... FROM STDIN. The options are those of the server; no header: a header
--- line is taken off before the data is sent.
---@param schema string?
---@param relation string
---@param columns string[]?
---@param options table  format, delimiter, null, quote, escape, encoding
---@return string
function copy.statement(schema, relation, columns, options)
  local list = columns and " (" .. quote.idents(columns) .. ")" or ""
  return ("COPY %s%s FROM STDIN%s"):format(quote.qualified(schema, relation), list, option_list(options))
end

local escapes = { ["\\"] = "\\\\", ["\t"] = "\\t", ["\n"] = "\\n", ["\r"] = "\\r" }

--- One row as a line of the text format; an absent value is NULL.
---@param row table<string, any>
---@param columns string[]
---@return string
function copy.line(row, columns)
  local cells = {}
  for i, column in ipairs(columns) do
    local text = value.text(row[column])
    cells[i] = text == nil and "\\N" or text:gsub("[\\\t\n\r]", escapes)
  end
  return table.concat(cells, "\t") .. "\n"
end

local byte_order_mark = P "\xEF\xBB\xBF"
local line_end = P "\r\n" + S "\r\n"

local function csv_field(o)
  local mark, escape = o.quote or '"', o.escape or o.quote or '"'
  local doubled = P(escape) * P(mark) / mark
  return P(mark) * Cs((doubled + (1 - P(mark))) ^ 0) * mark
end

local function header_grammar(o)
  local csv = o.format == "csv"
  local delimiter = P(o.delimiter or csv and "," or "\t")
  local field = C((1 - (delimiter + line_end)) ^ 0)
  if csv then field = csv_field(o) + (field - P(o.quote or '"')) end
  return byte_order_mark ^ -1 * Ct(field * (delimiter * field) ^ 0) * line_end * Cp()
end

--- The column names in the first line of the data, and where the second begins;
--- nil when the text does not hold the whole line.
---@param text string
---@param options table  as for `copy.statement`
---@return string[]? names
---@return integer? position
function copy.header(text, options)
  return header_grammar(options):match(text)
end

return copy
