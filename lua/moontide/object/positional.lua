--- Operations whose arguments before the options are known as data: which fields of the value they are.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

---@class moontide.Argument
---@field [1] string          the field of the value
---@field [2] moontide.Check
---@field [3] string          what messages call it

local positional = {}

-- A build function has as many parameters as there are: operations count them.
local forms = {
  function(build) return function(a) return build { a } end end,
  function(build) return function(a, b) return build { a, b } end end,
  function(build) return function(a, b, c) return build { a, b, c } end end,
  function(build) return function(a, b, c, d) return build { a, b, c, d } end end,
}

--- The `build` of an operation.
---@param arguments moontide.Argument[]
---@param shape table<string, moontide.Check>  of the options, which follow the arguments
---@param finish? fun(o: table, given: table)  checks what can only be judged together
---@return fun(...): table
function positional.build(arguments, shape, finish)
  local last = #arguments + 1
  return forms[last](function(given)
    local o = check.options(given[last], shape)
    for i, argument in ipairs(arguments) do o[argument[1]] = argument[2](given[i], argument[3]) end
    if finish then finish(o, given[last] or {}) end
    return o
  end)
end

--- The arguments of a value, followed by its options.
---@param o table
---@param arguments moontide.Argument[]
---@param options table
---@return table
function positional.list(o, arguments, options)
  local list = {}
  for i, argument in ipairs(arguments) do list[i] = o[argument[1]] end
  list[#arguments + 1] = options
  return list
end

---@class moontide.Renaming
---@field name string                          of the operation
---@field summary string
---@field arguments moontide.Argument[]        which object, and where; `name` is one of the fields
---@field shape table<string, moontide.Check>  options
---@field write? fun(options: table): table    options as users write them
---@field sql fun(o: table): string            what precedes TO
---@field lock fun(o: table): moontide.Lock[]
---@field from? string                         who registers it

--- Register an operation that renames: its last argument is the new name.
---@param renaming moontide.Renaming
function positional.register_rename(renaming)
  local arguments = table.move(renaming.arguments, 1, #renaming.arguments, 1, {})
  arguments[#arguments + 1] = { "new_name", check.name, "the new name" }
  local write = renaming.write or function(options) return options end
  local function list(o) return positional.list(o, arguments, write(clause.pick(o, renaming.shape))) end
  operation.register {
    name = renaming.name,
    summary = renaming.summary,
    build = positional.build(arguments, renaming.shape),
    sql = function(o) return { renaming.sql(o) .. " TO " .. quote.ident(o.new_name) } end,
    inverse = function(o)
      local back = clause.pick(o, o)
      back.name, back.new_name = o.new_name, o.name
      return { operation.build(renaming.name, table.unpack(list(back))) }
    end,
    lock = renaming.lock,
    source = function(o) return source.call(renaming.name, table.unpack(list(o))) end,
    from = renaming.from,
  }
end

return positional
