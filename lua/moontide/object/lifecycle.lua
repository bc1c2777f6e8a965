--- Objects that are created and dropped whole: the operations create_X, drop_X, rename_X
--- and set_X_schema of a kind, from a record that says what is special about it.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local definition = require "moontide.object.definition"
local operation = require "moontide.operation"
local owned = require "moontide.object.owned"
local positional = require "moontide.object.positional"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"
local value = require "moontide.value"

---@class moontide.ObjectKind
---@field thing string                         "view", as in op.create_view
---@field title? string                        in messages; default: `thing` with spaces
---@field words? string                        as in DROP ...; default: `title` in upper case
---@field identity moontide.Argument[]         arguments that say which object
---@field content? moontide.Argument[]         further arguments of create_X, which `existing` has as keys
---@field inline? "list"|"first"               the content is the list part of `existing`, or its first item
---@field place? table<string, moontide.Check> options that say which object
---@field identify? fun(o: table): table       those options of an object that was created
---@field shape table<string, moontide.Check>  options of the definition
---@field keeping? table<string, moontide.Check> what `existing` has besides
---@field making? table<string, moontide.Check> options of create_X alone: replace, if_not_exists, ...
---@field example string                       what a hint shows of `existing`
---@field owned? moontide.OwnedKind
---@field settle? fun(definition: table, given: table, is_existing: boolean)  checks and completes a definition
---@field write? fun(options: table): table    a definition's options as users write them
---@field create fun(o: table, ctx: table): string  CREATE ...
---@field after? fun(o: table, ctx: table): string[]  statements that follow
---@field resume? fun(o: table, existing: table): moontide.Operation[]  operations that follow when it is made again
---@field name? fun(o: table): string          the object as SQL, as in COMMENT ON and DROP; default: its name
---@field look fun(o: table, query: function): table?, boolean?  its definition in the catalog; nil and true: it is
---  there, but what it is cannot be told
---@field bare? boolean                        it has no comment, and nothing depends on it
---@field outgrows? fun(o: table, query: function, existing: table): boolean  it can be replaced, but not replaced back
---@field loses? "always"|"cascade"            when dropping it loses data; default: never
---@field create_lock? fun(o: table): moontide.Lock[]
---@field drop_lock? fun(o: table): moontide.Lock[]
---@field rename_lock? fun(o: table): moontide.Lock[]  also of moving
---@field rename? fun(o: table): string        ALTER ... RENAME
---@field rename_if_exists? boolean
---@field schema_of? fun(o: table): string     a query: the name of the schema it is in
---@field summaries string[]                   of create, drop, rename and set_schema; those there are

local lifecycle = {}

--- What `existing` keeps of a kind on which other things hang: the statements that make them again.
lifecycle.also = { also = check.list_of(check.sql) }

local function none() return {} end

--- The lock on the object itself.
---@param mode string
---@return fun(o: table): moontide.Lock[]
function lifecycle.lock_on(mode, field)
  return function(o)
    return { { relation = quote.qualified(o.schema, o[field or "name"]), mode = mode } }
  end
end

local function concat(...)
  local list = {}
  for _, part in ipairs { ... } do table.move(part, 1, #part, #list + 1, list) end
  return list
end

local function unknown(kind, o)
  return ('what the %s "%s" was is not known: give existing, as in existing = { %s }')
    :format(kind.title, o.name or kind.name(o), kind.example)
end

-- Creating ---------------------------------------------------------------------

-- Replacing keeps owner and privileges, and a comment unless there is a new one.
local function undo_replace(kind, o)
  if o.outgrown then
    return concat({ definition.removal(kind, o, nil) }, definition.restoration(kind, o, o.existing))
  end
  local before = {}
  for key, field in pairs(o.existing) do before[key] = field end
  before.owner, before.grants, before.comment = nil, nil, o.comment and before.comment or nil
  local more = { replace = true }
  if o.comment and not before.comment then more.comment = value.null end
  return { definition.creation(kind, o, before, more) }
end

local function undo_create(kind, o)
  local refusal = lifecycle.unsure(o, kind.title)
  if refusal then return nil, refusal end
  if o.present then return {} end
  if o.replace and o.existing == nil then
    return nil, unknown(kind, o) .. ", or existing = false when there was none"
  end
  if o.replace and o.existing then return undo_replace(kind, o) end
  return { definition.removal(kind, o, definition.written(kind, o)) }
end

--- Why the inverse of an operation with if_not_exists is not known; nil when it is.
---@param o table
---@param title string
---@return string?
function lifecycle.unsure(o, title)
  if not o.if_not_exists or o.present or o.absent then return nil end
  return ("with if_not_exists it is not known whether the %s was there before: leave if_not_exists out"):format(title)
end

--- What is kept of an operation with if_not_exists: whether the object was there.
---@param found any
---@return table
function lifecycle.presence(found)
  return found and { present = true } or { absent = true }
end

-- The comment, the owner and the privileges of a new object.
local function belongings(kind, o)
  local comment = value.kind(o.comment) ~= "null" and o.comment or nil
  local list = owned.statements(kind.owned or { words = kind.words }, kind.name(o),
    { comment = comment, owner = kind.owned and o.owner, grants = kind.owned and o.grants })
  if o.comment and not comment then
    list[#list + 1] = ("COMMENT ON %s %s IS NULL"):format(kind.words, kind.name(o))
  end
  return list
end

local function check_replace(o)
  if o.existing ~= nil and not o.replace then
    check.refuse("existing needs replace = true", "Only what is replaced was there before.")
  end
  if not o.replace then return end
  for _, option in ipairs { "owner", "grants" } do
    if o[option] then
      check.refuse(("%s and replace cannot be given together"):format(option),
        "Replacing keeps both; change them with op.alter_owner, op.grant and op.revoke.")
    end
  end
  if o.if_not_exists then check.refuse("if_not_exists and replace cannot be given together") end
end

-- Online: what is about to be replaced, or whether there is something already.
local function capture_created(kind)
  return function(o, query)
    if o.if_not_exists then
      local found, hidden = kind.look(o, query)
      return lifecycle.presence(found or hidden)
    end
    if not o.replace or o.existing == false then return nil end
    local existing = kind.look(o, query)
    if not existing then return { existing = false } end
    return { existing = existing, outgrown = kind.outgrows and kind.outgrows(o, query, existing) or nil }
  end
end

local function register_create(kind)
  local making = kind.making
  local shape = check.join(kind.shape, kind.place, making, { existing = making.replace and definition.reader(kind) })
  operation.register {
    name = "create_" .. kind.thing,
    summary = kind.summaries[1],
    build = positional.build(concat(kind.identity, kind.content), shape, function(o, given)
      check_replace(o)
      kind.settle(o, given, false)
    end),
    sql = function(o, ctx) return concat({ kind.create(o, ctx) }, kind.after(o, ctx), belongings(kind, o)) end,
    inverse = function(o) return undo_create(kind, o) end,
    lock = kind.create_lock,
    source = function(o) return definition.source(kind, o) end,
    capture = (making.replace or making.if_not_exists) and capture_created(kind) or nil,
    from = kind.from,
  }
end

-- Dropping ---------------------------------------------------------------------

local function undo_drop(kind, o)
  if o.existing == false then return {} end
  if o.cascade then
    return nil, ("cascade also drops what depends on the %s: drop that first, on its own"):format(kind.title)
  end
  if not o.existing then return nil, unknown(kind, o) end
  return definition.restoration(kind, o, o.existing)
end

local function drop_sql(kind, o)
  return clause.words("DROP", kind.words, o.if_exists and "IF EXISTS", kind.name(o), o.cascade and "CASCADE")
end

-- What goes with it is not known here, and may be columns with their data.
local function drop_loses(kind, o)
  if not (kind.loses == "always" or kind.loses and o.cascade) then return nil end
  return ("drops the %s %s%s"):format(kind.title, kind.name(o), o.cascade and " and what depends on it" or "")
end

local function check_absent(o)
  if o.existing == false and not o.if_exists then
    check.refuse("existing = false needs if_exists = true", "Leave it out when it is not known.")
  end
end

local function capture_dropped(kind, o, query)
  if o.cascade then return nil end
  local existing, hidden = kind.look(o, query)
  if not existing and not hidden and o.if_exists then return { existing = false } end
  return { existing = existing }
end

local function register_drop(kind)
  local own = check.join({ if_exists = check.flag, cascade = not kind.bare and check.flag or nil }, kind.place)
  local name = "drop_" .. kind.thing
  operation.register {
    name = name,
    summary = kind.summaries[2],
    build = positional.build(kind.identity, check.join(own, { existing = definition.reader(kind) }), check_absent),
    sql = function(o) return { drop_sql(kind, o) } end,
    inverse = function(o) return undo_drop(kind, o) end,
    lock = kind.drop_lock,
    destructive = function(o) return drop_loses(kind, o) end,
    source = function(o)
      local options = kind.write(clause.pick(o, own))
      options.existing = definition.written(kind, o.existing)
      return source.call(name, table.unpack(positional.list(o, kind.identity, options)))
    end,
    capture = function(o, query) return capture_dropped(kind, o, query) end,
    from = kind.from,
  }
end

-- Renaming and moving ----------------------------------------------------------

local function rename_sql(kind)
  return function(o)
    return clause.words("ALTER", kind.words, o.if_exists and "IF EXISTS", kind.name(o), "RENAME")
  end
end

local function register_rename(kind)
  positional.register_rename {
    name = "rename_" .. kind.thing,
    summary = kind.summaries[3],
    arguments = kind.identity,
    shape = check.join(kind.place, { if_exists = kind.rename_if_exists and check.flag or nil }),
    write = kind.write,
    sql = kind.rename or rename_sql(kind),
    lock = kind.rename_lock,
    from = kind.from,
  }
end

local function undo_move(kind, name)
  return function(o)
    local before = o.schema or o.old_schema
    if not before then
      return nil, ('the schema that the %s "%s" was in is not known: give it, as in schema = "public"')
        :format(kind.title, o.name)
    end
    return { operation.build(name, o.name, before, { schema = o.new_schema }) }
  end
end

local function register_move(kind)
  local name = ("set_%s_schema"):format(kind.thing)
  local arguments = concat(kind.identity, { { "new_schema", check.name, "the new schema" } })
  operation.register {
    name = name,
    summary = kind.summaries[4],
    build = positional.build(arguments, kind.place),
    sql = function(o)
      return { ("ALTER %s %s SET SCHEMA %s"):format(kind.words, kind.name(o), quote.ident(o.new_schema)) }
    end,
    inverse = undo_move(kind, name),
    lock = kind.rename_lock,
    source = function(o)
      return source.call(name, table.unpack(positional.list(o, arguments, clause.pick(o, kind.place))))
    end,
    capture = function(o, query)
      if o.schema then return nil end
      local row = query(kind.schema_of(o))[1]
      return row and { old_schema = row.name }
    end,
    from = kind.from,
  }
end

-- A kind -----------------------------------------------------------------------

-- A comment, or `null` to take one away (what undoes a replacement needs that).
local function read_comment(given, what)
  return value.kind(given) == "null" and value.null or check.text(given, what)
end

local function plain_name(kind)
  if not kind.place.schema then return function(o) return quote.ident(o.name) end end
  return function(o) return quote.qualified(o.schema, o.name) end
end

local function complete_shapes(kind)
  kind.place, kind.making = kind.place or { schema = check.name }, kind.making or {}
  local common = { comment = not kind.bare and read_comment or nil }
  kind.shape = check.join(kind.owned and owned.shape(kind.owned) or {}, kind.shape, common)
  kind.keeping = kind.keeping or {}
  kind.content, kind.content_shape = kind.content or {}, {}
  for _, argument in ipairs(kind.content) do kind.content_shape[argument[1]] = argument[2] end
end

local function complete(kind)
  kind.title = kind.title or kind.thing:gsub("_", " ")
  kind.words = kind.words or kind.title:upper()
  complete_shapes(kind)
  kind.identify = kind.identify or function(o) return clause.pick(o, kind.place) end
  kind.settle, kind.name = kind.settle or none, kind.name or plain_name(kind)
  for _, field in ipairs { "after", "resume", "create_lock", "drop_lock", "rename_lock" } do
    kind[field] = kind[field] or none
  end
  local write = kind.write or function(options) return options end
  kind.write = function(options) return owned.write(write(options)) end
end

--- Register the operations of a kind, as many as it has summaries.
---@param kind moontide.ObjectKind
function lifecycle.register(kind)
  complete(kind)
  kind.from = debug.getinfo(2, "S").short_src
  for i, register in ipairs { register_create, register_drop, register_rename, register_move } do
    if kind.summaries[i] then register(kind) end
  end
end

return lifecycle
