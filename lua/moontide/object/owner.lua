--- Owners of objects of any kind.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"
local subject = require "moontide.object.subject"

local shape = check.join(subject.place, { existing = check.name })
local read_kind = check.choice(table.unpack(subject.names()))

local function build(thing, name, role, options)
  local o = check.options(options, shape)
  o.thing, o.name = read_kind(thing, "the kind of object"), check.name(name, "the name")
  o.role = check.name(role, "the role")
  subject.check(o.thing, o)
  return o
end

local function arguments(o, role, existing)
  local options = subject.write(clause.pick(o, shape))
  options.existing = existing
  return o.thing, o.name, role, options
end

local function capture(o, query)
  local kind = subject.kinds[o.thing]
  local found = query(("SELECT pg_get_userbyid(%sowner) AS owner FROM %s WHERE oid = (%s)")
    :format(kind.prefix, kind.catalog, subject.oid(o)))[1]
  return found and { existing = found.owner }
end

operation.register {
  name = "alter_owner",
  summary = "Give an object of any kind to another role",
  build = build,
  sql = function(o)
    return { ("ALTER %s %s OWNER TO %s"):format(subject.kinds[o.thing].words, subject.name(o), quote.ident(o.role)) }
  end,
  inverse = function(o)
    if not o.existing then
      return nil, 'the owner is not known: give existing = "the role that owns it"'
    end
    return { operation.build("alter_owner", arguments(o, o.existing, o.role)) }
  end,
  lock = function(o)
    local is_relation = subject.kinds[o.thing].catalog == "pg_class"
    return is_relation and { { relation = subject.name(o), mode = "ACCESS EXCLUSIVE" } } or {}
  end,
  capture = capture,
  source = function(o) return source.call("alter_owner", arguments(o, o.role, o.existing)) end,
}
