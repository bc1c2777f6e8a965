--- Operations that change properties of an object that stays: alter_X, with what the
--- properties were as `existing`.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local operation = require "moontide.operation"
local positional = require "moontide.object.positional"
local sorted_keys = require "moontide.sorted_keys"
local source = require "moontide.source"
local value = require "moontide.value"

---@class moontide.Change
---@field thing string                         "view", as in op.alter_view
---@field summary string
---@field identity moontide.Argument[]         arguments that say which object
---@field place? table<string, moontide.Check> options that say which object
---@field shape table<string, moontide.Check>  the properties
---@field write? fun(options: table): table    properties as users write them
---@field check? fun(o: table)                 what can only be judged together
---@field sql fun(o: table, ctx: table): string[]
---@field look fun(o: table, query: function): table?  the properties in the catalog
---@field absent? table<string, any>           what a property is that the catalog does not have
---@field before? table<string, fun(now: any, was: any): any>  of a property with parts: the parts that change
---@field prepares? boolean                    its statements need `existing`, which is read where it is not given
---@field lock? fun(o: table): moontide.Lock[]

local changing = {}

local function same(given) return given end

--- A check: `null`, or what another check takes.
---@param read moontide.Check
---@return moontide.Check
function changing.or_null(read)
  return function(given, what)
    return value.kind(given) == "null" and value.null or read(given, what)
  end
end

-- What brings back the properties that change; nil and the first that is not known.
local function state_before(change, o, known)
  local before = {}
  for _, key in ipairs(sorted_keys(change.shape)) do
    local part = change.before and change.before[key] or function(_, was) return was end
    if o[key] ~= nil then
      before[key] = part(o[key], known[key])
      if before[key] == nil then return nil, key end
    end
  end
  return before
end

local function inverse(change, name)
  return function(o)
    local before, missing = state_before(change, o, o.existing or {})
    if not before then
      return nil, ("what %s was is not known: give existing, as in existing = { %s = ... }"):format(missing, missing)
    end
    local options = change.write(before)
    for key, field in pairs(change.write(clause.pick(o, change.place))) do options[key] = field end
    options.existing = change.write(clause.pick(o, change.shape))
    return { operation.build(name, table.unpack(positional.list(o, change.identity, options))) }
  end
end

local function capture(change)
  return function(o, query)
    local found = change.look(o, query)
    if not found then return nil end
    local known = setmetatable(clause.pick(found, change.shape), { __index = change.absent })
    return { existing = state_before(change, o, known) }
  end
end

local function prepare(change)
  if not change.prepares then return nil end
  local read = capture(change)
  return function(o, query) return not o.existing and read(o, query) or nil end
end

local function build(change)
  local keys = sorted_keys(change.shape)
  local function existing(given, what) return check.shape(check.table(given, what), what, change.shape) end
  local shape = check.join(change.shape, change.place, { existing = existing })
  return positional.build(change.identity, shape, function(o)
    if next(clause.pick(o, change.shape)) == nil then
      check.refuse("nothing to change", ("Give %s."):format(table.concat(keys, ", "):gsub(", (%S+)$", " or %1")))
    end
    if change.check then change.check(o) end
  end)
end

--- Register alter_X.
---@param change moontide.Change
function changing.register(change)
  local name = "alter_" .. change.thing
  change.place, change.write = change.place or { schema = check.name }, change.write or same
  operation.register {
    name = name,
    summary = change.summary,
    build = build(change),
    sql = change.sql,
    inverse = inverse(change, name),
    capture = capture(change),
    prepare = prepare(change),
    lock = change.lock or function() return {} end,
    source = function(o)
      local options = change.write(clause.pick(o, check.join(change.shape, change.place)))
      options.existing = o.existing and change.write(clause.pick(o.existing, change.shape))
      return source.call(name, table.unpack(positional.list(o, change.identity, options)))
    end,
    from = debug.getinfo(2, "S").short_src,
  }
end

return changing
