--- Rows through Lua: the rows of a chunk are read and locked, a function of the user's
--- says what becomes of each, and one statement writes the changes back from arrays.

local batch = require "moontide.backfill.batch"
local encode = require "moontide.backfill.encode"
local fault = require "moontide.fault"
local key = require "moontide.backfill.key"
local order = require "moontide.backfill.order"
local quarantine = require "moontide.backfill.quarantine"
local quote = require "moontide.sql.quote"
local strategy = require "moontide.backfill.strategy"
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

-- So many times its own bytes a row takes: as it is read, and as it is written.
local in_memory = 2

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

--- What the statements of a leaf need.
function Transform:form(leaf, columns)
  survey.check_columns(self.spec, columns)
  local form = { keys = {}, writes = {} }
  for index, column in ipairs(leaf.key) do
    local oid = columns[column.name] and columns[column.name].oid   -- ctid is none of them
    form.keys[index] = { name = column.name, type = column.type,
      codec = encode.codec(integer_types[oid] and oid or 25), native = integer_types[oid] }
  end
  for index, name in ipairs(self.spec.write) do
    form.writes[index] = { name = name, type = columns[name].type, codec = encode.codec(columns[name].oid) }
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

local function keys_of(rows, form, index)
  local list = {}
  for number in ipairs(form.keys) do list[number] = tostring(rows:cell(index, number)) end
  return list
end

-- An error of the user's function is one row's; anything else, such as an operation in it, is the whole backfill's.
local function blame(self, leaf, keys, problem)
  local row = { leaf = leaf, key = keys, problem = problem }
  problem.row = problem.kind == "revision"
  if problem.row and self.spec.on_error == "quarantine" then return row end
  error(quarantine.stop(self.spec, row), 0)
end

local function list_of(rows, skip)
  local list = {}
  for index = 1, #rows do list[index] = rows:row(index, skip) end
  return list
end

-- What the function of a chunk says of each of its rows.
local function answer_of(self, rows, skip)
  local ok, answer = xpcall(self.spec.each_chunk, require("moontide.gate").explain, list_of(rows, skip))
  if not ok then
    answer.row = answer.kind == "revision"   -- of which, halving finds out
    error(answer, 0)
  end
  if type(answer) ~= "table" then
    fault.raise("operation", "each_chunk must return a list of changes, one for each row", { final = true })
  end
  if #answer > #rows then
    fault.raise("operation", ("each_chunk must return as many changes as there are rows, %d, not %d"):format(#rows,
      #answer), { final = true })
  end
  return answer
end

-- The function that answers the change of a row.
local function asking(self, rows, skip)
  if self.spec.each_chunk then
    local answer = answer_of(self, rows, skip)
    return function(index) return answer[index] end
  end
  local each = self.spec.each
  return function(index) return each(rows:row(index, skip)) end
end

-- On with the rows behind the last one; an error leaves it at the row that it is of.
local function go_on(last, ask, changes)
  for index = changes.row + 1, last do
    changes.row = index
    local change = ask(index)
    if change then changes:add(index, change) end
  end
end

-- The changes of the rows of a part, in the order of the keys; rows that failed are added to `bad`.
local function collect(self, leaf, form, part, bad)
  local changes, explain = batch.new(form, part.rows, part.first), require("moontide.gate").explain
  while true do
    local ok, problem = xpcall(go_on, explain, part.last, part.ask, changes)
    if ok then return changes end
    changes:trim()
    bad[#bad + 1] = blame(self, leaf, keys_of(part.rows, form, changes.row), problem)
  end
end

-- The rows that were written are counted by a statement of their own, so that its failure says what it is.
local count_setting, still_setting = "moontide.backfill_rows", "moontide.backfill_still"

local function count_sql(count)
  return ("SELECT 1 / (current_setting('%s') = '%d')::integer AS all_changed"):format(count_setting, count)
end

-- The range that the changes are in, for the planner: what is joined by keys alone is searched for from the first row
-- of the table. The address of a row that is locked is the row; it may have moved out of the chunk before it was.
local function range_sql(self, leaf, form, part)
  if strategy.of(leaf).address then return "true" end
  if leaf.range then return leaf.range end
  return key.within(leaf.key, self.spec.table, keys_of(part.rows, form, part.first),
    keys_of(part.rows, form, part.last)) .. key.only(leaf, self.spec.table)
end

-- Rows of all parts that match the condition still.
local still_sum = ("coalesce(nullif(current_setting('%s', true), '')::bigint, 0)"):format(still_setting)

local function update_sql(self, leaf, form, part, names, assignments)
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
    .. "SELECT set_config('%s', count(*)::text, true), "
    .. "set_config('%s', (%s + count(*) FILTER (WHERE still))::text, true) "
    .. "FROM w"):format(leaf.name, alias, table.concat(sets, ", "), table.concat(places, ", "),
    table.concat(names, ", "), table.concat(joins, " AND "),
    range_sql(self, leaf, form, part), write.still(self.spec), count_setting, still_setting, still_sum)
end

local function statements(self, leaf, form, part, changes)
  if changes.count == 0 then return {} end
  local params, names, assignments = changes:parameters()
  return { { sql = update_sql(self, leaf, form, part, names, assignments), params = params },
    { sql = count_sql(changes.count), counts = true } }
end

--- Begin with as many rows of a table as its size on the disk says, until some of them are seen.
---@param size moontide.ChunkSize
---@param leaf moontide.BackfillLeaf
function Transform:presume(size, leaf)
  size:widen(leaf.row_bytes * in_memory, budget)
end

-- The width of some of the rows, so that chunks of wide ones stay within bounds.
local function measure(worker, rows)
  if #rows == 0 or not worker.size then return end
  local bytes, seen = 0, math.min(#rows, 50)
  for index = 1, seen do
    for _, item in pairs(rows:row(index * #rows // seen)) do
      bytes = bytes + 24 + (type(item) == "string" and #item or 8)
    end
  end
  worker.size:widen(bytes / seen * in_memory, budget)
end

-- So many parts a chunk has, of no fewer rows than that. The server writes a part while the function is asked about the
-- rows of the next.
local parts, smallest = 4, 500

local function part_size(worker, count)
  return worker.lane.send and math.max(smallest, (count + parts - 1) // parts) or math.max(count, 1)
end

--- The statements of a chunk, whose transaction is open: rows are read at once. A lane that can `send` has sent those
--- of all parts but the last then.
---@param worker table  { lane, leaf, size? }
---@param chunk { after: string[]?, upto: string[]? }
---@return table[] list   the statements that write
---@return integer changed
---@return integer seen
---@return moontide.BadRow[]? bad
function Transform:chunk(worker, chunk)
  local leaf = worker.leaf
  local form, changed, list, bad = self.forms[place_of(leaf)], 0, {}, {}
  local rows <close> = worker.lane:pipeline({ { rows = "held", sql = select_sql(self, leaf, form, chunk) } })[1]
  measure(worker, rows)
  local ask, size = asking(self, rows, #form.keys), part_size(worker, #rows)
  for first = 1, #rows, size do
    if #list > 0 then worker.lane:send(list) end
    local part = { rows = rows, ask = ask, first = first, last = math.min(first + size - 1, #rows) }
    local changes <close> = collect(self, leaf, form, part, bad)
    list, changed = statements(self, leaf, form, part, changes), changed + changes.count
  end
  return list, changed, #rows, #bad > 0 and bad or nil
end

--- What is written where a value is to become NULL.
transform.null = value.null

return transform
