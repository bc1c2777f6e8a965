--- Rows that a revision brings along: op.bulk_insert and op.copy_from.
---
--- bulk_insert means the same for one row and for a million. Every value is text
--- that the column's own type reads, a missing key is the column's default, `null`
--- is NULL, rows keep their order, and identity columns take the values given. So
--- the form is free: a long list of rows with the same keys goes by COPY, a
--- short one as an INSERT that travels with other statements, and an offline
--- script has only INSERTs.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local copy = require "moontide.sql.copy"
local fault = require "moontide.fault"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"
local value = require "moontide.value"

local data = {}

local function lock(o)
  return { { relation = quote.qualified(o.schema, o.table), mode = "ROW EXCLUSIVE" } }
end

-- Rows of one INSERT, and the number from which COPY pays.
local batch, many = 1000, 101

local function set_of(names)
  local set = {}
  for _, name in ipairs(names) do set[name] = true end
  return set
end

local function check_cell(row_name, key, given, allowed)
  if type(key) ~= "string" then
    check.refuse(("%s has the key %s; a row is a table { column = value }"):format(row_name, tostring(key)))
  end
  if allowed and not allowed[key] then
    check.refuse(('%s has the column "%s", which is not one of the columns given'):format(row_name, key))
  end
  if not value.is_expression(given) then
    check.within(('%s, column "%s"'):format(row_name, key), value.text, given)
  end
end

local function check_rows(rows, allowed)
  check.list(rows, "the list of rows", "a list of tables { column = value }")
  for i, row in ipairs(rows) do
    local row_name = "row " .. i
    check.table(row, row_name, "a table { column = value }")
    for key, given in pairs(row) do check_cell(row_name, key, given, allowed) end
  end
end

local function keys_of(rows)
  local seen, names = {}, {}
  for _, row in ipairs(rows) do
    for key in pairs(row) do
      if not seen[key] then
        seen[key] = true
        names[#names + 1] = check.name(key, "a column name")
      end
    end
  end
  table.sort(names)
  return names
end

local insert_shape = { schema = check.name, columns = check.names }

local function build_insert(relation, rows, options)
  local o = check.options(options, insert_shape)
  o.table = check.name(relation, "the table name")
  check_rows(rows, o.columns and set_of(o.columns))
  o.rows, o.given_columns, o.columns = rows, o.columns, o.columns or keys_of(rows)
  return o
end

local function cell(given)
  if given == nil then return "DEFAULT" end
  if value.kind(given) == "null" then return "NULL" end
  if value.is_expression(given) then return value.literal(given) end
  return quote.literal(value.text(given))
end

local function tuple(row, columns)
  local cells = {}
  for i, column in ipairs(columns) do cells[i] = cell(row[column]) end
  return "(" .. table.concat(cells, ", ") .. ")"
end

local function insert_statement(o, columns, first, last)
  local tuples = {}
  for i = first, last do tuples[#tuples + 1] = tuple(o.rows[i], columns) end
  local separator = #tuples == 1 and " " or "\n  "
  return ("INSERT INTO %s %s OVERRIDING SYSTEM VALUE VALUES%s%s"):format(quote.qualified(o.schema, o.table),
    clause.columns(columns), separator, table.concat(tuples, "," .. separator))
end

local function inserts(o, columns)
  local list = {}
  for first = 1, #o.rows, batch do
    list[#list + 1] = insert_statement(o, columns, first, math.min(first + batch - 1, #o.rows))
  end
  return list
end

-- Rows without any column.
local function default_rows(o)
  local list = {}
  for i = 1, #o.rows do list[i] = ("INSERT INTO %s DEFAULT VALUES"):format(quote.qualified(o.schema, o.table)) end
  return list
end

local function fits_copy(row, columns, width)
  local present = 0
  for _, given in pairs(row) do
    if value.is_expression(given) then return false end
    present = present + 1
  end
  if present ~= width then return false end
  for _, column in ipairs(columns) do
    if row[column] == nil then return false end
  end
  return true
end

local function copies(o, columns)
  if #o.rows < many then return false end
  for _, row in ipairs(o.rows) do
    if not fits_copy(row, columns, #columns) then return false end
  end
  return true
end

-- Columns that some row has; the others are left to their defaults everywhere.
local function present_columns(o)
  local seen, present = set_of(keys_of(o.rows)), {}
  for _, column in ipairs(o.columns) do
    if seen[column] then present[#present + 1] = column end
  end
  return present
end

local plain = { string = true, integer = true }

-- What the binding writes as an INSERT would; everything else as the same text (a boolean would be "t").
local function sent_row(row)
  local sent = {}
  for key, given in pairs(row) do
    if plain[value.kind(given)] then sent[key] = given else sent[key] = value.text(given) end
  end
  return sent
end

local function copy_rows(o, columns)
  local rows = {}
  for i, row in ipairs(o.rows) do rows[i] = sent_row(row) end
  local sql = copy.statement(o.schema, o.table, columns, {})
  return { { sql = sql, copy = { sql = sql, columns = columns, rows = rows } } }
end

operation.register {
  from = "lua/moontide/object",
  name = "bulk_insert",
  summary = "Insert rows",
  build = build_insert,
  sql = function(o, ctx)
    local columns = present_columns(o)
    if #columns == 0 then return default_rows(o) end
    if not ctx.offline and copies(o, columns) then return copy_rows(o, columns) end
    return inserts(o, columns)
  end,
  inverse = function()
    return nil, "which rows to delete again is not known: delete them with op.execute in downgrade()"
  end,
  lock = lock,
  source = function(o)
    local options = { schema = o.schema, columns = o.given_columns }
    if #o.rows == 0 and not next(options) then return ("op.bulk_insert(%s, {})"):format(source.string(o.table)) end
    return source.call("bulk_insert", o.table, o.rows, options)
  end,
}

-- copy_from -------------------------------------------------------------------

local function byte(given, what)
  check.text(given, what)
  if #given ~= 1 then check.refuse(what .. " must be a single one-byte character") end
  return given
end

local copy_shape = {
  schema = check.name, columns = check.names, format = check.choice("csv", "text"), header = check.flag,
  delimiter = byte, null = check.text, quote = byte, escape = byte, encoding = check.text,
}

local csv_only = { "quote", "escape" }
local text_only = { "format", "header", "delimiter", "null", "quote", "escape", "encoding" }

local function refuse_options(o, names, why)
  for _, name in ipairs(names) do
    if o[name] then check.refuse(('option "%s" %s'):format(name, why)) end
  end
end

local function check_function(o)
  refuse_options(o, text_only, "has no meaning for rows from a function")
  if not o.columns then
    check.refuse("rows from a function need the option \"columns\"", 'Write { columns = { "a", "b" } }.')
  end
end

local function check_lines(lines)
  for i, line in ipairs(check.list(lines, "the source", "a path, a function or a list of lines")) do
    if type(line) ~= "string" then check.expected("line " .. i, "a string", line) end
  end
end

local function build_copy(relation, from, options)
  local o = check.options(options, copy_shape)
  o.table, o.from = check.name(relation, "the table name"), from
  if type(from) == "function" then check_function(o)
  elseif type(from) == "string" then check.text(from, "the path")
  else check_lines(from) end
  if o.format ~= "csv" then refuse_options(o, csv_only, "needs format = \"csv\"") end
  return o
end

local function refuse_file(o, path, problem)
  fault.raise("file", ('could not open file "%s" for %s: %s'):format(path, o.kind, problem:gsub("^.-: ", "")), {
    where = o.where, operation = o.kind, hint = "A relative path begins in the folder of env.lua.",
  })
end

local function open(o, ctx)
  local path = o.from
  if not path:find("^/") and ctx.directory then path = ctx.directory .. "/" .. path end
  local file, problem = io.open(path, "rb")
  return file or refuse_file(o, path, problem)
end

local chunk_size, longest_header = 64 * 1024, 1024 * 1024

-- The file from an offset on; it is open only while it is read.
local function file_chunks(o, ctx, offset)
  local file
  return function()
    if not file then
      file = open(o, ctx)
      file:seek("set", offset)
    end
    local chunk = file:read(chunk_size)
    if not chunk then file:close() end
    return chunk
  end
end

local function check_row(row, number, allowed)
  local row_name = "row " .. number
  check.table(row, row_name, "a table { column = value }")
  for key, given in pairs(row) do
    check_cell(row_name, key, given, allowed)
    if value.is_expression(given) then
      check.refuse(('%s, column "%s": COPY takes no SQL expressions'):format(row_name, key), "Use op.bulk_insert.")
    end
  end
end

-- As many rows a chunk as make it worth a call.
local function function_chunks(o)
  local number, allowed, done = 0, set_of(o.columns), false
  return function()
    local lines, size = {}, 0
    while not done and size < chunk_size do
      local row = o.from()
      if row == nil then done = true break end
      number = number + 1
      check_row(row, number, allowed)
      lines[#lines + 1] = copy.line(row, o.columns)
      size = size + #lines[#lines]
    end
    return #lines > 0 and table.concat(lines) or nil
  end
end

local function line_chunks(o, skipped)
  local i = skipped
  return function()
    i = i + 1
    local line = o.from[i]
    return line and (line:find("\n$") and line or line .. "\n")
  end
end

-- The column names in the first line, and where the data behind it begins.
local function read_header(o, text)
  local names, position = copy.header(text, o)
  if not names then check.refuse("the data has no header line", "Leave out header = true.") end
  return check.names(names, "the header line"), position
end

local function from_lines(o)
  if not o.header then return line_chunks(o, 0) end
  return line_chunks(o, 1), (read_header(o, (o.from[1] or "") .. "\n"))
end

-- Opened here too, so that a missing file is found before anything is sent.
local function from_file(o, ctx)
  local file <close> = open(o, ctx)
  if not o.header then return file_chunks(o, ctx, 0) end
  local names, position = read_header(o, (file:read(longest_header) or "") .. "\n")
  return file_chunks(o, ctx, position - 1), names
end

local function chunks_of(o, ctx)
  if type(o.from) == "function" then return function_chunks(o) end
  return (type(o.from) == "table" and from_lines or from_file)(o, ctx)
end

operation.register {
  from = "lua/moontide/object",
  name = "copy_from",
  summary = "Load rows from a file, a function or lines of text",
  build = build_copy,
  sql = function(o, ctx)
    local chunks, header = chunks_of(o, ctx)
    local columns = o.columns or header
    local sql = copy.statement(o.schema, o.table, columns, o)
    return { { sql = sql, copy = { sql = sql, columns = columns, chunks = chunks } } }
  end,
  inverse = function()
    return nil, "which rows to delete again is not known: delete them with op.execute in downgrade()"
  end,
  lock = lock,
  source = function(o)
    local call = source.call("copy_from", o.table, type(o.from) == "function" and value.null or o.from,
      clause.pick(o, copy_shape))
    if type(o.from) ~= "function" then return call end
    return (call:gsub("null", 'function() error("the function of these rows is not known") end', 1))
  end,
}

return data
