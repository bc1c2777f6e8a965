--- op.backfill: changes the rows of a table in chunks, each a transaction of its own
--- with its checkpoint in it. It is a commit point of its revision.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local operation = require "moontide.operation"
local named = require "moontide.backfill.named"
local pace = require "moontide.backfill.pace"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"
local strategy = require "moontide.backfill.strategy"
local write = require "moontide.backfill.write"

local function positive(given, what)
  local number = check.integer(given, what)
  if number < 1 then check.refuse(what .. " must be at least 1") end
  return number
end

local function natural(given, what)
  local number = check.integer(given, what)
  if number < 0 then check.refuse(what .. " must not be negative") end
  return number
end

local function lanes(given, what)
  local number = positive(given, what)
  if number > 32 then check.refuse(what .. " must be at most 32") end
  return number
end

local function assignments(given, what)
  check.table(given, what, "a table { column = value }")
  local set = {}
  for name, item in pairs(given) do
    check.name(name, what .. ": a column")
    set[name] = check.value(item, ('%s, column "%s"'):format(what, name))
  end
  if next(set) == nil then check.refuse(what .. " must not be empty") end
  return set
end

local function settings(given, what)
  return check.parameters(given, what)
end

local function fn(given, what)
  if type(given) ~= "function" then check.expected(what, "a function", given) end
  return given
end

-- A function, or the name of one that a plugin has registered.
local function transform(kind)
  return function(given, what)
    if type(given) ~= "string" then return fn(given, what) end
    local entry = named.get(given)
    if entry and entry[kind] then return entry[kind] end
    if entry then check.refuse(('%s: transform "%s" has no %s'):format(what, given, kind)) end
    local near = named.nearest(given)
    check.refuse(('%s: unknown transform "%s"'):format(what, given), near and ('Did you mean "%s"?'):format(near)
      or "Transforms are registered by plugins: docs/plugins.md.")
  end
end

-- The name of a strategy, those of plugins too.
local function order(given, what)
  check.text(given, what)
  if strategy.get(given) then return given end
  local near = strategy.nearest(given)
  check.refuse(('%s: unknown strategy "%s"'):format(what, given), near and ('Did you mean "%s"?'):format(near)
    or "The strategies are " .. table.concat(strategy.names(), ", ") .. "; plugins add others: docs/plugins.md.")
end

local function equivalent(given, what)
  local work = check.shape(given, what, { set = assignments, where = check.expression })
  if not work.set then check.refuse(what .. " needs set") end
  return work
end

local function hours(given, what)
  check.text(given, what)
  if require("moontide.backfill.window").parse(given) then return given end
  check.refuse(what .. ' must be hours of the day, as in "22:00-06:00" or "22:00-06:00 Europe/Berlin"')
end

local function limit(given, what)
  if given == false then return false end
  if type(given) ~= "number" or given < 0 then check.expected(what, "a number from 0, or false", given) end
  return given
end

-- Signals have names of their own, those of plugins too.
local function signals(given, what)
  check.table(given, what, "a table { signal = limit }")
  local signal, list = require "moontide.backfill.signal", {}
  for name, item in pairs(given) do
    local entry = signal.get(tostring(name))
    if entry and entry.option then check.refuse(('%s: "%s" is an option of its own'):format(what, name)) end
    if not entry then
      local near = signal.nearest(tostring(name))
      check.refuse(('%s: unknown signal "%s"'):format(what, tostring(name)), near
        and ('Did you mean "%s"?'):format(near) or "The signals are " .. table.concat(signal.names(), ", ") .. ".")
    end
    list[name] = limit(item, ("%s, %s"):format(what, name))
  end
  return list
end

local work_shape = {
  each = transform "each", each_chunk = transform "each_chunk", read = check.names, write = check.names,
  sql_equivalent = equivalent,
  set = assignments, where = check.expression, delete = check.flag, into = check.relation,
}

-- What undoes it: another backfill of the same table, or the word "keep".
local function down(given, what)
  if given == "keep" then return given end
  if type(given) == "string" then check.refuse(what .. ' must be a table or "keep"') end
  return equivalent(given, what)
end

local shape = check.join(work_shape, {
  table = check.name, schema = check.name, key = check.names, lanes = lanes, chunk_ms = positive, max_rows = positive,
  rows_per_s = positive, session = settings, down = down, on_error = check.choice("stop", "quarantine"),
  max_errors = positive, order = order, sweep = natural, verify = check.sql,
  wait_writers = natural, background = check.flag, wal_mb_s = positive, lag = limit, signals = signals,
  profile = check.choice("fast", "normal", "gentle"), window = hours, throttle_sql = check.sql, throttle = fn,
})

local function check_mode(o)
  local ways = 0
  for _, name in ipairs { "set", "delete", "each", "each_chunk" } do ways = ways + (o[name] and 1 or 0) end
  if ways ~= 1 then check.refuse("give one of set = {...}, each or each_chunk = function, and delete = true") end
  local in_lua = o.each or o.each_chunk
  if in_lua and not (o.read and o.write) then check.refuse("a Lua function needs read and write, the columns") end
  if not in_lua and (o.read or o.write or o.sql_equivalent) then
    check.refuse("read, write and sql_equivalent need a Lua function")
  end
  if o.delete and not o.condition then check.refuse("delete needs where", "All rows are deleted by TRUNCATE.") end
  if o.max_errors and o.on_error ~= "quarantine" then check.refuse('max_errors needs on_error = "quarantine"') end
  if o.key and o.order and strategy.get(o.order).keyless then
    check.refuse(('order = "%s" goes by no key'):format(o.order))
  end
  if o.into and not o.delete then check.refuse("into needs delete = true") end
  if o.into and o.into.table == o.table and o.into.schema == o.schema then
    check.refuse("into is the table itself, where the rows would be met again")
  end
end

local defaults = { lanes = 2, chunk_ms = 500, max_rows = 10000, max_errors = 100, sweep = 3, wait_writers = 60 }

-- Names of transforms, for the source and for the fingerprint.
local function keep_names(o, given)
  for _, kind in ipairs { "each", "each_chunk" } do
    if type(given[kind]) == "string" then
      o.named = { [kind] = named.identity(given[kind]), given = { [kind] = given[kind] } }
    end
  end
end

local function build(given)
  local o = check.shape(given, nil, shape, 1)
  o.name = check.text(given and given[1], "the name")
  if #o.name == 0 or #o.name > 100 then check.refuse("the name must have 1 to 100 characters") end
  check.name(o.table, "the table")
  o.condition, o.where = o.where, nil   -- an operation's `where` is its place in a file
  check_mode(o)
  keep_names(o, given)
  o.given = {}
  local profile = pace.profiles[o.profile or "fast"]
  for name, default in pairs(defaults) do
    o.given[name] = o[name]
    o[name] = o[name] or profile[name] or default
  end
  return o
end

-- As one statement: for the journal, and for whoever reads what a revision does.
local function summary(o)
  local name, condition = quote.qualified(o.schema, o.table), o.condition and " WHERE " .. o.condition or ""
  if o.write then
    return ("UPDATE %s SET (%s) by Lua%s"):format(name, quote.idents(o.write), condition)
  end
  if o.delete then return ("DELETE FROM %s%s"):format(name, condition) end
  return ("UPDATE %s SET %s%s"):format(name, write.assignments(o.set), condition)
end

local function inverse(o)
  if o.down == "keep" then return {} end
  if not o.down then
    return nil, ('backfill "%s" does not say how to go back: give down = { set = ... } or down = "keep"'):format(o.name)
  end
  return { operation.build("backfill", { o.name, table = o.table, schema = o.schema, key = o.key, set = o.down.set,
    where = o.down.where, lanes = o.given.lanes }) }
end

local function render(o)
  local options = clause.pick(o, shape)
  for name in pairs(defaults) do options[name] = o.given[name] end
  options[1], options.where = o.name, o.condition
  for kind, name in pairs(o.named and o.named.given or {}) do options[kind] = name end
  local functions = {}
  for _, name in ipairs { "each", "each_chunk", "throttle" } do
    if type(options[name]) == "function" then functions[#functions + 1], options[name] = name, nil end
  end
  local call = source.call("backfill", options)
  for _, name in ipairs(functions) do
    call = call:gsub(",?%s*}%)$", (", %s = function() error('the function of this backfill is not known') end })")
      :format(name))
  end
  return call
end

operation.register {
  from = "lua/moontide/object",
  name = "backfill",
  summary = "Change the rows of a table in chunks that commit",
  build = build,
  sql = function(o, ctx)
    if o.background then return require("moontide.backfill.background").statements(o, ctx) end
    if ctx.offline then return require("moontide.backfill.procedure").statements(o, ctx) end
    return { summary(o) }
  end,
  inverse = inverse,
  lock = function(o)
    return { { relation = quote.qualified(o.schema, o.table), mode = "ROW EXCLUSIVE" } }
  end,
  transactional = function(o) return o.background == true end,
  destructive = function(o)
    return o.delete and ("rows of table %s"):format(quote.qualified(o.schema, o.table)) or nil
  end,
  job = {
    begin = function(o, place) return require("moontide.backfill.job").begin(o, place) end,
    run = function(o, place) return require("moontide.backfill.job").run(o, place) end,
    rehearse = function(o, place) return require("moontide.backfill.rehearsal").run(o, place) end,
    left = function(o) return require("moontide.backfill.job").left(o) end,
  },
  source = render,
}
