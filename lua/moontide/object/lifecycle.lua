--- Objects that are created and dropped whole: the operations create_X, drop_X and
--- rename_X of a kind, from a record that says what is special about it.
---
--- A definition is what `existing` tells: everything that creating the object again
--- needs, in the form the checks answer. The value of a create operation is one, too.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local operation = require "moontide.operation"
local owned = require "moontide.object.owned"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"
local value = require "moontide.value"

---@class moontide.Argument
---@field [1] string          the field of the value
---@field [2] moontide.Check
---@field [3] string          what messages call it

---@class moontide.ObjectKind
---@field thing string                         "view", as in op.create_view
---@field title? string                        in messages; default: `thing` with spaces
---@field words? string                        as in DROP ...; default: `title` in upper case
---@field identity moontide.Argument[]         arguments that say which object
---@field content? moontide.Argument[]         further arguments of create_X, which `existing` has as keys
---@field place? table<string, moontide.Check> options that say which object
---@field identify? fun(o: table): table       those options of an object that was created
---@field shape table<string, moontide.Check>  options of the definition
---@field making? table<string, moontide.Check> options of create_X alone: replace, if_not_exists, ...
---@field dropping? table<string, moontide.Check> options of drop_X alone
---@field example string                       what a hint shows of `existing`
---@field owned? moontide.OwnedKind
---@field settle? fun(definition: table, given: table, is_existing: boolean)  checks and completes a definition
---@field write? fun(options: table): table    a definition's options as users write them
---@field create fun(o: table, ctx: table): string  CREATE ...
---@field after? fun(o: table, ctx: table): string[]  statements that follow
---@field name fun(o: table): string           the object as SQL, as in COMMENT ON and DROP
---@field label? fun(o: table): string         the object in messages; default: its name
---@field look fun(o: table, query: function): table?  its definition in the catalog
---@field outgrows? fun(o: table, query: function, existing: table): boolean  it can be replaced, but not replaced back
---@field create_lock? fun(o: table): moontide.Lock[]
---@field drop_lock fun(o: table): moontide.Lock[]
---@field rename_lock? fun(o: table): moontide.Lock[]
---@field rename? fun(o: table): string        ALTER ... RENAME TO ...
---@field summaries string[]                   of create, drop and rename

local lifecycle = {}

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

local function read_arguments(o, arguments, given)
  for i, argument in ipairs(arguments) do o[argument[1]] = argument[2](given[i], argument[3]) end
  return o
end

-- A build function with as many parameters as there are: operations count them.
local function with_parameters(count, build)
  local forms = {
    function(a) return build { n = 1, a } end,
    function(a, b) return build { n = 2, a, b } end,
    function(a, b, c) return build { n = 3, a, b, c } end,
    function(a, b, c, d) return build { n = 4, a, b, c, d } end,
  }
  return forms[count]
end

local function read_also(given, what)
  return check.list_of(check.sql)(given, what)
end

-- The shape of `existing`: the definition, and what else hung on the object.
local function existing_shape(kind)
  local shape = check.join(kind.shape, { also = read_also })
  for _, argument in ipairs(kind.content) do shape[argument[1]] = argument[2] end
  return shape
end

local function reader(kind)
  local shape = existing_shape(kind)
  return function(given, what)
    if given == false then return false end
    check.table(given, what, "a table of options, or false when there was none")
    local definition = check.shape(given, what, shape)
    for _, argument in ipairs(kind.content) do
      if definition[argument[1]] == nil then argument[2](nil, ("%s %s"):format(what, argument[1])) end
    end
    kind.settle(definition, given, true)
    return definition
  end
end

-- A definition as `existing` gives it.
local function written(kind, definition)
  if not definition then return definition end
  return kind.write(clause.pick(definition, kind.existing_shape))
end

local function options_of(kind, o, shape)
  local options = kind.write(clause.pick(o, shape))
  options.existing = written(kind, o.existing)
  return options
end

local function values(o, arguments)
  local list = {}
  for i, argument in ipairs(arguments) do list[i] = o[argument[1]] end
  return list
end

local function call(name, arguments, options)
  local list = concat(arguments, { options })
  return operation.build(name, table.unpack(list))
end

local function place_of(kind, o) return kind.write(kind.identify(o)) end

local function unknown(kind, o)
  return ('what the %s "%s" was is not known: give existing, as in existing = { %s }')
    :format(kind.title, kind.label(o), kind.example)
end

-- The statements that hung on the object, each an operation.
local function rest_of(definition)
  local list = {}
  for i, sql in ipairs(definition.also or {}) do list[i] = operation.build("execute", sql) end
  return list
end

-- The operation that makes the object a definition describes.
local function creation(kind, o, definition, more)
  local options = written(kind, definition)
  options.also = nil
  for _, argument in ipairs(kind.content) do options[argument[1]] = nil end
  for key, field in pairs(place_of(kind, o)) do options[key] = options[key] == nil and field or options[key] end
  for key, field in pairs(more or {}) do options[key] = field end
  return call("create_" .. kind.thing, concat(values(o, kind.identity), values(definition, kind.content)), options)
end

local function removal(kind, o, existing)
  local options = place_of(kind, o)
  options.existing = existing
  return call("drop_" .. kind.thing, values(o, kind.identity), options)
end

-- Replacing keeps owner and privileges, and a comment unless there is a new one.
local function undo_replace(kind, o)
  local before = {}
  for key, field in pairs(o.existing) do before[key] = field end
  if o.outgrown then
    return concat({ removal(kind, o, nil), creation(kind, o, before) }, rest_of(before))
  end
  before.owner, before.grants, before.comment = nil, nil, o.comment and before.comment or nil
  local more = { replace = true }
  if o.comment and not before.comment then more.comment = value.null end
  return { creation(kind, o, before, more) }
end

local function undo_create(kind, o)
  if o.if_not_exists then
    return nil, ("with if_not_exists it is not known whether the %s was there before: leave if_not_exists out")
      :format(kind.title)
  end
  if not o.replace then return { removal(kind, o, written(kind, o)) } end
  if o.existing == nil then return nil, unknown(kind, o) .. ", or existing = false when there was none" end
  if o.existing == false then return { removal(kind, o, written(kind, o)) } end
  return undo_replace(kind, o)
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

-- Online, what is about to be replaced.
local function capture_replaced(kind)
  return function(o, query)
    if not o.replace or o.existing == false then return nil end
    local existing = kind.look(o, query)
    if not existing then return { existing = false } end
    return { existing = existing, outgrown = kind.outgrows and kind.outgrows(o, query, existing) or nil }
  end
end

local function register_create(kind)
  local arguments = concat(kind.identity, kind.content)
  local shape = check.join(kind.shape, kind.place, kind.making,
    kind.making.replace and { existing = reader(kind) } or {})
  local written_shape = check.join(kind.shape, kind.place, kind.making)
  operation.register {
    name = "create_" .. kind.thing,
    summary = kind.summaries[1],
    build = with_parameters(#arguments + 1, function(given)
      local o = read_arguments(check.options(given[#arguments + 1], shape), arguments, given)
      check_replace(o)
      kind.settle(o, given[#arguments + 1] or {}, false)
      return o
    end),
    sql = function(o, ctx) return concat({ kind.create(o, ctx) }, kind.after(o, ctx), belongings(kind, o)) end,
    inverse = function(o) return undo_create(kind, o) end,
    lock = kind.create_lock,
    source = function(o)
      local list = concat(values(o, arguments), { options_of(kind, o, written_shape) })
      return source.call("create_" .. kind.thing, table.unpack(list))
    end,
    capture = kind.making.replace and capture_replaced(kind) or nil,
    from = kind.from,
  }
end

local function undo_drop(kind, o)
  if o.existing == false then return {} end
  if not o.existing then return nil, unknown(kind, o) end
  if o.cascade then
    return nil, ("cascade also drops what depends on the %s: drop that first, on its own"):format(kind.title)
  end
  return concat({ creation(kind, o, o.existing) }, rest_of(o.existing))
end

local function drop_sql(kind, o)
  return clause.words("DROP", kind.words, o.if_exists and "IF EXISTS", kind.name(o), o.cascade and "CASCADE")
end

local function register_drop(kind)
  local own = check.join({ if_exists = check.flag, cascade = check.flag }, kind.place, kind.dropping)
  local shape = check.join(own, { existing = reader(kind) })
  operation.register {
    name = "drop_" .. kind.thing,
    summary = kind.summaries[2],
    build = with_parameters(#kind.identity + 1, function(given)
      local o = read_arguments(check.options(given[#kind.identity + 1], shape), kind.identity, given)
      if o.existing == false and not o.if_exists then
        check.refuse("existing = false needs if_exists = true", "Leave it out when it is not known.")
      end
      return o
    end),
    sql = function(o) return { drop_sql(kind, o) } end,
    inverse = function(o) return undo_drop(kind, o) end,
    lock = kind.drop_lock,
    source = function(o)
      local options = kind.write(clause.pick(o, own))
      options.existing = written(kind, o.existing)
      local list = concat(values(o, kind.identity), { options })
      return source.call("drop_" .. kind.thing, table.unpack(list))
    end,
    capture = function(o, query)
      local existing = kind.look(o, query)
      if not existing and o.if_exists then return { existing = false } end
      return { existing = existing }
    end,
    from = kind.from,
  }
end

local function register_rename(kind)
  local shape = check.join(kind.place, { if_exists = kind.rename_if_exists and check.flag or nil })
  local arguments = concat(kind.identity, { { "new_name", check.name, "the new name" } })
  local name = "rename_" .. kind.thing
  operation.register {
    name = name,
    summary = kind.summaries[3],
    build = with_parameters(#arguments + 1, function(given)
      return read_arguments(check.options(given[#arguments + 1], shape), arguments, given)
    end),
    sql = function(o) return { kind.rename(o) } end,
    inverse = function(o)
      local list = values(o, arguments)
      list[1], list[#list] = o.new_name, o.name
      return { call(name, list, kind.write(clause.pick(o, shape))) }
    end,
    lock = kind.rename_lock,
    source = function(o)
      return source.call(name, table.unpack(concat(values(o, arguments), { kind.write(clause.pick(o, shape)) })))
    end,
    from = kind.from,
  }
end

local function rename_sql(kind)
  return function(o)
    return clause.words("ALTER", kind.words, o.if_exists and "IF EXISTS", kind.name(o), "RENAME TO",
      quote.ident(o.new_name))
  end
end

-- A comment, or `null` to take one away (what undoes a replacement needs that).
local function read_comment(given, what)
  return value.kind(given) == "null" and value.null or check.text(given, what)
end

local function complete(kind)
  kind.title = kind.title or kind.thing:gsub("_", " ")
  kind.words = kind.words or kind.title:upper()
  kind.content, kind.place = kind.content or {}, kind.place or { schema = check.name }
  kind.making, kind.dropping = kind.making or {}, kind.dropping or {}
  kind.identify = kind.identify or function(o) return clause.pick(o, kind.place) end
  kind.settle, kind.after = kind.settle or function() end, kind.after or none
  kind.label = kind.label or function(o) return o.name end
  kind.create_lock = kind.create_lock or none
  kind.rename = kind.rename or rename_sql(kind)
  kind.shape = check.join(kind.owned and owned.shape(kind.owned) or {}, kind.shape, { comment = read_comment })
  local write = kind.write or function(options) return options end
  kind.write = function(options) return owned.write(write(options)) end
  kind.existing_shape = existing_shape(kind)
end

--- Register the operations of a kind. There is no rename_X without `rename_lock`.
---@param kind moontide.ObjectKind
function lifecycle.register(kind)
  complete(kind)
  kind.from = debug.getinfo(2, "S").short_src
  register_create(kind)
  register_drop(kind)
  if kind.rename_lock then register_rename(kind) end
end

return lifecycle
