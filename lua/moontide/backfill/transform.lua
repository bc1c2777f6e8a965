--- Rows through Lua: the rows of a chunk are read and locked, a function of the user's
--- says what becomes of each, and one statement writes the changes back from arrays.

local encode = require "moontide.backfill.encode"
local fault = require "moontide.fault"
local key = require "moontide.backfill.key"
local order = require "moontide.backfill.order"
local quarantine = require "moontide.backfill.quarantine"
local quote = require "moontide.sql.quote"
local survey = require "moontide.backfill.survey"
local value = require "moontide.value"
local write = require "moontide.backfill.write"

---@class moontide.Transform
---@field spec table
---@field forms table<string, table>  what is known of each leaf
local Transform = {}
Transform.__index = Transform

local transform = {}

-- Rows of a chunk may take this many bytes.
local budget = 8 * 1024 * 1024

--- A transform of a backfill.
---@param spec table
---@param db moontide.Db  for a look at the columns
---@return moontide.Transform
function transform.new(spec, db)
  local self = setmetatable({ spec = spec, forms = {} }, Transform)
  for _, leaf in ipairs(spec.leaves) do self:learn(leaf, db) end
  return self
end

local function place_of(leaf) return leaf.oid .. (leaf.variant or "") end

--- Whether a table is known.
---@param leaf moontide.BackfillLeaf
---@return boolean
function Transform:knows(leaf) return self.forms[place_of(leaf)] ~= nil end

--- Learn the columns of a table.
---@param leaf moontide.BackfillLeaf
---@param db moontide.Db
function Transform:learn(leaf, db)
  local columns = survey.columns(db, leaf.oid)
  for _, way in ipairs(order.variants(leaf)) do self.forms[place_of(way)] = self:form(way, columns) end
end

local integer_types = { [20] = true, [21] = true, [23] = true }

local function key_name(index) return "moontide_key_" .. index end

function Transform:check_columns(columns, names, what)
  for _, name in ipairs(names) do
    if not columns[name] then
      fault.raise("operation", ('backfill "%s": the column "%s" of %s is not in the table'):format(self.spec.name, name,
        what), { where = self.spec.where, operation = "backfill" })
    end
  end
end

--- What the statements of a leaf need.
function Transform:form(leaf, columns)
  self:check_columns(columns, self.spec.read, "read")
  self:check_columns(columns, self.spec.write, "write")
  local form = { keys = {}, writes = {}, by_name = {} }
  for index, column in ipairs(leaf.key) do
    local oid = columns[column.name] and columns[column.name].oid   -- ctid is none of them
    form.keys[index] = { name = column.name, alias = key_name(index), type = column.type,
      codec = encode.codec(integer_types[oid] and oid or 25), native = integer_types[oid] }
  end
  for index, name in ipairs(self.spec.write) do
    form.writes[index] = { name = name, index = index, type = columns[name].type,
      codec = encode.codec(columns[name].oid) }
    form.by_name[name] = form.writes[index]
  end
  return form
end

local function select_sql(self, leaf, form, chunk)
  local list, alias = {}, quote.ident(self.spec.table)
  for index, column in ipairs(form.keys) do
    list[#list + 1] = ("%s.%s%s AS %s"):format(alias, quote.ident(column.name), column.native and "" or "::text",
      key_name(index))
  end
  for _, name in ipairs(self.spec.read) do list[#list + 1] = alias .. "." .. quote.ident(name) end
  return ("SELECT %s FROM ONLY %s AS %s WHERE %s ORDER BY %s FOR NO KEY UPDATE"):format(table.concat(list, ", "),
    leaf.name, alias, write.condition(self.spec, leaf, chunk.after, chunk.upto), key.order(leaf.key, self.spec.table))
end

local function take_keys(form, row)
  local keys = {}
  for index, column in ipairs(form.keys) do
    keys[index] = row[column.alias]
    row[column.alias] = nil
  end
  return keys
end

local function cell_of(column, given)
  local ok, text = pcall(encode.value, column.codec, given)
  if not ok then error(('column "%s": %s'):format(column.name, tostring(text)), 0) end
  return text
end

-- What changes in a row, encoded: a text for each column that the function gave.
local function encoded(form, change)
  if type(change) ~= "table" then error("the function must return a table or nil, not a " .. type(change), 0) end
  local cells
  for name, given in next, change do
    local column = form.by_name[name]
    if not column then error(('the column "%s" is not one of write'):format(tostring(name)), 0) end
    cells = cells or {}
    cells[column.index] = cell_of(column, given)
  end
  return cells
end

local function texts(keys)
  local list = {}
  for index, item in ipairs(keys) do list[index] = tostring(item) end
  return list
end

-- An error of the user's function is one row's; anything else, such as an operation in it, is the whole backfill's.
local function blame(self, leaf, keys, problem)
  local row = { leaf = leaf, key = texts(keys), problem = problem }
  problem.row = problem.kind == "revision"
  if problem.row and self.spec.on_error == "quarantine" then return row end
  error(quarantine.stop(self.spec, row), 0)
end

local function changes_of(self, rows)
  if not self.spec.each_chunk then return nil end
  local ok, answer = xpcall(self.spec.each_chunk, require("moontide.gate").explain, rows)
  if not ok then
    answer.row = answer.kind == "revision"   -- of which, halving finds out
    error(answer, 0)
  end
  if type(answer) ~= "table" then
    fault.raise("operation", "each_chunk must return a list of changes, one for each row", { final = true })
  end
  return answer
end

-- The changes of all rows: keys and cells, in the order of the keys; and the rows that failed.
local function collect(self, leaf, form, rows)
  local all_keys, changed, bad = {}, {}, {}
  for index, row in ipairs(rows) do all_keys[index] = take_keys(form, row) end
  local given, each, explain = changes_of(self, rows), self.spec.each, require("moontide.gate").explain
  local function cells_of(row, index)
    local change
    if given then change = given[index] else change = each(row) end
    return change and encoded(form, change)
  end
  for index, row in ipairs(rows) do
    local ok, cells = xpcall(cells_of, explain, row, index)
    if not ok then
      bad[#bad + 1] = blame(self, leaf, all_keys[index], cells)
    elseif cells then
      changed[#changed + 1] = { keys = all_keys[index], cells = cells }
    end
  end
  return changed, #bad > 0 and bad or nil
end

local boolean_codec = encode.codec(16)

-- The parameters: an array for each key column, and for each written one with, where rows
-- differ in what they change, an array of whether it is changed.
local function arrays(form, changed)
  local params, names, assignments = {}, {}, {}
  local function add(codec, list, name)
    params[#params + 1], names[#names + 1] = encode.array(codec, list), name
  end
  for index, column in ipairs(form.keys) do
    local list = {}
    for number, row in ipairs(changed) do list[number] = encode.value(column.codec, row.keys[index]) end
    add(column.codec, list, "moontide_k" .. index)
  end
  for index, column in ipairs(form.writes) do
    local list, present = {}, {}
    local missing = 0
    for number, row in ipairs(changed) do
      local cell = row.cells[index]
      if not cell then missing = missing + 1 end
      list[number], present[number] = cell or encode.value(column.codec, nil), cell ~= nil
    end
    if missing < #changed then
      add(column.codec, list, "moontide_c" .. index)
      local new = ("moontide_x.moontide_c%d%s"):format(index, column.codec.native and "" or "::" .. column.type)
      if missing > 0 then
        for number, flag in ipairs(present) do present[number] = encode.value(boolean_codec, flag) end
        add(boolean_codec, present, "moontide_s" .. index)
        new = ("CASE WHEN moontide_x.moontide_s%d THEN %s ELSE @.%s END"):format(index, new, quote.ident(column.name))
      end
      assignments[#assignments + 1] = { column = quote.ident(column.name), new = new }
    end
  end
  params.n = #params
  return params, names, assignments
end

-- The rows that were written are counted by a statement of their own, so that its failure says what it is.
local count_setting, still_setting = "moontide.backfill_rows", "moontide.backfill_still"

local function count_sql(count)
  return ("SELECT 1 / (current_setting('%s') = '%d')::integer AS all_changed"):format(count_setting, count)
end

local function update_sql(self, leaf, form, chunk, names, assignments)
  -- The address of a row that is locked is the row; it may have moved out of the chunk before it was.
  local range = leaf.physical and "true" or write.range(self.spec, leaf, chunk.after, chunk.upto)
  local alias, sets, places, joins = quote.ident(self.spec.table), {}, {}, {}
  for index, item in ipairs(assignments) do
    sets[index] = item.column .. " = " .. item.new:gsub("@%.", (alias:gsub("%%", "%%%%")) .. ".")
  end
  for index in ipairs(names) do places[index] = "$" .. index end
  for index, column in ipairs(form.keys) do
    joins[index] = ("%s.%s = moontide_x.moontide_k%d%s"):format(alias, quote.ident(column.name), index,
      column.native and "" or "::" .. column.type)
  end
  return ("WITH w AS (UPDATE ONLY %s AS %s SET %s FROM unnest(%s) AS moontide_x(%s) WHERE %s AND %s RETURNING %s) "
    .. "SELECT set_config('%s', count(*)::text, true), set_config('%s', (count(*) FILTER (WHERE still))::text, true) "
    .. "FROM w"):format(leaf.name, alias, table.concat(sets, ", "), table.concat(places, ", "),
    table.concat(names, ", "), table.concat(joins, " AND "),
    range, write.still(self.spec), count_setting, still_setting)
end

-- The width of some of the rows, so that chunks of wide ones stay within bounds.
local function measure(worker, rows)
  if #rows == 0 or not worker.size then return end
  local bytes, seen = 0, math.min(#rows, 50)
  for index = 1, seen do
    for _, item in pairs(rows[index * #rows // seen]) do
      bytes = bytes + 24 + (type(item) == "string" and #item or 8)
    end
  end
  worker.size:widen(bytes / seen * 2, budget)
end

--- The statements of a chunk, whose transaction is open: rows are read at once.
---@param worker table  { lane, leaf, size? }
---@param chunk { after: string[]?, upto: string[]? }
---@return table[] list   the statements that write
---@return integer changed
---@return integer seen
---@return moontide.BadRow[]? bad
function Transform:chunk(worker, chunk)
  local leaf = worker.leaf
  local form = self.forms[place_of(leaf)]
  local rows = worker.lane:pipeline({ { rows = true, sql = select_sql(self, leaf, form, chunk) } })[1]
  measure(worker, rows)
  local changed, bad = collect(self, leaf, form, rows)
  if #changed == 0 then return {}, 0, #rows, bad end
  local params, names, assignments = arrays(form, changed)
  return { { sql = update_sql(self, leaf, form, chunk, names, assignments), params = params },
    { sql = count_sql(#changed), counts = true } }, #changed, #rows, bad
end

--- What is written where a value is to become NULL.
transform.null = value.null

return transform
