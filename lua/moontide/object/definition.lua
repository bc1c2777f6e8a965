--- Definitions of objects: what `existing` tells, everything that creating the object again
--- needs, in the form the checks answer. The value of a create operation is one, too.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local operation = require "moontide.operation"
local positional = require "moontide.object.positional"
local source = require "moontide.source"

local definition = {}

-- The content as `existing` has it: as its list, as its first item, or under the names of the arguments.
local function content_of(kind, given)
  if kind.inline == "list" then return table.move(given, 1, #given, 1, {}), #given end
  if kind.inline == "first" then return given[1], 1 end
end

local function read_content(kind, found, content, what)
  for _, argument in ipairs(kind.content) do
    local field, read, name = table.unpack(argument)
    if kind.inline then
      found[field] = read(content, ("%s: %s"):format(what, name))
    elseif found[field] == nil then
      read(nil, ("%s %s"):format(what, field))
    end
  end
end

--- A check of `existing`.
---@param kind moontide.ObjectKind
---@return moontide.Check
function definition.reader(kind)
  local shape = check.join(kind.shape, kind.keeping, not kind.inline and kind.content_shape or nil)
  return function(given, what)
    if given == false then return false end
    check.table(given, what, ("a table such as { %s }, or false when there was none"):format(kind.example))
    local content, positions = content_of(kind, given)
    local found = check.shape(given, what, shape, positions)
    read_content(kind, found, content, what)
    kind.settle(found, given, true)
    return found
  end
end

--- The reverse of the reader.
---@param kind moontide.ObjectKind
---@param found table|false|nil
---@return table|false|nil existing
function definition.written(kind, found)
  if not found then return found end
  local existing = kind.write(clause.pick(found, check.join(kind.shape, kind.keeping, kind.content_shape)))
  if not kind.inline then return existing end
  local field = kind.content[1][1]
  local content = existing[field]
  existing[field] = nil
  if kind.inline == "first" then content = { content } end
  return table.move(content, 1, #content, 1, existing)
end

-- The arguments of a create operation for what `o` identifies, with the content and options of a definition.
local function arguments_of(kind, o, found, shape)
  local options = kind.write(clause.pick(found, check.join(shape, kind.content_shape)))
  local arguments = positional.list(o, kind.identity, nil)
  for _, argument in ipairs(kind.content) do
    arguments[#arguments + 1], options[argument[1]] = options[argument[1]], nil
  end
  return arguments, options
end

--- The source of a create operation.
---@param kind moontide.ObjectKind
---@param o moontide.Operation
---@return string
function definition.source(kind, o)
  local arguments, options = arguments_of(kind, o, o, check.join(kind.shape, kind.place, kind.making))
  options.existing = definition.written(kind, o.existing)
  arguments[#arguments + 1] = options
  return source.required(#arguments - 1, o.kind, table.unpack(arguments))
end

--- The operation that makes the object a definition describes.
---@param kind moontide.ObjectKind
---@param o table       says which object
---@param found table
---@param more? table   further options
---@return moontide.Operation
function definition.creation(kind, o, found, more)
  local arguments, options = arguments_of(kind, o, found, kind.shape)
  for key, field in pairs(kind.write(kind.identify(o))) do
    options[key] = options[key] == nil and field or options[key]
  end
  for key, field in pairs(more or {}) do options[key] = field end
  arguments[#arguments + 1] = options
  return operation.build("create_" .. kind.thing, table.unpack(arguments))
end

--- The operation that drops an object.
---@param kind moontide.ObjectKind
---@param o table               says which object
---@param existing table|nil    as users write it
---@return moontide.Operation
function definition.removal(kind, o, existing)
  local options = kind.write(kind.identify(o))
  options.existing = existing
  return operation.build("drop_" .. kind.thing, table.unpack(positional.list(o, kind.identity, options)))
end

--- The operations that bring back what a definition describes, with what else hung on it.
---@param kind moontide.ObjectKind
---@param o table
---@param found table
---@return moontide.Operation[]
function definition.restoration(kind, o, found)
  local list = { definition.creation(kind, o, found) }
  for _, sql in ipairs(found.also or {}) do list[#list + 1] = operation.build("execute", sql) end
  local rest = kind.resume(o, found)
  return table.move(rest, 1, #rest, #list + 1, list)
end

return definition
