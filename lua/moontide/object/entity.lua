--- What dropping, renaming and moving have in common for objects such as types,
--- schemas and sequences. A kind of object says in a record how it differs.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

---@class moontide.Entity
---@field kind string       as in the names of its operations: "enum"
---@field thing string      in messages: "type"
---@field words string      in statements: "TYPE"
---@field everywhere? boolean  its name has no schema
---@field holds_data? boolean  what it holds is gone when it is dropped
---@field lock? fun(o: table): moontide.Lock[]  of dropping, renaming and moving
---@field read fun(given: any, what: string): table   `existing` as users write it
---@field write fun(existing: table): table           the reverse
---@field create fun(o: table, existing: table): moontide.Operation[]  what makes it again
---@field capture fun(o: table, query: fun(sql: string): table): table?  the same from the catalog
---@field schema_of? string a query: the schema it is in, with %s for the name as an SQL string
---@field example string    of `existing`, for messages

local entity = {}

local function no_lock() return {} end

--- ACCESS EXCLUSIVE on the object itself, for those that are relations.
---@param o table
---@return moontide.Lock[]
function entity.exclusive(o)
  return { { relation = quote.qualified(o.schema, o.name), mode = "ACCESS EXCLUSIVE" } }
end

-- A shape, with the schema where names have one.
local function shape_of(kind, shape)
  return kind.everywhere and shape or check.join(shape, { schema = check.name })
end

local function check_name(kind, name)
  return check.name(name, ("the %s name"):format(kind.thing))
end

--- The name of an object as an SQL string, for to_regtype() and the like.
---@param o table
---@return string
function entity.literal(o)
  return quote.literal(quote.qualified(o.schema, o.name))
end

--- The schema of a type, for `schema_of`.
entity.schema_of_type = [[
SELECT n.nspname AS name FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = to_regtype(%s)]]

--- A call with a list that may be empty, which has to be there all the same.
---@param name string
---@param object string
---@param list table
---@param options table
---@return string
function entity.call(name, object, list, options)
  if #list > 0 or next(options) ~= nil then return source.call(name, object, list, options) end
  return source.call(name, object):sub(1, -2) .. ", {})"
end

--- The inverse of an operation that creates: the drop, unless the object may have been there before.
---@param kind moontide.Entity
---@param o table
---@param existing table  as users write it
---@return moontide.Operation[]? operations
---@return string? reason
function entity.uncreate(kind, o, existing)
  if o.if_not_exists and o.present then return {} end
  if o.if_not_exists and not o.absent then
    return nil, ("with if_not_exists it is not known whether the %s was there before: leave if_not_exists out")
      :format(kind.thing)
  end
  return { operation.build("drop_" .. kind.kind, o.name, { schema = not kind.everywhere and o.schema or nil,
    existing = existing }) }
end

--- What is kept of an operation with if_not_exists: whether the object was there.
---@param find fun(o: table): string  a query that has a row when it is there
---@return fun(o: table, query: fun(sql: string): table): table?
function entity.capture_presence(find)
  return function(o, query)
    if not o.if_not_exists then return nil end
    return #query(find(o)) > 0 and { present = true } or { absent = true }
  end
end

local function drop_inverse(kind)
  return function(o)
    if o.absent then return {} end
    if o.cascade then
      return nil, ("cascade also drops what depends on the %s: drop that first, on its own"):format(kind.thing)
    end
    if not o.existing then
      return nil, ('what the %s "%s" was is not known: give existing, as in existing = %s')
        :format(kind.thing, o.name, kind.example)
    end
    return kind.create(o, o.existing)
  end
end

local function drop_capture(kind)
  return function(o, query)
    if o.cascade then return nil end
    local existing = kind.capture(o, query)
    return existing and { existing = existing } or { absent = true }
  end
end

local function drop_sql(kind)
  return function(o)
    return { clause.words("DROP", kind.words, o.if_exists and "IF EXISTS",
      quote.qualified(o.schema, o.name), o.cascade and "CASCADE") }
  end
end

-- What goes with it is not known here, and may be columns with their data.
local function drop_loses(kind)
  return function(o)
    if not o.cascade and not kind.holds_data then return nil end
    local name = quote.qualified(o.schema, o.name)
    return ("drops the %s %s%s"):format(kind.thing, name, o.cascade and " and what depends on it" or "")
  end
end

--- Register `drop_KIND(name, { schema, if_exists, cascade, existing })`.
---@param kind moontide.Entity
---@param summary string
function entity.register_drop(kind, summary)
  local name = "drop_" .. kind.kind
  local shape = shape_of(kind, { if_exists = check.flag, cascade = check.flag, existing = kind.read })
  operation.register {
    name = name, summary = summary,
    build = function(object, options)
      local o = check.options(options, shape)
      o.name = check_name(kind, object)
      return o
    end,
    sql = drop_sql(kind), inverse = drop_inverse(kind), capture = drop_capture(kind), lock = kind.lock or no_lock,
    destructive = drop_loses(kind),
    source = function(o)
      local options = clause.pick(o, shape)
      options.existing = o.existing and kind.write(o.existing)
      return source.call(name, o.name, options)
    end,
  }
end

--- Register `rename_KIND(name, new_name, { schema })`.
---@param kind moontide.Entity
---@param summary string
function entity.register_rename(kind, summary)
  local name, shape = "rename_" .. kind.kind, shape_of(kind, {})
  operation.register {
    name = name, summary = summary,
    build = function(object, new_name, options)
      local o = check.options(options, shape)
      o.name, o.new_name = check_name(kind, object), check.name(new_name, "the new name")
      return o
    end,
    sql = function(o)
      return { ("ALTER %s %s RENAME TO %s"):format(kind.words, quote.qualified(o.schema, o.name),
        quote.ident(o.new_name)) }
    end,
    inverse = function(o) return { operation.build(name, o.new_name, o.name, clause.pick(o, shape)) } end,
    lock = kind.lock or no_lock,
    source = function(o) return source.call(name, o.name, o.new_name, clause.pick(o, shape)) end,
  }
end

local function move_capture(kind)
  return function(o, query)
    if o.schema then return nil end
    local row = query(kind.schema_of:format(entity.literal(o)))[1]
    return row and { old_schema = row.name }
  end
end

local function move_inverse(kind, name)
  return function(o)
    local before = o.schema or o.old_schema
    if not before then
      return nil, ('the schema that the %s "%s" was in is not known: give it, as in schema = "public"')
        :format(kind.thing, o.name)
    end
    return { operation.build(name, o.name, before, { schema = o.new_schema }) }
  end
end

--- Register `set_KIND_schema(name, new_schema, { schema })`.
---@param kind moontide.Entity
---@param summary string
function entity.register_move(kind, summary)
  local name, shape = ("set_%s_schema"):format(kind.kind), { schema = check.name }
  operation.register {
    name = name, summary = summary,
    build = function(object, new_schema, options)
      local o = check.options(options, shape)
      o.name, o.new_schema = check_name(kind, object), check.name(new_schema, "the new schema")
      return o
    end,
    sql = function(o)
      return { ("ALTER %s %s SET SCHEMA %s"):format(kind.words, quote.qualified(o.schema, o.name),
        quote.ident(o.new_schema)) }
    end,
    inverse = move_inverse(kind, name), capture = move_capture(kind), lock = kind.lock or no_lock,
    source = function(o) return source.call(name, o.name, o.new_schema, clause.pick(o, shape)) end,
  }
end

return entity
