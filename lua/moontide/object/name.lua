--- The names PostgreSQL gives to constraints and indexes that have none, computed
--- as the server does (makeObjectName, ChooseIndexNameAddition,
--- ChooseIndexColumnNames, ChooseForeignKeyConstraintNameAddition).
---
--- The server appends a number when its first choice is taken: a name from here is
--- the true one only in a schema where nothing else has it. That is why an
--- operation that may meet a namesake should be given a name.

local name = {}

local longest = 63

-- The largest length up to `bytes` that does not cut a UTF-8 character (pg_mbcliplen).
local function clip(text, bytes)
  if #text <= bytes then return text end
  while bytes > 0 and text:byte(bytes + 1) & 0xC0 == 0x80 do bytes = bytes - 1 end
  return text:sub(1, bytes)
end

--- `first_second_label` in at most 63 bytes: the longer of the two names is shortened first.
---@param first string
---@param second string?
---@param label string
---@return string
function name.make(first, second, label)
  local room = longest - #label - 1 - (second and 1 or 0)
  local a, b = #first, second and #second or 0
  while a + b > room do
    if a > b then a = a - 1 else b = b - 1 end
  end
  local parts = { clip(first, a) }
  if second then parts[2] = clip(second, b) end
  parts[#parts + 1] = label
  return table.concat(parts, "_")
end

-- Column names joined by underscores, until the buffer holds a whole name.
local function addition(columns)
  local text = ""
  for _, column in ipairs(columns) do
    text = text == "" and column or text .. "_" .. column
    if #text > longest then break end
  end
  return text
end

local function unused(column, taken)
  local candidate, number = column, 0
  while taken[candidate] do
    number = number + 1
    candidate = clip(column, longest - #tostring(number)) .. number
  end
  return candidate
end

-- Columns of an index have different names, so a repeated one gets a number.
local function distinct(columns)
  local names, taken = {}, {}
  for i, column in ipairs(columns) do
    names[i] = unused(column, taken)
    taken[names[i]] = true
  end
  return names
end

local function of_columns(relation, columns, label)
  return name.make(relation, addition(distinct(columns)), label)
end

---@param relation string
---@return string
function name.primary_key(relation)
  return name.make(relation, nil, "pkey")
end

--- For a unique constraint; `columns` ends with the INCLUDE columns.
---@param relation string
---@param columns string[]
---@return string
function name.unique(relation, columns)
  return of_columns(relation, columns, "key")
end

--- For an exclusion constraint.
---@param relation string
---@param columns string[]
---@return string
function name.exclude(relation, columns)
  return of_columns(relation, columns, "excl")
end

--- For an index; `columns` ends with the INCLUDE columns.
---@param relation string
---@param columns string[]
---@return string
function name.index(relation, columns)
  return of_columns(relation, columns, "idx")
end

--- For a foreign key.
---@param relation string
---@param columns string[]
---@return string
function name.foreign_key(relation, columns)
  return name.make(relation, addition(columns), "fkey")
end

--- For a check of one column (written in the column, or naming no other), or of the table.
---@param relation string
---@param column string?
---@return string
function name.check(relation, column)
  return name.make(relation, column, "check")
end

return name
