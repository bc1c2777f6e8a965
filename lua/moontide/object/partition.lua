--- Partitions: creating one, dropping one, attaching a table as one and detaching it again.
---
--- Creating a partition locks the whole table against everybody; on a live system
--- create a table like the parent and attach it. A default partition is locked and read as well
--- when another one is attached.

local bound = require "moontide.object.bound"
local calls = require "moontide.object.calls"
local catalog = require "moontide.catalog.table"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local detaching = require "moontide.object.detaching"
local online = require "moontide.online.partition"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"
local step = require "moontide.online.step"

local place_shape = { schema = check.name, parent_schema = check.name }
local storage_shape = {
  partition_by = check.expression, with = check.parameters, tablespace = check.name, using = check.name,
  comment = check.text, unlogged = check.flag,
}

local function child(o) return quote.qualified(o.schema, o.name) end
local function parent(o) return quote.qualified(o.parent_schema or o.schema, o.parent) end

local function locks(mode, child_mode)
  return function(o)
    return { { relation = parent(o), mode = mode }, { relation = child(o), mode = child_mode } }
  end
end

-- What creates or attaches a partition again: `existing` of the operations that take one away.
local function read_definition(given, what)
  local definition = check.shape(check.table(given, what), what, check.join(bound.shape, storage_shape))
  bound.check(definition)
  return definition
end

local function read_bound(given, what)
  local definition = check.shape(check.table(given, what), what, bound.shape)
  bound.check(definition)
  return definition
end

local function named(o, name, of)
  o.name, o.parent = check.name(name, "the partition name"), check.name(of, "the parent's name")
  return o
end

local function with_place(o, options)
  for key in pairs(place_shape) do options[key] = o[key] end
  return options
end

-- create_partition ------------------------------------------------------------

local definition_shape = check.join(bound.shape, storage_shape)
local create_shape = check.join(place_shape, definition_shape, { if_not_exists = check.flag })

local function create_sql(o)
  local statements = { clause.words("CREATE", o.unlogged and "UNLOGGED", "TABLE", o.if_not_exists and "IF NOT EXISTS",
    child(o), "PARTITION OF", parent(o), bound.sql(o), o.partition_by and "PARTITION BY " .. o.partition_by,
    o.using and "USING " .. quote.ident(o.using), o.with and "WITH " .. clause.parameters(o.with),
    o.tablespace and "TABLESPACE " .. quote.ident(o.tablespace)) }
  if o.comment then
    statements[2] = ("COMMENT ON TABLE %s IS %s"):format(child(o), quote.literal(o.comment))
  end
  return statements
end

operation.register {
  name = "create_partition",
  summary = "Create a partition of a table",
  build = function(name, of, options)
    local o = named(check.options(options, create_shape), name, of)
    bound.check(o)
    return o
  end,
  sql = create_sql,
  inverse = function(o)
    if o.if_not_exists then
      return nil, "with if_not_exists it is not known whether the partition was there before: leave if_not_exists out"
    end
    return { operation.build("drop_partition", o.name, o.parent,
      with_place(o, { existing = clause.pick(o, definition_shape) })) }
  end,
  lock = function(o) return { { relation = parent(o), mode = "ACCESS EXCLUSIVE" } } end,
  source = function(o) return source.call("create_partition", o.name, o.parent, clause.pick(o, create_shape)) end,
}

-- drop_partition --------------------------------------------------------------

local drop_shape = check.join(place_shape, { if_exists = check.flag, cascade = check.flag,
  existing = read_definition })

local function undo_drop(o)
  if o.absent then return {} end
  if o.cascade then return nil, "cascade also drops what depends on the partition: drop that first, on its own" end
  if o.restored_by then return calls.operations(o.restored_by) end
  if not o.existing then
    return nil, ('what the partition "%s" was is not known: give existing, as in existing = { from = 1, to = 10 }')
      :format(o.name)
  end
  return { operation.build("create_partition", o.name, o.parent, with_place(o, clause.pick(o.existing,
    definition_shape))) }
end

local function capture_drop(o, query)
  if o.cascade then return nil end
  local found = catalog.read(query, catalog.oid(o.schema, o.name))
  if not found then return { absent = true } end
  local whole = catalog.whole(query, found)
  local list = whole.before
  whole.body.schema = found.row.schema
  list[#list + 1] = { "create_table", o.name, whole.body }
  return { restored_by = table.move(whole.after, 1, #whole.after, #list + 1, list) }
end

operation.register {
  name = "drop_partition",
  summary = "Drop a partition with its rows",
  build = function(name, of, options) return named(check.options(options, drop_shape), name, of) end,
  sql = function(o)
    return { clause.words("DROP TABLE", o.if_exists and "IF EXISTS", child(o), o.cascade and "CASCADE") }
  end,
  destructive = function(o) return ("drops the partition %s"):format(quote.qualified(o.schema, o.name)) end,
  inverse = undo_drop,
  capture = capture_drop,
  lock = locks("ACCESS EXCLUSIVE", "ACCESS EXCLUSIVE"),
  source = function(o) return source.call("drop_partition", o.name, o.parent, clause.pick(o, drop_shape)) end,
}

-- attach_partition ------------------------------------------------------------

local attach_shape = check.join(place_shape, bound.shape, { online = check.boolean })

local function undo_attach(o)
  return { operation.build("detach_partition", o.name, o.parent,
    with_place(o, { existing = clause.pick(o, bound.shape), online = o.online })) }
end

local function is_default(o) return o.default or o.bound ~= nil and o.bound:upper():find("DEFAULT", 1, true) ~= nil end

local function expand_attach(o, ctx)
  if not o.online then return nil end
  return online.attach(o, { parent = parent(o), child = child(o), bound = bound.sql(o), default = is_default(o) }, ctx)
end

operation.register {
  name = "attach_partition",
  summary = "Make a table a partition of another",
  build = function(name, of, options)
    local o = named(check.options(options, attach_shape), name, of)
    bound.check(o)
    return o
  end,
  expand = expand_attach,
  online = function() return true end,
  sql = function(o)
    return { ("ALTER TABLE %s ATTACH PARTITION %s %s"):format(parent(o), child(o), bound.sql(o)) }
  end,
  inverse = undo_attach,
  lock = locks("SHARE UPDATE EXCLUSIVE", "ACCESS EXCLUSIVE"),
  source = function(o) return source.call("attach_partition", o.name, o.parent, clause.pick(o, attach_shape)) end,
}

-- detach_partition ------------------------------------------------------------

local detach_shape = check.join(place_shape, { concurrently = check.flag, finalize = check.flag,
  online = check.boolean, existing = read_bound })

local function build_detach(name, of, options)
  local o = named(check.options(options, detach_shape), name, of)
  for _, option in ipairs { "concurrently", "online" } do
    if o[option] and o.finalize then check.refuse(option .. " and finalize cannot be given together") end
  end
  return o
end

local function undo_detach(o)
  if not o.existing then
    return nil, ('which rows the partition "%s" took is not known: give existing, as in '
      .. 'existing = { from = 1, to = 10 }'):format(o.name)
  end
  local options = clause.pick(o.existing, bound.shape)
  options.online = o.online
  return { operation.build("attach_partition", o.name, o.parent, with_place(o, options)) }
end

local function expand_detach(o, ctx, ask)
  if not o.online and not o.concurrently then return nil end
  local sql = detaching.sql(parent(o), child(o))
  if o.online and ctx.offline then return online.detach_script(parent(o), sql) end
  if o.online and online.is_plain(parent(o), ask) then return { step.transaction(sql) } end
  return { {
    statements = { sql .. " CONCURRENTLY" }, alone = true,
    recover = function(_, attempt) return detaching.before(parent(o), child(o), attempt) end,
  } }
end

operation.register {
  name = "detach_partition",
  summary = "Make a partition a table of its own",
  build = build_detach,
  sql = function(o)
    return { clause.words(detaching.sql(parent(o), child(o)), o.concurrently and "CONCURRENTLY",
      o.finalize and "FINALIZE") }
  end,
  inverse = undo_detach,
  capture = function(o, query)
    local text = detaching.bound(query, child(o))
    return text and { existing = { bound = text } }
  end,
  transactional = function(o) return not (o.concurrently or o.online) end,
  expand = expand_detach,
  online = function(o) return not o.finalize end,
  inside = function(o)
    local plain = clause.pick(o, detach_shape)
    plain.kind, plain.where, plain.name, plain.parent, plain.concurrently = o.kind, o.where, o.name, o.parent, nil
    return plain
  end,
  lock = function(o)
    local mode = (o.concurrently or o.online or o.finalize) and "SHARE UPDATE EXCLUSIVE" or "ACCESS EXCLUSIVE"
    return { { relation = parent(o), mode = mode }, { relation = child(o), mode = "ACCESS EXCLUSIVE" } }
  end,
  source = function(o) return source.call("detach_partition", o.name, o.parent, clause.pick(o, detach_shape)) end,
}
