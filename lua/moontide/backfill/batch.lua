--- The changes of the rows of a chunk on their way to the server: an array for each key column
--- and each written one, filled as the rows go by, so that no row of them is kept in Lua.

local database = require "moontide.db"
local encode = require "moontide.backfill.encode"
local quote = require "moontide.sql.quote"

---@class moontide.BatchColumn
---@field column table               of the form of a leaf
---@field array moontide.pg.Array
---@field present? moontide.pg.Array whether a row changes the column; nil: all do
---@field missing integer            how many do not

---@class moontide.Batch
---@field rows moontide.pg.Held
---@field keys moontide.pg.Array[]
---@field columns moontide.BatchColumn[]
---@field by_name table<string, moontide.BatchColumn>
---@field count integer   rows that change
---@field row integer     the row that is being asked about
local Batch = {}
Batch.__index = Batch

local batch = {}

local boolean = encode.codec(16)

--- No changes yet.
---@param form table               of a leaf: { keys =, writes = }
---@param rows moontide.pg.Held    begins with the columns of the key
---@param first integer            the row that will be asked about first
---@return moontide.Batch
function batch.new(form, rows, first)
  local self = setmetatable({ rows = rows, form = form, keys = {}, columns = {}, by_name = {}, count = 0,
    row = first - 1 }, Batch)
  for index, column in ipairs(form.keys) do self.keys[index] = database.array(column.codec.element) end
  for index, column in ipairs(form.writes) do
    self.columns[index] = { column = column, array = database.array(column.codec.element), missing = 0 }
    self.by_name[column.name] = self.columns[index]
  end
  return self
end

--- Free the arrays, which are large, and of which the collector of garbage knows nothing.
function Batch:close()
  for _, key in ipairs(self.keys) do key:close() end
  for _, of in ipairs(self.columns) do
    of.array:close()
    if of.present then of.present:close() end
  end
end
Batch.__close = Batch.close

local function put(self, name, given)
  local of = self.by_name[name]
  if not of then error(('the column "%s" is not one of write'):format(tostring(name)), 0) end
  if of.array:add(given) then return end
  local ok, problem = pcall(encode.put, of.array, of.column.codec, given)
  if not ok then error(('column "%s": %s'):format(name, tostring(problem)), 0) end
end

-- The column of a row that may not have given it.
local function complete(of, before)
  local given = #of.array > before
  if given and not of.present then return end
  if not of.present then
    of.present = database.array(boolean.element)
    for _ = 1, before do of.present:add(true) end
  end
  of.present:add(given)
  if given then return end
  of.array:add(nil)
  of.missing = of.missing + 1
end

--- Note what changes in a row: a value for each column that the function gave. After an error comes `trim`.
---@param index integer
---@param change table<string, any>
function Batch:add(index, change)
  if type(change) ~= "table" then error("the function must return a table or nil, not a " .. type(change), 0) end
  if next(change) == nil then return end
  local before = self.count
  for name, given in next, change do put(self, name, given) end
  for _, of in ipairs(self.columns) do complete(of, before) end
  for number, key in ipairs(self.keys) do key:cell(self.rows, index, number) end
  self.count = before + 1
end

--- Forget the row in which there was an error.
function Batch:trim()
  for _, of in ipairs(self.columns) do of.array:trim(self.count) end
end

local function parameter(codec, array) return { oid = codec.array, value = array:bytes(), binary = true } end

-- The assignment of a column; `@` stands for the row as it was.
local function assignment(of, index)
  local column = of.column
  local new = ("moontide_x.moontide_c%d%s"):format(index, column.codec.native and "" or "::" .. column.type)
  if of.present then
    new = ("CASE WHEN moontide_x.moontide_s%d THEN %s ELSE @.%s END"):format(index, new, quote.ident(column.name))
  end
  return { column = quote.ident(column.name), new = new }
end

--- What the statement that writes takes: the arrays, their names, and the columns that are assigned.
---@return table params
---@return string[] names
---@return { column: string, new: string }[] assignments
function Batch:parameters()
  local params, names, assignments = {}, {}, {}
  local function add(codec, array, name) params[#params + 1], names[#names + 1] = parameter(codec, array), name end
  for index, key in ipairs(self.keys) do add(self.form.keys[index].codec, key, "moontide_k" .. index) end
  for index, of in ipairs(self.columns) do
    if of.missing < self.count then
      add(of.column.codec, of.array, "moontide_c" .. index)
      if of.present then add(boolean, of.present, "moontide_s" .. index) end
      assignments[#assignments + 1] = assignment(of, index)
    end
  end
  params.n = #params
  return params, names, assignments
end

return batch
