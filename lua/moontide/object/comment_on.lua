--- Comments on anything that can have one: op.comment(kind, name, text).

local address = require "moontide.object.address"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local catalog = require "moontide.catalog.address"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"
local value = require "moontide.value"

local shape = check.join(address.shape, { existing = check.text })
local read_kind = address.kind()

local function read_text(given, what)
  if given ~= nil and value.kind(given) == "null" then return nil end
  return check.text(given, what)
end

local function build(object, name, text, options)
  local o = check.options(options, shape)
  o.object, o.name = read_kind(object, "the kind of object"), check.name(name, ("the %s name"):format(object))
  o.comment = read_text(text, "the comment")
  address.check(o)
  return o
end

local function again(o, text, existing)
  local options = clause.pick(o, address.shape)
  options.existing = existing
  return { operation.build("comment", o.object, o.name, text or value.null, options) }
end

local function inverse(o)
  if o.absent then return again(o, nil, o.comment) end
  if o.existing or o.comment then return again(o, o.existing, o.comment) end
  return nil, "the comment is not known: give existing = \"the comment there was\""
end

local function lock(o)
  local relation = address.relation(o)
  if not relation then return {} end
  return { { relation = relation, mode = "SHARE UPDATE EXCLUSIVE" } }
end

operation.register {
  name = "comment",
  summary = "Set or remove the comment of any object",
  build = build,
  sql = function(o)
    return { ("COMMENT ON %s IS %s"):format(address.sql(o), o.comment and quote.literal(o.comment) or "NULL") }
  end,
  inverse = inverse,
  lock = lock,
  capture = function(o, query)
    local target = clause.pick(o, address.shape)
    target.kind, target.name = o.object, o.name
    return catalog.comment(query, target)
  end,
  source = function(o)
    return source.call("comment", o.object, o.name, o.comment or value.null, clause.pick(o, shape))
  end,
}
