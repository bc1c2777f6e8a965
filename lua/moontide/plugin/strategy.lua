--- A strategy of backfills that a plugin adds, as the entry that those have that come with Moontide.
--- It says by which columns to go and which boundaries no chunk may cross; what is done and what a
--- chunk holds remains the runner's, and whatever the plugin answers is checked.

local boundary = require "moontide.backfill.boundary"
local choice = require "moontide.backfill.choice"
local cjson = require "cjson"
local fault = require "moontide.fault"
local histogram = require "moontide.backfill.histogram"
local key = require "moontide.backfill.key"
local order = require "moontide.backfill.order"
local quote = require "moontide.sql.quote"

---@class moontide.PluginStrategy
---@field name string
---@field summary string
---@field from string       who registers it
---@field version? string   of the plugin
---@field choose? fun(of: table, query: fun(sql: string): table): table?, string?
---@field probe? fun(way: table): string?
---@field splits? fun(way: table): string?

local strategy = {}

-- Where a function of the plugin is.
local function place(fn)
  local info = debug.getinfo(fn, "S")
  return info.source:sub(1, 1) == "@" and ("%s:%d"):format(info.source:sub(2), info.linedefined) or nil
end

local function refuse(given, field, message, more)
  more = more or {}
  more.where, more.final, more.detail = place(given[field]), true, more.detail or "registered by " .. given.from
  fault.raise("plugin", ('backfill strategy "%s": %s'):format(given.name, message), more)
end

-- A mistake of the plugin's is told with its line.
local function call(given, field, ...)
  local ok, answer, words = xpcall(given[field], require("moontide.gate").explain, ...)
  if ok then return answer, words end
  if answer.kind == "revision" then
    answer.kind, answer.message = "plugin", ('backfill strategy "%s": %s'):format(given.name, answer.message)
    answer.detail = ("in its %s, registered by %s"):format(field, given.from)
  end
  answer.final = true
  error(answer, 0)
end

-- So is a mistake in its SQL. A lost connection or a lock is none.
local mistakes = { ["0A"] = true, ["21"] = true, ["22"] = true, ["42"] = true, P0 = true }

local function blame(given, field, problem)
  if not mistakes[(problem.sqlstate or ""):sub(1, 2)] then return end
  problem.message = ('backfill strategy "%s": %s'):format(given.name, problem.message)
  problem.where, problem.final = place(given[field]), true
  problem.detail = problem.detail or ("in the query that its %s answers"):format(field)
  error(problem, 0)
end

local function asked(given, field, db, sql)
  local ok, answer = pcall(db.exec, db, sql)
  if ok then return answer end
  blame(given, field, fault.of(answer))
  error(answer, 0)
end

-- Choosing --------------------------------------------------------------------

local plain = { string = true, number = true, boolean = true, ["nil"] = true }

-- Leaves are written down, so only plain values are kept in them.
local function is_plain(value, depth)
  if type(value) ~= "table" then return plain[type(value)] or false end
  if depth > 8 or getmetatable(value) then return false end
  for name, item in next, value do
    if not (type(name) == "string" or math.type(name) == "integer") or not is_plain(item, depth + 1) then
      return false
    end
  end
  return true
end

local fields = { key = true, descending = true, data = true }

local function check_fields(given, way)
  if type(way) ~= "table" then
    refuse(given, "choose", "choose must answer a table { key = {...} }, not a " .. type(way))
  end
  for name in next, way do
    if not fields[name] then
      refuse(given, "choose", ('choose answers an unknown field "%s"'):format(tostring(name)))
    end
  end
end

local function check_names(given, names)
  local seen = {}
  if type(names) ~= "table" or #names == 0 then refuse(given, "choose", "choose answers no key, a list of columns") end
  for _, name in ipairs(names) do
    if type(name) ~= "string" or seen[name] then
      refuse(given, "choose", "the key that choose answers is not a list of different columns")
    end
    seen[name] = true
  end
end

local function check_way(given, way)
  check_fields(given, way)
  if type(way.key) == "string" then way = { key = { way.key }, descending = way.descending, data = way.data } end
  check_names(given, way.key)
  if not is_plain(way.data, 1) then refuse(given, "choose", "the data that choose answers must be plain values") end
  return way
end

local function kinds_of(columns)
  local list = {}
  for name, column in pairs(columns) do list[name] = { type = column.type, required = column.required } end
  return list
end

local function way_of(given, db, o, leaf, columns)
  if not given.choose then
    return o.key and { key = o.key } or order.refuse(o, ('strategy "%s" needs key = {...}, the columns to go by')
      :format(given.name))
  end
  local way, why = call(given, "choose", { table = leaf.name, rows = leaf.rows, columns = kinds_of(columns),
    key = o.key and table.move(o.key, 1, #o.key, 1, {}) }, function(sql) return db:exec(sql) end)
  if not way and why then
    order.refuse(o, ('strategy "%s" cannot go through %s: %s'):format(given.name, leaf.name, tostring(why)))
  end
  return check_way(given, way)
end

local function choose(given, db, o, leaf, columns)
  local way = way_of(given, db, o, leaf, columns)
  for _, name in ipairs(way.key) do
    if not columns[name] then
      order.refuse(o, ('strategy "%s" goes by the column "%s", which is not in the table'):format(given.name, name))
    end
  end
  leaf.strategy, leaf.own, leaf.data = given.name, #way.key, way.data
  choice.take(db, o, leaf, columns, way.key)
  leaf.key.descending = way.descending and true or nil
end

-- Bounds ----------------------------------------------------------------------

-- What a function is told of the way through a table.
local function told(leaf, more)
  local way = { table = leaf.name, from = ("ONLY %s t"):format(leaf.name), key = {}, types = {}, data = leaf.data,
    order = key.order(leaf.key, "t"), descending = leaf.key.descending or false }
  for index = 1, leaf.own do
    way.key[index], way.types[index] = "t." .. quote.ident(leaf.key[index].name), leaf.key[index].type
  end
  for name, item in pairs(more) do way[name] = item end
  return way
end

local function query_of(given, field, way)
  local sql = call(given, field, way)
  if sql == nil or type(sql) == "string" and sql:find "%S" then return sql end
  refuse(given, field, ("%s must answer a query as text, or nil, not %s"):format(field,
    type(sql) == "string" and "an empty text" or "a " .. type(sql)))
end

local function probe(given, leaf, after, upto, n)
  local sql = given.probe and query_of(given, "probe", told(leaf, { rest = key.rest(leaf, after, upto), rows = n }))
  return sql and boundary.probe(leaf, after, upto, n, sql) or key.probe(leaf, after, upto, n)
end

local function words_of(leaf, bound)
  local parts = {}
  for index, text in ipairs(cjson.decode(bound)) do
    parts[index] = ("%s = %s"):format(leaf.key[index].name, tostring(text))
  end
  return table.concat(parts, ", ")
end

local function check(given, leaf, found)
  if #found > 1 and given.probe then
    refuse(given, "probe", ("the query that probe answers has more than one boundary for %s"):format(leaf.name))
  end
  if found[1] and found[1].stuck then
    refuse(given, "probe", ("the boundary %s of %s lies before the first row that is left"):format(
      words_of(leaf, found[1].boundary), leaf.name),
      { hint = "Make it of the first row for which way.rest holds, so that each chunk has a row." })
  end
end

-- Bounds of equal ranges, as a relation.
local function relation(leaf, bounds)
  local list = {}
  for index, bound in ipairs(bounds) do
    list[index] = ("(%s::%s)"):format(quote.literal(bound[1]), leaf.key[1].type)
  end
  return ("(VALUES %s) b(bound)"):format(table.concat(list, ", "))
end

local function moved(given, db, leaf, last, bounds)
  if not given.splits or #bounds == 0 then return bounds end
  local sql, list = query_of(given, "splits", told(leaf, { bounds = relation(leaf, bounds) })), {}
  if not sql then return bounds end
  for index, row in ipairs(asked(given, "splits", db, boundary.splits(leaf, last, sql))) do
    list[index] = cjson.decode(row.key)
  end
  return list
end

--- The entry of a plugin's strategy.
---@param given moontide.PluginStrategy
---@return moontide.BackfillStrategy
function strategy.new(given)
  local function bind(fn) return function(...) return fn(given, ...) end end
  return {
    name = given.name, summary = given.summary, from = given.from, version = given.version, plugin = true,
    choose = bind(choose), last = key.last, probe = bind(probe), check = bind(check),
    blame = given.probe and function(problem) blame(given, "probe", problem) end,
    splits = function(db, leaf, last, count)
      return histogram.thinned(moved(given, db, leaf, last, histogram.bounds(db, leaf, last)), count)
    end,
  }
end

return strategy
