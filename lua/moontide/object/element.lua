--- An element of an index or an exclusion constraint: a column or an expression,
--- with its operator class, collation and order.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local quote = require "moontide.sql.quote"
local value = require "moontide.value"

---@class moontide.Element
---@field name? string        a column, or
---@field expression? string  SQL text
---@field collation? string|table
---@field opclass? string|table
---@field opclass_options? table
---@field order? string       "asc" or "desc"
---@field nulls? string       "first" or "last"
---@field operator? string    in an exclusion constraint

local element = {}

--- The options of an element, which are also those of a column's `index`.
element.shape = {
  collation = clause.object, opclass = clause.object, opclass_options = check.parameters,
  order = check.choice("asc", "desc"), nulls = check.choice("first", "last"),
}

local function subject(given, what)
  if value.kind(given) == "sql" then return nil, check.expression(given, what) end
  if type(given) ~= "string" then check.expected(what, "a column name or sql \"...\"", given) end
  return check.name(given, what)
end

-- Several columns in one table, where a list of columns was meant.
local function refuse_list(given, what)
  if type(given[1]) ~= "string" or type(given[2]) ~= "string" then return end
  check.refuse(('%s is one column with its options, but names "%s" and "%s"'):format(what, given[1], given[2]),
    ('Write the columns without braces of their own: "%s", "%s".'):format(given[1], given[2]))
end

--- An element: a name, sql "...", or either in a table with options.
---@param given any
---@param what string
---@return moontide.Element
function element.read(given, what)
  local options, first = {}, given
  if value.kind(given) == "table" then
    refuse_list(given, what)
    options, first = check.shape(given, what, element.shape, 1), given[1]
  end
  options.name, options.expression = subject(first, what)
  if options.opclass_options and not options.opclass then check.refuse(what .. ": opclass_options needs opclass") end
  return options
end

local function same_column(a, b)
  return a.name and a.name == b.name and a.opclass == b.opclass and a.collation == b.collation
end

--- A list of elements, not empty.
---@param given any
---@param what string
---@return moontide.Element[]
function element.read_list(given, what)
  if type(given) == "string" or value.kind(given) == "sql" then given = { given } end
  local elements = check.list_of(element.read)(given, what)
  if #elements == 0 then check.refuse(what .. " must not be empty") end
  for i, later in ipairs(elements) do
    for j = 1, i - 1 do
      if same_column(elements[j], later) then check.refuse(('%s names "%s" twice'):format(what, later.name)) end
    end
  end
  return elements
end

--- What `read` answered, as short as it can be written.
---@param e moontide.Element
---@return any
function element.write(e)
  local written = clause.pick(e, element.shape)
  local first = e.name or value.sql(e.expression)
  if next(written) == nil and not e.operator then return first end
  written[1], written[2] = first, e.operator
  return written
end

--- Elements as they are written in a list.
---@param elements moontide.Element[]
---@return table
function element.write_list(elements)
  local list = {}
  for i, e in ipairs(elements) do list[i] = element.write(e) end
  return list
end

--- An element as SQL.
---@param e moontide.Element
---@return string
function element.sql(e)
  local class = e.opclass and clause.object_name(e.opclass)
  return clause.words(e.name and quote.ident(e.name) or "(" .. e.expression .. ")",
    e.collation and "COLLATE " .. clause.object_name(e.collation),
    class and class .. (e.opclass_options and " " .. clause.parameters(e.opclass_options) or ""),
    e.order and e.order:upper(), e.nulls and "NULLS " .. e.nulls:upper())
end

--- The names that PostgreSQL makes the default name of an index from; nil when
--- one element is an expression, whose name only the server's parser knows.
---@param elements moontide.Element[]
---@param include string[]?
---@return string[]?
function element.names(elements, include)
  local names = {}
  for i, e in ipairs(elements) do
    if not e.name then return nil end
    names[i] = e.name
  end
  return table.move(include or {}, 1, #(include or {}), #names + 1, names)
end

return element
