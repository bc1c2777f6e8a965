--- Columns and constraints as SQL writes them, as far as rules look at them.

local token = require "moontide.sql.token"

local column = {}

---@class moontide.LintConstraint
---@field type "check"|"unique"|"primary key"|"foreign key"|"exclude"|"not null"
---@field name? string
---@field columns string[]
---@field referent? { schema?: string, name: string }
---@field expression? moontide.Token[]
---@field not_valid? boolean
---@field using_index? boolean

---@class moontide.LintColumn
---@field name string
---@field type string          in upper case, as in "TIMESTAMP ( 3 )"
---@field default? moontide.Token[]
---@field not_null? boolean
---@field generated? "stored"|"virtual"
---@field identity? boolean
---@field check? boolean
---@field unique? boolean
---@field primary_key? boolean
---@field references? { schema?: string, name: string }

-- Words that end a type or a default.
local ends = {}
for word in ("COLLATE DEFAULT NOT NULL CHECK GENERATED UNIQUE PRIMARY REFERENCES CONSTRAINT STORAGE COMPRESSION "
  .. "DEFERRABLE INITIALLY OPTIONS"):gmatch("%u+") do ends[word] = true end

local function until_end(cursor, first)
  local list, depth = {}, 0
  while cursor:peek() do
    local found = cursor:peek()
    if depth == 0 and found.kind == "word" and ends[found.text] and (#list > 0 or not first) then return list end
    depth = depth + (cursor:is "(" and 1 or cursor:is ")" and -1 or 0)
    list[#list + 1], cursor.at = found, cursor.at + 1
  end
  return list
end

--- Tokens as one line.
---@param tokens moontide.Token[]
---@return string
function column.text(tokens)
  local parts = {}
  for index, found in ipairs(tokens) do parts[index] = found.text end
  return table.concat(parts, " ")
end

-- The columns of a list; what is an expression keeps its place under a name that no column has.
local function names_of(items)
  local names = {}
  for _, item in ipairs(items or {}) do
    local is_call = item[2] ~= nil and (item[2].text == "(" or item[2].text == ".")
    names[#names + 1] = not is_call and item[1] and item[1].name or ""
  end
  return names
end

-- The parts of a column definition, by their first words.
local parts = {
  { "DEFAULT", function(c, cursor) c.default = until_end(cursor, true) end },
  { "NOT NULL", function(c) c.not_null = true end },
  { "NULL", function() end },
  { "CHECK", function(c, cursor) c.check = cursor:group() ~= nil end },
  { "UNIQUE", function(c) c.unique = true end },
  { "PRIMARY KEY", function(c) c.primary_key, c.not_null = true, true end },
  { "REFERENCES", function(c, cursor) c.references = cursor:relation() end },
  { "COLLATE", function(_, cursor) cursor:relation() end },
  { "CONSTRAINT", function(_, cursor) cursor:identifier() end },
  { "GENERATED", function(c, cursor)
    cursor:skip("ALWAYS", "BY DEFAULT")
    cursor:take "AS"
    if cursor:take "IDENTITY" then c.identity, c.not_null = true, true return end
    cursor:group()
    c.generated = cursor:take "VIRTUAL" and "virtual" or "stored"
  end },
}

local function read_part(c, cursor)
  for _, part in ipairs(parts) do
    if cursor:take(part[1]) then return part[2](c, cursor) end
  end
  cursor.at = cursor.at + 1
end

--- A column definition.
---@param cursor moontide.Cursor
---@return moontide.LintColumn?
function column.read(cursor)
  local name = cursor:identifier()
  if not name then return nil end
  local c = { name = name, type = column.text(until_end(cursor)) }
  while cursor:peek() do read_part(c, cursor) end
  return c
end

local function read_key(kind)
  return function(c, cursor)
    cursor:skip("NULLS NOT DISTINCT", "NULLS DISTINCT")
    c.type, c.using_index = kind, cursor:take "USING INDEX"
    c.columns = names_of(cursor:group())
  end
end

local kinds = {
  { "CHECK", function(c, cursor) c.type, c.expression = "check", (cursor:group() or {})[1] end },
  { "UNIQUE", read_key "unique" },
  { "PRIMARY KEY", read_key "primary key" },
  { "FOREIGN KEY", function(c, cursor)
    c.type, c.columns = "foreign key", names_of(cursor:group())
    if cursor:take "REFERENCES" then c.referent = cursor:relation() end
  end },
  { "EXCLUDE", function(c) c.type = "exclude" end },
  { "NOT NULL", function(c, cursor) c.type, c.columns = "not null", { cursor:identifier() } end },
}

--- A constraint of a table; nil where something else is next.
---@param cursor moontide.Cursor
---@return moontide.LintConstraint?
function column.constraint(cursor)
  local c = { columns = {} }
  if cursor:take "CONSTRAINT" then c.name = cursor:identifier() end
  for _, kind in ipairs(kinds) do
    if cursor:take(kind[1]) then
      kind[2](c, cursor)
      c.not_valid = cursor:find "NOT VALID" ~= nil
      return c
    end
  end
  return nil
end

--- The columns and constraints of a CREATE TABLE.
---@param items moontide.Token[][]
---@return moontide.LintColumn[]
---@return moontide.LintConstraint[]
function column.body(items)
  local columns, constraints = {}, {}
  for _, item in ipairs(items) do
    local cursor = token.cursor(item)
    local c = column.constraint(cursor)
    if c then constraints[#constraints + 1] = c
    elseif not cursor:take "LIKE" then columns[#columns + 1] = column.read(token.cursor(item)) end
  end
  return columns, constraints
end

column.names = names_of

return column
